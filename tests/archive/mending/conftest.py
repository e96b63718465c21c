"""Mending is tested on images that came through the intake; what would wake another process is left out."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def alone(portal_data: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
