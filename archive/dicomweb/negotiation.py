"""What a client accepts, and which of our media types suits it best (RFC 9110 12.5.1, PS3.18 8.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archive.dicomweb.errors import BadRequest
from archive.dicomweb.multipart import media_type

MOST_RANGES = 64


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One media range of an Accept value."""

    kind: str
    """In small letters; may have stars: ``*/*``, ``image/*``, ``multipart/related``."""
    parameters: dict[str, str] = field(default_factory=dict)
    quality: float = 1.0

    @property
    def part(self) -> str:
        """What is wanted inside: the ``type`` of multipart/related, else the range itself; empty where none is named."""
        return self.parameters.get("type", "").lower() if self.is_multipart else self.kind

    @property
    def is_multipart(self) -> bool:
        return self.kind == "multipart/related"

    def covers(self, offered: str) -> bool:
        """Whether an offered media type, or parts of it, would be accepted."""
        part = self.part or "*/*"
        return part in ("*/*", offered) or (part.endswith("/*") and offered.startswith(part[:-1]))


EVERYTHING = MediaRange("*/*")


def accepted(header: str, parameter: str | None = None) -> list[MediaRange]:
    """Media ranges in order of preference; the ``accept`` query parameter replaces the header (PS3.18 8.3.3.1).

    >>> [one.kind for one in accepted("image/png;q=0.5, image/jpeg, */*;q=0.1")]
    ['image/jpeg', 'image/png', '*/*']
    """
    text = header if parameter is None else parameter
    ranges = [one for one in (_range(part) for part in _split(text)) if one is not None and one.quality > 0]
    if not ranges and not text.strip():
        return [EVERYTHING]
    return sorted(ranges, key=lambda one: -one.quality)


def _split(text: str) -> list[str]:
    """Parts between commas that are not inside quotes."""
    parts, quoted = [""], False
    for character in text:
        quoted ^= character == '"'
        if character == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    if len(parts) > MOST_RANGES:
        raise BadRequest(f"Accept names more than {MOST_RANGES} media types.")
    return [part.strip() for part in parts if part.strip()]


def _range(text: str) -> MediaRange | None:
    if text.partition(";")[0].strip() == "*":
        # Java's URL connection sends this.
        text = text.replace("*", "*/*", 1)
    kind, parameters = media_type(text)
    if kind.count("/") != 1:
        return None
    try:
        quality = min(1.0, max(0.0, float(parameters.pop("q", "1"))))
    except ValueError:
        return None
    return MediaRange(kind, parameters, quality)


def choose(ranges: Sequence[MediaRange], offers: Sequence[str]) -> str | None:
    """The offer that the first range with one accepts; among several of a range the first offered."""
    for one in ranges:
        for offered in offers:
            if one.covers(offered):
                return offered
    return None
