"""Which rule of assignment fits a study, and why, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from archive.access.roles import Role, has_role
from archive.exchange.routing import is_time
from archive.models import Instance, ScheduledStep, Series, Study
from archive.scheduling.linking import orders_of
from viewer.models import AssignmentRule


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at; texts are compared without case."""

    modalities: frozenset[str]
    body_parts: frozenset[str]
    descriptions: str
    referrers: str
    senders: frozenset[str]
    """AE titles that the images came from."""
    at: datetime
    """When the study was ready: the shift that it falls into."""


def facts_of(study: Study, at: datetime) -> Facts:
    series = list(Series.objects.filter(study=study, is_derived=False))
    orders = orders_of(study)
    senders = Instance.objects.filter(series__study=study).order_by().values_list("calling_ae_title", flat=True)
    said = (one.series_description for one in series)
    return Facts(
        modalities=frozenset(one.modality.strip().upper() for one in series) | frozenset(study.modality_list()),
        body_parts=frozenset(_folded(one.body_part_examined for one in series)),
        descriptions="\n".join(_folded((study.study_description, *said, *map(_procedure, orders)))),
        referrers="\n".join(_folded((study.referring_physician_name, study.institution_name, *_wards(orders)))),
        senders=frozenset(senders.distinct()),
        at=at,
    )


def _folded(texts: Iterable[str]) -> list[str]:
    return [text.strip().casefold() for text in texts if text.strip()]


def _procedure(step: ScheduledStep) -> str:
    return step.requested_procedure_description


def _wards(orders: Iterable[ScheduledStep]) -> list[str]:
    return [
        text
        for step in orders
        for text in (step.current_patient_location, step.requesting_service, step.referring_physician_name)
    ]


def first_fitting(facts: Facts) -> AssignmentRule | None:
    """The first enabled rule that fits and whose reader still reads; None where there is none."""
    rules = AssignmentRule.objects.filter(enabled=True).select_related("reader", "group", "source_peer")
    return next((rule for rule in rules if fits(rule, facts) and can_assign(rule)), None)


def can_assign(rule: AssignmentRule) -> bool:
    """A reader who has left or lost the role is passed over: the next rule decides."""
    return rule.reader is None or has_role(rule.reader, Role.RADIOLOGIST)


def fits(rule: AssignmentRule, facts: Facts) -> bool:
    """Whether every condition that is filled in holds."""
    if rule.modality and rule.modality.strip().upper() not in facts.modalities:
        return False
    if rule.body_part and rule.body_part.strip().casefold() not in facts.body_parts:
        return False
    if rule.description_contains.strip().casefold() not in facts.descriptions:
        return False
    if rule.referrer_contains.strip().casefold() not in facts.referrers:
        return False
    if rule.source_peer is not None and rule.source_peer.ae_title not in facts.senders:
        return False
    return is_time(rule, facts.at)


def why(rule: AssignmentRule) -> str:
    """The sentence that stands beside the study: the rule and what of it fitted."""
    conditions = [
        rule.modality,
        rule.body_part.lower(),
        f"“{rule.description_contains}”" if rule.description_contains else "",
        f"from “{rule.referrer_contains}”" if rule.referrer_contains else "",
        f"sent by {rule.source_peer}" if rule.source_peer else "",
        f"{rule.from_time:%H:%M} to {rule.until_time:%H:%M}" if rule.from_time and rule.until_time else "",
        days_in_words(rule.weekdays),
    ]
    said = ", ".join(part for part in conditions if part)
    return f"rule “{rule.name}”: {said or 'every study'}"[:255]


def days_in_words(weekdays: str) -> str:
    """Days of the week of a rule.

    >>> days_in_words("67"), days_in_words("")
    ('Sat Sun', '')
    """
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return " ".join(names[int(day) - 1] for day in sorted(weekdays))
