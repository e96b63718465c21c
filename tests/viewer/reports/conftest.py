"""A study that a reader holds, and what writes its report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from archive.models import Study
from tests.conftest import PASSWORD
from tests.viewer.worklist.studies import make_study
from viewer.models import ReadingTask, Report, ReportVersion
from viewer.reports.drafting import Draft, save_draft
from viewer.reports.signing import Signature, sign
from viewer.worklist.claiming import Change, claim

if TYPE_CHECKING:
    from archive.models import User
    from tests.conftest import Cast

TEXT = {"findings": "No nodule.", "impression": "Normal."}


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def study(cast: Cast) -> Study:
    """A study that ``reader`` has claimed."""
    made = make_study(1, study_description="CT chest", accession_number="A-77")
    claim(Change(cast.reader, made))
    return made


@pytest.fixture
def save(study: Study, cast: Cast) -> Callable[..., Report]:
    """Save as a reader, with the draft that is kept."""

    def save_as(who: User | None = None, *, began_with: int | None = None, **text: str) -> Report:
        kept = Report.objects.filter(study=study).values_list("draft_number", flat=True).first() or 0
        number = kept if began_with is None else began_with
        draft = Draft(text=text or TEXT, began_with=number, patient=study.patient_id)
        return save_draft(Change(who or cast.reader, study), draft)

    return save_as


@pytest.fixture
def sign_as(study: Study, cast: Cast) -> Callable[..., ReportVersion]:
    """Sign the draft that is kept."""

    def sign_it(kind: str = "final", who: User | None = None) -> ReportVersion:
        number = Report.objects.get(study=study).draft_number
        signature = Signature(ReportVersion.Kind(kind), number, study.patient_id)
        return sign(Change(who or cast.reader, study), signature)

    return sign_it


def make_silent(study: Study) -> None:
    """The browser that holds the claim has given no sign of life for long."""
    ReadingTask.objects.filter(study=study).update(claim_seen_at=timezone.now() - timedelta(hours=1))


def proof() -> dict[str, str]:
    return {"password": PASSWORD}
