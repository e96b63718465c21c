"""Indexing is tested on real files; what would wake another process is left out."""

from __future__ import annotations

import pytest

from tests.journeys.sending import forget_what_was_drawn


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message to a worker, and nothing kept from the test before."""
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    forget_what_was_drawn()
