"""Heads of elements and items as bytes, and what is open while its content is read (PS3.5 7.1, 7.5)."""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from archive.dicom.header import PixelDataLocation

ITEM: Final = 0xFFFEE000
ITEM_DELIMITATION: Final = 0xFFFEE00D
SEQUENCE_DELIMITATION: Final = 0xFFFEE0DD
EXPLICIT: Final = {False: Struct("<HH2sH"), True: Struct(">HH2sH")}
IMPLICIT: Final = {False: Struct("<HHI"), True: Struct(">HHI")}
LENGTH: Final = {False: Struct("<I"), True: Struct(">I")}
ITEM_BYTES: Final = {False: b"\xfe\xff\x00\xe0", True: b"\xff\xfe\xe0\x00"}
FIRST_ITEMS: Final = frozenset(ITEM_BYTES.values())
DELIMITERS: Final = frozenset((b"\xfe\xff\x0d\xe0", b"\xff\xfe\xe0\x0d", b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd"))

SHORT_VRS: Final = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
"""VRs with a length of 16 bits (PS3.5 7.1.2)."""
LONG_VRS: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
VR_NAMES: Final = {vr: vr.decode() for vr in SHORT_VRS | LONG_VRS}

DATA_SET: Final = 0
"""A container of elements: the data set itself, or an item."""
SEQUENCE: Final = 1
"""A container of items that hold elements."""
FRAGMENTS: Final = 2
"""A container of items that hold opaque bytes."""


class Container(NamedTuple):
    """Something that is open while its content is read."""

    kind: int
    end: int | None
    """Position where it closes; None where a delimiter closes it."""
    limit: int | None
    """No content may pass this position: the end of the nearest container that has one."""
    implicit_vr: bool
    big_endian: bool
    switches: bool
    """Whether an item may turn out to be in implicit VR."""
    pixel_data: PixelDataLocation | None = None


def is_vr(two: bytes) -> bool:
    return two.isalpha() and two.isupper()
