"""The query string of a search as a query of the archive (PS3.18 8.3.4, 10.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.http import QueryDict
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword

from archive.dicomweb.errors import BadRequest
from archive.querying.keys import COMPUTED, KEYS, OF_PATIENT, OF_SERIES, OF_STUDY, REQUESTS, Level
from archive.querying.search import KeyValue

MOST_RESULTS: Final = {Level.STUDY: 1000, Level.SERIES: 2000, Level.IMAGE: 5000}
"""Results of one answer at most; more are asked for with an offset."""
LARGEST_OFFSET: Final = 100_000_000
_TAG: Final = re.compile(r"[0-9a-fA-F]{8}", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)

RETURNED: Final[Mapping[Level, tuple[str, ...]]] = {
    # PS3.18 tables 10.6.3-3, 10.6.3-4 and 10.6.3-5; RetrieveURL is added where the answer is written.
    Level.STUDY: (
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "InstanceAvailability",
        "ModalitiesInStudy",
        "ReferringPhysicianName",
        "TimezoneOffsetFromUTC",
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyInstanceUID",
        "StudyID",
        "StudyDescription",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
    ),
    Level.SERIES: (
        "Modality",
        "TimezoneOffsetFromUTC",
        "SeriesDescription",
        "SeriesInstanceUID",
        "SeriesNumber",
        "NumberOfSeriesRelatedInstances",
        "PerformedProcedureStepStartDate",
        "PerformedProcedureStepStartTime",
        REQUESTS,
    ),
    Level.IMAGE: (
        "SOPClassUID",
        "SOPInstanceUID",
        "InstanceAvailability",
        "TimezoneOffsetFromUTC",
        "InstanceNumber",
        "Rows",
        "Columns",
        "BitsAllocated",
        "NumberOfFrames",
    ),
}
_STORED: Final = {Level.STUDY: OF_PATIENT | OF_STUDY, Level.SERIES: OF_SERIES, Level.IMAGE: frozenset()}


@dataclass(frozen=True, slots=True)
class Asked:
    """One search request."""

    keys: dict[str, KeyValue] = field(default_factory=dict)
    returning: tuple[str, ...] = ()
    fuzzy: bool = False
    limit: int | None = None
    offset: int = 0


def read_query(parameters: QueryDict, level: Level, *, upper_levels: Iterable[Level]) -> Asked:
    """Read the parameters of a search.

    Parameters
    ----------
    upper_levels
        Levels above whose attributes are returned too, as no UID of the address names them (PS3.18 10.6.3.3).

    Raises
    ------
    BadRequest
        A name is no attribute, or a value is none of its kind; the message names it.
    """
    keys: dict[str, KeyValue] = {}
    wanted: list[str] = []
    fuzzy, limit, offset = False, None, 0
    for name, values in parameters.lists():
        text = values[-1]
        if name == "includefield":
            wanted += [part.strip() for value in values for part in value.split(",") if part.strip()]
        elif name == "fuzzymatching":
            fuzzy = _flag(name, text)
        elif name == "limit":
            limit = _whole(name, text, 1 << 30)
        elif name == "offset":
            offset = _whole(name, text, LARGEST_OFFSET)
        elif name not in ("accept", "charset"):
            _add_key(keys, name, text)
    levels = [*upper_levels, level]
    returning = dict.fromkeys(keyword for one in levels for keyword in RETURNED[one])
    returning |= dict.fromkeys(keyword for keyword in keys if isinstance(keys[keyword], str))
    for part in wanted:
        returning |= dict.fromkeys(_everything(levels) if part == "all" else [keyword_of(part.partition(".")[0])])
    return Asked(keys, tuple(returning), fuzzy, limit, offset)


def _everything(levels: Iterable[Level]) -> list[str]:
    found: list[str] = []
    for level in levels:
        lowest = Level.PATIENT if level is Level.STUDY else level
        found += [key.keyword for key in KEYS.values() if lowest <= key.level <= level]
        found += [keyword for keyword, of in COMPUTED.items() if lowest <= of <= level]
        found += sorted(_STORED[level])
    return found


def keyword_of(name: str) -> str:
    """Keyword of an attribute given as its keyword or as eight hexadecimal digits.

    Raises
    ------
    BadRequest
        The standard has no such attribute.
    """
    if _TAG.fullmatch(name):
        tag = int(name, 16)
        if dictionary_has_tag(tag) and (keyword := keyword_for_tag(tag)):
            return keyword
    elif tag_for_keyword(name) is not None:
        return name
    raise BadRequest(f"{name[:64]} is no attribute: its keyword or its eight hexadecimal digits are accepted.")


def _add_key(keys: dict[str, KeyValue], name: str, text: str) -> None:
    """A matching key, of a sequence's item where the name has a dot."""
    outer, _, inner = name.partition(".")
    keyword = keyword_of(outer)
    if inner:
        item = keys.setdefault(keyword, {})
        if not isinstance(item, dict):
            raise BadRequest(f"{outer} is asked for as a value and as a sequence.")
        item[keyword_of(inner)] = text
    elif dictionary_VR(keyword) == "SQ":
        keys.setdefault(keyword, {})
    else:
        # A list of UIDs may have commas (PS3.18 8.3.4.1), which no UID contains.
        keys[keyword] = text.replace(",", "\\") if dictionary_VR(keyword) == "UI" else text


def _flag(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise BadRequest(f"{name}: true or false is accepted, not {text[:32]!r}.")
    return text == "true"


def _whole(name: str, text: str, largest: int) -> int:
    if not _WHOLE.fullmatch(text) or int(text) > largest:
        raise BadRequest(f"{name}: a whole number of at most {largest} is accepted, not {text[:32]!r}.")
    return int(text)
