"""Earlier and later studies of a patient, offered only where it is certain that they are of the same person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from archive.dicom.dates import format_date, parse_date
from archive.models import Study, User

MOST = 12
"""Studies that a preview lists."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Another study of the patient, in words."""

    study_instance_uid: str
    date: str
    distance: str
    """``20 months before``; empty where a date is missing."""
    modality: str
    description: str


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a patient beside one study."""

    to_be_checked: bool
    """The identity is in question: nothing is offered until a person has confirmed it."""
    entries: tuple[HistoryEntry, ...] = ()
    has_more: bool = False


def history_of(study: Study, who: User) -> History:
    """Other studies of a study's patient that this person may see, the newest first."""
    if study.patient.identity_to_be_checked:
        return History(to_be_checked=True)
    found = list(other_studies(study, who)[: MOST + 1])
    day = parse_date(study.study_date)
    entries = tuple(
        HistoryEntry(
            study_instance_uid=other.study_instance_uid,
            date=format_date(other.study_date) or "no date",
            distance=distance_in_words(parse_date(other.study_date), day),
            modality=", ".join(other.modality_list()),
            description=other.study_description,
        )
        for other in found[:MOST]
    )
    return History(to_be_checked=False, entries=entries, has_more=len(found) > MOST)


def other_studies(study: Study, who: User) -> QuerySet[Study]:
    """All other studies under the same identity that this person may see, the newest first."""
    others = Study.objects.visible_to(who).with_images().filter(patient=study.patient).exclude(pk=study.pk)
    return others.order_by("-study_date", "-study_time", "-pk")


def distance_in_words(other: date | None, day: date | None) -> str:
    """How long before or after a day another one is.

    >>> distance_in_words(date(2025, 3, 11), date(2026, 11, 24))
    '20 months before'
    >>> distance_in_words(date(2026, 11, 25), date(2026, 11, 24))
    '1 day after'
    """
    if other is None or day is None:
        return ""
    if other == day:
        return "same day"
    earlier, later = sorted((other, day))
    months = (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)
    number, unit = (months, "month") if months else ((later - earlier).days, "day")
    return f"{number} {unit}{'' if number == 1 else 's'} {'before' if other < day else 'after'}"
