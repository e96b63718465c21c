"""The numbers on the chips: how many studies wait, by what, counted no further than anybody reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from django.utils import timezone

from archive.models import User
from archive.models.study import StudyQuerySet
from viewer.models import ReadingTask
from viewer.worklist.filters import MODALITY, OPEN_STATES, held_by, today

SURVEYED = 3000
"""Studies that are looked at; where more wait, a count is at least what it says."""
SHOWN_UP_TO = 1000
MODALITY_CHIPS = 8

Priority = ReadingTask.Priority
State = ReadingTask.State


@dataclass(frozen=True, slots=True)
class Counts:
    """How many studies are to be read; each as text such as ``37`` or ``1000+``."""

    to_read: str
    mine: str
    unread: str
    stat: str
    today: str
    modalities: tuple[tuple[str, str], ...]
    """Modalities of what is to be read, the most frequent first."""


def count_open(studies: StudyQuerySet, who: User) -> Counts:
    """Count what waits to be read among the studies a person may see; bounded queries."""
    return replace(count_waiting(studies), mine=count_mine(studies, who))


def count_mine(studies: StudyQuerySet, who: User) -> str:
    """What a person reads or what waits for them: what a reader acts on is counted to the end."""
    return capped(studies.with_images().filter(held_by(who))[: SHOWN_UP_TO + 1].count())


def count_waiting(studies: StudyQuerySet) -> Counts:
    """The same for everybody who may see these studies: nobody's own are counted."""
    wanted = ("reading_task__state", "reading_task__priority", "modalities", "study_date")
    waiting = studies.with_images().filter(reading_task__state__in=OPEN_STATES)
    groups = Counter(waiting.values_list(*wanted)[:SURVEYED])
    is_cut = groups.total() == SURVEYED
    date = today()
    total: Counter[str] = Counter()
    modalities: Counter[str] = Counter()
    for (state, priority, found, study_date), number in groups.items():
        total["to read"] += number
        total["unread"] += number if state == State.UNREAD else 0
        total["stat"] += number if priority == Priority.STAT else 0
        total["today"] += number if study_date == date else 0
        for modality in found.split("\\"):
            if MODALITY.fullmatch(modality):
                modalities[modality] += number
    if is_cut:
        # What a reader acts on is counted to the end: it comes from an index.
        total["stat"] = waiting.filter(reading_task__priority=Priority.STAT)[: SHOWN_UP_TO + 1].count()
    frequent = sorted(modalities.items(), key=lambda item: (-item[1], item[0]))[:MODALITY_CHIPS]
    return Counts(
        to_read=capped(total["to read"], is_cut),
        mine="",
        unread=capped(total["unread"], is_cut),
        stat=capped(total["stat"]),
        today=capped(total["today"], is_cut),
        modalities=tuple((modality, capped(number, is_cut)) for modality, number in frequent),
    )


def count_site() -> dict[str, str]:
    """How much waits on the whole site, without saying whose it is: what an administrator sees of the worklist."""
    tasks = ReadingTask.objects.filter(study__instance_count__gt=0)
    asked = {
        "unread": tasks.filter(state=State.UNREAD),
        "preliminary": tasks.filter(state=State.PRELIMINARY),
        "being read": tasks.filter(state=State.IN_PROGRESS),
        "STAT, to be read": tasks.filter(state__in=OPEN_STATES, priority=Priority.STAT),
        "arriving": tasks.filter(study__ready_at__isnull=True),
        "overdue": tasks.filter(state__in=OPEN_STATES, due_at__lt=timezone.now()),
    }
    return {name: capped(found[: SHOWN_UP_TO + 1].count()) for name, found in asked.items()}


def capped(number: int, is_cut: bool = False) -> str:
    """A count as a chip shows it.

    >>> capped(37), capped(1000), capped(1001), capped(37, is_cut=True)
    ('37', '1000', '1000+', '37+')
    """
    if number > SHOWN_UP_TO:
        return f"{SHOWN_UP_TO}+"
    return f"{number}+" if is_cut else str(number)
