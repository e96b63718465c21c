"""Which steps answer a query of the modality worklist (PS3.4 K.4, table K.6-1): a key's match against a value.

A worklist has hundreds of rows, so that what the database cannot compare is compared here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, keyword_for_tag

from archive.dicom.person_name import fold_groups
from archive.dicom.values import first_item, items, text, texts
from archive.models import ScheduledStep
from archive.querying.matching import (
    Empty,
    Match,
    Name,
    Numbers,
    Range,
    Universal,
    Values,
    Wildcards,
    read_match,
)
from archive.scheduling.attributes import BY_KEYWORD, STEP_SEQUENCE, Place, add

DATE: Final = "start_date"
TIME: Final = "start_time"
PAGE: Final = 100
_NO_KEYS: Final = frozenset({"SpecificCharacterSet", "QueryRetrieveLevel", "TimezoneOffsetFromUTC", STEP_SEQUENCE})


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """What is asked of the worklist: matches by column, and the keys with a value that we do not match on."""

    matches: Mapping[str, Match]
    ignored: frozenset[str]

    @property
    def asked(self) -> list[str]:
        """Columns that are matched on."""
        return sorted(column for column, match in self.matches.items() if not isinstance(match, Universal))


def read_query(ds: Dataset) -> WorklistQuery:
    """Read the matching keys of an identifier.

    Raises
    ------
    BadKey
        A value cannot be read.
    """
    matches: dict[str, Match] = {}
    ignored: set[str] = set()
    for place, part in ((Place.ROOT, ds), (Place.STEP, first_item(ds, STEP_SEQUENCE) or Dataset())):
        for tag in sorted(part.keys()):
            _read_key(part, place, tag, matches, ignored)
    return WorklistQuery(matches, frozenset(ignored))


def _read_key(ds: Dataset, place: Place, tag: int, matches: dict[str, Match], ignored: set[str]) -> None:
    keyword = keyword_for_tag(tag)
    if keyword in _NO_KEYS:
        return
    entry = BY_KEYWORD.get((place, keyword))
    if entry is not None:
        matches[entry.column] = read_match(keyword, entry.vr, "\\".join(texts(ds, keyword)))
    elif not keyword or (dictionary_VR(keyword) != "SQ" and text(ds, keyword).strip("*")):
        ignored.add(keyword or f"{tag:08X}")


def find_steps(query: WorklistQuery) -> Iterator[ScheduledStep]:
    """Steps that match, in the order of their start; read page by page, so that nothing is held open."""
    steps = ScheduledStep.objects.all() if _asks_for_state(query) else ScheduledStep.objects.on_worklist()
    dates = query.matches.get(DATE)
    if isinstance(dates, Values):
        steps = steps.filter(start_date__in=dates.values)
    elif isinstance(dates, Range):
        steps = steps.filter(start_date__gte=dates.low) if dates.low else steps
        steps = steps.filter(start_date__lte=dates.high) if dates.high else steps
    ids = list(steps.values_list("pk", flat=True))
    for start in range(0, len(ids), PAGE):
        page = ScheduledStep.objects.in_bulk(ids[start : start + PAGE])
        yield from (page[pk] for pk in ids[start : start + PAGE] if pk in page and matches(query, page[pk]))


def _asks_for_state(query: WorklistQuery) -> bool:
    return isinstance(query.matches.get("state"), Values | Wildcards)


def matches(query: WorklistQuery, step: ScheduledStep) -> bool:
    """Whether a step meets every key.

    Ranges of date and time are one range: from the first date's time to the last
    date's (table K.6-1, Scheduled Procedure Step Start Time).
    """
    dates, times = query.matches.get(DATE), query.matches.get(TIME)
    together = isinstance(dates, Range) and isinstance(times, Range)
    if isinstance(dates, Range) and isinstance(times, Range) and not _within_both(step, dates, times):
        return False
    return all(
        fits(match, getattr(step, column))
        for column, match in query.matches.items()
        if not (together and column in (DATE, TIME))
    )


def _within_both(step: ScheduledStep, dates: Range, times: Range) -> bool:
    at = (step.start_date, step.start_time)
    return (not dates.low or (dates.low, times.low) <= at) and (
        not dates.high or at <= (dates.high, times.high or "\uffff")
    )


def fits(match: Match, value: object) -> bool:
    """Whether a value of a row meets a match (PS3.4 C.2.2.2); of several values one has to."""
    recorded = "" if value is None else str(value)
    match match:
        case Universal():
            return True
        case Empty():
            return not recorded
        case Name():
            return _name_fits(match, recorded)
        case Range():
            return bool(recorded) and match.low <= recorded and (not match.high or recorded <= match.high)
        case Numbers():
            return recorded.isdigit() and int(recorded) in match.values
        case Values():
            return any(part.strip() in match.values for part in recorded.split("\\"))
        case Wildcards():
            return any(_like(pattern, part.strip()) for pattern in match.patterns for part in recorded.split("\\"))
    return False


def _name_fits(match: Name, recorded: str) -> bool:
    """One group is looked for in every group of a name; of several each in its own place."""
    groups = fold_groups(recorded)
    if len(match.groups) == 1:
        return any(_group_fits(match.groups[0], group) for group in groups if group)
    groups += [""] * (len(match.groups) - len(groups))
    return all(_group_fits(asked, group) for asked, group in zip(match.groups, groups, strict=False) if asked)


def _group_fits(asked: str, group: str) -> bool:
    """What trails may be absent with its caret (PS3.5 6.2.1.1)."""
    return _like(asked, group) or (asked.endswith("^*") and _like(asked[:-2], group))


def _like(pattern: str, value: str) -> bool:
    """``*`` is any number of characters, ``?`` one (PS3.4 C.2.2.2.4)."""
    parts = ({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


# --- What an answer holds ---------------------------------------------------------------------------------------------


def select(known: Dataset, asked: Dataset) -> Dataset:
    """What was asked for of what is known: the same attributes, empty where nothing is known.

    A sequence without an item is asked for whole (PS3.4 C.2.2.2.6).
    """
    answer = Dataset()
    for tag in sorted(asked.keys()):
        keyword = keyword_for_tag(tag)
        if not keyword or keyword in ("SpecificCharacterSet", "QueryRetrieveLevel", "TimezoneOffsetFromUTC"):
            continue
        if dictionary_VR(keyword) == "SQ":
            _select_items(answer, keyword, known, asked)
        elif keyword in known:
            answer.add(known[keyword])
        else:
            add(answer, keyword, None)
    return answer


def _select_items(answer: Dataset, keyword: str, known: Dataset, asked: Dataset) -> None:
    template = first_item(asked, keyword)
    found = items(known, keyword)
    add(answer, keyword, [select(item, template) for item in found] if template else found)
