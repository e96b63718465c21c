"""Hide images with a coded reason, and show them again.

A rejected image is at once gone from lists, tiles and queries; its bytes and its
row stay. Codes are those of the KOS that would say the same (CID 7010, 7011).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.audit.events import Event
from archive.audit.reasons import clean_reason
from archive.audit.record import record_event
from archive.errors import ArchiveError
from archive.indexing.writer import recount
from archive.models import Instance, Series, Study, User
from archive.models.instance import InstanceQuerySet, Rejection
from archive.signals import studies_changed

CODES_OF_TECHNOLOGISTS = frozenset({Rejection.QUALITY})
CODES_OF_RADIOLOGISTS = frozenset({Rejection.QUALITY, Rejection.PATIENT_SAFETY, Rejection.WRONG_WORKLIST_ENTRY})
CODES_OF_ADMINISTRATORS = frozenset(code for code in Rejection if code)
UIDS_IN_AUDIT = 200
"""Instances of one study that an audit event names; the rest is counted."""


class RejectionRefused(ArchiveError):
    """This person may not hide or restore these images for this reason; the message says what they may."""


class NotTheirs(RejectionRefused):
    """The reason is one that others may give, or one of the images is of another modality than the person's own."""


@dataclass(slots=True)
class Changed:
    """What was hidden or restored."""

    instances: int = 0
    revisions: dict[str, int] = field(default_factory=dict)
    """New revision of each study, by its UID."""


def codes_of(who: User) -> list[Rejection]:
    """Reasons that a person may give, in the order of the list."""
    allowed: set[Rejection] = set()
    if has_role(who, Role.TECHNOLOGIST):
        allowed |= CODES_OF_TECHNOLOGISTS
    if has_role(who, Role.RADIOLOGIST):
        allowed |= CODES_OF_RADIOLOGISTS
    if has_role(who, Role.ADMINISTRATOR):
        allowed |= CODES_OF_ADMINISTRATORS
    return [code for code in Rejection if code in allowed]


def rejectable_by(who: User, instances: InstanceQuerySet) -> InstanceQuerySet:
    """Narrow to what a person may hide or restore: for a technologist, series of their own modality."""
    if has_role(who, Role.RADIOLOGIST, Role.ADMINISTRATOR):
        return instances
    if has_role(who, Role.TECHNOLOGIST):
        return instances.filter(series__modality__in=who.modalities or [])
    return instances.none()


def reject_instances(instances: InstanceQuerySet, *, code: str, reason: str, by: User, address: str = "") -> Changed:
    """Hide images; those that are hidden already stay as they are.

    Raises
    ------
    RejectionRefused
        The code is unknown or not this person's, the reason is too short, or one of the images is not theirs to hide.
    """
    allowed = codes_of(by)
    if code not in allowed:
        words = ", ".join(f"{one.value} ({one.label})" for one in allowed) or "none"
        raise NotTheirs(f"This reason code cannot be used by you. Accepted: {words}.")
    text = clean_reason(reason, refusal=RejectionRefused)
    _check_all_theirs(by, instances)
    values = {
        "rejection": code,
        "rejection_reason": text,
        "rejected_at": timezone.now(),
        "rejected_by": by,
    }
    return _change(instances, values, Event.INSTANCES_REJECTED, by, address, {"code": code, "reason": text})


def restore_instances(instances: InstanceQuerySet, *, reason: str, by: User, address: str = "") -> Changed:
    """Show hidden images again, as of a new revision of their study.

    Raises
    ------
    RejectionRefused
        The reason is too short, or one of the images was hidden for a reason that is not this person's.
    """
    text = clean_reason(reason, refusal=RejectionRefused)
    _check_all_theirs(by, instances)
    hidden = instances.exclude(rejection=Rejection.NONE)
    if hidden.exclude(rejection__in=codes_of(by)).exists():
        words = ", ".join(code.label for code in codes_of(by)) or "none"
        raise RejectionRefused(f"Some of these images were hidden for a reason that you may not undo. Yours: {words}.")
    values = {"rejection": Rejection.NONE, "rejection_reason": "", "rejected_at": None, "rejected_by": None}
    return _change(instances, values, Event.INSTANCES_RESTORED, by, address, {"reason": text})


def _check_all_theirs(by: User, instances: InstanceQuerySet) -> None:
    others = instances.exclude(pk__in=rejectable_by(by, instances).values("pk"))
    if others.exists():
        own = ", ".join(by.modalities or []) or "none"
        raise NotTheirs(f"Some of these images are not yours to hide or restore. Your modalities: {own}.")


@transaction.atomic
def _change(
    instances: InstanceQuerySet,
    values: Mapping[str, object],
    event: Event,
    by: User,
    address: str,
    details: Mapping[str, object],
) -> Changed:
    changed = Changed()
    ids: list[int] = []
    for study_id, found in sorted(_by_study(_of_kind(instances, event)).items()):
        study = Study.objects.select_for_update().get(pk=study_id)
        done: list[int] = []
        for part in _parts(found):
            # The lock on the study has let everybody else finish: what they changed is no longer of this kind.
            still = list(_of_kind(Instance.objects.filter(pk__in=part), event).values_list("pk", flat=True))
            Instance.objects.filter(pk__in=still).update(**values)
            Series.objects.filter(instances__in=still).update(pictures_owed=True)
            done += still
        if not done:
            continue
        recount(study)
        study.rearranged_revision = study.revision
        study.save()
        if event is Event.INSTANCES_RESTORED:
            for part in _parts(done):
                Instance.objects.filter(pk__in=part).update(added_revision=study.revision)
        uids = list(Instance.objects.filter(pk__in=done[:UIDS_IN_AUDIT]).values_list("sop_instance_uid", flat=True))
        record_event(
            event,
            user=by,
            address=address,
            study_instance_uid=study.study_instance_uid,
            details={"instances": len(done), "uids": uids, **details},
        )
        changed.instances += len(done)
        changed.revisions[study.study_instance_uid] = study.revision
        ids.append(study.pk)
    if ids:
        studies_changed.send(sender=None, study_ids=ids, arrived=False)
    return changed


def _by_study(instances: InstanceQuerySet) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for study_id, pk in instances.values_list("series__study_id", "pk"):
        found[study_id].append(pk)
    return found


def _parts(ids: list[int], size: int = 500) -> Iterable[list[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _of_kind(instances: InstanceQuerySet, event: Event) -> InstanceQuerySet:
    """Those that the change is about: shown ones to hide, hidden ones to restore."""
    return instances.shown() if event is Event.INSTANCES_REJECTED else instances.exclude(rejection=Rejection.NONE)
