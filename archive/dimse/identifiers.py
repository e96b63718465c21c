"""Identifiers of C-FIND, C-MOVE and C-GET as queries, and answers as identifiers (PS3.4 C.4)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset
from pydicom.charset import convert_encodings, decode_bytes, encode_string
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.valuerep import PN_DELIMS

from archive.errors import ArchiveError
from archive.querying.answers import Values
from archive.querying.keys import UNIQUE, Level, level_of
from archive.querying.matching import BadKey
from archive.querying.search import KeyValue

FIND, MOVE, GET = "find", "move", "get"
_ROOTS: Final = {
    "1.2.840.10008.5.1.4.1.2.1": Level.PATIENT,
    "1.2.840.10008.5.1.4.1.2.2": Level.STUDY,
}
"""Patient Root and Study Root, and the level that each begins at (PS3.4 C.6.1, C.6.2)."""
MODELS: Final = {
    f"{root}.{number}": (service, top)
    for root, top in _ROOTS.items()
    for number, service in ((1, FIND), (2, MOVE), (3, GET))
}
"""SOP classes of query and retrieve: service, and level at the top."""

UTF_8: Final = "ISO_IR 192"
_NO_KEYS: Final = frozenset({"SpecificCharacterSet", "QueryRetrieveLevel", "TimezoneOffsetFromUTC"})


class BadIdentifier(ArchiveError):
    """The identifier is none that the SOP class has: no level, a level of another model, a unique key missing."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """A request's identifier."""

    level: Level
    keys: Mapping[str, KeyValue]
    """Values by keyword; an empty one is universal matching or only asked for."""
    unknown: frozenset[str]
    """Tags of elements that the standard's dictionary does not have."""
    character_set: tuple[str, ...]

    @property
    def returning(self) -> list[str]:
        """What answers are to hold."""
        return [keyword for keyword in self.keys if keyword != "RetrieveAETitle"] + ["RetrieveAETitle"]


def read_identifier(ds: Dataset, sop_class_uid: str) -> Identifier:
    """Read what is asked.

    Raises
    ------
    BadIdentifier
        There is no level, or one that the information model does not have.
    BadKey
        A value cannot be read.
    """
    level = _read_level(str(ds.get("QueryRetrieveLevel", "")), MODELS[sop_class_uid][1])
    keys: dict[str, KeyValue] = {}
    unknown: set[str] = set()
    for element in _elements(ds):
        if element.keyword in _NO_KEYS or element.tag.element == 0:
            continue
        if not element.keyword:
            unknown.add(str(element.tag))
        else:
            keys[element.keyword] = _value(element)
    if "TimezoneOffsetFromUTC" in ds:
        keys["TimezoneOffsetFromUTC"] = ""
    sets = ds.get("SpecificCharacterSet") or ()
    return Identifier(level, keys, frozenset(unknown), tuple([sets] if isinstance(sets, str) else sets))


def _elements(ds: Dataset) -> Iterator[DataElement]:
    for tag in sorted(ds.keys()):
        try:
            yield ds[tag]
        except Exception:
            # pydicom raises what it likes for a value that it cannot read.
            raise BadKey(f"The value of {keyword_for_tag(tag) or tag} cannot be read.") from None


def _read_level(text: str, top: Level) -> Level:
    legal = [level for level in Level if level >= top]
    for level in legal:
        if text.strip() == level.name:
            return level
    names = ", ".join(level.name for level in legal)
    raise BadIdentifier(f"Level is '{text.strip()[:16]}', not {names}." if text.strip() else f"No level: {names}.")


def _value(element: DataElement) -> KeyValue:
    if element.VR == "SQ":
        if not element.value:
            return {}
        return {inner.keyword: str(_value(inner)) for inner in element.value[0] if inner.keyword and inner.VR != "SQ"}
    value = element.value
    if isinstance(value, bytes):
        return ""
    if isinstance(value, (MultiValue, list, tuple)):
        return "\\".join("" if part is None else str(part) for part in value)
    return "" if value is None else str(value)


def check_hierarchy(identifier: Identifier, top: Level) -> None:
    """Require one value of the unique key of each level above (PS3.4 C.4.1.2.2.1, C.4.2.2.1).

    Raises
    ------
    BadIdentifier
    """
    for level in Level:
        if top <= level < identifier.level:
            _check_unique(identifier, UNIQUE[level], is_list=False)


def check_retrieval(identifier: Identifier, top: Level, *, relational: bool) -> dict[str, str]:
    """Return the unique keys of a retrieval, which alone decide what is sent (PS3.4 C.4.2.2.1, C.4.3.2.1).

    Raises
    ------
    BadIdentifier
    """
    if not relational:
        check_hierarchy(identifier, top)
    own = UNIQUE[identifier.level]
    _check_unique(identifier, own, is_list=own != "PatientID")
    wanted = (UNIQUE[level] for level in Level if level <= identifier.level)
    return {keyword: str(identifier.keys[keyword]) for keyword in wanted if identifier.keys.get(keyword)}


def _check_unique(identifier: Identifier, keyword: str, *, is_list: bool) -> None:
    value = str(identifier.keys.get(keyword, "")).strip("\0 ")
    if not value:
        raise BadIdentifier(f"{keyword} is missing at {identifier.level.name} level.")
    if any(c in value for c in "*?") or ("\\" in value and not is_list):
        raise BadIdentifier(f"{keyword} must be one value at {identifier.level.name} level.")


def split_keys(identifier: Identifier, *, relational: bool) -> tuple[dict[str, KeyValue], frozenset[str]]:
    """Keys that are matched on, and those of lower levels that only a relational query may have (C.4.1.2.2)."""
    matched: dict[str, KeyValue] = {}
    beyond: set[str] = set()
    for keyword, value in identifier.keys.items():
        level = level_of(keyword)
        if not relational and level is not None and level > identifier.level:
            if value and str(value).strip("\0 *"):
                beyond.add(keyword)
        else:
            matched[keyword] = value
    return matched, frozenset(beyond)


# --- Answers ----------------------------------------------------------------------------------------------------------


def finish_answer(values: Values, identifier: Identifier) -> tuple[str, ...]:
    """Add to an answer its level and the character set that its text is in; returns the set."""
    values["QueryRetrieveLevel"] = identifier.level.name
    character_set = character_set_for(list(_texts(values)), identifier.character_set)
    if character_set:
        values["SpecificCharacterSet"] = list(character_set)
    return character_set


def character_set_for(texts: list[str], asked: tuple[str, ...]) -> tuple[str, ...]:
    """The set that was asked in, where every text fits it exactly, else UTF-8; none for ASCII in none.

    >>> character_set_for(["DOE"], ()), character_set_for(["Müller"], ("ISO_IR 100",))
    ((), ('ISO_IR 100',))
    >>> character_set_for(["山田"], ("ISO_IR 100",)), character_set_for(["Müller"], ())
    (('ISO_IR 192',), ('ISO_IR 192',))
    """
    beyond_ascii = [text for text in texts if not text.isascii()]
    if not beyond_ascii:
        return asked
    return asked if asked and _fits(beyond_ascii, asked) else (UTF_8,)


def _fits(texts: list[str], character_set: tuple[str, ...]) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            encodings = convert_encodings(list(character_set))
            return all(_comes_back(text, encodings) for text in texts)
        except (UserWarning, UnicodeError, LookupError, ValueError):
            return False


def _comes_back(text: str, encodings: list[str]) -> bool:
    if len(encodings) == 1:
        return text.encode(encodings[0]).decode(encodings[0]) == text
    # Where the first value is empty it stands for ASCII, which pydicom takes for Latin-1.
    beyond_ascii = encodings[1:] if encodings[0] == "iso8859" else encodings
    has_all = all(c.isascii() or any(_has(c, encoding) for encoding in beyond_ascii) for c in text)
    return has_all and decode_bytes(encode_string(text, encodings), encodings, PN_DELIMS) == text


def _has(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _texts(values: Values) -> Iterator[str]:
    for value in values.values():
        if isinstance(value, DataElement):
            yield from _texts_of(value)
        elif isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for part in value:
                if isinstance(part, Dataset):
                    yield from (text for element in part for text in _texts_of(element))
                else:
                    yield str(part)


def texts_of(ds: Dataset) -> Iterator[str]:
    """Every value of a data set as text."""
    for element in ds:
        yield from _texts_of(element)


def _texts_of(element: DataElement) -> Iterator[str]:
    if element.VR == "SQ":
        for item in element.value:
            yield from (text for inner in item for text in _texts_of(inner))
    elif isinstance(element.value, (MultiValue, list)):
        yield from map(str, element.value)
    elif element.value is not None:
        yield str(element.value)
