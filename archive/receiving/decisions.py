"""What people decide about files that are held back: store, replace, keep both, drop.

A decision is one conditional update with its audit event, so that of two people
who decide at once one is told. Bytes are made durable in their new place before
the row says so, and leave their old place after: a crash in between shows the
file as still held back, and the same decision can be made again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.reasons import clean_reason
from archive.audit.record import record_event
from archive.dicom.part10 import read_dataset
from archive.dicom.uids import is_valid_uid, uid_from
from archive.errors import ArchiveError
from archive.indexing.attributes import IndexedAttributes, read_attributes
from archive.indexing.identity import is_other_patient
from archive.indexing.prepare import PreparedFile, prepare
from archive.indexing.writer import recount
from archive.models import Instance, QuarantinedFile, Series, StoredFile, Study, User
from archive.receiving.intake import receive_instance
from archive.receiving.rewriting import Copy, Readable, as_it_is, open_checked, under_other_uids
from archive.receiving.sources import Door, Origin
from archive.receiving.staging import StagedFile
from archive.signals import studies_changed, study_facts_changed
from archive.storage import layout
from archive.storage.files import link_once, sync_folder
from archive.storage.integrity import data_set_digest

logger = logging.getLogger(__name__)

State, Reason = QuarantinedFile.State, QuarantinedFile.Reason


class DecisionRefused(ArchiveError):
    """The decision cannot be carried out; the message says why, and the file stays as it was."""


class Action(StrEnum):
    """What can be decided."""

    REPLACE = "replace"
    """The held-back file becomes the image of its UID; the one that was stored is kept here."""
    PUT_BACK = "put-back"
    """The other way round: the image that was replaced becomes the stored one again."""
    KEEP_BOTH = "keep-both"
    """A copy under new UIDs is stored beside what is there; the bytes that came stay here."""
    RELEASE = "release"
    """It is stored as it is, by the intake."""
    DROP = "drop"
    """Its bytes are deleted for ever."""


ACTIONS: dict[str, tuple[Action, ...]] = {
    Reason.UPLOAD_REVIEW: (Action.RELEASE, Action.DROP),
    Reason.OTHER_CONTENT: (Action.REPLACE, Action.KEEP_BOTH, Action.DROP),
    Reason.OTHER_PATIENT: (Action.KEEP_BOTH, Action.RELEASE, Action.DROP),
    Reason.OTHER_STUDY: (Action.KEEP_BOTH, Action.RELEASE, Action.DROP),
    Reason.MISMATCH: (Action.RELEASE, Action.DROP),
    Reason.UNREADABLE: (Action.RELEASE, Action.DROP),
}
"""Actions by the reason for which a file is held back, the likely one first."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and why."""

    user: User
    reason: str
    address: str = ""


def actions_for(row: QuarantinedFile) -> tuple[Action, ...]:
    """What can still be decided about a file."""
    if row.state == State.HELD:
        return ACTIONS[row.reason]
    return (Action.PUT_BACK,) if row.state == State.REPLACED else ()


def decide(row: QuarantinedFile, action: Action, *, by: Decider) -> None:
    """Carry out one decision about one file.

    Raises
    ------
    DecisionRefused
        The action does not fit the file, somebody else has decided, or it would be held back again.
    ArchiveError
        The intake refused; the file stays held back.
    """
    by = replace(by, reason=clean_reason(by.reason, refusal=DecisionRefused))
    if action not in actions_for(row):
        raise DecisionRefused("This cannot be decided any more: the file is no longer held back for this.")
    {
        Action.REPLACE: _swap,
        Action.PUT_BACK: _swap,
        Action.KEEP_BOTH: _keep_both,
        Action.RELEASE: _release,
        Action.DROP: _drop,
    }[action](row, by)


# --- Store it as it is ----------------------------------------------------------------------------------------------


def _release(row: QuarantinedFile, by: Decider) -> None:
    source = _readable(row)
    hindrance = hindrance_of(row, _attributes(source, row))
    if hindrance:
        raise DecisionRefused(f"It would be held back again: {hindrance}")
    _through_intake(source, as_it_is(source), row, source.header.sop_instance_uid)
    with transaction.atomic():
        _end(row, State.RELEASED, by)
        _remove_after_commit(layout.path_of(row.key))


def hindrance_of(row: QuarantinedFile, came: IndexedAttributes) -> str:
    """Why the indexer would hold a file back; empty where it would show it."""
    known = Instance.objects.filter(sop_instance_uid=came.sop_instance_uid).first()
    if known is not None and known.data_set_digest != row.digest:
        return "an image with its UID and other content is stored. Replace that one, or keep both."
    if _is_of_another_patient(came):
        return "its study is stored under another patient. Keep both to make a study of its own."
    if _is_of_another_study(came):
        return "its series is stored in another study. Keep both to make a series of its own."
    return ""


def _is_of_another_patient(came: IndexedAttributes) -> bool:
    study = Study.objects.filter(study_instance_uid=came.study_instance_uid).select_related("patient").first()
    return study is not None and is_other_patient(
        study.patient,
        patient_id=came.patient["patient_id"],
        issuer=came.issuer_of_patient_id,
        study_instance_uid=came.study_instance_uid,
    )


def _is_of_another_study(came: IndexedAttributes) -> bool:
    series = Series.objects.filter(series_instance_uid=came.series_instance_uid).select_related("study").first()
    return series is not None and series.study.study_instance_uid != came.study_instance_uid


# --- Keep both ------------------------------------------------------------------------------------------------------


def _keep_both(row: QuarantinedFile, by: Decider) -> None:
    source = _readable(row)
    came = _attributes(source, row)
    changes = new_uids(row, came)
    # Kept before the copy is made: made again after a crash, it is the same copy.
    changed_at = row.decided_at or timezone.now()
    QuarantinedFile.objects.filter(pk=row.pk, state=State.HELD).update(decided_at=changed_at)
    try:
        copy = under_other_uids(source, changes, reason="CORRECT", changed_at=changed_at)
    except ArchiveError as error:
        raise DecisionRefused(str(error)) from error
    _through_intake(source, copy, row, changes["SOPInstanceUID"])
    with transaction.atomic():
        _end(row, State.KEPT_BOTH, by, new_uids=changes)


def new_uids(row: QuarantinedFile, came: IndexedAttributes) -> dict[str, str]:
    """UIDs that a copy needs to stand beside what is stored; files of one study or series stay together."""
    changes = {"SOPInstanceUID": uid_from("instance", came.sop_instance_uid, row.digest)}
    if _is_of_another_patient(came):
        whose = f"{came.patient['patient_id']}\\{came.issuer_of_patient_id}"
        study = uid_from("study", came.study_instance_uid, whose)
        changes |= {"StudyInstanceUID": study, "SeriesInstanceUID": uid_from("series", came.series_instance_uid, study)}
    elif _is_of_another_study(came):
        changes["SeriesInstanceUID"] = uid_from("series", came.series_instance_uid, came.study_instance_uid)
    return changes


# --- Replace, and put back ------------------------------------------------------------------------------------------


def _swap(row: QuarantinedFile, by: Decider) -> None:
    """Let the held-back file and the stored one change places; the row then keeps the one that was stored."""
    held = layout.path_of(row.key)
    item = _prepared(row)
    instance = _stored_instance(item)
    old_key, old_digest, old_size = _facts_of(instance.stored_file)
    old = layout.path_of(old_key)
    kept_key = layout.quarantine_key(digest=old_digest, unique=token_hex(6))
    _link(held, layout.path_of(item.key), item.digest)
    has_old = old.exists()
    if has_old:
        _link(old, layout.path_of(kept_key), old_digest)
    with transaction.atomic():
        row_now = QuarantinedFile.objects.select_for_update().get(pk=row.pk)
        if (row_now.state, row_now.key) != (row.state, row.key):
            raise DecisionRefused("Somebody else has decided about this file.")
        _put_in_place(instance, item, old_key)
        _note_swap(
            row, by, key=kept_key if has_old else row.key, digest=old_digest if has_old else row.digest, size=old_size
        )
        if has_old:
            _remove_after_commit(old, held)


def _facts_of(stored: StoredFile) -> tuple[str, str, int]:
    return stored.key, stored.file_digest, stored.size


def _prepared(row: QuarantinedFile) -> PreparedFile:
    try:
        return prepare(layout.path_of(row.key))
    except FileNotFoundError:
        raise DecisionRefused("Its file is missing from the archive's disk.") from None
    except ArchiveError as error:
        raise DecisionRefused(str(error)) from error


def _stored_instance(item: PreparedFile) -> Instance:
    """The image that would be replaced, where the new one belongs to the same patient, study and series."""
    uid = item.attributes.sop_instance_uid
    instance = (
        Instance.objects.select_related("stored_file", "series__study__patient").filter(sop_instance_uid=uid).first()
    )
    if instance is None:
        raise DecisionRefused("There is no stored image of this UID any more; release the file instead.")
    study = instance.series.study
    if study.study_instance_uid != item.attributes.study_instance_uid or _is_of_another_patient(item.attributes):
        raise DecisionRefused("It names another patient or study than the stored image. Keep both, or drop it.")
    if instance.series.series_instance_uid != item.attributes.series_instance_uid:
        raise DecisionRefused("It names another series than the stored image. Keep both, or drop it.")
    return instance


def _link(source: Path, target: Path, digest: str) -> None:
    """Give a file a second, durable name; one that holds the same data set already will do."""
    try:
        link_once(source, target)
    except FileExistsError:
        if data_set_digest(target) != digest:
            raise DecisionRefused("Another file lies where this one belongs; an administrator should look.") from None
    sync_folder(target.parent)


def _put_in_place(instance: Instance, item: PreparedFile, old_key: str) -> None:
    """Point the image's rows at the new file; the study gets a new revision, and earlier ones cannot be shown any more."""
    study = Study.objects.select_for_update().get(pk=instance.series.study_id)
    replaced = StoredFile.objects.filter(instance=instance, key=old_key).update(
        key=item.key,
        size=layout.path_of(item.key).stat().st_size,
        transfer_syntax_uid=item.transfer_syntax_uid,
        file_digest=item.digest,
        frame_index=item.frame_index,
        is_as_received=True,
        verified_at=None,
        damage="",
    )
    if not replaced:
        raise DecisionRefused("The stored image was changed by somebody else just now. Look again.")
    recount(study)
    study.rearranged_revision = study.revision
    study.save()
    Instance.objects.filter(pk=instance.pk).update(
        added_revision=study.revision,
        **item.image_values,
        **item.arrival_values,
    )
    Series.objects.filter(pk=instance.series_id).update(pictures_owed=True)
    studies_changed.send(sender=None, study_ids=[study.pk], arrived=False)


def _note_swap(row: QuarantinedFile, by: Decider, **kept: Any) -> None:
    """The row keeps what was stored until now, so that it can be put back."""
    was_held = row.state == State.HELD
    QuarantinedFile.objects.filter(pk=row.pk).update(
        state=State.REPLACED,
        explanation="The image that was stored until it was replaced; it can be put back.",
        decided_by=by.user,
        decided_at=timezone.now(),
        decision_reason=by.reason,
        **kept,
    )
    if was_held:
        _count_one_less(row.study_instance_uid)
    _record(row, State.REPLACED, by, digest=row.digest, in_place_of=kept["digest"])


# --- Drop -----------------------------------------------------------------------------------------------------------


def _drop(row: QuarantinedFile, by: Decider) -> None:
    with transaction.atomic():
        _end(row, State.DROPPED, by, digest=row.digest, size=row.size)
        _remove_after_commit(layout.path_of(row.key))


def remove_leftovers(*, since: timedelta = timedelta(days=2)) -> int:
    """Remove files of recent decisions whose process died before it could; returns how many."""
    removed = 0
    recent = QuarantinedFile.objects.filter(
        state__in=[State.RELEASED, State.DROPPED], decided_at__gt=timezone.now() - since
    )
    for key in recent.values_list("key", flat=True):
        path = layout.path_of(key)
        if path.exists():
            _remove(path)
            removed += 1
    return removed


# --- Shared ---------------------------------------------------------------------------------------------------------


def _readable(row: QuarantinedFile) -> Readable:
    try:
        source = open_checked(layout.path_of(row.key))
    except FileNotFoundError:
        raise DecisionRefused("Its file is missing from the archive's disk.") from None
    except ArchiveError as error:
        raise DecisionRefused(f"It still cannot be read: {error}") from error
    header = source.header
    for uid in (header.sop_class_uid, header.sop_instance_uid, header.study_instance_uid, header.series_instance_uid):
        if not is_valid_uid(uid):
            raise DecisionRefused("It lacks a UID that every stored image needs.")
    return source


def _attributes(source: Readable, row: QuarantinedFile) -> IndexedAttributes:
    try:
        return read_attributes(read_dataset(source.path), default_issuer=origin_of(source, row).issuer_of_patient_id)
    except ArchiveError as error:
        raise DecisionRefused(f"It still cannot be read: {error}") from error


def origin_of(source: Readable, row: QuarantinedFile) -> Origin:
    """Where the file came from, as its own header says, else as the row does; it is not held for review again."""
    try:
        return replace(Origin.from_json(source.meta.private), hold_for_review=False)
    except (ValueError, KeyError, TypeError):
        door = Door(row.door) if row.door in set(Door) else Door.FOLDER
        return Origin(door=door, calling_ae_title=row.calling_ae_title, received_at=row.received_at)


def _through_intake(source: Readable, copy: Copy, row: QuarantinedFile, sop_instance_uid: str) -> None:
    staged = StagedFile.create(
        transfer_syntax_uid=copy.transfer_syntax_uid,
        sop_class_uid=source.header.sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        origin=origin_of(source, row),
    )
    try:
        for block in copy.blocks:
            staged.write(block)
    except BaseException:
        staged.abort()
        raise
    receive_instance(staged)


def _end(row: QuarantinedFile, state: QuarantinedFile.State, by: Decider, **details: Any) -> None:
    ended = QuarantinedFile.objects.filter(pk=row.pk, state=State.HELD).update(
        state=state, decided_by=by.user, decided_at=_now(row, state), decision_reason=by.reason
    )
    if not ended:
        raise DecisionRefused("Somebody else has decided about this file.")
    _count_one_less(row.study_instance_uid)
    _record(row, state, by, **details)


def _now(row: QuarantinedFile, state: QuarantinedFile.State) -> datetime | F:
    return F("decided_at") if state == State.KEPT_BOTH else timezone.now()


def _count_one_less(study_instance_uid: str) -> None:
    Study.objects.filter(study_instance_uid=study_instance_uid, held_back_count__gt=0).update(
        held_back_count=F("held_back_count") - 1
    )
    study_facts_changed.send(sender=None, study_instance_uid=study_instance_uid)


def _record(row: QuarantinedFile, state: QuarantinedFile.State, by: Decider, **details: Any) -> None:
    record_event(
        Event.QUARANTINE_DECIDED,
        user=by.user,
        address=by.address,
        study_instance_uid=row.study_instance_uid,
        subject=row.sop_instance_uid,
        details={"row": row.pk, "held_for": row.reason, "decision": str(state), "reason": by.reason, **details},
    )


def _remove_after_commit(*paths: Path) -> None:
    for path in paths:
        transaction.on_commit(partial(_remove, path), robust=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_folder(path.parent)
