"""What one pass over a data set finds: where its elements and its pixel data lie, within which limits (PS3.5 7).

``header_scan.py`` makes it, from the bytes that ``header_source.py`` gives.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

UNDEFINED: Final = 0xFFFFFFFF
PIXEL_DATA: Final = 0x7FE00010
FLOAT_PIXEL_DATA: Final = 0x7FE00008
DOUBLE_FLOAT_PIXEL_DATA: Final = 0x7FE00009
PIXEL_TAGS: Final = frozenset({PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA})

KEPT_VALUE_BYTES: Final = 1 << 16
"""Values of the top level up to this size stay available from the ``Header``."""


@dataclass(frozen=True, slots=True)
class HeaderLimits:
    """What a data set may hold. The defaults are far above any honest object."""

    depth: int = 64
    """Sequences inside sequences. pydicom gives up with a RecursionError near 250."""
    elements: int = 2_000_000
    items: int = 1_000_000
    fragments: int = 2_000_000
    """Of encapsulated pixel data."""
    header_bytes: int = 512 << 20
    """Data set without its pixel data, in bytes after inflating: this much may be held in memory when it is read."""
    inflated_bytes: int = 4 << 30
    """A deflated data set, inflated."""
    inflate_ratio: int = 250
    """Inflated bytes for each deflated one, above ``inflate_free_bytes``. Deflate itself reaches 1032."""
    inflate_free_bytes: int = 64 << 20
    """Up to here any ratio is taken: an empty segmentation compresses very well."""


DEFAULT_LIMITS: Final = HeaderLimits()


class ElementLocation(NamedTuple):
    """A top-level element. Offsets count from the file's start; of a deflated data set, from the inflated one's."""

    offset: int
    length: int
    """``UNDEFINED`` for a value that ends with a delimiter."""
    vr: str
    """Empty where the encoding has none."""
    value: bytes | None
    """None where it is a sequence, pixel data, or larger than is kept."""


@dataclass(slots=True)
class PixelDataLocation:
    """Where the value of the pixel data element lies; of a deflated data set, in the inflated one."""

    tag: int
    vr: str
    offset: int
    """First byte of the value; for encapsulated pixel data, of the first item's tag."""
    length: int
    """Of an encapsulated value up to and with its delimiter."""
    is_encapsulated: bool
    fragment_offsets: array[int] = field(default_factory=lambda: array("Q"))
    """First byte of each item's value, the basic offset table's first (PS3.5 A.4)."""
    fragment_lengths: array[int] = field(default_factory=lambda: array("I"))

    @property
    def fragments(self) -> Iterator[tuple[int, int]]:
        """First byte and length of each item's value, the basic offset table's first."""
        return zip(self.fragment_offsets, self.fragment_lengths, strict=True)


@dataclass(slots=True)
class Header:
    """What a scan found at the top level."""

    transfer_syntax_uid: str
    start: int
    """First byte of the data set in the file, where it is deflated the first deflated one."""
    deflated: bool
    big_endian: bool
    implicit_vr: bool
    """As found, which is not always as the transfer syntax says."""
    elements: dict[int, ElementLocation] = field(default_factory=dict)
    pixel_data: PixelDataLocation | None = None
    end: int = 0
    """First byte after the data set; zeros may follow."""
    element_count: int = 0
    """Elements at all levels."""
    item_count: int = 0

    def value(self, tag: int) -> bytes | None:
        """Bytes of a top-level value as encoded; None where it is absent, a sequence, or above ``KEPT_VALUE_BYTES``."""
        element = self.elements.get(tag)
        return element.value if element is not None else None

    def text(self, tag: int) -> str:
        """First value of a top-level element as Latin-1, without padding; empty where there is none."""
        value = self.value(tag)
        if not value:
            return ""
        return value.split(b"\\", 1)[0].decode("latin-1").strip("\0 \t\r\n")

    @property
    def sop_class_uid(self) -> str:
        return self.text(0x00080016)

    @property
    def sop_instance_uid(self) -> str:
        return self.text(0x00080018)

    @property
    def study_instance_uid(self) -> str:
        return self.text(0x0020000D)

    @property
    def series_instance_uid(self) -> str:
        return self.text(0x0020000E)
