"""What the viewer does when the archive announces something."""

from __future__ import annotations

from typing import Any

from archive.jobs.queue import enqueue
from archive.models import ScheduledStep, Study
from archive.scheduling.linking import priority_of
from archive.signals import studies_changed
from viewer.jobs import kinds
from viewer.models import ReadingTask

PRIORITIES = {
    ScheduledStep.Priority.STAT: ReadingTask.Priority.STAT,
    ScheduledStep.Priority.HIGH: ReadingTask.Priority.URGENT,
}
"""Requested Procedure Priority (0040,1003) on the reading worklist; every other is routine."""


def connect() -> None:
    kinds.register_all()
    studies_changed.connect(put_on_worklist, dispatch_uid="reading worklist")
    studies_changed.connect(queue_pictures, dispatch_uid="thumbnails")


def put_on_worklist(study_ids: list[int], arrived: bool, **_details: Any) -> None:
    """Each study has one row of the reading worklist; waiting counts from its last image."""
    if not arrived:
        return
    for study in Study.objects.filter(pk__in=study_ids):
        task, _ = ReadingTask.objects.get_or_create(
            study=study, defaults={"waiting_since": study.last_received_at, "priority": ordered_priority(study)}
        )
        if task.waiting_since != study.last_received_at:
            ReadingTask.objects.filter(pk=task.pk).update(waiting_since=study.last_received_at)


def ordered_priority(study: Study) -> ReadingTask.Priority:
    """Priority comes from the order, where there is one; afterwards only a person changes it."""
    ordered = priority_of(study)
    return PRIORITIES.get(ordered, ReadingTask.Priority.ROUTINE) if ordered else ReadingTask.Priority.ROUTINE


def queue_pictures(study_ids: list[int], arrived: bool, **_details: Any) -> None:
    """Thumbnails and first tiles: one waiting job a study, however often images come."""
    for study in Study.objects.filter(pk__in=study_ids):
        enqueue("pictures", study=study, coalescing_key=f"pictures {study.pk}")
