"""Save a draft: every save names the one that it began with, so that of two windows neither loses a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from archive.audit.events import Event
from archive.models import Study
from viewer.models import Report
from viewer.models.report import SECTIONS
from viewer.reports.earlier import keep_earlier
from viewer.reports.errors import AlreadySigned, Conflict, InvalidText, NotForYou, NotSignedYet, OtherPatient, Saved
from viewer.reports.measurements import merged
from viewer.reports.sections import ADDENDUM, clean_sections, draft_text
from viewer.worklist.claiming import Change, may_read, require_claim


@dataclass(frozen=True, slots=True)
class Draft:
    """What a window wants to be kept."""

    text: Mapping[str, Any]
    """Section -> text; sections that are not named stay as they are."""
    began_with: int
    """Number of the save that the window began with; 0 where there was none."""
    patient: int
    """The portal's number of the patient whose images the window shows."""
    patient_confirmed: bool = False
    """The reader has looked, and says that the text is about the study's present patient."""
    puts_back: bool = False
    """An earlier text is put back: the present one is kept among them."""
    measurements: object = ()
    """What the window has dropped into the text; see ``viewer.reports.measurements``."""


def report_of(study: Study, *, locked: bool = False) -> Report | None:
    reports = Report.objects.select_related("study", "author")
    return (reports.select_for_update(of=("self",)) if locked else reports).filter(study=study).first()


@transaction.atomic
def save_draft(change: Change, draft: Draft) -> Report:
    """Keep a draft.

    Raises
    ------
    NotForYou, WorklistRefusal
        The person is no reader, or has not claimed the study; an addendum needs no claim.
    OtherPatient
        The window shows another patient, or the study was moved to another since the draft began.
    AlreadySigned, NotSignedYet
        The final report stands: only an addendum can be written. Or it does not: nothing to add to.
    Conflict
        Somebody saved in between; it carries what is kept.
    InvalidText
    """
    text = clean_sections(draft.text)
    if not text:
        raise InvalidText("Nothing was given to be saved.")
    if not may_read(change.user):
        raise NotForYou("Only radiologists write reports.")
    study = Study.objects.select_for_update().get(pk=change.study.pk)
    report = report_of(study, locked=True)
    _require_right_to_write(change, report, text)
    require_same_patient(study, report, draft.patient, confirmed=draft.patient_confirmed)
    if report is None:
        return _begin(change, study, draft, text)
    if report.draft_number != draft.began_with:
        raise conflict_with(report)
    keep_earlier(report, change.user, always=draft.puts_back)
    values: dict[str, Any] = dict(text)
    if draft.measurements:
        values["measurements"] = merged(report.measurements, draft.measurements, study)
    return _write(change, report, values, patient=study.patient_id)


def _require_right_to_write(change: Change, report: Report | None, text: Mapping[str, str]) -> None:
    is_final = report is not None and report.state == Report.State.FINAL
    if is_final and any(name in SECTIONS for name in text):
        raise AlreadySigned("The final report is signed and cannot be changed. An addendum can be added.")
    if not is_final and ADDENDUM in text:
        raise NotSignedYet("An addendum can be written once the final report is signed.")
    if not is_final:
        require_claim(change)


def require_same_patient(study: Study, report: Report | None, shown: int, *, confirmed: bool = False) -> None:
    """Refuse text about one patient while the images are another's.

    Raises
    ------
    OtherPatient
    """
    if shown != study.patient_id:
        raise OtherPatient("The images that you are shown belong to another patient. Open the study again.")
    if report is not None and report.patient_id != study.patient_id and not confirmed:
        raise OtherPatient(
            "This study was moved to another patient after the report was begun. "
            "Check the name above and the text, then confirm whom it is about."
        )


def _begin(change: Change, study: Study, draft: Draft, text: Mapping[str, str]) -> Report:
    if draft.began_with != 0:
        raise InvalidText("There is no such draft any more: open the study again. Your text is still here.")
    measurements = merged([], draft.measurements, study) if draft.measurements else []
    try:
        with transaction.atomic():
            report = Report.objects.create(
                study=study,
                patient=study.patient,
                author=change.user,
                saved_at=timezone.now(),
                draft_number=1,
                measurements=measurements,
                **text,
            )
    except IntegrityError:
        # Another window began one in the same moment.
        found = report_of(study)
        if found is None:
            raise
        raise conflict_with(found) from None
    change.record(Event.REPORT_SAVED, begun=True)
    return report


def _write(change: Change, report: Report, values: Mapping[str, Any], *, patient: int) -> Report:
    written = dict(values) | {
        "author": change.user,
        "patient_id": patient,
        "saved_at": timezone.now(),
        "draft_number": report.draft_number + 1,
    }
    if not Report.objects.filter(pk=report.pk, draft_number=report.draft_number).update(**written):
        report.refresh_from_db()
        raise conflict_with(report)
    if report.author_id != change.user.pk:
        change.record(Event.REPORT_SAVED, taken_over_from=report.author_id)
    if report.patient_id != patient:
        change.record(Event.REPORT_SAVED, patient_confirmed=patient)
    report.refresh_from_db()
    return report


def conflict_with(report: Report) -> Conflict:
    """The refusal of a save that did not begin with what is kept."""
    saved = Saved(
        number=report.draft_number,
        text=draft_text(report),
        by=str(report.author) if report.author else "",
        at=report.saved_at.isoformat(),
    )
    return Conflict(saved, f"{timezone.localtime(report.saved_at):%H:%M}")
