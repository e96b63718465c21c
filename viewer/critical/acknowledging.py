"""Acknowledge a critical result: by name and time, once."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.access.rules import may_read_reports
from archive.audit.events import Event
from archive.models import User
from viewer.critical.chasing import asked_when_nobody_answers
from viewer.critical.errors import AlreadyTold, NotTold, NotYoursToAcknowledge
from viewer.critical.flagging import occasion_of
from viewer.models import CriticalResult, Notification
from viewer.notifying.telling import no_longer_needed, tell
from viewer.worklist.claiming import Change

State = CriticalResult.State


def may_acknowledge(who: User, result: CriticalResult) -> bool:
    """Clinicians who may read the report, and readers who were asked when nobody answered."""
    if not may_read_reports(who, result.study):
        return False
    if has_role(who, Role.CLINICIAN):
        return True
    return result.escalated_at is not None and any(who.pk == one.pk for one in asked_when_nobody_answers(result))


@transaction.atomic
def acknowledge(change: Change, result: CriticalResult) -> CriticalResult:
    """Say that one knows of it and sees to it; whoever flagged it is told.

    Raises
    ------
    NotYoursToAcknowledge, NotTold, AlreadyTold
    """
    found = CriticalResult.objects.select_for_update(of=("self",)).select_related("study", "category").get(pk=result.pk)
    if not may_acknowledge(change.user, found):
        raise NotYoursToAcknowledge("A clinician who treats this patient acknowledges it.")
    if found.state in (State.FLAGGED, State.WITHDRAWN):
        raise NotTold("Nobody was told of this yet.")
    if found.state == State.ACKNOWLEDGED:
        raise AlreadyTold(f"Acknowledged by {found.acknowledged_name} at {clock_of(found)} already.")
    found.state = State.ACKNOWLEDGED
    found.acknowledged_by = change.user
    found.acknowledged_name = str(change.user)
    found.acknowledged_at = timezone.now()
    found.remind_at = None
    found.save()
    change.record(Event.CRITICAL_ACKNOWLEDGED, result=found.pk)
    no_longer_needed(occasion_of(found))
    told = [found.flagged_by] if found.flagged_by_id != change.user.pk else []
    tell(told, Notification.Kind.ACKNOWLEDGED, occasion=f"acknowledged {found.pk}", study=found.study)
    return found


def clock_of(result: CriticalResult) -> str:
    """When it was acknowledged, in the site's zone."""
    return f"{timezone.localtime(result.acknowledged_at):%Y-%m-%d %H:%M}" if result.acknowledged_at else ""
