"""What a key asks for as a condition on rows, and the ways through an index to those that may meet it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from pydicom.datadict import dictionary_VR

from archive.indexing.search_text import fold
from archive.models import Instance, Series, SeriesRequest, Study
from archive.querying.finders import AlongColumn, Finder, by_trigrams
from archive.querying.keys import REQUEST_COLUMNS, Key, Owner
from archive.querying.matching import (
    Empty,
    FuzzyName,
    Items,
    Match,
    Name,
    Numbers,
    Range,
    Universal,
    Values,
    Wildcards,
)

WILDCARD = re.compile(r"[*?]+")
Where = Callable[[str], Q]
"""The condition for a path to the owner: ``""`` or such as ``"series__study__"``."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One key's condition. ``finders`` together name every study that can meet it; empty where no index helps."""

    owner: Owner
    where: Where
    finders: tuple[Finder, ...] = ()


def condition_of(key: Key, match: Match) -> Condition | None:
    """Compile what a key asks for; None for universal matching."""
    if isinstance(match, Universal):
        return None
    column = key.searched or key.column
    if isinstance(match, Name):
        return Condition(key.owner, lambda path: _name_where(path + column, match), _name_finders(column, match))
    if isinstance(match, FuzzyName):
        finder = by_trigrams(column, list(match.words))
        return Condition(key.owner, lambda path: _fuzzy_where(path + column, match), (finder,) if finder else ())
    if isinstance(match, Empty):
        return Condition(key.owner, lambda path: _empty(path + column, dictionary_VR(key.keyword)))
    if isinstance(match, Range):
        is_date = dictionary_VR(key.keyword) == "DA"
        return Condition(key.owner, lambda path: _range(path + column, match, is_date), _range_finders(key, match))
    return Condition(key.owner, lambda path: text_where(path + column, match), _text_finders(key, match))


# --- Text, numbers, dates ---------------------------------------------------------------------------------------------


def text_where(column: str, match: Match) -> Q:
    """One of the values, or one of the patterns."""
    if isinstance(match, (Values, Numbers)):
        return Q(**{f"{column}__in": match.values}) if len(match.values) > 1 else Q(**{column: match.values[0]})
    if isinstance(match, Wildcards):
        any_of = Q(pk__in=[])
        for pattern in match.patterns:
            any_of |= Q(**{f"{column}__matches_pattern": pattern})
        return any_of
    return _empty(column, "LO") if isinstance(match, Empty) else Q()


def _empty(column: str, vr: str) -> Q:
    return Q(**{f"{column}__isnull": True}) if vr == "IS" else Q(**{column: ""})


def _range(column: str, match: Range, is_date: bool) -> Q:
    # Dates are digits alone, which every collation sorts alike, and their index is walked; times are only tested.
    low, high = ("gte", "lte") if is_date else ("not_before", "not_after")
    where = Q(**{f"{column}__{low}": match.low}) if match.low else ~Q(**{column: ""})
    return where & Q(**{f"{column}__{high}": match.high}) if match.high else where


def _rows_of(owner: Owner) -> tuple[QuerySet[Any], str, str]:
    """The model that an owner's columns are found from, the path to them and the path to the study."""
    if owner is Owner.PATIENT:
        return Study.objects.all(), "patient__", "pk"
    if owner is Owner.SERIES:
        return Series.objects.all(), "", "study_id"
    if owner is Owner.INSTANCE:
        return Instance.objects.all(), "", "series__study_id"
    return Study.objects.all(), "", "pk"


def along(key: Key, where: Q, *, is_one_value: bool) -> AlongColumn:
    """The finder along a key's own index."""
    rows, path, study = _rows_of(key.owner)
    if is_one_value:
        # The index of modalities goes on with the study, every other one with the row itself.
        return AlongColumn(rows, where, ("study_id",) if key.keyword == "Modality" else ("pk",), study)
    return AlongColumn(rows, where, (path + key.column, "pk"), study)


def _range_finders(key: Key, match: Range) -> tuple[Finder, ...]:
    if not key.has_index:
        return ()
    _, path, _ = _rows_of(key.owner)
    return (along(key, _range(path + key.column, match, True), is_one_value=False),)


def _text_finders(key: Key, match: Match) -> tuple[Finder, ...]:
    if isinstance(match, Values) and key.has_index and key.keyword != "Modality":
        _, path, _ = _rows_of(key.owner)
        return (along(key, text_where(path + key.column, match), is_one_value=True),)
    if isinstance(match, Values):
        found = [_value_finder(key, value) for value in match.values]
    elif isinstance(match, Wildcards):
        found = [_pattern_finder(key, pattern) for pattern in match.patterns]
    else:
        return ()
    return tuple(finder for finder in found if finder) if all(found) else ()


def _value_finder(key: Key, value: str) -> Finder | None:
    _, path, _ = _rows_of(key.owner)
    if key.has_index:
        return along(key, Q(**{path + key.column: value}), is_one_value=True)
    return by_trigrams("search_text", [fold(value)]) if key.in_search_text else None


def _pattern_finder(key: Key, pattern: str) -> Finder | None:
    first, *others = WILDCARD.split(pattern)
    if not others:
        return _value_finder(key, pattern)
    _, path, _ = _rows_of(key.owner)
    if key.has_index and first:
        return along(key, Q(**{f"{path}{key.column}__begins_with": first}), is_one_value=False)
    if key.in_search_text:
        return by_trigrams("search_text", [fold(part) for part in (first, *others)])
    return None


# --- Names ------------------------------------------------------------------------------------------------------------


def _name_where(column: str, match: Name) -> Q:
    where = Q()
    for group in match.groups:
        if group:
            where &= _group_where(column, group)
    return where


def _group_where(column: str, group: str) -> Q:
    """Some group of the name matches; the columns hold ``search_key``, each group between ``=``."""
    if group.endswith("^*"):
        # What trails may be absent with its caret (PS3.5 6.2.1.1).
        return _group_where(column, group[:-2]) | _pattern_where(column, group)
    return _pattern_where(column, group)


def _pattern_where(column: str, group: str) -> Q:
    bare = group.strip("*")
    opens, closes = group.startswith("*"), group.endswith("*")
    pattern = f"*{'' if opens else '='}{bare}{'' if closes else '='}*"
    where = Q(**{f"{column}__matches_pattern": pattern})
    if WILDCARD.search(bare):
        # A wildcard must not reach into the next group, which no LIKE can say.
        where &= Q(**{f"{column}__regex": _regex(group)})
    return where


def _regex(group: str) -> str:
    parts = (re.escape(part) for part in re.split(r"([*?])", group))
    return f"={''.join({'': '', chr(92) + '*': '[^=]*', chr(92) + '?': '[^=]'}.get(part, part) for part in parts)}="


def _name_finders(column: str, match: Name) -> tuple[Finder, ...]:
    pieces: list[str] = []
    for group in match.groups:
        if group:
            # An open end may be absent with its caret, so that the caret may not be looked for.
            closed = f"={group[:-2]}" if group.endswith("^*") else f"={group}="
            pieces += WILDCARD.split(closed)
    finder = by_trigrams(column, pieces)
    return (finder,) if finder else ()


def _fuzzy_where(column: str, match: FuzzyName) -> Q:
    where = Q()
    for word in match.words:
        where &= Q(**{f"{column}__contains": word}, **{f"{column}__regex": rf"[=^ '\-]{re.escape(word)}"})
    return where


# --- What a study has below it ----------------------------------------------------------------------------------------


def modalities_condition(key: Key, match: Match) -> Condition | None:
    """Modalities in Study (0008,0061): a shown series is of one of the modalities (PS3.4 C.6.2.1.2, C.3.4)."""
    if isinstance(match, Universal):
        return None
    series = Series.objects.filter(text_where("modality", match), instance_count__gt=0)
    return Condition(
        Owner.STUDY,
        lambda path: Q(Exists(series.filter(study=OuterRef(f"{path}pk")))),
        _text_finders(key, match),
    )


def sop_classes_condition(match: Match) -> Condition | None:
    """SOP Classes in Study (0008,0062)."""
    if isinstance(match, Universal):
        return None
    shown = Instance.objects.shown().filter(text_where("sop_class_uid", match))
    return Condition(Owner.STUDY, lambda path: Q(Exists(shown.filter(series__study=OuterRef(f"{path}pk")))))


def requests_condition(match: Match) -> Condition | None:
    """Request Attributes Sequence (0040,0275): one item meets every key (PS3.4 C.2.2.2.6)."""
    if not isinstance(match, Items):
        return None
    where = Q()
    finders: tuple[Finder, ...] = ()
    for keyword, inner in match.keys.items():
        column = REQUEST_COLUMNS[keyword]
        where &= text_where(column, inner)
        if isinstance(inner, Values):
            named = Q(**{f"{column}__in": inner.values})
            finders = (AlongColumn(SeriesRequest.objects.order_by(), named, ("pk",), "series__study_id"),)
    if not where:
        return None
    items = SeriesRequest.objects.filter(where)
    return Condition(Owner.SERIES, lambda path: Q(Exists(items.filter(series=OuterRef(f"{path}pk")))), finders)


def date_time_condition(date_key: Key, time_column: str, dates: Range, times: Range) -> Condition:
    """A date and a time as one point in time between two others (PS3.4 C.5.2.1.1, combined date-time matching)."""

    def where(path: str) -> Q:
        day, time = path + date_key.column, path + time_column
        within = _range(day, dates, True)
        if dates.low and times.low:
            within &= Q(**{f"{day}__gt": dates.low}) | Q(**{f"{time}__not_before": times.low})
        if dates.high and times.high:
            within &= Q(**{f"{day}__lt": dates.high}) | Q(**{f"{time}__not_after": times.high})
        return within

    return Condition(date_key.owner, where, _range_finders(date_key, dates))
