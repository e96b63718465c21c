"""Hide images with a coded reason, and show them again. Bytes stay; lists, tiles and queries follow at once.

Codes are those of KOS rejection notes (CID 7011).
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.indexing.writer import recount
from archive.models import Instance, Study, User
from archive.models.instance import Rejection
from archive.signals import studies_changed

REASONS = tuple(code for code in Rejection if code is not Rejection.NONE)


class RejectionRefused(ValueError):
    """The code is none, the role may not use it, or no image was named."""


def codes_for(who: User) -> tuple[Rejection, ...]:
    """Technologists judge quality; radiologists and administrators may use every code."""
    if has_role(who, Role.RADIOLOGIST, Role.ADMINISTRATOR):
        return REASONS
    return (Rejection.QUALITY,) if has_role(who, Role.TECHNOLOGIST) else ()


@transaction.atomic
def reject_instances(study: Study, uids: Collection[str], *, code: str, reason: str, by: User) -> int:
    """Hide images of one study; returns how many."""
    if code not in codes_for(by):
        raise RejectionRefused("Your role may not reject images for this reason.")
    if not reason.strip():
        raise RejectionRefused("Please say in a few words why.")
    study = Study.objects.select_for_update().get(pk=study.pk)
    shown = Instance.objects.shown().filter(series__study=study, sop_instance_uid__in=uids)
    found = list(shown.values_list("sop_instance_uid", flat=True))
    if not found:
        raise RejectionRefused("None of these images is shown.")
    Instance.objects.filter(sop_instance_uid__in=found).update(
        rejection=code, rejection_reason=reason.strip()[:255], rejected_at=timezone.now(), rejected_by=by
    )
    _rearrange(study)
    _record(Event.INSTANCES_REJECTED, study, found, by, {"code": str(code), "reason": reason.strip()[:255]})
    return len(found)


@transaction.atomic
def restore_instances(study: Study, uids: Collection[str], *, reason: str, by: User) -> int:
    """Show rejected images again; returns how many."""
    if not codes_for(by):
        raise RejectionRefused("Your role may not restore images.")
    study = Study.objects.select_for_update().get(pk=study.pk)
    hidden = Instance.objects.filter(series__study=study, sop_instance_uid__in=uids, rejection__in=codes_for(by))
    found = list(hidden.values_list("sop_instance_uid", flat=True))
    if not found:
        raise RejectionRefused("None of these images is rejected, or not for a reason that you may judge.")
    Instance.objects.filter(sop_instance_uid__in=found).update(
        rejection=Rejection.NONE,
        rejection_reason="",
        rejected_at=None,
        rejected_by=None,
        added_revision=study.revision + 1,
    )
    _rearrange(study)
    _record(Event.INSTANCES_RESTORED, study, found, by, {"reason": reason.strip()[:255]})
    return len(found)


def _rearrange(study: Study) -> None:
    """Count again; stacks as of an earlier revision can no longer be shown."""
    recount(study)
    study.rearranged_revision = study.revision
    study.save()
    studies_changed.send(sender=None, study_ids=[study.pk], arrived=False)


def _record(event: Event, study: Study, uids: list[str], by: User, details: dict[str, str]) -> None:
    record_event(
        event,
        user=by,
        study_instance_uid=study.study_instance_uid,
        subject=uids[0] if len(uids) == 1 else f"{len(uids)} images",
        details=details | {"SOPInstanceUIDs": uids[:1000]},
    )
