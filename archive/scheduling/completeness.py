"""Whether all of a study is here: by what its modality says it made, or because a technologist says so.

Quiet is never complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Instance, PerformedStep, ScheduledStep, Study, User
from archive.models.scheduled_step import ScheduledStepQuerySet, StepState
from archive.scheduling.orders import Source, move_step
from archive.signals import study_facts_changed


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a study's modality says it made; ``is_final`` when it makes no more."""

    instances: int
    missing: int
    series: int
    is_final: bool


def expectation_of(study_instance_uid: str) -> Expectation | None:
    """Compare what the performed steps of a study list with what is stored; None where there is no list."""
    steps = PerformedStep.objects.filter(studies__study_instance_uid=study_instance_uid).prefetch_related("series")
    made: set[str] = set()
    series: set[str] = set()
    states: set[str] = set()
    for step in steps:
        states.add(step.state)
        for one in step.series.all():
            made.update(one.sop_instance_uids)
            series.add(one.series_instance_uid)
    if not made:
        return None
    is_final = PerformedStep.State.IN_PROGRESS not in states and PerformedStep.State.COMPLETED in states
    return Expectation(len(made), len(made) - _stored(made), len(series), is_final)


def _stored(uids: set[str], at_once: int = 500) -> int:
    names = sorted(uids)
    parts = (names[start : start + at_once] for start in range(0, len(names), at_once))
    return sum(Instance.objects.filter(sop_instance_uid__in=part).count() for part in parts)


@transaction.atomic
def note_expectations(study_instance_uids: Iterable[str]) -> None:
    """Keep how much is expected of studies, and say "complete" of those of which all has come."""
    for uid in study_instance_uids:
        study = Study.objects.filter(study_instance_uid=uid).first()
        if study is None:
            continue
        expectation = expectation_of(uid)
        expected = expectation.instances if expectation else None
        if expected != study.expected_instance_count:
            Study.objects.filter(pk=study.pk).update(expected_instance_count=expected)
            study_facts_changed.send(sender=None, study_instance_uid=study.study_instance_uid)
        if expectation is not None and expectation.is_final and not expectation.missing:
            _say_complete(study, by=None, source=Source("modality"))


def complete_study(study: Study, *, by: User, address: str = "") -> bool:
    """A technologist says that all is here; False where it had been said."""
    return _say_complete(study, by=by, source=Source(user=by, address=address))


@transaction.atomic
def _say_complete(study: Study, *, by: User | None, source: Source) -> bool:
    said = Study.objects.filter(pk=study.pk, completed_at__isnull=True).update(
        completed_at=timezone.now(), completed_by=by
    )
    if not said:
        return False
    study_facts_changed.send(sender=None, study_instance_uid=study.study_instance_uid)
    _record(Event.STUDY_COMPLETED, study, source)
    for step in steps_of(study):
        move_step(step, StepState.COMPLETED, source=source)
    return True


@transaction.atomic
def reopen_study(study: Study, *, by: User, address: str = "") -> bool:
    """Take "complete" back; its steps are under way again. False where it had not been said."""
    source = Source(user=by, address=address)
    reopened = Study.objects.filter(pk=study.pk, completed_at__isnull=False).update(
        completed_at=None, completed_by=None
    )
    if not reopened:
        return False
    study_facts_changed.send(sender=None, study_instance_uid=study.study_instance_uid)
    _record(Event.STUDY_REOPENED, study, source)
    for step in steps_of(study).filter(state=StepState.COMPLETED):
        move_step(step, StepState.STARTED, source=source)
    return True


def steps_of(study: Study) -> ScheduledStepQuerySet:
    """Scheduled steps of a study by its UID: what the modality took from the worklist."""
    return ScheduledStep.objects.filter(study_instance_uid=study.study_instance_uid)


def _record(event: Event, study: Study, source: Source) -> None:
    record_event(
        event,
        user=source.user,
        actor=source.actor,
        address=source.address,
        study_instance_uid=study.study_instance_uid,
        details={"instances": study.instance_count},
    )
