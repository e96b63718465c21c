"""The state machine of the reading worklist: who has a study, whether it was read, how urgent it is.

    unread --claim--> in progress --mark read, final report--> read
      ^                  | ^                                     |
      +-----release------+ +--claim--- preliminary               |
      |                  +--preliminary report--^                |
      +-------------------------mark unread----------------------+

A study whose preliminary report waits for the final one goes back to "preliminary" when it is released.

Every change is a conditional update: of two readers who press Enter at the same
moment one has the study, and the other is told who. Each writes its audit event in
the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Study, User
from viewer.errors import ViewerError
from viewer.models import ReadingTask, Report
from viewer.worklist.changes import worklist_changed
from viewer.worklist.limits import set_due

State = ReadingTask.State
Priority = ReadingTask.Priority

PEOPLE = ("claimed_by", "read_by", "assigned_to", "assigned_group")
CLAIM_LASTS = timedelta(minutes=5)
"""A claim whose browser gave no sign of life for this long may be taken over."""


class WorklistRefusal(ViewerError):
    """A change of the reading worklist that is refused; the message says why, and what would be possible."""


class NotYours(WorklistRefusal):
    """The role of the person does not make this change."""


class ClaimedByAnother(WorklistRefusal):
    """Somebody else is reading the study; ``reader`` is who."""

    def __init__(self, reader: User, since: datetime | None) -> None:
        clock = f" since {timezone.localtime(since):%H:%M}" if since else ""
        super().__init__(f"{reader} is reading this study{clock}. It can be opened read-only.")
        self.reader = reader


class AlreadyRead(WorklistRefusal):
    """The study was read; ``reader`` is by whom, if that is known."""

    def __init__(self, reader: User | None) -> None:
        by = f" by {reader}" if reader else ""
        super().__init__(f"This study was read{by}. It can be opened read-only, or marked as unread first.")
        self.reader = reader


class StillArriving(WorklistRefusal):
    """Images are still coming, so that nobody can have seen all of them."""

    def __init__(self) -> None:
        super().__init__("Images of this study are still arriving. It can be opened read-only until it is ready.")


class ClaimLost(WorklistRefusal):
    """The person does not hold the claim, or no longer."""

    def __init__(self) -> None:
        super().__init__("You do not hold this study any more: open it from the worklist again.")


class NotOnWorklist(WorklistRefusal):
    """The study has no row on the reading worklist."""

    def __init__(self) -> None:
        super().__init__("This study is not on the reading worklist.")


@dataclass(frozen=True, slots=True)
class Change:
    """A change that is asked for: by whom, of which study, from which address."""

    user: User
    study: Study
    address: str = ""

    def record(self, event: Event, **details: Any) -> None:
        record_event(
            event,  # its value is what is kept
            user=self.user,
            address=self.address,
            study_instance_uid=self.study.study_instance_uid,
            details=details,
        )
        worklist_changed()


def may_read(who: User) -> bool:
    """Only radiologists claim studies and say that they were read."""
    return has_role(who, Role.RADIOLOGIST)


def may_set_priority(who: User) -> bool:
    return has_role(who, Role.RADIOLOGIST, Role.TECHNOLOGIST)


def is_stale(task: ReadingTask, now: datetime) -> bool:
    """Whether the browser that holds the claim has been silent for too long."""
    return task.claim_seen_at is None or task.claim_seen_at < now - CLAIM_LASTS


def can_be_claimed_by(who: User, task: ReadingTask, *, arriving: bool, now: datetime) -> bool:
    """Whether Enter would claim: what ``claim`` decides, for a row that is already loaded."""
    if arriving or task.state == State.READ or not may_read(who):
        return False
    return task.claimed_by_id in (None, who.pk) or is_stale(task, now)


@transaction.atomic
def claim(change: Change) -> ReadingTask:
    """Take a study for reading; again by the same reader is a sign of life.

    Raises
    ------
    NotYours, StillArriving, AlreadyRead, ClaimedByAnother, NotOnWorklist
    """
    _require_reader(change.user)
    if Study.objects.filter(pk=change.study.pk, ready_at__isnull=True).exists():
        raise StillArriving
    now = timezone.now()
    before = task_of_worklist(change.study, locked=True)
    free = Q(state__in=(State.UNREAD, State.PRELIMINARY)) | Q(state=State.IN_PROGRESS) & (
        Q(claimed_by=change.user)
        | Q(claimed_by__isnull=True)
        | Q(claim_seen_at__isnull=True)
        | Q(claim_seen_at__lt=now - CLAIM_LASTS)
    )
    taken = ReadingTask.objects.filter(free, study=change.study).update(
        state=State.IN_PROGRESS,
        claimed_by=change.user,
        claimed_at=before.claimed_at if before.claimed_by_id == change.user.pk and before.claimed_at else now,
        claim_seen_at=now,
        first_opened_at=before.first_opened_at or now,
    )
    if not taken:
        raise _why_not(change)
    if before.claimed_by_id != change.user.pk:
        details = {"taken_over_from": before.claimed_by_id} if before.claimed_by_id else {}
        change.record(Event.CLAIMED, **details)
    return task_of_worklist(change.study)


def heartbeat(change: Change) -> ReadingTask:
    """Say that the reader's browser still has the study open.

    Raises
    ------
    ClaimedByAnother, AlreadyRead, ClaimLost
        Somebody took it over, read it, or it was released elsewhere.
    """
    _require_reader(change.user)
    if not _own(change).update(claim_seen_at=timezone.now()):
        raise _why_not(change)
    return task_of_worklist(change.study)


@transaction.atomic
def release(change: Change) -> ReadingTask:
    """Give a study back to the worklist; twice is harmless, another reader's claim is not touched."""
    _require_reader(change.user)
    if _leave(change, _state_when_free(change.study)):
        change.record(Event.RELEASED)
        return task_of_worklist(change.study)
    task = task_of_worklist(change.study)
    if task.state == State.IN_PROGRESS and task.claimed_by is not None:
        raise ClaimedByAnother(task.claimed_by, task.claimed_at)
    return task


@transaction.atomic
def mark_read(change: Change) -> ReadingTask:
    """Say that a study was read: one's own claim, or one that nobody has.

    Raises
    ------
    NotYours, StillArriving, AlreadyRead, ClaimedByAnother, NotOnWorklist
    """
    task = claim(change)
    now = timezone.now()
    _own(change).update(
        state=State.READ, read_by=change.user, read_at=now, claimed_by=None, claimed_at=None, claim_seen_at=None
    )
    change.record(Event.MARKED_READ, waiting_since=task.waiting_since.isoformat())
    return task_of_worklist(change.study)


@transaction.atomic
def mark_preliminary(change: Change) -> ReadingTask:
    """Give back one's own claim once a preliminary report was signed: the final one is still to come.

    Raises
    ------
    ClaimLost, ClaimedByAnother, AlreadyRead
    """
    _require_reader(change.user)
    if not _leave(change, State.PRELIMINARY):
        raise _why_not(change)
    ReadingTask.objects.filter(study=change.study, preliminary_at__isnull=True).update(preliminary_at=timezone.now())
    return task_of_worklist(change.study)


@transaction.atomic
def mark_unread(change: Change) -> ReadingTask:
    """Put a read study back on the list; an unread one stays as it is."""
    _require_reader(change.user)
    before = task_of_worklist(change.study, locked=True)
    changed = ReadingTask.objects.filter(study=change.study, state=State.READ).update(
        state=State.UNREAD, read_by=None, read_at=None
    )
    if changed:
        change.record(Event.MARKED_UNREAD, was_read_by=before.read_by_id)
        return task_of_worklist(change.study)
    if before.state == State.IN_PROGRESS and before.claimed_by is not None and before.claimed_by_id != change.user.pk:
        raise ClaimedByAnother(before.claimed_by, before.claimed_at)
    return before


@transaction.atomic
def set_priority(change: Change, priority: ReadingTask.Priority) -> ReadingTask:
    """Set how urgent a study is."""
    if not may_set_priority(change.user):
        raise NotYours("Only radiologists and technologists set the priority of a study.")
    before = task_of_worklist(change.study, locked=True)
    said = {"priority": priority, "priority_source": ReadingTask.PrioritySource.PERSON}
    ReadingTask.objects.filter(study=change.study).update(**said)
    if before.priority != priority:
        set_due([change.study.pk])
        change.record(
            Event.PRIORITY_CHANGED,
            before=Priority(before.priority).label,
            after=Priority(priority).label,
        )
    return task_of_worklist(change.study)


def require_claim(change: Change) -> None:
    """Hold a study's row of the worklist until the transaction ends, if it is this person who claimed it.

    Raises
    ------
    NotYours, ClaimedByAnother, AlreadyRead, ClaimLost, NotOnWorklist
    """
    _require_reader(change.user)
    task = task_of_worklist(change.study, locked=True)
    if task.state != State.IN_PROGRESS or task.claimed_by_id != change.user.pk:
        raise _why_not(change)


def _state_when_free(study: Study) -> ReadingTask.State:
    """What a study goes back to when nobody holds it any more."""
    waits_for_final = Report.objects.filter(study=study, state=Report.State.PRELIMINARY).exists()
    return State.PRELIMINARY if waits_for_final else State.UNREAD


def leave(change: Change) -> None:
    """Give up one's own claim without a word: whoever calls says why."""
    _leave(change, _state_when_free(change.study))


def _leave(change: Change, state: ReadingTask.State) -> bool:
    """Give up one's own claim; False where there was none."""
    return bool(_own(change).update(state=state, claimed_by=None, claimed_at=None, claim_seen_at=None))


def _require_reader(user: User) -> None:
    if not may_read(user):
        raise NotYours("Only radiologists claim and read studies.")


def _own(change: Change) -> Any:
    return ReadingTask.objects.filter(study=change.study, state=State.IN_PROGRESS, claimed_by=change.user)


def task_of_worklist(study: Study, *, locked: bool = False) -> ReadingTask:
    """The study's row of the worklist, locked until the transaction ends where asked for.

    Raises
    ------
    NotOnWorklist
    """
    tasks = ReadingTask.objects.select_related(*PEOPLE).filter(study=study)
    task = (tasks.select_for_update(of=("self",)) if locked else tasks).first()
    if task is None:
        raise NotOnWorklist
    return task


def _why_not(change: Change) -> WorklistRefusal:
    """What stands in the way of holding a study, as it is now."""
    task = task_of_worklist(change.study)
    if task.state == State.READ:
        return AlreadyRead(task.read_by)
    if task.claimed_by is not None and task.claimed_by_id != change.user.pk:
        return ClaimedByAnother(task.claimed_by, task.claimed_at)
    return ClaimLost()
