"""Lookup tables as files hold them (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5, C.7.9.2), made clean.

Descriptors: an entry count of 0 means 65536; the first value mapped is signed
where the table's input is; entries of 8 bits stand packed in bytes or one in each word.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from archive.dicom.values import text, value_of, values_of
from archive.pixels.description import LookupTable, Palette

MAXIMUM_ENTRIES: Final = 1 << 16
"""As many as a descriptor can count."""
MAXIMUM_SEGMENTS: Final = 1 << 16
"""Segments of a segmented palette table that are expanded."""

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2
"""Opcodes of segmented tables (PS3.3 C.7.9.2)."""


def lookup_table(item: Dataset, *, signed: bool, little_endian: bool) -> LookupTable | None:
    """Read an item of a Modality LUT or VOI LUT Sequence; None where it is unusable.

    Parameters
    ----------
    signed
        Whether the values that go into the table can be negative.
    """
    descriptor = _descriptor(item, "LUTDescriptor", signed=signed, little_endian=little_endian)
    if descriptor is None:
        return None
    count, first, bits = descriptor
    entries = _entries(value_of(item, "LUTData"), count, bits, little_endian=little_endian)
    if not len(entries):
        return None
    return LookupTable(
        first_mapped=first,
        bits=bits,
        entries=entries.tobytes(),
        explanation=text(item, "LUTExplanation"),
        kind=text(item, "ModalityLUTType"),
    )


def palette(ds: Dataset, *, signed: bool, little_endian: bool) -> Palette | None:
    """Read the three palette tables of a data set, segmented ones expanded; None where one is missing."""
    tables = []
    for color in ("Red", "Green", "Blue"):
        descriptor = _descriptor(
            ds, f"{color}PaletteColorLookupTableDescriptor", signed=signed, little_endian=little_endian
        )
        if descriptor is None:
            return None
        count, first, bits = descriptor
        plain = value_of(ds, f"{color}PaletteColorLookupTableData")
        if plain:
            entries = _entries(plain, count, bits, little_endian=little_endian)
        else:
            segmented = value_of(ds, f"Segmented{color}PaletteColorLookupTableData")
            entries = _expanded(segmented, count, bits, little_endian=little_endian)
        if not len(entries):
            return None
        tables.append(LookupTable(first_mapped=first, bits=bits, entries=entries.tobytes()))
    return Palette(*tables)


def _descriptor(ds: Dataset, keyword: str, *, signed: bool, little_endian: bool) -> tuple[int, int, int] | None:
    """Entry count, first value mapped and bits of an entry."""
    values = values_of(ds, keyword)
    if len(values) == 1 and isinstance(values[0], bytes):
        values = np.frombuffer(values[0][:6], _word(little_endian)).tolist() if len(values[0]) >= 6 else []
    try:
        count, first, bits = (int(value) for value in values[:3])
    except (TypeError, ValueError, OverflowError):
        return None
    count, first, bits = count & 0xFFFF, first & 0xFFFF, bits & 0xFFFF
    vr = _vr(ds, keyword)
    if (signed or vr == "SS") and first >= 0x8000:
        first -= 0x10000
    return count or MAXIMUM_ENTRIES, first, bits if 8 <= bits <= 16 else 16


def _vr(ds: Dataset, keyword: str) -> str:
    try:
        return str(ds[keyword].VR)
    except Exception:
        # As in ``values``: a broken element counts as absent.
        return ""


def _word(little_endian: bool) -> str:
    return "<u2" if little_endian else ">u2"


def _entries(value: object, count: int, bits: int, *, little_endian: bool) -> NDArray[np.uint16]:
    """Table entries as little-endian words, at most ``count``; what the file lacks is missing at the end."""
    if isinstance(value, bytes):
        if bits > 8 or len(value) >= 2 * count:
            words = np.frombuffer(value[: len(value) & ~1], _word(little_endian))
            return words[:count].astype("<u2")
        # One byte an entry, packed into words, so that a big-endian file has each pair swapped.
        return _bytes_in_order(value, little_endian=little_endian)[:count].astype("<u2")
    try:
        listed = [int(entry) & 0xFFFF for entry in _listed(value)]
    except (TypeError, ValueError, OverflowError):
        return np.empty(0, "<u2")
    words = np.array(listed, "<u2")
    if bits == 8 and 2 * len(words) == count + count % 2:
        return words.view(np.uint8)[:count].astype("<u2")
    return words[:count]


def _listed(value: Any) -> Iterable[Any]:
    """One number or many, as pydicom gives them."""
    return value if hasattr(value, "__iter__") and not isinstance(value, str) else (value,)


def _bytes_in_order(value: bytes, *, little_endian: bool) -> NDArray[np.uint8]:
    if little_endian:
        return np.frombuffer(value, np.uint8)
    return np.frombuffer(value[: len(value) & ~1], ">u2").astype("<u2").view(np.uint8)


def _expanded(value: object, count: int, bits: int, *, little_endian: bool) -> NDArray[np.uint16]:
    """Expand a segmented table (PS3.3 C.7.9.2), at most ``count`` entries."""
    if not isinstance(value, bytes):
        return np.empty(0, "<u2")
    if bits == 8:
        data = _bytes_in_order(value, little_endian=little_endian).tolist()
    else:
        data = np.frombuffer(value[: len(value) & ~1], _word(little_endian)).tolist()
    return np.array(_Expansion(data, count, bytes_an_offset_part=1 if bits == 8 else 2).run(), "<u2")


class _Expansion:
    """One segmented table; work and size are bounded by the entry and segment counts."""

    def __init__(self, data: list[int], count: int, *, bytes_an_offset_part: int) -> None:
        self._data = data
        self._count = count
        self._part_bytes = bytes_an_offset_part
        self._entries: list[int] = []
        self._segments = 0

    def run(self) -> list[int]:
        position = 0
        while position + 1 < len(self._data) and len(self._entries) < self._count:
            position = self._segment(position, may_refer=True)
        return self._entries[: self._count]

    def _segment(self, position: int, *, may_refer: bool) -> int:
        """Expand one segment; returns where the next begins, or the end of the data where it makes no sense."""
        end = len(self._data)
        self._segments += 1
        if position + 1 >= end or self._segments > MAXIMUM_SEGMENTS or len(self._entries) >= self._count:
            return end
        opcode, length = self._data[position], self._data[position + 1]
        position += 2
        if opcode == _DISCRETE:
            self._entries.extend(self._data[position : position + length])
            return position + length
        if opcode == _LINEAR and position < end and self._entries:
            self._ramp(self._data[position], length)
            return position + 1
        if opcode == _INDIRECT and may_refer:
            return self._refer(position, length)
        return end

    def _ramp(self, target: int, length: int) -> None:
        start = self._entries[-1]
        self._entries.extend(round(start + (target - start) * step / length) for step in range(1, length + 1))

    def _refer(self, position: int, segments: int) -> int:
        """Repeat segments that stand at a byte offset of the table, least significant part first."""
        parts = 4 // self._part_bytes
        if position + parts > len(self._data):
            return len(self._data)
        offset = sum(
            part << (8 * self._part_bytes * index) for index, part in enumerate(self._data[position : position + parts])
        )
        source = offset // self._part_bytes
        for _ in range(segments):
            if source >= len(self._data) or len(self._entries) >= self._count:
                break
            source = self._segment(source, may_refer=False)
        return position + parts
