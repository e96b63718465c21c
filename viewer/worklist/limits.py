"""The site's limits: until when a study should be read, counted from its last image, by priority and modality."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from viewer.models import ReadingTask, TimeLimit
from viewer.worklist.changes import worklist_changed

ALMOST = 0.25
"""The last quarter of the time is said to be short."""


def limit_for(limits: Iterable[TimeLimit], priority: int, modalities: Iterable[str]) -> TimeLimit | None:
    """The limit that holds: one for priority and modality, else for the modality, else for the priority, else for all.

    Of several modalities the shortest limit of the most particular kind counts.
    """
    held = set(modalities)
    fitting = [
        limit
        for limit in limits
        if limit.priority in (None, priority) and (not limit.modality or limit.modality in held)
    ]
    return min(
        fitting,
        key=lambda limit: (not limit.modality, limit.priority is None, limit.minutes),
        default=None,
    )


def due_at(task: ReadingTask) -> datetime | None:
    """Until when a task should be read; its study must be loaded."""
    limit = limit_for(TimeLimit.objects.all(), task.priority, task.study.modality_list())
    return task.waiting_since + timedelta(minutes=limit.minutes) if limit else None


def set_due(study_ids: Iterable[int]) -> None:
    """Count anew after images came or a priority changed; what is in time again may be told of again."""
    limits = list(TimeLimit.objects.all())
    for task in ReadingTask.objects.filter(study__in=list(study_ids)).select_related("study"):
        limit = limit_for(limits, task.priority, task.study.modality_list())
        due = task.waiting_since + timedelta(minutes=limit.minutes) if limit else None
        if due != task.due_at:
            ReadingTask.objects.filter(pk=task.pk).update(due_at=due, overdue_told_at=None)


@transaction.atomic
def recount() -> None:
    """Bring all open studies to the limits as they are now: one update for each priority and set of modalities."""
    limits = list(TimeLimit.objects.all())
    waiting = ReadingTask.objects.exclude(state=ReadingTask.State.READ)
    kinds = waiting.order_by().values_list("priority", "study__modalities").distinct()
    for priority, modalities in list(kinds):
        limit = limit_for(limits, priority, modalities.split("\\"))
        due = F("waiting_since") + timedelta(minutes=limit.minutes) if limit else None
        waiting.filter(priority=priority, study__modalities=modalities).update(due_at=due)
    worklist_changed()
