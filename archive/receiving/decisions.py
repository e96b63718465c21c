"""What people decide about files that are held back. Every decision has a reason, and is audited.

A file that is released, kept or put in another's place comes in by the intake like
any other; the row says what became of it only after that is durable.
"""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.part10 import read_dataset
from archive.dicom.uids import new_uid, uid_from
from archive.errors import ArchiveError
from archive.indexing.rejecting import reject_instances
from archive.models import Instance, QuarantinedFile, Study, User
from archive.models.instance import Rejection
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from archive.storage import layout

State = QuarantinedFile.State
OUR_NOTES_FROM = 0x0100
"""Elements of group 0002 from here on are what the archive noted about where the file came from."""


class DecisionRefused(ValueError):
    """The decision does not fit this file; the message says why."""


def keep_under_new_uid(held: QuarantinedFile, *, reason: str, by: User) -> str:
    """Store the image beside the known one, under a UID of its own; returns that UID.

    Where it names another patient than its study, study and series get new UIDs too:
    it then stands as a study of that patient.
    """
    _check(held, reason)
    if held.reason not in {
        QuarantinedFile.Reason.OTHER_CONTENT,
        QuarantinedFile.Reason.OTHER_PATIENT,
        QuarantinedFile.Reason.OTHER_STUDY,
    }:
        raise DecisionRefused("Only images that contradict a stored one can be kept under a new UID.")
    ds = _read(held)
    ds.SOPInstanceUID = new_uid()
    if held.reason != QuarantinedFile.Reason.OTHER_CONTENT:
        ds.SeriesInstanceUID = _derived_uid(held, held.series_instance_uid)
    if held.reason == QuarantinedFile.Reason.OTHER_PATIENT:
        ds.StudyInstanceUID = _derived_uid(held, held.study_instance_uid)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    buffer = io.BytesIO()
    ds.save_as(buffer)
    buffer.seek(0)
    receive_part10(buffer, _origin(by))
    _decided(held, State.KEPT_BOTH, reason, by, {"SOPInstanceUID": str(ds.SOPInstanceUID)})
    return str(ds.SOPInstanceUID)


def _derived_uid(held: QuarantinedFile, uid: str) -> str:
    """The same new UID for all held images of one study and patient, so that they stay together."""
    return uid_from(uid, held.patient_id, "kept under a new UID")


def replace_stored(held: QuarantinedFile, *, reason: str, by: User) -> str:
    """Show this content in place of the stored one: it gets a new UID, and the stored image is rejected.

    A SOP Instance UID never stands for two contents (PS3.5 9), so the old one keeps
    its UID and its bytes and can be restored.
    """
    _check(held, reason)
    stored = (
        Instance.objects.shown().filter(sop_instance_uid=held.sop_instance_uid).select_related("series__study").first()
    )
    if held.reason != QuarantinedFile.Reason.OTHER_CONTENT or stored is None:
        raise DecisionRefused("There is no stored image that this one could take the place of.")
    uid = keep_under_new_uid(held, reason=reason, by=by)
    reject_instances(
        stored.series.study, [stored.sop_instance_uid], code=Rejection.QUALITY, reason=f"replaced: {reason}", by=by
    )
    QuarantinedFile.objects.filter(pk=held.pk).update(state=State.REPLACED)
    return uid


def release(held: QuarantinedFile, *, reason: str, by: User) -> None:
    """Let an upload that waited for a look come in as it is."""
    _check(held, reason)
    if held.reason != QuarantinedFile.Reason.UPLOAD_REVIEW:
        raise DecisionRefused("Only uploads that wait for a look can be released as they are.")
    with _path(held).open("rb") as file:
        receive_part10(file, _origin(by))
    _decided(held, State.RELEASED, reason, by, {})


def drop(held: QuarantinedFile, *, reason: str, by: User) -> None:
    """Delete the file; what it was and who decided stays."""
    _check(held, reason)
    _decided(held, State.DROPPED, reason, by, {"digest": held.digest})
    _path(held).unlink(missing_ok=True)


def _check(held: QuarantinedFile, reason: str) -> None:
    if held.state != State.HELD:
        raise DecisionRefused("Somebody has decided about this file already.")
    if not reason.strip():
        raise DecisionRefused("Please say in a few words why.")


def _path(held: QuarantinedFile) -> Path:
    return layout.path_of(held.key)


def _origin(by: User) -> Origin:
    return Origin(door=Door.UPLOAD, user_id=by.pk)


def _read(held: QuarantinedFile) -> pydicom.FileDataset:
    """The whole file, after the header was found harmless, without our own notes in group 0002."""
    path = _path(held)
    read_dataset(path)
    try:
        ds = pydicom.dcmread(path, force=True)
    except Exception as error:  # pydicom raises what it likes
        raise DecisionRefused("The file cannot be read well enough to give it a new UID.") from error
    for element in list(ds.file_meta):
        if element.tag.element >= OUR_NOTES_FROM:
            del ds.file_meta[element.tag]
    return ds


@transaction.atomic
def _decided(held: QuarantinedFile, state: str, reason: str, by: User, details: dict[str, str]) -> None:
    changed = QuarantinedFile.objects.filter(pk=held.pk, state=State.HELD).update(
        state=state, decided_by=by, decided_at=timezone.now(), decision_reason=reason.strip()[:255]
    )
    if not changed:
        raise DecisionRefused("Somebody has decided about this file already.")
    Study.objects.filter(study_instance_uid=held.study_instance_uid, held_back_count__gt=0).update(
        held_back_count=F("held_back_count") - 1
    )
    record_event(
        Event.QUARANTINE_DECIDED,
        user=by,
        study_instance_uid=held.study_instance_uid,
        subject=held.sop_instance_uid or f"quarantined file {held.pk}",
        details=details | {"decision": str(state), "reason": reason.strip()[:255]},
    )


DECISIONS = {"keep": keep_under_new_uid, "replace": replace_stored, "release": release, "drop": drop}


def decide(held: QuarantinedFile, decision: str, *, reason: str, by: User) -> None:
    """Carry out one decision by its name.

    Raises
    ------
    DecisionRefused
        It does not fit, or the file cannot be read or stored; the message is for people.
    """
    function = DECISIONS.get(decision)
    if function is None:
        raise DecisionRefused(f"'{decision[:20]}' is no decision; there are {', '.join(DECISIONS)}.")
    try:
        function(held, reason=reason, by=by)
    except (ArchiveError, OSError) as error:
        raise DecisionRefused(
            str(error) if isinstance(error, ArchiveError) else "The file is no longer there."
        ) from error


def possible_decisions(held: QuarantinedFile) -> list[tuple[str, str]]:
    """Names of the decisions that fit a file, and what they do in words."""
    if held.state != State.HELD:
        return []
    reason = QuarantinedFile.Reason
    found = []
    if held.reason == reason.UPLOAD_REVIEW:
        found.append(("release", "Store it as it is"))
    if held.reason == reason.OTHER_CONTENT:
        found.append(("replace", "Show it in place of the stored image, which is rejected and can be restored"))
        found.append(("keep", "Keep both: store it beside the stored image under a new UID"))
    if held.reason in {reason.OTHER_PATIENT, reason.OTHER_STUDY}:
        found.append(("keep", "Store it as a study of the patient it names, under new UIDs"))
    found.append(("drop", "Delete the file; what it was stays in the audit trail"))
    return found
