"""Routing rules: what happens of itself when a study has arrived (gone quiet), or an order.

A rule forwards or fetches priors. What it decides becomes job rows in the transaction that settles the study or
writes the order, so a restart loses nothing. Nothing goes back to the peer that it came from, an instance goes to a rule's peer once,
and derived images stay unless the rule asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.jobs.kinds import PRIORS, SEND
from archive.jobs.queue import enqueue
from archive.models import Instance, Job, Route, RoutedInstance, ScheduledStep, Series, Study
from archive.models.instance import InstanceQuerySet
from archive.models.scheduled_step import StepState
from archive.storage import layout

BEFORE_IMAGES = (StepState.SCHEDULED, StepState.ARRIVED)
"""States of an order for which priors are fetched: those whose images are still to come."""


@dataclass(frozen=True, slots=True)
class WouldSend:
    """What a rule would do about one study."""

    study: Study
    instances: int


def route_study(study_id: int, *, at: datetime | None = None) -> list[Job]:
    """Apply every enabled rule to a settled study; returns the jobs that were queued."""
    study = Study.objects.select_related("patient").filter(pk=study_id).first()
    if study is None:
        return []
    jobs = []
    for route in _rules(Route.Trigger.ARRIVAL):
        with transaction.atomic():
            job = _apply(route, study, at or timezone.now())
        if job is not None:
            jobs.append(job)
    return jobs


def route_order(step: ScheduledStep, *, at: datetime | None = None) -> list[Job]:
    """Apply every enabled rule to an order that came or was changed; returns the jobs that were queued."""
    if step.state not in BEFORE_IMAGES:
        return []
    rules = [route for route in _rules(Route.Trigger.ORDER) if is_time(route, at or timezone.now())]
    found = [_queue_priors_of_order(route, step) for route in rules if matches_order(route, step)]
    return [job for job in found if job is not None]


def _rules(trigger: Route.Trigger) -> QuerySet[Route]:
    enabled = Route.objects.filter(enabled=True, peer__enabled=True, trigger__in=[trigger, Route.Trigger.EITHER])
    return enabled.select_related("peer", "source_peer")


def _apply(route: Route, study: Study, at: datetime) -> Job | None:
    if not is_time(route, at):
        return None
    if route.action == Route.Action.PREFETCH:
        return _queue_priors(route, study)
    return _queue_forward(route, study)


def _queue_forward(route: Route, study: Study) -> Job | None:
    done = RoutedInstance.objects.filter(route=route, instance__series__study=study).values("instance")
    new = list(chosen_instances(route, study).exclude(pk__in=done).values_list("pk", flat=True))
    if not new:
        return None
    parameters = {"peer": route.peer_id, "ae_title": route.peer.ae_title, "route": route.pk}
    job = enqueue(SEND, study=study, parameters=parameters, total_steps=len(new))
    RoutedInstance.objects.bulk_create(RoutedInstance(route=route, instance_id=pk, job=job) for pk in new)
    _audit(route, study, job, {"instances": len(new)})
    return job


def _queue_priors(route: Route, study: Study) -> Job | None:
    if not chosen_instances(route, study).exists():
        return None
    key = f"{PRIORS} {route.pk} {study.pk}"
    if Job.objects.filter(kind=PRIORS, study=study, coalescing_key=key).exists():
        return None
    parameters = {"peer": route.peer_id, "ae_title": route.peer.ae_title, "route": route.pk}
    job = enqueue(PRIORS, study=study, parameters=parameters, coalescing_key=key)
    _audit(route, study, job, {})
    return job


def _queue_priors_of_order(route: Route, step: ScheduledStep) -> Job | None:
    # Once for an order, however many steps it has; again where it is corrected to another patient.
    whose = layout.digest_of(f"{step.patient_id.strip()}\\{step.issuer_of_patient_id.strip()}")
    key = f"{PRIORS} {route.pk} order {step.study_instance_uid} {whose[:32]}"
    if Job.objects.filter(kind=PRIORS, coalescing_key=key).exists():
        return None
    parameters = {"peer": route.peer_id, "ae_title": route.peer.ae_title, "route": route.pk, "step": step.pk}
    job = enqueue(PRIORS, parameters=parameters, coalescing_key=key)
    _audit(route, step, job, {})
    return job


def _audit(route: Route, study: Study | ScheduledStep, job: Job, details: dict[str, int]) -> None:
    record_event(
        Event.JOB_STARTED,
        actor=f"route {route.pk}",
        study_instance_uid=study.study_instance_uid,
        subject=f"job {job.pk}",
        details={"rule": route.name, "action": route.action, "peer": route.peer.ae_title, **details},
    )


def chosen_instances(route: Route, study: Study) -> InstanceQuerySet:
    """Instances of a study that a rule is about: none where its conditions do not hold."""
    instances = Instance.objects.shown().filter(series__study=study)
    # Never back to where it came from, whatever else the rule says.
    instances = instances.exclude(calling_ae_title=route.peer.ae_title)
    if route.source_peer is not None:
        instances = instances.filter(calling_ae_title=route.source_peer.ae_title)
    if not route.send_derived:
        instances = instances.filter(series__is_derived=False)
    matching = [one.pk for one in Series.objects.filter(study=study) if matches(route, study, one)]
    narrowed = instances.filter(series__in=matching)
    if route.only_matching_series:
        return narrowed
    return instances if narrowed.exists() else instances.none()


def matches(route: Route, study: Study, series: Series) -> bool:
    """Whether a series meets a rule's conditions on modality, station and description."""
    if route.modality and series.modality.strip().upper() != route.modality.strip().upper():
        return False
    if route.station_name and series.station_name.strip().casefold() != route.station_name.strip().casefold():
        return False
    wanted = route.description_contains.strip().casefold()
    said = f"{study.study_description}\n{series.series_description}".casefold()
    return not wanted or wanted in said


def matches_order(route: Route, step: ScheduledStep) -> bool:
    """Whether an order meets a rule's conditions on modality, station and description."""
    if route.modality and step.modality.strip().upper() != route.modality.strip().upper():
        return False
    if route.station_name and step.scheduled_station_name.strip().casefold() != route.station_name.strip().casefold():
        return False
    said = f"{step.requested_procedure_description}\n{step.scheduled_procedure_step_description}".casefold()
    wanted = route.description_contains.strip().casefold()
    return not wanted or wanted in said


class InForce(Protocol):
    """A rule that holds on some days and hours only."""

    @property
    def weekdays(self) -> str: ...
    @property
    def from_time(self) -> time | None: ...
    @property
    def until_time(self) -> time | None: ...


def is_time(route: InForce, at: datetime) -> bool:
    """Whether a rule is in force at a moment, by the site's clock; over midnight the day is that of the moment."""
    local = timezone.localtime(at)
    if route.weekdays and str(local.isoweekday()) not in route.weekdays:
        return False
    if route.from_time is None or route.until_time is None:
        return True
    now = local.time()
    if route.from_time <= route.until_time:
        return route.from_time <= now < route.until_time
    return now >= route.from_time or now < route.until_time


def would_send(route: Route, *, since: timedelta = timedelta(days=1)) -> list[WouldSend]:
    """Of the studies that arrived lately, those that a rule is about, as if none had been sent yet."""
    start = timezone.now() - since
    recent = Study.objects.filter(Q(ready_at__gte=start) | Q(ready_at__isnull=True, last_received_at__gte=start))
    return list(_about(route, recent.order_by("-last_received_at")))


def _about(route: Route, studies: Iterable[Study]) -> Iterable[WouldSend]:
    for study in studies:
        if is_time(route, study.ready_at or study.last_received_at):
            count = chosen_instances(route, study).count()
            if count:
                yield WouldSend(study, count)
