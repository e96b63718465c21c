"""Find the rows that a query asks for, through whichever index names the fewest.

No planner is trusted with the choice: SQLite's knows neither how many rows a condition leaves nor that only a
page is wanted. Each condition's index is asked for a few thousand studies at most. What names fewer than that
names all there are, and only those are tested. Where every index names more, matches are so frequent that a
walk along one of them soon fills a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from pydicom.datadict import dictionary_VR

from archive.models import Instance, Series, Study
from archive.querying import conditions as compile_to
from archive.querying.conditions import Condition
from archive.querying.finders import AlongColumn, Finder
from archive.querying.keys import (
    COMPUTED,
    COUNTS,
    DATE_TIME_PAIRS,
    KEYS,
    REQUEST_COLUMNS,
    REQUESTS,
    Level,
    Owner,
)
from archive.querying.matching import Items, Match, Range, Universal, Values, read_match
from archive.querying.words import words_condition

if TYPE_CHECKING:
    from archive.models.study import Seer

FEW: Final = 1000
"""Studies that an index may name for all of them to be tested."""
FEW_TO_SORT: Final = 4000
"""The same where the matches are wanted in an order of their own: the walk along that order must meet one soon."""
ENOUGH: Final = 100
"""An index that names so few is not compared with others."""
PIECE: Final = 1000
FIRST_PIECE: Final = 100

KeyValue = str | Mapping[str, str]
"""A key's value as text, or the keys of a sequence's one item."""

PATHS: Final[dict[Level, dict[Owner, str]]] = {
    Level.STUDY: {Owner.STUDY: "", Owner.PATIENT: "patient__"},
    Level.SERIES: {Owner.SERIES: "", Owner.STUDY: "study__", Owner.PATIENT: "study__patient__"},
    Level.IMAGE: {
        Owner.INSTANCE: "",
        Owner.SERIES: "series__",
        Owner.STUDY: "series__study__",
        Owner.PATIENT: "series__study__patient__",
    },
}
"""How a row of a level reaches what is above it."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked.

    Parameters
    ----------
    level
        Of the rows that are wanted.
    keys
        Matching keys by keyword; an empty value matches everything and may be left out.
    words
        As typed into a search field; see ``archive.querying.words``.
    fuzzy, combined_date_time
        Agreed on by the one who asks (PS3.4 C.5.2.1.1).
    """

    level: Level
    keys: Mapping[str, KeyValue] = field(default_factory=dict)
    words: str = ""
    fuzzy: bool = False
    combined_date_time: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A query that has been read: conditions, and what could not be taken into account."""

    level: Level
    conditions: tuple[Condition, ...]
    ignored: frozenset[str] = frozenset()
    """Keys with a value that is not matched on (PS3.4 C.2.2.1.3)."""


def plan(query: Query) -> Plan:
    """Read every key of a query.

    Raises
    ------
    BadKey
        A value is none that the attribute can have.
    """
    matches: dict[str, Match] = {}
    ignored: set[str] = set()
    for keyword, value in query.keys.items():
        match = _read(keyword, value, query)
        if isinstance(match, Universal):
            continue
        if match is None:
            ignored.add(keyword)
        else:
            matches[keyword] = match
    found = _combined(matches) if query.combined_date_time else []
    found += [condition for keyword, match in matches.items() if (condition := _condition(keyword, match))]
    found += [condition] if (condition := words_condition(query.words)) else []
    return Plan(query.level, tuple(found), frozenset(ignored))


def _read(keyword: str, value: KeyValue, query: Query) -> Match | None:
    """A key's match; None where its value cannot be matched on."""
    if isinstance(value, Mapping):
        return _read_items(keyword, value)
    if keyword in KEYS or keyword in ("ModalitiesInStudy", "SOPClassesInStudy"):
        return read_match(keyword, dictionary_VR(keyword), value, fuzzy=query.fuzzy)
    if keyword in COMPUTED and keyword not in COUNTS:
        return Universal()
    return None if value.strip("\0 *") else Universal()


def _read_items(keyword: str, item: Mapping[str, str]) -> Match | None:
    matches = {
        inner: match
        for inner, value in item.items()
        if not isinstance(match := read_match(inner, dictionary_VR(inner), value), Universal)
    }
    if not matches:
        return Universal()
    return Items(matches) if keyword == REQUESTS and matches.keys() <= REQUEST_COLUMNS.keys() else None


def _combined(matches: dict[str, Match]) -> list[Condition]:
    """Take dates and times that belong together out of ``matches``."""
    found = []
    for date_keyword, time_keyword in DATE_TIME_PAIRS.items():
        dates, times = matches.get(date_keyword), matches.get(time_keyword)
        if isinstance(dates, Values) and len(dates.values) == 1:
            dates = Range(dates.values[0], dates.values[0])
        if isinstance(dates, Range) and isinstance(times, Range):
            found.append(compile_to.date_time_condition(KEYS[date_keyword], KEYS[time_keyword].column, dates, times))
            del matches[date_keyword], matches[time_keyword]
    return found


def _condition(keyword: str, match: Match) -> Condition | None:
    if keyword == "ModalitiesInStudy":
        return compile_to.modalities_condition(KEYS["Modality"], match)
    if keyword == "SOPClassesInStudy":
        return compile_to.sop_classes_condition(match)
    if keyword == REQUESTS:
        return compile_to.requests_condition(match)
    return compile_to.condition_of(KEYS[keyword], match)


# --- Rows -------------------------------------------------------------------------------------------------------------


def shown_rows(level: Level, who: Seer) -> QuerySet[Any]:
    """Rows of a level that ``who`` may see; studies stand for the patients. Rejected images are not there."""
    studies = Study.objects.visible_to(who).with_images()
    if level <= Level.STUDY:
        return studies
    if level is Level.SERIES:
        return Series.objects.filter(Exists(studies.filter(pk=OuterRef("study_id"))), instance_count__gt=0).order_by()
    return Instance.objects.shown().filter(Exists(studies.filter(pk=OuterRef("series__study_id"))))


def where(plan: Plan) -> Q:
    """Every condition of a plan, on rows of its level."""
    paths = PATHS[max(plan.level, Level.STUDY)]
    below: dict[Owner, list[Condition]] = {}
    met = Q()
    for condition in plan.conditions:
        if condition.owner in paths:
            met &= condition.where(paths[condition.owner])
        else:
            below.setdefault(condition.owner, []).append(condition)
    for owner, conditions in below.items():
        met &= _exists_below(owner, conditions, plan.level)
    return met


def _exists_below(owner: Owner, conditions: list[Condition], level: Level) -> Q:
    """One and the same shown row further down meets all of them (relational queries)."""
    met = reduce(and_, (condition.where("") for condition in conditions))
    if owner is Owner.SERIES:
        return Q(Exists(Series.objects.filter(met, study=OuterRef("pk"), instance_count__gt=0)))
    path = "series" if level is Level.SERIES else "series__study"
    return Q(Exists(Instance.objects.shown().filter(met, **{path: OuterRef("pk")})))


def few_studies(conditions: Iterable[Condition], most: int) -> list[int] | None:
    """Ids of all studies that may meet the conditions, the newest first, where an index names at most so many."""
    named: set[int] | None = None
    for condition in conditions:
        few = _few(condition, most)
        if few is None:
            continue
        named = few if named is None else named & few
        if len(named) <= ENOUGH:
            break
    return None if named is None else sorted(named, reverse=True)


def _few(condition: Condition, most: int) -> set[int] | None:
    if not condition.finders:
        return None
    found: set[int] = set()
    for finder in condition.finders:
        piece = finder.some(most + 1)
        found.update(piece)
        if len(piece) > most or len(found) > most:
            return None
    return found


def narrowed(plan: Plan, who: Seer) -> Any:
    """The matching rows as a queryset, to be ordered and sliced: for pages in an order of their own."""
    rows = shown_rows(plan.level, who).filter(where(plan))
    few = few_studies(plan.conditions, FEW_TO_SORT)
    return rows if few is None else rows.filter(**{f"{_to_study(plan.level)}__in": few})


def _to_study(level: Level) -> str:
    return {Level.SERIES: "study_id", Level.IMAGE: "series__study_id"}.get(level, "pk")


def find_ids(plan: Plan, who: Seer) -> Iterator[int]:
    """Ids of the matching rows, each once, as they are found; patients at patient level.

    Every piece is a short query of its own: nothing is held open between two of them.
    """
    rows = shown_rows(plan.level, who).filter(where(plan))
    seen: set[int] = set()
    for found in _pieces(plan, rows):
        for row_id in found:
            if row_id not in seen:
                seen.add(row_id)
                yield row_id


def _pieces(plan: Plan, rows: QuerySet[Any]) -> Iterator[list[int]]:
    """Ids of matching rows, piece by piece: out of the few, along an index, or the newest first."""
    wanted = "patient_id" if plan.level is Level.PATIENT else "pk"
    few = few_studies(plan.conditions, FEW)
    finder = _walked(plan) if few is None else None
    if few is None and finder is None:
        yield from _walk(rows, wanted)
        return
    if plan.level is Level.STUDY and isinstance(finder, AlongColumn) and finder.walks_studies:
        yield from finder.among(rows).pieces(_growing())
        return
    named = finder.pieces(_growing()) if finder is not None else _cut(few or [])
    for ids in named:
        of_these = rows.filter(**{f"{_to_study(plan.level)}__in": ids}).order_by("-pk")
        yield list(of_these.values_list(wanted, flat=True))


def _cut(ids: list[int]) -> Iterator[list[int]]:
    start = 0
    for size in _growing():
        if start >= len(ids):
            return
        yield ids[start : start + size]
        start += size


def _walked(plan: Plan) -> Finder | None:
    """The one index to walk along where all name many: a column's before a trigram's; None without any."""
    single = [condition.finders[0] for condition in plan.conditions if len(condition.finders) == 1]
    return next((finder for finder in single if isinstance(finder, AlongColumn)), single[0] if single else None)


def _walk(rows: QuerySet[Any], wanted: str) -> Iterator[list[int]]:
    """The newest rows first."""
    before = None
    for size in _growing():
        piece = rows if before is None else rows.filter(pk__lt=before)
        found = list(piece.order_by("-pk").values_list("pk", wanted)[:size])
        yield [row[1] for row in found]
        if len(found) < size:
            return
        before = found[-1][0]


def _growing() -> Iterator[int]:
    """Sizes of pieces: the first page is waited for."""
    yield FIRST_PIECE
    while True:
        yield PIECE
