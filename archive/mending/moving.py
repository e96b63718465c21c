"""Move a study to another patient, merge two patients, undo either: with a preview in numbers, a reason, and audit.

Rows change, images never. Studies of a merged patient that come later follow it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.audit.events import Event
from archive.audit.reasons import clean_reason
from archive.audit.record import record_event
from archive.errors import ArchiveError
from archive.indexing.writer import recount
from archive.mending.rows import move_row, put_back
from archive.models import CorrectedStudy, Correction, Grant, Patient, Study, User
from archive.signals import studies_changed

UIDS_IN_AUDIT = 200


class MendingRefused(ArchiveError):
    """This cannot be mended so, or not by this person; the message says why."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a correction would change, in numbers."""

    studies: int
    series: int
    images: int
    changed: tuple[str, ...]
    """Which of ID, issuer, name, birth date and sex outgoing images will say otherwise."""
    grants_left: int
    """Grants to all studies of the source patient: they do not follow to the target."""
    quarantined: int
    """Files of these studies that wait in quarantine; they are decided on their own."""


def preview(studies: Iterable[Study], target: Patient) -> Preview:
    """Count what moving these studies to a patient touches."""
    rows = list(studies)
    found = Study.objects.filter(pk__in=[study.pk for study in rows])
    totals = found.aggregate(
        series_sum=Sum("series_count"), images_sum=Sum("instance_count"), held=Sum("held_back_count")
    )
    sources = {study.patient_id for study in rows}
    return Preview(
        studies=len(rows),
        series=totals["series_sum"] or 0,
        images=totals["images_sum"] or 0,
        changed=_changed(rows, target),
        grants_left=Grant.objects.filter(patient__in=sources).count(),
        quarantined=totals["held"] or 0,
    )


def _changed(studies: list[Study], target: Patient) -> tuple[str, ...]:
    pairs = {
        "patient ID": [(study.patient.patient_id, target.patient_id) for study in studies],
        "issuer of patient ID": [
            (study.patient.issuer_of_patient_id, target.issuer_of_patient_id) for study in studies
        ],
        "name": [(study.patient_name, target.patient_name) for study in studies],
        "birth date": [(study.patient_birth_date, target.patient_birth_date) for study in studies],
        "sex": [(study.patient_sex, target.patient_sex) for study in studies],
    }
    return tuple(name for name, values in pairs.items() if any(one != other for one, other in values))


def move_study(study: Study, target: Patient, *, reason: str, by: User, address: str = "") -> Correction:
    """Put a study under another patient.

    Raises
    ------
    MendingRefused
    """
    text = _checked(by, reason)
    with transaction.atomic():
        locked = Study.objects.select_for_update().get(pk=study.pk)
        if locked.patient_id == target.pk:
            raise MendingRefused("The study is this patient's already.")
        if target.merged_into_id is not None:
            raise MendingRefused("This patient was merged into another; choose that one.")
        correction = Correction.objects.create(
            kind=Correction.Kind.MOVE, source=locked.patient, target=target, reason=text, made_by=by
        )
        _take(correction, [locked])
        _record(Event.IDENTITY_CORRECTED, correction, [locked], by, address, text)
    return correction


def merge_patients(source: Patient, target: Patient, *, reason: str, by: User, address: str = "") -> Correction:
    """Put all studies of a patient under another, also those that come later.

    Raises
    ------
    MendingRefused
    """
    text = _checked(by, reason)
    with transaction.atomic():
        locked = {row.pk: row for row in Patient.objects.select_for_update().filter(pk__in=[source.pk, target.pk])}
        if len(locked) < 2:
            raise MendingRefused("A patient is merged into another one, not into itself.")
        if locked[source.pk].merged_into_id is not None or locked[target.pk].merged_into_id is not None:
            raise MendingRefused("One of them was merged into another patient already; undo that first.")
        correction = Correction.objects.create(
            kind=Correction.Kind.MERGE, source=locked[source.pk], target=locked[target.pk], reason=text, made_by=by
        )
        Patient.objects.filter(pk=source.pk).update(merged_into=target)
        studies = list(Study.objects.select_for_update().filter(patient=source).select_related("patient"))
        _take(correction, studies)
        _record(Event.IDENTITY_CORRECTED, correction, studies, by, address, text)
    return correction


def undo(correction: Correction, *, reason: str, by: User, address: str = "") -> None:
    """Put everything back as it was before a correction.

    Raises
    ------
    MendingRefused
        It was undone already, or a later correction builds on it.
    """
    text = _checked(by, reason)
    with transaction.atomic():
        locked = Correction.objects.select_for_update().get(pk=correction.pk)
        if locked.undone_at is not None:
            raise MendingRefused("This was undone already.")
        kept = list(locked.studies.select_related("study__patient"))
        later = CorrectedStudy.objects.filter(
            study__in=[one.study_id for one in kept], correction__undone_at__isnull=True
        ).filter(correction__pk__gt=locked.pk)
        if later.exists():
            raise MendingRefused(f"Correction {later[0].correction_id} came after it; undo that first.")
        if locked.kind == Correction.Kind.MERGE:
            Patient.objects.filter(pk=locked.source_id).update(merged_into=None)
        for one in kept:
            put_back(one)
            recount(one.study)
            one.study.save()
        locked.undone_by, locked.undone_at, locked.undo_reason = by, timezone.now(), text
        locked.save(update_fields=["undone_by", "undone_at", "undo_reason"])
        _record(Event.IDENTITY_RESTORED, locked, [one.study for one in kept], by, address, text)
        _announce([one.study for one in kept])


def _checked(by: User, reason: str) -> str:
    if not has_role(by, Role.ADMINISTRATOR):
        raise MendingRefused("Administrators mend identities; ask one of them.")
    return clean_reason(reason, refusal=MendingRefused)


def _take(correction: Correction, studies: list[Study]) -> None:
    for study in studies:
        move_row(correction, study)
        recount(study)
        study.save()
    _announce(studies)


def _announce(studies: list[Study]) -> None:
    if studies:
        studies_changed.send(sender=None, study_ids=sorted(study.pk for study in studies), arrived=False)


def _record(event: Event, correction: Correction, studies: list[Study], by: User, address: str, reason: str) -> None:
    record_event(
        event,
        user=by,
        address=address,
        study_instance_uid=studies[0].study_instance_uid if len(studies) == 1 else "",
        subject=f"correction {correction.pk}",
        details={
            "kind": correction.kind,
            "source": correction.source_id,
            "target": correction.target_id,
            "studies": len(studies),
            "uids": [study.study_instance_uid for study in studies[:UIDS_IN_AUDIT]],
            "reason": reason,
        },
    )
