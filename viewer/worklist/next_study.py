"""The next study to read: what is assigned to oneself first, then by priority, what is over its limit, the oldest.

Two readers who ask at the same moment get two studies: each candidate is claimed as Enter would claim it, and where
another was quicker the next one is tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.utils import timezone

from archive.models import Study, User
from archive.models.study import StudyQuerySet
from viewer.models import ReadingTask
from viewer.worklist import claiming
from viewer.worklist.claiming import CLAIM_LASTS, Change, NotYours, WorklistRefusal

TRIED = 25
"""Candidates that are asked for at a time: colleagues are quicker with a few of them at one moment."""
State = ReadingTask.State


class NothingToRead(WorklistRefusal):
    """No study that the person may read waits for them."""

    def __init__(self, *, is_narrowed: bool) -> None:
        within = " within this filter" if is_narrowed else ""
        super().__init__(f"Nothing waits to be read by you{within}: what is left is being read, or assigned to others.")


def claim_next(
    who: User, *, address: str = "", among: StudyQuerySet | None = None, after: str = ""
) -> tuple[Study, ReadingTask]:
    """Claim the next study for a reader.

    Parameters
    ----------
    among
        The studies of the list that the reader works from; all that the reader may see unless given.
    after
        UID of the study that is open: it is not given again.

    Raises
    ------
    NotYours, NothingToRead
    """
    if not claiming.may_read(who):
        raise NotYours("Only radiologists claim and read studies.")
    studies = Study.objects.visible_to(who) if among is None else among
    waiting = studies.with_images().filter(ready_at__isnull=False).exclude(study_instance_uid=after)
    for pk in candidates(waiting, who):
        study = Study.objects.get(pk=pk)
        try:
            return study, claiming.claim(Change(who, study, address))
        except WorklistRefusal:
            # A colleague was quicker.
            continue
    raise NothingToRead(is_narrowed=among is not None)


def candidates(studies: StudyQuerySet, who: User) -> Iterator[int]:
    """Ids of studies in the order in which a reader should take them; each kind is asked for when it is reached."""
    now = timezone.now()
    silent = Q(reading_task__claim_seen_at__isnull=True) | Q(reading_task__claim_seen_at__lt=now - CLAIM_LASTS)
    free = Q(reading_task__state=State.UNREAD)
    abandoned = Q(reading_task__state=State.IN_PROGRESS) & silent
    own = Q(reading_task__assigned_to=who) & (free | abandoned | Q(reading_task__state=State.PRELIMINARY))
    groups = list(who.groups.values_list("pk", flat=True))
    others = Q(reading_task__assigned_to__isnull=True) & (
        Q(reading_task__assigned_group__isnull=True) | Q(reading_task__assigned_group__in=groups)
    )
    for kind in (own, others):
        for priority in ReadingTask.Priority:
            of_kind = studies.filter(kind, reading_task__priority=priority)
            late = Q(reading_task__due_at__lt=now)
            states = (Q(),) if kind is own else (free, abandoned)
            for state in states:
                yield from _oldest(of_kind.filter(late, state), "reading_task__due_at")
            for state in states:
                yield from _oldest(of_kind.exclude(late).filter(state), "reading_task__waiting_since")


def _oldest(studies: StudyQuerySet, moment: str) -> Iterator[int]:
    """All ids of a kind, asked for a few at a time: what others took meanwhile is not asked for again."""
    given: list[int] = []
    while True:
        some = list(studies.exclude(pk__in=given).order_by(moment, "pk").values_list("pk", flat=True)[:TRIED])
        yield from some
        if len(some) < TRIED:
            return
        given += some
