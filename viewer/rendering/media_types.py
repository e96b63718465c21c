"""Which rendered media type answers a request (PS3.18 8.7.4 to 8.7.8).

An instance belongs to one resource category; what is offered for each stands in
``OFFERED``, the default first (table 8.7.4-1). The ``accept`` parameter comes
before the Accept header, the more specific range before the wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from viewer.errors import InvalidParameter, NotAcceptable

JPEG, PNG, GIF = "image/jpeg", "image/png", "image/gif"
MP4, MPEG, TRANSPORT_STREAM = "video/mp4", "video/mpeg", "video/mp2t"
HTML, PLAIN, PDF = "text/html", "text/plain", "application/pdf"
DICOM = "application/dicom"
MULTIPART = "multipart/related"

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - a grammar
_RANGE = re.compile(rf"({_TOKEN})/({_TOKEN})", re.ASCII)
# A media type needs quotes as a value (RFC 2387 3.1); many clients leave them out.
_PARAMETER = re.compile(rf'({_TOKEN})\s*=\s*(?:"([^"]*)"|([^\s"]+))', re.ASCII)
_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
_MOST_RANGES = 64


class Category(StrEnum):
    """Resource category of what is rendered (8.7.2)."""

    SINGLE_FRAME = "single-frame image"
    MULTI_FRAME = "multi-frame image"
    PRESENTATION_STATE = "presentation state"
    """Shown as the images that it is about."""
    VIDEO = "video"
    TEXT = "text"
    DOCUMENT = "document"
    NONE = "nothing that can be rendered"


OFFERED: dict[Category, tuple[str, ...]] = {
    Category.SINGLE_FRAME: (JPEG, PNG, GIF),
    Category.MULTI_FRAME: (GIF,),
    Category.PRESENTATION_STATE: (JPEG, PNG, GIF),
    Category.VIDEO: (),
    Category.TEXT: (HTML, PLAIN),
    Category.DOCUMENT: (PDF,),
    Category.NONE: (),
}
"""For video it depends on the stream itself: it is never decoded, only passed on."""


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One element of an Accept list; ``*`` is a wildcard."""

    type: str
    subtype: str
    weight: float = 1.0
    multipart: bool = False
    """Was ``multipart/related; type="..."``: the range is that of the parts."""

    @property
    def has_wildcard(self) -> bool:
        return self.subtype == "*"

    def specificity(self, media_type: str) -> int:
        """0 where it does not match; the larger, the more specific."""
        if f"{self.type}/{self.subtype}" == media_type:
            return 3
        if not self.has_wildcard:
            return 0
        if self.type == "*":
            return 1
        return 2 if media_type.startswith(f"{self.type}/") else 0


ANYTHING = (MediaRange("*", "*"),)


@dataclass(frozen=True, slots=True)
class Selected:
    """The media type of an answer, and whether it was asked for as a part of a multipart payload."""

    media_type: str
    multipart: bool = False


def parse_accept_header(text: str | None) -> tuple[MediaRange, ...]:
    """Read an Accept header; values that are not valid are ignored (8.7.7).

    A request without the header accepts anything (RFC 9110 12.5.1).
    """
    if text is None or not text.strip():
        return ANYTHING
    ranges = [_range(part) for part in _split(text, ",")[:_MOST_RANGES]]
    return tuple(one for one in ranges if one is not None)


def parse_accept_parameter(
    text: str, parameter: str = "accept", *, wildcards: bool = False, dicom: bool = False
) -> tuple[MediaRange, ...]:
    """Read the ``accept`` parameter: media types with weights, without wildcards (8.3.3.1).

    Raises
    ------
    InvalidParameter
        It is no list of media types, has a wildcard, or mixes DICOM with other media types.
    """
    ranges = [_range(part) for part in _split(text, ",")[:_MOST_RANGES]]
    accepted = "a list of media types such as image/png"
    if not all(ranges):
        raise InvalidParameter(parameter, text, accepted)
    found = [one for one in ranges if one is not None]
    if not wildcards and any(one.has_wildcard for one in found):
        raise InvalidParameter(parameter, text, f"{accepted}, without wildcards")
    are_dicom = {f"{one.type}/{one.subtype}".startswith(DICOM) for one in found}
    if len(are_dicom) > 1 or (are_dicom == {True} and not dicom):
        only = "either application/dicom or rendered media types" if dicom else "rendered media types only"
        raise InvalidParameter(parameter, text, only)
    return tuple(found)


def select(
    offered: Sequence[str], *, parameter: Sequence[MediaRange], header: Sequence[MediaRange], what: str
) -> Selected:
    """Choose the media type of one representation (8.7.8.1).

    Parameters
    ----------
    offered
        Media types that can be made, the default first.
    what
        Words for the refusal.

    Raises
    ------
    NotAcceptable
        None of them is acceptable; the error lists what is offered.
    """
    for ranges in (parameter, header):
        if chosen := _best(offered, ranges):
            return chosen
    raise NotAcceptable(what, tuple(offered))


def _best(offered: Sequence[str], ranges: Sequence[MediaRange]) -> Selected | None:
    best: tuple[float, int] = (0.0, 0)
    chosen = None
    for media_type in offered:
        matching = [(one.specificity(media_type), one) for one in ranges if one.specificity(media_type)]
        if not matching:
            continue
        specificity, decisive = max(matching, key=lambda pair: (pair[0], pair[1].weight))
        if decisive.weight > 0 and (decisive.weight, specificity) > best:
            best, chosen = (decisive.weight, specificity), Selected(media_type, decisive.multipart)
    return chosen


def _range(text: str) -> MediaRange | None:
    """One element with its parameters; None where it is not of the grammar."""
    name, *rest = (part.strip() for part in _split(text, ";"))
    found = _RANGE.fullmatch(name)
    parameters = dict(_parameters(rest))
    weight = parameters.get("q", "1")
    if found is None or not _WEIGHT.fullmatch(weight) or (found[1] == "*" and found[2] != "*"):
        return None
    if name.lower() == MULTIPART:
        inner = _RANGE.fullmatch(parameters.get("type", "*/*"))
        if inner is None:
            return None
        return MediaRange(inner[1].lower(), inner[2].lower(), float(weight), multipart=True)
    return MediaRange(found[1].lower(), found[2].lower(), float(weight))


def _parameters(parts: Sequence[str]) -> list[tuple[str, str]]:
    found = [_PARAMETER.fullmatch(part) for part in parts]
    return [(one[1].lower(), one[2] if one[2] is not None else one[3]) for one in found if one is not None]


def _split(text: str, separator: str) -> list[str]:
    """Split outside of quoted strings."""
    parts, quoted, start = [], False, 0
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]
