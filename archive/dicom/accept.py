"""What a client accepts, and which of our media types suits it best (RFC 9110 12.5.1, PS3.18 8.7.7 and 8.7.8.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MULTIPART: Final = "multipart/related"
MOST_RANGES: Final = 64
"""Elements of a list that are read."""

_TOKEN: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - a grammar
_RANGE: Final = re.compile(rf"({_TOKEN})/({_TOKEN})", re.ASCII)
# A media type needs quotes as a value (RFC 2387 3.1); many clients leave them out.
_PARAMETER: Final = re.compile(rf'({_TOKEN})\s*=\s*(?:"([^"]*)"|([^\s"]+))', re.ASCII)
_WEIGHT: Final = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One element of an Accept list; ``*`` is a wildcard."""

    type: str
    subtype: str
    weight: float = 1.0
    multipart: bool = False
    """Was ``multipart/related; type="..."``: the range is that of the parts."""
    transfer_syntax: str = ""
    """``transfer-syntax``: a UID, ``*`` for whatever is stored, empty for the default (PS3.18 8.7.3.5.2)."""

    @property
    def kind(self) -> str:
        return f"{self.type}/{self.subtype}"

    @property
    def has_wildcard(self) -> bool:
        return self.subtype == "*"

    def specificity(self, media_type: str) -> int:
        """0 where it does not match; the larger, the more specific."""
        if self.kind == media_type:
            return 3
        if not self.has_wildcard:
            return 0
        if self.type == "*":
            return 1
        return 2 if media_type.startswith(f"{self.type}/") else 0


ANYTHING: Final = (MediaRange("*", "*"),)


def read_list(text: str) -> list[MediaRange | None]:
    """Read the elements of a list; None for one that is not of the grammar."""
    return [_range(part) for part in _split(text, ",")[:MOST_RANGES]]


def accept_header(text: str | None) -> tuple[MediaRange, ...]:
    """Read an Accept header; values that are not valid are ignored (8.7.7).

    A request without the header accepts anything (RFC 9110 12.5.1).

    >>> [one.kind for one in accept_header("image/png;q=0.5, nonsense, image/jpeg")]
    ['image/png', 'image/jpeg']
    """
    if text is None or not text.strip():
        return ANYTHING
    return tuple(one for one in read_list(text) if one is not None)


def best(offered: Sequence[str], ranges: Sequence[MediaRange]) -> tuple[str, MediaRange] | None:
    """The offered media type that suits best, and the range that decided; None where none is acceptable.

    The most specific range gives an offer its weight; among equal ones the first offered counts.
    """
    decided: tuple[float, int] = (0.0, 0)
    chosen = None
    for media_type in offered:
        matching = [(one.specificity(media_type), one) for one in ranges if one.specificity(media_type)]
        if not matching:
            continue
        specificity, decisive = max(matching, key=lambda pair: (pair[0], pair[1].weight))
        if decisive.weight > 0 and (decisive.weight, specificity) > decided:
            decided, chosen = (decisive.weight, specificity), (media_type, decisive)
    return chosen


def _range(text: str) -> MediaRange | None:
    name, *rest = (part.strip() for part in _split(text, ";"))
    found = _RANGE.fullmatch(name)
    parameters = _parameters(rest)
    weight = parameters.get("q", "1")
    if found is None or not _WEIGHT.fullmatch(weight) or (found[1] == "*" and found[2] != "*"):
        return None
    is_multipart = name.lower() == MULTIPART
    inner = _RANGE.fullmatch(parameters.get("type", "*/*")) if is_multipart else found
    if inner is None:
        return None
    syntax = parameters.get("transfer-syntax", "")
    return MediaRange(inner[1].lower(), inner[2].lower(), float(weight), is_multipart, syntax)


def _parameters(parts: Sequence[str]) -> dict[str, str]:
    found = [_PARAMETER.fullmatch(part) for part in parts]
    return {one[1].lower(): one[2] if one[2] is not None else one[3] for one in found if one is not None}


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
