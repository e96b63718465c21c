"""Raise what nobody has read in time: mark the row, audit it, tell those whom the site has named; once a study."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import User
from viewer.models import ReadingTask, TimeLimit
from viewer.signals import study_overdue
from viewer.worklist.changes import worklist_changed
from viewer.worklist.limits import limit_for

MOST_AT_ONCE = 200
"""Studies raised in one go; the rest follow a minute later."""


def raise_overdue() -> int:
    """Raise open studies whose time is over; returns how many. Running it twice tells nobody twice."""
    now = timezone.now()
    late = (
        ReadingTask.objects.exclude(state=ReadingTask.State.READ)
        .filter(due_at__lt=now, overdue_told_at__isnull=True, study__instance_count__gt=0)
        .select_related("study")
        .order_by("priority", "due_at")
    )
    limits = list(TimeLimit.objects.prefetch_related("told"))
    raised = 0
    for task in late[:MOST_AT_ONCE]:
        with transaction.atomic():
            raised += _raise(task, limit_for(limits, task.priority, task.study.modality_list()))
    if raised:
        worklist_changed()
    return raised


def _raise(task: ReadingTask, limit: TimeLimit | None) -> bool:
    now = timezone.now()
    unread = ReadingTask.objects.exclude(state=ReadingTask.State.READ)
    if not unread.filter(pk=task.pk, overdue_told_at__isnull=True, due_at__lt=now).update(overdue_told_at=now):
        return False
    told = told_of(task, limit)
    record_event(
        Event.STUDY_OVERDUE,
        actor="clock",
        study_instance_uid=task.study.study_instance_uid,
        details={
            "priority": ReadingTask.Priority(task.priority).label,
            "waiting_since": task.waiting_since.isoformat(),
            "limit_minutes": limit.minutes if limit else None,
            "told": told,
        },
    )
    study_overdue.send(sender=None, study_id=task.study_id, user_ids=told)
    return True


def told_of(task: ReadingTask, limit: TimeLimit | None) -> list[int]:
    """Who is told: the members of the limit's groups, and the reader who has the study or to whom it is assigned."""
    listed = User.objects.filter(is_active=True, groups__in=limit.told.all()) if limit else User.objects.none()
    told = set(listed.values_list("pk", flat=True))
    return sorted(told | {pk for pk in (task.claimed_by_id, task.assigned_to_id) if pk is not None})
