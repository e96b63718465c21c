"""Read what a key asks for (PS3.4 C.2.2.2): by value representation, without any database.

What comes is text as the key's value holds it: one string, values apart by backslash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from archive.dicom.dates import parse_date
from archive.dicom.person_name import fold_groups
from archive.errors import ArchiveError

WILDCARD_VRS: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""PS3.4 C.2.2.2.4: '*' and '?' match only in these VRs."""
LIST_VRS: Final = frozenset({"AE", "AS", "CS", "DA", "IS", "LO", "SH", "TM", "UI"})
"""Several values are alternatives (C.2.2.2.2 for UIDs); a backslash is text in the others."""
EMPTY: Final = '""'
"""Empty value matching (C.2.2.2.7): two quotation marks."""
MOST_VALUES: Final = 10_000
LONGEST: Final = 1024

_TIME: Final = re.compile(r"(\d{2})(?::?([0-5]\d)(?::?([0-5]\d|60)(\.\d{1,6})?)?)?")
_UID: Final = re.compile(r"[0-9.]{1,64}")


class BadKey(ArchiveError):
    """The value of a key is none that its value representation can have."""


@dataclass(frozen=True, slots=True)
class Universal:
    """C.2.2.2.3: everything matches, also what has no value."""


@dataclass(frozen=True, slots=True)
class Empty:
    """C.2.2.2.7: only what has no value."""


@dataclass(frozen=True, slots=True)
class Values:
    """C.2.2.2.1 and C.2.2.2.2: one of these."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The same for IS, compared as numbers."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wildcards:
    """C.2.2.2.4: patterns with ``*`` and ``?``, values without any among them."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """C.2.2.2.5: from ``low`` to ``high``, both included, as text that sorts as recorded values do; empty is open."""

    low: str
    high: str
    said_low: str = ""
    """As asked, for combined matching."""
    said_high: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """A person name: patterns of component groups, folded (C.2.2.2.1, C.2.2.2.4).

    One group is looked for in every group of a name; of several each in its own place.
    """

    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FuzzyName:
    """Fuzzy semantic matching of person names: each word begins some word of the name."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """C.2.2.2.6: some item of the sequence matches every key."""

    keys: Mapping[str, Match]


Match = Universal | Empty | Values | Numbers | Wildcards | Range | Name | FuzzyName | Items


def read_match(keyword: str, vr: str, value: str, *, fuzzy: bool = False) -> Match:
    """Read the value of one key.

    Parameters
    ----------
    keyword
        For the words of a refusal.
    value
        As the key holds it, several values apart by backslash; empty for universal matching.
    fuzzy
        Fuzzy semantic matching of person names was agreed on.

    Raises
    ------
    BadKey
    """
    value = value.strip("\0 ")
    if len(value) > LONGEST and vr != "UI":
        raise BadKey(f"{keyword} is longer than {LONGEST} characters.")
    if not value.strip("*"):
        # A lone '*' is universal (C.2.2.2.4); peers send it for dates and numbers too.
        return Universal()
    if value == EMPTY:
        return Empty()
    if vr == "PN":
        return _read_name(value, fuzzy=fuzzy)
    values = [part.strip(" \0") for part in value.split("\\")] if vr in LIST_VRS else [value]
    values = list(dict.fromkeys(part for part in values if part))
    if len(values) > MOST_VALUES:
        raise BadKey(f"{keyword} has more than {MOST_VALUES} values.")
    if not values:
        return Universal()
    return _read_values(keyword, vr, values)


def _read_values(keyword: str, vr: str, values: list[str]) -> Match:
    if vr in ("DA", "TM"):
        if len(values) > 1:
            raise BadKey(f"{keyword} has {len(values)} values; one value or one range is matched.")
        return (_read_date if vr == "DA" else _read_time)(keyword, values[0])
    if vr == "IS":
        try:
            return Numbers(tuple(int(part) for part in values))
        except ValueError:
            raise BadKey(f"{keyword} is no whole number.") from None
    if vr == "UI":
        if not all(_UID.fullmatch(part) for part in values):
            raise BadKey(f"{keyword} is no UID, or no list of UIDs.")
        return Values(tuple(values))
    if vr in WILDCARD_VRS and any(c in part for part in values for c in "*?"):
        return Wildcards(tuple(values))
    return Values(tuple(values))


# --- Names ------------------------------------------------------------------------------------------------------------


def _read_name(value: str, *, fuzzy: bool) -> Match:
    groups = [_without_open_end(group) for group in fold_groups(value)]
    while groups and not groups[-1]:
        groups.pop()
    if not any(groups):
        return Universal()
    if fuzzy:
        words = [word for group in groups for word in re.split(r"[\^ ,*?]+", group) if word]
        return FuzzyName(tuple(dict.fromkeys(words))) if words else Universal()
    return Name(tuple(groups))


def _without_open_end(group: str) -> str:
    """``doe^*`` as ``doe^*``, ``*^*`` as nothing: components that may be anything may also be absent."""
    return "" if not group.strip("*^") else re.sub(r"(\^\*)+$", "^*", group)


# --- Dates and times --------------------------------------------------------------------------------------------------


def _split_range(value: str) -> tuple[str, str] | None:
    """Both ends of ``a-b``, ``a-``, ``-b``; None for a single value."""
    if "-" not in value:
        return None
    low, _, high = value.partition("-")
    return low.strip(), high.strip()


def _read_date(keyword: str, value: str) -> Match:
    ends = _split_range(value)
    if ends is None:
        return Values((_date(keyword, value),))
    if not any(ends):
        raise BadKey(f"{keyword} is neither a date (YYYYMMDD) nor a range of dates.")
    low, high = (_date(keyword, end) if end else "" for end in ends)
    return Range(low, high, low, high)


def _date(keyword: str, value: str) -> str:
    parsed = parse_date(value)
    if parsed is None:
        raise BadKey(f"{keyword} is neither a date (YYYYMMDD) nor a range of dates.")
    return f"{parsed:%Y%m%d}"


def _read_time(keyword: str, value: str) -> Match:
    ends = _split_range(value)
    if ends is None:
        # A time of less precision stands for all of its hour or minute.
        return Range(earliest(keyword, value), latest(keyword, value), value, value)
    if not any(ends):
        raise BadKey(f"{keyword} is neither a time (HHMMSS.FFFFFF) nor a range of times.")
    low, high = ends
    return Range(earliest(keyword, low) if low else "", latest(keyword, high) if high else "", low, high)


def _parts_of_time(keyword: str, value: str) -> tuple[str, str | None, str | None, str | None]:
    found = _TIME.fullmatch(value)
    if found is None or int(found[1]) > 23:
        raise BadKey(f"{keyword} is neither a time (HHMMSS.FFFFFF) nor a range of times.")
    return found[1], found[2], found[3], found[4]


def earliest(keyword: str, value: str) -> str:
    """The first recorded text that is not before a time: 0830 and 08 are as early as 083000 and 080000.

    >>> earliest("StudyTime", "083000"), earliest("StudyTime", "08:30:01.50")
    ('0830', '083001.5')
    """
    hours, minutes, seconds, fraction = _parts_of_time(keyword, value)
    parts = [minutes or "00", seconds or "00", (fraction or ".0").rstrip("0")]
    while parts and parts[-1] in ("00", "."):
        parts.pop()
    return "".join([hours, *parts])


def latest(keyword: str, value: str) -> str:
    """The last text of the precision that was asked for.

    >>> latest("StudyTime", "0830"), latest("StudyTime", "083001.5")
    ('083060.999999', '083001.500000')
    """
    hours, minutes, seconds, fraction = _parts_of_time(keyword, value)
    end = fraction.ljust(7, "0") if fraction else ".999999"
    return f"{hours}{minutes or '59'}{seconds or '60'}{end}"
