"""Remind and escalate until a critical result is acknowledged; run by the schedule, harmless when run twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from archive.access.grants import grant_for_critical_result
from archive.access.roles import Role, has_role
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import User
from viewer.critical.flagging import GRANT_LASTS, occasion_of
from viewer.models import CriticalResult, Notification
from viewer.notifying.telling import tell, with_stand_ins

State = CriticalResult.State
Kind = Notification.Kind


def asked_when_nobody_answers(result: CriticalResult) -> list[User]:
    """The category's people and the active members of its groups."""
    people = list(result.category.escalate_to_users.filter(is_active=True))
    members = User.objects.filter(is_active=True, groups__in=result.category.escalate_to_groups.all())
    return list({user.pk: user for user in [*people, *members]}.values())


def chase(now: datetime | None = None) -> int:
    """Remind of every result whose time has come, and escalate it where nobody answered; returns how many."""
    now = now or timezone.now()
    due = CriticalResult.objects.filter(state=State.TOLD, remind_at__lte=now)
    late = CriticalResult.objects.filter(state=State.TOLD, escalated_at__isnull=True, escalate_at__lte=now)
    return sum(_chase_one(pk, now) for pk in (due | late).values_list("pk", flat=True).order_by("pk"))


@transaction.atomic
def _chase_one(pk: int, now: datetime) -> bool:
    rows = CriticalResult.objects.select_for_update(of=("self",)).select_related("study", "category", "recipient")
    result = rows.filter(pk=pk, state=State.TOLD).first()
    if result is None:
        return False
    is_due = result.remind_at is not None and result.remind_at <= now
    is_late = result.escalated_at is None and result.escalate_at is not None and result.escalate_at <= now
    if is_late:
        result.escalated_at = now
    if is_due:
        result.reminders += 1
        result.remind_at = now + timedelta(minutes=result.category.remind_every_minutes)
    if not (is_due or is_late):
        return False
    result.save(update_fields=["escalated_at", "reminders", "remind_at"])
    _tell_again(result, now, is_late=is_late)
    return True


def _tell_again(result: CriticalResult, now: datetime, *, is_late: bool) -> None:
    asked = asked_when_nobody_answers(result) if result.escalated_at is not None else []
    _let_in(result, asked)
    if is_late:
        _tell(result, [*asked, result.flagged_by], Kind.CRITICAL_ESCALATED, "escalated")
    else:
        Notification.objects.filter(
            kind=Kind.CRITICAL_REMINDER, occasion__startswith=f"{occasion_of(result)} ", read_at__isnull=True
        ).update(read_at=now)
        people = [*with_stand_ins(result.recipient), *asked]
        _tell(result, people, Kind.CRITICAL_REMINDER, f"reminder {result.reminders}")
    record_event(
        Event.CRITICAL_NOTIFIED,
        actor="worker",
        study_instance_uid=result.study.study_instance_uid,
        details={"result": result.pk, "reminders": result.reminders, "escalated": is_late},
    )


def _let_in(result: CriticalResult, asked: Iterable[User]) -> None:
    """Clinicians who are asked can open what they are asked about."""
    for user in asked:
        if has_role(user, Role.CLINICIAN):
            grant_for_critical_result(result.study, user, by=None, lasts=GRANT_LASTS)


def _tell(result: CriticalResult, people: Iterable[User], kind: Notification.Kind, what: str) -> None:
    tell(people, kind, occasion=f"{occasion_of(result)} {what}", study=result.study)
