"""Whom a study waits for: by rule, by hand, handed over; and how urgent it is when nobody has said so.

An assignment is no lock: it says who should read, and any radiologist may still open and claim the study. A person's
word stands: what somebody assigned or prioritised is not changed by a rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from archive.access.roles import Role, has_role, roles_of
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import ScheduledStep, Study, User
from archive.scheduling.linking import priority_of
from viewer.models import AssignmentRule, ReadingTask
from viewer.signals import study_assigned
from viewer.worklist import claiming
from viewer.worklist.changes import worklist_changed
from viewer.worklist.claiming import AlreadyRead, Change, NotYours, WorklistRefusal
from viewer.worklist.limits import set_due
from viewer.worklist.rules import facts_of, first_fitting, why

Priority = ReadingTask.Priority
Source = ReadingTask.PrioritySource
ORDERED = {ScheduledStep.Priority.STAT: Priority.STAT, ScheduledStep.Priority.HIGH: Priority.URGENT}
"""Requested Procedure Priority (0040,1003) on the reading worklist; every other is routine."""


class NoReader(WorklistRefusal):
    """A study is assigned to radiologists and their groups only."""


@dataclass(frozen=True, slots=True)
class Assignee:
    """A reader, a group, or nobody."""

    user: User | None = None
    group: Group | None = None

    @property
    def values(self) -> dict[str, User | Group | None]:
        return {"assigned_to": self.user, "assigned_group": self.group}

    @property
    def user_ids(self) -> list[int]:
        """Everybody who is meant."""
        if self.user is not None:
            return [self.user.pk]
        members = User.objects.filter(groups=self.group, is_active=True) if self.group else User.objects.none()
        return list(members.order_by("pk").values_list("pk", flat=True))

    def __str__(self) -> str:
        return str(self.user or self.group or "nobody")


def assignee_of(text: str) -> Assignee:
    """Whom ``user 12``, ``group 3`` or nothing names.

    Raises
    ------
    NoReader
    """
    kind, _, number = text.partition(" ")
    if not text:
        return Assignee()
    key = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    if kind == "user" and (user := User.objects.filter(pk=key).first()):
        return Assignee(user=user)
    if kind == "group" and (group := Group.objects.filter(pk=key).first()):
        return Assignee(group=group)
    raise NoReader(f"to: {text[:40]!r} is nobody here. Accepted: a reader, a group of readers, or nobody.")


def may_assign(who: User) -> bool:
    """Radiologists, administrators, and whom the site has made coordinator."""
    return has_role(who, Role.RADIOLOGIST, Role.ADMINISTRATOR) or bool(
        roles_of(who) and who.has_perm("viewer.coordinate")
    )


def readers() -> list[User]:
    """Everybody to whom a study can be assigned."""
    active = User.objects.filter(is_active=True, groups__name=Role.RADIOLOGIST.value)
    return list(active.distinct().order_by("last_name", "first_name", "username"))


def reader_groups() -> list[Group]:
    """Groups of readers: those that have a radiologist in them and are no role."""
    active = Group.objects.filter(user__in=[reader.pk for reader in readers()]).distinct()
    return list(active.exclude(name__in=[role.value for role in Role]).order_by("name"))


@transaction.atomic
def assign(change: Change, to: Assignee, *, reason: str = "") -> ReadingTask:
    """Assign a study by hand, to a reader, a group or nobody; an administrator's reason goes into the trail.

    Raises
    ------
    NotYours, NoReader, AlreadyRead, NotOnWorklist
    """
    if not may_assign(change.user):
        raise NotYours("Only radiologists, coordinators and administrators assign studies.")
    _require_reader(to)
    before = claiming.task_of_worklist(change.study, locked=True)
    if before.state == ReadingTask.State.READ:
        raise AlreadyRead(before.read_by)
    now = timezone.now()
    because = f"assigned by {change.user}, {timezone.localtime(now):%Y-%m-%d %H:%M}" if to != Assignee() else ""
    ReadingTask.objects.filter(pk=before.pk).update(
        **to.values, assigned_by=change.user, assigned_at=now, assigned_because=because[:255]
    )
    details = {"reason": reason} if reason else {}
    change.record(Event.ASSIGNED, to=_described(to), before=_described(_assignee_of(before)), **details)
    _announce(change.study.pk, to, because)
    return claiming.task_of_worklist(change.study)


@transaction.atomic
def hand_over(change: Change, to: User) -> ReadingTask:
    """Give one's own claim to a named colleague: the study waits for them, with what was drafted and measured.

    Raises
    ------
    NotYours, NoReader, ClaimLost, ClaimedByAnother, AlreadyRead, NotOnWorklist
    """
    claiming.require_claim(change)
    _require_reader(Assignee(to))
    if to.pk == change.user.pk:
        raise NoReader("You have this study yourself. It can be handed over to another radiologist.")
    now = timezone.now()
    because = f"handed over by {change.user}, {timezone.localtime(now):%Y-%m-%d %H:%M}"
    claiming.leave(change)
    ReadingTask.objects.filter(study=change.study).update(
        assigned_to=to, assigned_group=None, assigned_by=change.user, assigned_at=now, assigned_because=because[:255]
    )
    change.record(Event.HANDED_OVER, to=to.pk)
    _announce(change.study.pk, Assignee(to), because)
    return claiming.task_of_worklist(change.study)


def _require_reader(to: Assignee) -> None:
    if to.user is not None and not claiming.may_read(to.user):
        raise NoReader(f"{to.user} is no active radiologist, and cannot read this study.")
    if to.group is not None and to.group not in reader_groups():
        raise NoReader(f"“{to.group}” is no group of readers.")


def _assignee_of(task: ReadingTask) -> Assignee:
    return Assignee(task.assigned_to, task.assigned_group)


def _described(to: Assignee) -> str:
    """For the audit trail: accounts and groups by their numbers."""
    if to.user is not None:
        return f"user {to.user.pk}"
    return f"group {to.group.pk}" if to.group is not None else "nobody"


def _announce(study_id: int, to: Assignee, because: str) -> None:
    if to != Assignee():
        study_assigned.send(sender=None, study_id=study_id, user_ids=to.user_ids, because=because)


# --- By order and by rule -------------------------------------------------------------------------------------------


@transaction.atomic
def decide(study_id: int) -> None:
    """Find priority and reader of a study from its order and the rules; a person's word and what was read stay.

    Called when a study has gone quiet and when an order of it came; calling it again changes nothing more.
    """
    study = Study.objects.filter(pk=study_id).first()
    task = ReadingTask.objects.select_for_update(of=("self",)).filter(study=study_id).first()
    if study is None or task is None or task.state == ReadingTask.State.READ:
        return
    rule = first_fitting(facts_of(study, study.ready_at or timezone.now()))
    _prioritise(task, study, rule)
    if study.ready_at is not None:
        _assign_by_rule(task, study, rule)
    set_due([study_id])


def ordered_priority(study: Study) -> tuple[ReadingTask.Priority, ReadingTask.PrioritySource]:
    """What the order says, and that it was the order; routine by nobody where there is none."""
    ordered = priority_of(study)
    if ordered is None:
        return Priority.ROUTINE, Source.NOBODY
    return ORDERED.get(ordered, Priority.ROUTINE), Source.ORDER


def _prioritise(task: ReadingTask, study: Study, rule: AssignmentRule | None) -> None:
    """An urgent order comes before a rule, a rule before an order that says routine, a person before both."""
    if task.priority_source == Source.PERSON:
        return
    priority, source = ordered_priority(study)
    if priority == Priority.ROUTINE and rule is not None and rule.priority is not None:
        priority, source = Priority(rule.priority), Source.RULE
    if (priority, source) == (task.priority, task.priority_source):
        return
    ReadingTask.objects.filter(pk=task.pk).update(priority=priority, priority_source=source)
    if priority != task.priority:
        record_event(
            Event.PRIORITY_CHANGED,
            actor=f"rule {rule.pk}" if source == Source.RULE and rule is not None else "order",
            study_instance_uid=study.study_instance_uid,
            details={"before": Priority(task.priority).label, "after": priority.label, "by": source.label},
        )
    worklist_changed()


def _assign_by_rule(task: ReadingTask, study: Study, rule: AssignmentRule | None) -> None:
    to = Assignee(rule.reader, rule.group) if rule is not None else Assignee()
    if task.assigned_by_id is not None or task.state != ReadingTask.State.UNREAD:
        return
    if rule is None or to in (Assignee(), _assignee_of(task)):
        return
    because = why(rule)
    ReadingTask.objects.filter(pk=task.pk).update(**to.values, assigned_at=timezone.now(), assigned_because=because)
    record_event(
        Event.ASSIGNED,
        actor=f"rule {rule.pk}",
        study_instance_uid=study.study_instance_uid,
        details={"to": _described(to), "because": because},
    )
    worklist_changed()
    _announce(study.pk, to, because)
