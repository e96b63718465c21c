"""Sign: the draft becomes a version that never changes, hashed and chained to the one before it.

draft --preliminary--> preliminary --final--> final --addendum--> final, with an addendum
A preliminary report may be written and signed again; any radiologist may add to a final one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from archive.audit.events import Event
from archive.jobs.queue import enqueue
from archive.models import Study
from viewer.annotations.freezing import frozen
from viewer.annotations.saving import annotations_of
from viewer.critical.flagging import tell_with_signature
from viewer.models import Report, ReportVersion
from viewer.notifying.results import tell_of_report
from viewer.reports.drafting import conflict_with, report_of, require_same_patient
from viewer.reports.errors import AlreadySigned, InvalidText, NotForYou, NothingToSign, NotSignedYet
from viewer.reports.identity import identity_of
from viewer.reports.measurements import in_text
from viewer.reports.sections import ADDENDUM, sections_of
from viewer.results.sending import queue_results
from viewer.worklist.claiming import Change, mark_preliminary, mark_read, may_read, require_claim

DOCUMENTS = "report"
"""The kind of the job that writes DICOM documents of a signed report."""
Kind = ReportVersion.Kind


@dataclass(frozen=True, slots=True)
class Signature:
    """What is signed: the draft of that number, about the patient whose images are shown."""

    kind: ReportVersion.Kind
    draft_number: int
    patient: int


@transaction.atomic
def sign(change: Change, signature: Signature) -> ReportVersion:
    """Sign the draft as preliminary or final, or the addendum; who it is was proved before.

    Raises
    ------
    NotForYou, WorklistRefusal
        The person is no reader, or has not claimed the study; an addendum needs no claim.
    Conflict
        The draft was saved again since the window read it.
    OtherPatient, AlreadySigned, NotSignedYet, NothingToSign
    """
    if not may_read(change.user):
        raise NotForYou("Only radiologists sign reports.")
    study = Study.objects.select_for_update().get(pk=change.study.pk)
    report = report_of(study, locked=True)
    if report is None:
        raise NothingToSign("There is nothing to sign yet.")
    _require_state(change, report, signature.kind)
    require_same_patient(study, report, signature.patient)
    if report.draft_number != signature.draft_number:
        raise conflict_with(report)
    version = _add_version(change, report, signature.kind)
    _move_on(change, report, signature.kind)
    tell_with_signature(change, version)
    change.record(Event.REPORT_SIGNED, kind=str(signature.kind), version=version.number, sha256=version.sha256)
    queue_results(version, by=change.user)
    if signature.kind != Kind.PRELIMINARY:
        tell_of_report(study, version)
        parameters = {"version": version.pk, "drawn": frozen(annotations_of(study))}
        enqueue(DOCUMENTS, study=study, parameters=parameters, created_by=change.user)
    return version


def _require_state(change: Change, report: Report, kind: ReportVersion.Kind) -> None:
    is_final = report.state == Report.State.FINAL
    if kind == Kind.ADDENDUM and not is_final:
        raise NotSignedYet("An addendum can be added once the final report is signed.")
    if kind != Kind.ADDENDUM:
        if is_final:
            raise AlreadySigned("The final report is signed already. An addendum can be added.")
        require_claim(change)


def _add_version(change: Change, report: Report, kind: ReportVersion.Kind) -> ReportVersion:
    previous = report.versions.order_by("number").last()
    text = _text_to_sign(report, kind)
    version = ReportVersion(
        report=report,
        number=previous.number + 1 if previous else 1,
        kind=kind,
        text=text,
        measurements=in_text(report.measurements, text) or None,
        about=identity_of(report.study),
        author=change.user,
        author_name=str(change.user),
        signed_at=timezone.now(),
        previous_sha256=previous.sha256 if previous else "",
    )
    version.sha256 = digest_of(version)
    version.save()
    return version


def _text_to_sign(report: Report, kind: ReportVersion.Kind) -> dict[str, str]:
    if kind == Kind.ADDENDUM:
        if not report.addendum.strip():
            raise NothingToSign("The addendum is empty.")
        return {ADDENDUM: report.addendum}
    text = sections_of(report)
    if not (text["findings"].strip() or text["impression"].strip()):
        raise NothingToSign("Findings and impression are empty: there is nothing to sign.")
    return text


def _move_on(change: Change, report: Report, kind: ReportVersion.Kind) -> None:
    """The report's state and the study's row of the worklist after a signature."""
    values: dict[str, Any] = {"draft_number": report.draft_number + 1}
    if kind == Kind.ADDENDUM:
        values |= {"addendum": "", "has_addendum": True}
    else:
        values |= {"state": Report.State(str(kind))}
    Report.objects.filter(pk=report.pk).update(**values)
    if kind == Kind.PRELIMINARY:
        mark_preliminary(change)
    elif kind == Kind.FINAL:
        mark_read(change)


def kind_of_signature(word: object) -> ReportVersion.Kind:
    """Preliminary or final, as asked for.

    Raises
    ------
    InvalidText
    """
    if word not in (Kind.PRELIMINARY.value, Kind.FINAL.value):
        raise InvalidText(f"kind: {str(word)[:40]!r} cannot be used. Accepted: preliminary, final.")
    return Kind(str(word))


def digest_of(version: ReportVersion) -> str:
    """SHA-256 over everything that a version says, in one canonical form: sorted JSON without spaces, UTF-8."""
    content = {
        "study": version.report.study.study_instance_uid,
        "number": version.number,
        "kind": str(version.kind),
        "text": version.text,
        "about": version.about,
        "author": version.author_name,
        "author_number": version.author_id,
        "signed_at": version.signed_at.isoformat(),
        "previous": version.previous_sha256,
    }
    if version.measurements:
        content["measurements"] = version.measurements
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def is_intact(report: Report) -> bool:
    """Whether every signed version says what it was signed with, and none is missing in between."""
    previous = ""
    versions = report.versions.select_related("report__study").order_by("number")
    for expected, version in enumerate(versions, start=1):
        if version.number != expected or version.previous_sha256 != previous or version.sha256 != digest_of(version):
            return False
        previous = version.sha256
    return True
