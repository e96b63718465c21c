"""Put steps on the modality worklist, change them and take them off; the state machine of a scheduled step.

    SCHEDULED --> ARRIVED --> STARTED --> COMPLETED
            \\___________\\__________\\__> DISCONTINUED

Every change is a conditional update and an event of the audit trail in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from pydicom import Dataset

from archive.access.grants import grant_by_order
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.errors import ArchiveError
from archive.exchange.routing import route_order
from archive.models import ScheduledStep, User
from archive.models.scheduled_step import StepState
from archive.scheduling.attributes import read_steps
from archive.scheduling.linking import studies_of
from archive.signals import orders_changed

MOST_STEPS = 1000
"""Steps that one file or message may bring."""

BEFORE: dict[StepState, tuple[StepState, ...]] = {
    StepState.SCHEDULED: (StepState.ARRIVED, StepState.STARTED, StepState.DISCONTINUED),
    StepState.ARRIVED: (StepState.SCHEDULED,),
    StepState.STARTED: (StepState.SCHEDULED, StepState.ARRIVED, StepState.COMPLETED, StepState.DISCONTINUED),
    StepState.COMPLETED: (StepState.SCHEDULED, StepState.ARRIVED, StepState.STARTED),
    StepState.DISCONTINUED: (StepState.SCHEDULED, StepState.ARRIVED, StepState.STARTED),
}
"""From which states a state can be reached; a modality may begin again, and "complete" can be undone."""

IDENTITY = ("study_instance_uid", "requested_procedure_id", "scheduled_procedure_step_id")
"""What makes a step the same step when an order comes again."""


class BadOrder(ArchiveError):
    """A step cannot be put on the worklist; the message says which attribute, what was found, what is accepted."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who orders: a person, or a program by its name."""

    actor: str = ""
    user: User | None = None
    address: str = ""


def add_steps(ds: Dataset, *, source: Source) -> list[ScheduledStep]:
    """Put the steps of a worklist item on the worklist; one that is known is brought up to date.

    Raises
    ------
    BadOrder
        Nothing was changed.
    """
    found = list(read_steps(ds))
    if len(found) > MOST_STEPS:
        raise BadOrder(f"{len(found)} steps were given at once; at most {MOST_STEPS} are taken.")
    with transaction.atomic():
        return [put_step(values, source=source) for values in found]


def put_step(values: dict[str, Any], *, source: Source) -> ScheduledStep:
    """Make a step, or change the one with the same Study UID, procedure ID and step ID.

    Raises
    ------
    BadOrder
    """
    identity = {name: values.get(name, "") for name in IDENTITY}
    step = ScheduledStep.objects.filter(**identity).first() if all(identity.values()) else None
    is_new = step is None
    step = step or ScheduledStep()
    for name, value in values.items():
        if is_new or name != "state":
            # The state of a known step moves by what happens, not by an order that comes again.
            setattr(step, name, value)
    step.fill_in_identifiers()
    try:
        step.full_clean()
    except ValidationError as error:
        raise BadOrder(in_words(error)) from None
    save_step(step, is_new=is_new, source=source)
    return step


@transaction.atomic
def save_step(step: ScheduledStep, *, is_new: bool, source: Source) -> None:
    """Write a checked step, and let what follows from an order follow."""
    step.save()
    _record(Event.ORDERED if is_new else Event.ORDER_CHANGED, step, source)
    studies = list(studies_of(step))
    for study in studies:
        grant_by_order(study)
    route_order(step)
    if studies:
        orders_changed.send(sender=None, study_ids=[study.pk for study in studies])


def in_words(error: ValidationError) -> str:
    """What is wrong, attribute by attribute; without the values, which name a patient."""
    return " ".join(f"{name}: {' '.join(words)}" for name, words in error.message_dict.items())


@transaction.atomic
def move_step(step: ScheduledStep, to: StepState, *, source: Source) -> bool:
    """Move a step to a state; False where it is there already, or cannot come there from where it is."""
    moved = ScheduledStep.objects.filter(pk=step.pk, state__in=BEFORE[to]).update(state=to)
    if moved:
        before, step.state = step.state, to
        _record(Event.STEP_MOVED, step, source, before=before, after=to.value)
    return bool(moved)


def _record(event: Event, step: ScheduledStep, source: Source, **details: Any) -> None:
    record_event(
        event,
        user=source.user,
        actor=source.actor,
        address=source.address,
        study_instance_uid=step.study_instance_uid,
        subject=f"scheduled step {step.pk}",
        details=details,
    )
