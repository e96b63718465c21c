"""In which order a list shows its studies, and how a page of it is found quickly.

A page begins after a study (keyset), not at an offset: the database walks an index
from there and stops when the page is full, so that the thousandth page costs what
the first one does. Ids are found first, then the rows of one page are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Value
from django.db.models.lookups import GreaterThan, LessThan

from archive.models import Study
from archive.models.study import StudyQuerySet
from archive.querying.lookups import RowValue

PAGE_SIZE = 50

COLUMNS: dict[str, tuple[str, ...]] = {
    "priority": ("reading_task__priority", "reading_task__waiting_since"),
    "waiting": ("reading_task__waiting_since",),
    "patient": ("patient__name_key",),
    "id": ("patient__patient_id",),
    "born": ("patient_birth_date",),
    "date": ("study_date", "study_time"),
    "modality": ("modalities",),
    "description": ("study_description",),
    "accession": ("accession_number",),
    "images": ("instance_count",),
    "referrer": ("referring_physician_name",),
    "location": ("institution_name",),
    "received": ("last_received_at",),
}
"""Sortable columns and the fields each means; none may be empty in the sense of NULL."""


@dataclass(frozen=True, slots=True)
class Order:
    """A column and a direction; the study's own id settles what is equal."""

    column: str
    descending: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        return (*COLUMNS[self.column], "pk")

    @property
    def text(self) -> str:
        """As an address has it."""
        return f"-{self.column}" if self.descending else self.column

    @property
    def reversed(self) -> Order:
        return Order(self.column, not self.descending)

    def order_by(self) -> list[str]:
        return [f"-{field}" if self.descending else field for field in self.fields]


STANDARD = Order("priority")
"""STAT, urgent, then the longest waiting."""
NEWEST_ARRIVED = Order("received", descending=True)
NEWEST_EXAMINED = Order("date", descending=True)


def parse_order(text: str, default: Order = STANDARD) -> Order:
    """Read an order from an address; what is no column gives the default."""
    column = text.removeprefix("-")
    return Order(column, text.startswith("-")) if column in COLUMNS else default


@dataclass(frozen=True, slots=True)
class Page:
    """The ids of one page, in order, and where the neighbours begin (empty: there are none)."""

    ids: tuple[int, ...] = ()
    after: str = ""
    before: str = ""

    @property
    def is_first(self) -> bool:
        return not self.before


def find_page(
    studies: StudyQuerySet,
    order: Order,
    *,
    states: Sequence[str] = (),
    after: str = "",
    before: str = "",
    size: int = PAGE_SIZE,
) -> Page:
    """Find one page: the first, or the one after or before a study.

    Parameters
    ----------
    studies
        What the list shows, filtered already.
    states
        States of reading that it shows; each is read from its own index, and their
        first rows are merged.
    after, before
        Id of a study as text. One that is no longer there gives the first page.
    """
    backward = bool(before) and not after
    walked = order.reversed if backward else order
    start = _place_of(before if backward else after, order)
    ids = _walk(studies, walked, states, start, size + 1)
    more, ids = len(ids) > size, ids[:size]
    if backward:
        if start is not None and len(ids) < size:
            return find_page(studies, order, states=states, size=size)
        ids.reverse()
    has_later = more or backward if ids and (not backward or start is not None) else False
    has_earlier = more if backward else start is not None
    return Page(
        tuple(ids),
        after=str(ids[-1]) if ids and has_later else "",
        before=str(ids[0]) if ids and has_earlier else "",
    )


def _place_of(study_id: str, order: Order) -> list[Any] | None:
    """The values that a study is sorted by, None where there is no such study."""
    if not study_id.isascii() or not study_id.isdigit() or len(study_id) > 18:
        return None
    found = Study.objects.filter(pk=int(study_id)).values_list(*order.fields).first()
    return list(found) if found and None not in found else None


def _walk(
    studies: StudyQuerySet, order: Order, states: Sequence[str], start: list[Any] | None, count: int
) -> list[int]:
    """Ids of the next ``count`` studies in an order."""
    if start is not None:
        studies = studies.filter(_beyond(order, start))
    if not states:
        if order.fields[0].startswith("reading_task__"):
            # An inner join: from an outer one no database would walk the task's index.
            studies = studies.filter(reading_task__isnull=False)
        return list(studies.order_by(*order.order_by()).values_list("pk", flat=True)[:count])
    found: list[int] = []
    for state in states:
        of_state = studies.filter(reading_task__state=state)
        found += of_state.order_by(*order.order_by()).values_list("pk", flat=True)[:count]
    if len(states) == 1:
        return found
    merged = Study.objects.filter(pk__in=found).order_by(*order.order_by())
    return list(merged.values_list("pk", flat=True)[:count])


def _beyond(order: Order, start: list[Any]) -> Any:
    """The condition that a study comes after a place in an order."""
    fields = RowValue(*(F(field) for field in order.fields))
    opts = Study._meta
    values = RowValue(
        *(Value(value, output_field=_field_of(opts, field)) for field, value in zip(order.fields, start, strict=True))
    )
    return LessThan(fields, values) if order.descending else GreaterThan(fields, values)


def _field_of(opts: Any, path: str) -> Any:
    """The model field that a path such as ``reading_task__priority`` ends at."""
    *relations, name = path.split("__")
    for relation in relations:
        opts = opts.get_field(relation).related_model._meta
    return opts.pk if name == "pk" else opts.get_field(name)
