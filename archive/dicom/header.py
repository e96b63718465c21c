"""Read the structure of a data set within limits, before any library sees its bytes.

Walks every element and item by its length, from a file, without loading large
values and without recursion into what the sender controls. It finds nesting, item
counts and lengths that lie, and says where the pixel data is.

Source: PS3.5 7.1 (elements), 7.5 (sequences), A.4 (encapsulated pixel data).
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from pydicom.datadict import DicomDictionary

from archive.dicom.transfer_syntaxes import is_big_endian, is_deflated, is_implicit
from archive.errors import CannotUnderstand

UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Float, double float and ordinary pixel data."""
_LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
"""VRs with two reserved bytes and a length of 32 bits (PS3.5 table 7.1-1)."""
_SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS"}
    | {b"ST", b"TM", b"UI", b"UL", b"US"}
)
_BLOCK = 1 << 16
_KEPT_VALUE = 4096
"""Longest value that ``Header.value`` can return."""


@dataclass(frozen=True, slots=True)
class HeaderLimits:
    """What a data set may ask of its reader."""

    depth: int = 64
    """Sequences within sequences. pydicom gives up with a RecursionError near 250."""
    items: int = 1_000_000
    elements: int = 10_000_000
    fragments: int = 1_000_000
    inflated_bytes: int = 512 * 2**20
    """Of a deflated data set."""


DEFAULT_LIMITS = HeaderLimits()


@dataclass(frozen=True, slots=True)
class PixelDataLocation:
    """Where the value of the pixel data element lies, in bytes of the file (or of the inflated data set)."""

    tag: int
    vr: str
    offset: int
    length: int
    """Of a native value; for an encapsulated one up to and with its delimiter."""
    is_encapsulated: bool
    fragments: tuple[tuple[int, int], ...] = ()
    """Offset and length of each item's value; the first is the basic offset table (PS3.5 A.4)."""


@dataclass(slots=True)
class Header:
    """The top level of a data set."""

    file: BinaryIO
    is_little_endian: bool
    is_implicit: bool
    deflated: bool
    elements: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    """Tag -> (offset, length, VR or empty); undefined lengths as the number of bytes that were found."""
    pixel_data: PixelDataLocation | None = None
    end: int = 0

    def value(self, tag: int) -> bytes | None:
        """Bytes of a short top-level value, None where it is absent or longer than 4 KiB."""
        found = self.elements.get(tag)
        if found is None or found[1] > _KEPT_VALUE:
            return None
        self.file.seek(found[0])
        return self.file.read(found[1])

    def text(self, tag: int) -> str:
        """First value as ASCII without padding; empty where it is absent."""
        value = self.value(tag)
        return (value or b"").split(b"\\")[0].strip(b" \0").decode("ascii", "replace")

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


def scan_header(
    file: BinaryIO, *, start: int, transfer_syntax_uid: str, limits: HeaderLimits = DEFAULT_LIMITS
) -> Header:
    """Walk a whole data set.

    Parameters
    ----------
    file
        Seekable; read from ``start``, the offset of the data set's first element.

    Returns
    -------
    Header, which keeps reading short values from the file.

    Raises
    ------
    CannotUnderstand
        The bytes are no data set, are cut short, or go beyond a limit; the message says which.
    """
    deflated = is_deflated(transfer_syntax_uid)
    if deflated:
        file, start = inflate(file, start=start, limit=limits.inflated_bytes), 0
    little = not is_big_endian(transfer_syntax_uid)
    implicit = is_implicit(transfer_syntax_uid)
    walk = _Walk(file, limits, little=little)
    if not implicit and walk.looks_implicit(start):
        implicit = True
    header = Header(file=file, is_little_endian=little, is_implicit=implicit, deflated=deflated)
    walk.top_level(header, start)
    if not header.elements:
        raise CannotUnderstand("The file holds no data set.")
    return header


def inflate(file: BinaryIO, *, start: int, limit: int = DEFAULT_LIMITS.inflated_bytes) -> BinaryIO:
    """Inflate a deflated data set (PS3.5 A.5) into memory, up to a limit.

    Raises
    ------
    CannotUnderstand
        It inflates beyond the limit, or is no deflated stream.
    """
    file.seek(start)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    result = io.BytesIO()
    try:
        while block := file.read(_BLOCK):
            result.write(inflater.decompress(block, limit + 1 - result.tell()))
            if result.tell() > limit:
                raise CannotUnderstand(f"The data set inflates to more than {limit} bytes, which is the limit.")
            while inflater.unconsumed_tail:
                result.write(inflater.decompress(inflater.unconsumed_tail, limit + 1 - result.tell()))
                if result.tell() > limit:
                    raise CannotUnderstand(f"The data set inflates to more than {limit} bytes, which is the limit.")
            if inflater.eof:
                break
    except zlib.error:
        raise CannotUnderstand("The deflated data set is damaged.") from None
    if not inflater.eof:
        raise CannotUnderstand("The deflated data set is cut short.")
    result.seek(0)
    return result


@dataclass(slots=True)
class _Level:
    """One open sequence or item; ``end`` is None where its length is undefined."""

    is_sequence: bool
    end: int | None
    implicit: bool


class _Walk:
    """A cursor over the file with one block of it in memory."""

    def __init__(self, file: BinaryIO, limits: HeaderLimits, *, little: bool) -> None:
        self._file = file
        self._limits = limits
        self._size = file.seek(0, io.SEEK_END)
        self._block = b""
        self._base = 0
        order = "<" if little else ">"
        self._tag = struct.Struct(f"{order}HH").unpack_from
        self._short = struct.Struct(f"{order}H").unpack_from
        self._long = struct.Struct(f"{order}L").unpack_from
        self._elements = 0
        self._items = 0

    def looks_implicit(self, start: int) -> bool:
        """True where an explicit data set's first element has no VR: a known fault of some writers."""
        index = self._at(start, 8)
        vr = self._block[index + 4 : index + 6]
        return vr not in _LONG_VRS and vr not in _SHORT_VRS

    def _at(self, position: int, size: int) -> int:
        """Index in the block of ``size`` bytes at a position of the file."""
        index = position - self._base
        if index < 0 or index + size > len(self._block):
            if position + size > self._size:
                raise CannotUnderstand("The file is cut short: an element ends beyond the end of the file.")
            self._file.seek(position)
            self._block = self._file.read(max(size, _BLOCK))
            self._base, index = position, 0
            if len(self._block) < size:
                raise CannotUnderstand("The file is cut short: an element ends beyond the end of the file.")
        return index

    def top_level(self, header: Header, position: int) -> None:
        while self._size - position >= 8:
            if self._is_padding(position):
                break
            tag, vr, length, value = self._element(position, header.is_implicit)
            if tag >> 16 == 0xFFFE:
                raise CannotUnderstand(f"A delimiter stands outside any sequence, at byte {position}.")
            if tag in _PIXEL_DATA and (length == UNDEFINED or vr != "SQ"):
                header.pixel_data, position = self._pixel_data(tag, vr, length, value)
                header.elements[tag] = (value, position - value, vr)
                continue
            position = self._value_end(tag, vr, length, value, header.is_implicit)
            header.elements[tag] = (value, position - value, vr)
        else:
            if self._size - position:
                rest = self._size - position
                index = self._at(position, rest)
                if any(self._block[index : index + rest]):
                    raise CannotUnderstand("The file is cut short: it ends within an element.")
        header.end = position

    def _is_padding(self, position: int) -> bool:
        """Zero bytes after the last element, which some writers leave."""
        index = self._at(position, 8)
        if self._block[index : index + 8] != bytes(8):
            return False
        self._file.seek(position)
        while block := self._file.read(_BLOCK):
            if any(block):
                raise CannotUnderstand(f"Bytes that are no element stand at byte {position}.")
        return True

    def _element(self, position: int, implicit: bool) -> tuple[int, str, int, int]:
        """Tag, VR, length and offset of the value of one element."""
        self._elements += 1
        if self._elements > self._limits.elements:
            raise CannotUnderstand(f"The data set has more than {self._limits.elements} elements, which is the limit.")
        index = self._at(position, 8)
        block = self._block
        group, element = self._tag(block, index)
        tag = group << 16 | element
        if implicit or group == 0xFFFE:
            vr = "" if group == 0xFFFE else _dictionary_vr(tag)
            return tag, vr, self._long(block, index + 4)[0], position + 8
        code = block[index + 4 : index + 6]
        if code in _SHORT_VRS:
            return tag, code.decode(), self._short(block, index + 6)[0], position + 8
        if code in _LONG_VRS:
            index = self._at(position, 12)
            return tag, code.decode(), self._long(self._block, index + 8)[0], position + 12
        raise CannotUnderstand(f"Element ({group:04X},{element:04X}) at byte {position} has no known value representation.")

    def _value_end(self, tag: int, vr: str, length: int, value: int, implicit: bool) -> int:
        if length == UNDEFINED:
            # PS3.5 6.2.2 note 2: UN of undefined length holds a sequence in implicit little endian.
            return self._sequence(value, None, implicit or vr == "UN")
        end = value + length
        if end > self._size:
            raise CannotUnderstand(
                f"The file is cut short: element ({tag >> 16:04X},{tag & 0xFFFF:04X}) claims {length} bytes, "
                f"{self._size - value} are there."
            )
        if vr == "SQ" and length:
            self._sequence(value, end, implicit)
        return end

    def _sequence(self, position: int, end: int | None, implicit: bool) -> int:
        """Walk a sequence and all it holds; returns where it ends. A stack of ours instead of recursion."""
        levels = [_Level(is_sequence=True, end=end, implicit=implicit)]
        while levels:
            level = levels[-1]
            if level.end is not None and position >= level.end:
                if position > level.end:
                    raise CannotUnderstand(f"An item is longer than the sequence that holds it, at byte {position}.")
                levels.pop()
                continue
            if level.is_sequence:
                position = self._next_item(levels, level, position)
            else:
                position = self._next_in_item(levels, level, position)
        return position

    def _next_item(self, levels: list[_Level], level: _Level, position: int) -> int:
        index = self._at(position, 8)
        group, element = self._tag(self._block, index)
        length = self._long(self._block, index + 4)[0]
        tag, value = group << 16 | element, position + 8
        if tag == _SEQUENCE_END and level.end is None:
            levels.pop()
            return value
        if tag != _ITEM:
            raise CannotUnderstand(f"A sequence holds something that is no item, at byte {position}.")
        self._items += 1
        if self._items > self._limits.items:
            raise CannotUnderstand(f"The data set has more than {self._limits.items} items, which is the limit.")
        item_end = None if length == UNDEFINED else self._bounded(value + length, level.end)
        levels.append(_Level(is_sequence=False, end=item_end, implicit=level.implicit))
        return value

    def _next_in_item(self, levels: list[_Level], level: _Level, position: int) -> int:
        tag, vr, length, value = self._element(position, level.implicit)
        if tag == _ITEM_END and level.end is None:
            levels.pop()
            return value
        if tag >> 16 == 0xFFFE:
            raise CannotUnderstand(f"A delimiter stands where none belongs, at byte {position}.")
        if length != UNDEFINED and (vr != "SQ" or not length):
            return self._bounded(value + length, level.end)
        if length == UNDEFINED and vr in {"OB", "OW"}:
            return self._fragments(value)[1]
        if len(levels) // 2 + 1 > self._limits.depth:
            raise CannotUnderstand(f"Sequences are nested more than {self._limits.depth} deep, which is the limit.")
        end = None if length == UNDEFINED else self._bounded(value + length, level.end)
        levels.append(_Level(is_sequence=True, end=end, implicit=level.implicit or (vr == "UN")))
        return value

    def _bounded(self, end: int, outer: int | None) -> int:
        if end > self._size:
            raise CannotUnderstand("The file is cut short: an item or element ends beyond the end of the file.")
        if outer is not None and end > outer:
            raise CannotUnderstand("An item or element is longer than what holds it.")
        return end

    def _pixel_data(self, tag: int, vr: str, length: int, value: int) -> tuple[PixelDataLocation, int]:
        if length != UNDEFINED:
            if value + length > self._size:
                raise CannotUnderstand(
                    f"The file is cut short: the pixel data claims {length} bytes, {self._size - value} are there."
                )
            return PixelDataLocation(tag, vr, value, length, False), value + length
        fragments, end = self._fragments(value)
        return PixelDataLocation(tag, vr, value, end - value, True, tuple(fragments)), end

    def _fragments(self, position: int) -> tuple[list[tuple[int, int]], int]:
        """Items of encapsulated pixel data up to the delimiter (PS3.5 A.4)."""
        fragments: list[tuple[int, int]] = []
        while True:
            if self._size - position < 8:
                raise CannotUnderstand("The file is cut short: the pixel data has no end.")
            index = self._at(position, 8)
            group, element = self._tag(self._block, index)
            length = self._long(self._block, index + 4)[0]
            tag, value = group << 16 | element, position + 8
            if tag == _SEQUENCE_END:
                return fragments, value
            if tag != _ITEM or length == UNDEFINED:
                raise CannotUnderstand(f"The pixel data holds something that is no fragment, at byte {position}.")
            if value + length > self._size:
                raise CannotUnderstand("The file is cut short: a fragment of the pixel data ends beyond the end of the file.")
            fragments.append((value, length))
            if len(fragments) > self._limits.fragments:
                raise CannotUnderstand(f"The pixel data has more than {self._limits.fragments} fragments, which is the limit.")
            position = value + length


def _dictionary_vr(tag: int) -> str:
    """VR of a public element, of an implicit data set; "SQ" is the one that matters here."""
    known = DicomDictionary.get(tag)
    return str(known[0]) if known else ""
