"""Ways to studies through an index: a finder names studies that may match, a piece at a time.

Whatever a finder names is tested by every condition afterwards; it may name too much and never too little.
Each piece is a short query of its own, so that a slow reader holds nothing open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan

from archive.models import Study
from archive.models.study import StudyQuerySet
from archive.querying.lookups import RowValue
from archive.querying.text_index import SHORTEST, TABLE, fts5_expression


class Finder(Protocol):
    """Ids of studies, through an index."""

    def pieces(self, sizes: Iterator[int]) -> Iterator[list[int]]:
        """Ids in pieces of at most these sizes; one that is shorter is the last."""
        ...

    def some(self, most: int) -> list[int]:
        """At most so many ids, in any order: all of them where there are fewer."""
        ...


@dataclass(frozen=True, slots=True)
class AlongColumn:
    """Rows in the order of an indexed column.

    ``rows`` are those of the column's model and ``where`` is what the index is asked for; ``study`` is the path
    to the study's id; ``order`` is the columns of the index, the last of which settles what is equal.
    """

    rows: QuerySet[Any]
    where: Q
    order: tuple[str, ...]
    study: str = "pk"

    def among(self, rows: QuerySet[Any]) -> AlongColumn:
        """The same walk among studies that meet other conditions already."""
        return replace(self, rows=rows)

    @property
    def walks_studies(self) -> bool:
        """Whether the index is one of the table of studies."""
        return self.study == "pk"

    def pieces(self, sizes: Iterator[int]) -> Iterator[list[int]]:
        rows = self.rows.filter(self.where).order_by(*self.order)
        place: tuple[Any, ...] | None = None
        for size in sizes:
            wanted = rows if place is None else rows.filter(self._beyond(place))
            found = list(wanted.values_list(self.study, *self.order)[:size])
            yield [row[0] for row in found]
            if len(found) < size:
                return
            place = tuple(found[-1][1:])

    def some(self, most: int) -> list[int]:
        return next(self.pieces(iter([most])))

    def _beyond(self, place: tuple[Any, ...]) -> Any:
        if len(self.order) == 1:
            return GreaterThan(F(self.order[0]), Value(place[0]))
        return GreaterThan(RowValue(*map(F, self.order)), RowValue(*map(Value, place)))


@dataclass(frozen=True, slots=True)
class ByTrigrams:
    """Studies whose folded columns hold every piece of a text, the newest row first."""

    texts: dict[str, list[str]] = field(default_factory=dict)

    def pieces(self, sizes: Iterator[int]) -> Iterator[list[int]]:
        before: int | None = None
        for size in sizes:
            found = self._from_fts5(before, size) if connection.vendor == "sqlite" else self._from_rows(before, size)
            yield found
            if len(found) < size:
                return
            before = found[-1]

    def some(self, most: int) -> list[int]:
        if connection.vendor == "sqlite":
            return self._from_fts5(None, most)
        # In no order: PostgreSQL would fetch every row that the index names before it could sort them.
        return list(self._containing(Study.objects.order_by()).values_list("pk", flat=True)[:most])

    def _from_fts5(self, before: int | None, size: int) -> list[int]:
        limit = "" if before is None else " AND rowid < %s"
        parameters: list[Any] = [fts5_expression(self.texts), *([] if before is None else [before]), size]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s{limit} ORDER BY rowid DESC LIMIT %s",  # noqa: S608
                parameters,
            )
            return [row[0] for row in cursor.fetchall()]

    def _from_rows(self, before: int | None, size: int) -> list[int]:
        rows = Study.objects.order_by("-pk") if before is None else Study.objects.filter(pk__lt=before).order_by("-pk")
        return list(self._containing(rows).values_list("pk", flat=True)[:size])

    def _containing(self, rows: StudyQuerySet) -> StudyQuerySet:
        for column, texts in self.texts.items():
            for text in texts:
                rows = rows.filter(**{f"{column}__contains": text})
        return rows


def by_trigrams(column: str, texts: list[str]) -> ByTrigrams | None:
    """A finder for the texts that are long enough; None where none is."""
    long_enough = [text for text in texts if len(text) >= SHORTEST]
    return ByTrigrams({column: long_enough}) if long_enough else None
