"""What the viewer does when the archive announces something."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from archive.jobs.queue import enqueue
from archive.models import Study, User
from archive.signals import orders_changed, studies_changed, study_facts_changed, study_quiet
from viewer.discussion.signals import attention_wanted
from viewer.jobs import kinds
from viewer.models import Notification, ReadingTask
from viewer.notifying.telling import tell
from viewer.results import taking
from viewer.signals import study_assigned, study_overdue
from viewer.worklist.assigning import decide, ordered_priority
from viewer.worklist.changes import worklist_changed
from viewer.worklist.limits import set_due


def connect() -> None:
    kinds.register_all()
    taking.register_all()
    studies_changed.connect(put_on_worklist, dispatch_uid="reading worklist")
    studies_changed.connect(queue_pictures, dispatch_uid="thumbnails")
    study_quiet.connect(assign_when_quiet, dispatch_uid="assignment")
    orders_changed.connect(assign_when_ordered, dispatch_uid="assignment by order")
    study_assigned.connect(tell_of_assignment, dispatch_uid="news of an assignment")
    attention_wanted.connect(tell_of_remark, dispatch_uid="news of a remark")
    study_overdue.connect(tell_of_overdue, dispatch_uid="news of an overdue study")
    for announcement in (studies_changed, study_quiet, study_facts_changed):
        announcement.connect(worklist_changed, dispatch_uid="change of the worklist")


def put_on_worklist(study_ids: list[int], arrived: bool, **_details: Any) -> None:
    """Each study has one row of the reading worklist; waiting counts from its last image."""
    if not arrived:
        return
    for study in Study.objects.filter(pk__in=study_ids):
        task = ReadingTask.objects.filter(study=study).first()
        if task is None:
            priority, source = ordered_priority(study)
            said = {"waiting_since": study.last_received_at, "priority": priority, "priority_source": source}
            task, _ = ReadingTask.objects.get_or_create(study=study, defaults=said)
        if task.waiting_since != study.last_received_at:
            ReadingTask.objects.filter(pk=task.pk).update(waiting_since=study.last_received_at)
    set_due(study_ids)


def assign_when_quiet(study_id: int, **_details: Any) -> None:
    """All of a study seems to be here: order and rules say how urgent it is and who reads it."""
    decide(study_id)


def assign_when_ordered(study_ids: list[int], **_details: Any) -> None:
    """An order that comes after the images decides as if it had come before."""
    for study_id in study_ids:
        decide(study_id)


def queue_pictures(study_ids: list[int], arrived: bool, **_details: Any) -> None:
    """Thumbnails and first tiles: one waiting job a study, however often images come."""
    for study in Study.objects.filter(pk__in=study_ids):
        enqueue("pictures", study=study, coalescing_key=f"pictures {study.pk}")


def tell_of_assignment(study_id: int, user_ids: list[int], **_details: Any) -> None:
    """A study was given to a reader, or to each reader of a group."""
    _tell(study_id, user_ids, Notification.Kind.ASSIGNED)


def tell_of_overdue(study_id: int, user_ids: list[int], **_details: Any) -> None:
    """Nobody has read a study within the site's limit."""
    _tell(study_id, user_ids, Notification.Kind.OVERDUE)


def tell_of_remark(person: User, why: str, study: Study, **_details: Any) -> None:
    """Somebody was named in a remark, or asked to look; ``why`` is the kind of the news."""
    _tell(study.pk, [person.pk], Notification.Kind(why))


def _tell(study_id: int, user_ids: list[int], kind: Notification.Kind) -> None:
    study = Study.objects.get(pk=study_id)
    # Given back to somebody who had it before, it is news again.
    occasion = f"{kind} study {study_id} {timezone.now().timestamp():.6f}"
    tell(User.objects.filter(pk__in=user_ids), kind, occasion=occasion, study=study)
