"""One page of a list of studies: the filter, the order, the page, its rows, and what just arrived on top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.models import Study, User
from archive.models.study import StudyQuerySet
from viewer.worklist import ordering
from viewer.worklist.common_look import common
from viewer.worklist.counts import Counts, count_mine, count_waiting
from viewer.worklist.filters import EVERYTHING, TO_READ, WorklistFilter
from viewer.worklist.ordering import Order, Page
from viewer.worklist.rows import StudyRow, digest_of, load_studies, rows_of

JUST_ARRIVED_FOR = timedelta(minutes=10)
"""So long after its last image a study stands on top of the list as well as waiting its turn."""
JUST_ARRIVED_ROWS = 5
LONGEST_ID = 20
ARRIVALS_LOOKED_AT = 200
"""The newest arrivals among which those that fit the filter are looked for."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How a list begins when nothing is chosen."""

    order: Order
    state: str


READING = Habit(ordering.STANDARD, TO_READ)
ARRIVALS = Habit(ordering.NEWEST_ARRIVED, EVERYTHING)
"""A technologist looks whether all images came."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page of the worklist shows."""

    filter: WorklistFilter
    order: Order
    habit: Habit
    page: Page
    just_arrived: tuple[StudyRow, ...]
    rows: tuple[StudyRow, ...]
    counts: Counts

    @property
    def digest(self) -> str:
        return digest_of((*self.just_arrived, *self.rows), self.page, self.counts)

    @property
    def query(self) -> str:
        """The address's part that brings this list back, without place and text."""
        return self.filter.query(sort="" if self.order == self.habit.order else self.order.text)

    @property
    def is_empty(self) -> bool:
        return not self.rows and not self.just_arrived


def habit_of(who: User) -> Habit:
    """The worklist of a reader, or that of a technologist who is none."""
    if has_role(who, Role.TECHNOLOGIST) and not has_role(who, Role.RADIOLOGIST):
        return ARRIVALS
    return READING


@dataclass(frozen=True, slots=True)
class Look:
    """What the database has for a page; how a row reads depends on who looks at it."""

    on_top: tuple[int, ...]
    page: Page
    studies: Mapping[int, Study]
    counts: Counts


PERSONAL = frozenset({"mine", "group"})
"""Filters that find something else for each person."""


def list_studies(who: User, data: Mapping[str, Any], *, number: str = "") -> Listing:
    """The page of the reading worklist that a request asks for.

    ``data`` is the address's query, or a form's values; ``after``, ``before`` and
    ``sort`` are read beside those of the filter. What cannot be used is left out.
    ``number`` is that of the last change, where it is known: what a colleague's look
    has just found under it is taken.
    """
    habit = habit_of(who)
    visible = Study.objects.visible_to(who).with_images()
    chosen = WorklistFilter(data, visible, user=who, default_state=habit.state)
    order = ordering.parse_order(str(data.get("sort", "")), habit.order)
    after, before = str(data.get("after", "")), str(data.get("before", ""))

    def read() -> Look:
        return look(chosen, visible, order, after=after, before=before)

    values = chosen.values
    # Who types is alone with it, and what was typed may be a name: it is kept nowhere.
    is_common = number and has_role(who, Role.RADIOLOGIST) and "text" not in values and not PERSONAL & set(values)
    found = (
        common((number, chosen.query(), order, after[:LONGEST_ID], before[:LONGEST_ID]), read) if is_common else read()
    )
    return Listing(
        filter=chosen,
        order=order,
        habit=habit,
        page=found.page,
        just_arrived=tuple(rows_of(found.studies, found.on_top, who)),
        rows=tuple(rows_of(found.studies, found.page.ids, who)),
        counts=replace(found.counts, mine=count_mine(visible, who)),
    )


def look(chosen: WorklistFilter, visible: StudyQuerySet, order: Order, *, after: str, before: str) -> Look:
    """Read one page: its studies, what just arrived above them, and the counts beside them."""
    studies = chosen.qs
    on_top: list[int] = []
    if order == ordering.STANDARD and not after and not before and not chosen.values.get("text"):
        on_top = just_arrived(chosen, visible)
        studies = studies.exclude(pk__in=on_top) if on_top else studies
    page = ordering.find_page(studies, order, states=chosen.shown_states, after=after, before=before)
    return Look(tuple(on_top), page, load_studies([*on_top, *page.ids]), count_waiting(visible))


def just_arrived(chosen: WorklistFilter, visible: StudyQuerySet) -> list[int]:
    """Ids of the last few studies that images came for; the most urgent first, then the newest."""
    since = timezone.now() - JUST_ARRIVED_FOR
    arrivals = visible.filter(last_received_at__gte=since).order_by("-last_received_at", "-pk")
    # Two steps: joined with the tasks, a database would walk all that wait instead of the few that came.
    recent = list(arrivals.values_list("pk", flat=True)[:ARRIVALS_LOOKED_AT])
    if not recent:
        return []
    studies = chosen.qs.filter(pk__in=recent, reading_task__isnull=False)
    if chosen.shown_states:
        studies = studies.filter(reading_task__state__in=chosen.shown_states)
    newest = studies.order_by("-last_received_at", "-pk").values_list("reading_task__priority", "pk")
    found = list(newest[:JUST_ARRIVED_ROWS])
    return [pk for _, pk in sorted(found, key=lambda one: one[0])]
