"""A CT of four slices with known values, and what a browser would send for its tiles."""

from __future__ import annotations

import pytest

from archive.models import Study
from tests.journeys.sending import forget_what_was_drawn, store
from tests.phantoms import ct_image, ramp

STUDY = "2.25.1001"
SERIES = "2.25.1002"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message to a worker, and nothing kept from the test before."""
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    forget_what_was_drawn()


@pytest.fixture
def study(portal_data: object, transactional_db: None) -> Study:
    """Slices at z = 0, 10, 20, 30; slice n holds stored values from 800 + 100 n on, one more a pixel."""
    store(*(ct_image(ramp(start=800 + 100 * n), z=10.0 * n, number=n + 1) for n in range(4)))
    return Study.objects.get(study_instance_uid=STUDY)
