"""A bounded parser of data sets (PS3.5 7): what the intake and the indexer know before pydicom sees a byte.

It goes once through the element headers, of nested items too, and never loads
pixel data. Every length is held against what is there, every loop against a
limit, so a hostile file costs no more than a large honest one.

Read as real files are written: undefined lengths, private sequences sent as UN,
implicit VR inside explicit (PS3.5 6.2.2 note 2, and worse), odd lengths, group
lengths, unknown VRs, zeros after the end. Refused as cut short: a value or
fragment that passes the end of the file, a sequence, item or encapsulated pixel
data of undefined length without its delimiter. Junk inside a nested value whose
length is defined is passed over: its bytes are accounted for.
"""

from __future__ import annotations

import io
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import BinaryIO, Final, NamedTuple, NoReturn, Protocol

from archive.dicom.transfer_syntaxes import transfer_syntax
from archive.errors import CannotUnderstand

UNDEFINED: Final = 0xFFFFFFFF
ITEM: Final = 0xFFFEE000
ITEM_DELIMITATION: Final = 0xFFFEE00D
SEQUENCE_DELIMITATION: Final = 0xFFFEE0DD
PIXEL_DATA: Final = 0x7FE00010
FLOAT_PIXEL_DATA: Final = 0x7FE00008
DOUBLE_FLOAT_PIXEL_DATA: Final = 0x7FE00009
PIXEL_TAGS: Final = frozenset({PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA})

READ_BYTES: Final = 1 << 16
"""Bytes read at once; holds the whole header of most images."""
FRAGMENT_READ_BYTES: Final = 1 << 12
"""Bytes read at once between the fragments of encapsulated pixel data."""
KEPT_VALUE_BYTES: Final = 1 << 16
"""Values of the top level up to this size stay available from the ``Header``."""
KEPT_BYTES: Final = 8 << 20
"""All values kept of one header."""


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


def scan_header(
    file: BinaryIO,
    *,
    start: int,
    transfer_syntax_uid: str,
    limits: HeaderLimits = DEFAULT_LIMITS,
    stop_after: int | None = None,
) -> Header:
    """Go through a data set once and say where everything is.

    Parameters
    ----------
    file
        Seekable binary file, buffered or not; left anywhere.
    start
        Offset of the data set in the file.
    stop_after
        Tag after which nothing is wanted; the rest is then neither read nor checked.

    Raises
    ------
    CannotUnderstand
        Not a data set, cut short, or beyond a limit; nothing else is raised for any bytes.

    Source
    ------
    PS3.5 7.1 (elements), 7.5 (nesting), A.4 (encapsulation), A.5 (deflate).
    """
    syntax = transfer_syntax(transfer_syntax_uid)
    source: _Source = _Inflating(file, start, limits) if syntax.deflated else _Stored(file, start)
    header = Header(
        transfer_syntax_uid=transfer_syntax_uid,
        start=start,
        deflated=syntax.deflated,
        big_endian=syntax.big_endian,
        implicit_vr=syntax.implicit_vr,
    )
    _Scanner(source, limits, header).scan(0xFFFFFFFF if stop_after is None else stop_after)
    return header


def inflate(file: BinaryIO, *, start: int, size: int, limits: HeaderLimits = DEFAULT_LIMITS) -> bytes:
    """Return the first ``size`` bytes of a deflated data set (PS3.5 A.5), inflated within the limits.

    Raises
    ------
    CannotUnderstand
        It is damaged, shorter, or beyond a limit.
    """
    source = _Inflating(file, start, limits)
    if size and not source.reaches(size, keep_from=0):
        raise CannotUnderstand("The deflated data set is cut short.")
    return source.buffer[:size]


class _Source(Protocol):
    """Bytes of a data set, read forwards; ``buffer`` holds those from ``base`` on."""

    buffer: bytes
    base: int
    first: int
    """Position of the data set's first byte."""
    size: int | None
    """Position after the last byte, None where it is not known beforehand."""

    def load(self, position: int, count: int, read_bytes: int) -> bool:
        """Let the buffer hold ``count`` bytes from ``position``; False where the data set ends before."""

    def reaches(self, position: int) -> bool:
        """Whether the data set has the bytes before ``position``; the buffer may move on to there."""


class _Stored:
    """A data set as it lies in the file."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self.size: int | None = file.seek(0, io.SEEK_END)
        self.first = self.base = start
        self.buffer = b""

    def load(self, position: int, count: int, read_bytes: int) -> bool:
        self._file.seek(position)
        wanted = max(count, read_bytes)
        parts = []
        while wanted > 0 and (part := self._file.read(wanted)):
            parts.append(part)
            wanted -= len(part)
        self.buffer = parts[0] if len(parts) == 1 else b"".join(parts)
        self.base = position
        return len(self.buffer) >= count

    def reaches(self, position: int) -> bool:
        return self.size is not None and position <= self.size


class _Inflating:
    """A deflated data set, inflated piece by piece within limits."""

    def __init__(self, file: BinaryIO, start: int, limits: HeaderLimits) -> None:
        deflated = file.seek(0, io.SEEK_END) - start
        file.seek(start)
        self._file = file
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._limit = min(limits.inflated_bytes, max(limits.inflate_free_bytes, limits.inflate_ratio * deflated))
        self.size: int | None = None
        self.first = self.base = 0
        self.buffer = b""

    def load(self, position: int, count: int, read_bytes: int) -> bool:
        return self.reaches(position + count, keep_from=position)

    def reaches(self, position: int, keep_from: int | None = None) -> bool:
        """Inflate up to ``position``; what is before ``keep_from``, by default before the last piece, is forgotten."""
        end = self.base + len(self.buffer)
        if keep_from is None:
            keep_from = position
        pieces = [self.buffer] if end > keep_from else []
        while end < position:
            piece = self._next_piece()
            if not piece:
                break
            end += len(piece)
            if end > self._limit:
                raise CannotUnderstand(f"The deflated data set grows beyond {self._limit} bytes, which is the limit.")
            if end > keep_from:
                pieces.append(piece)
        self.buffer = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.base = end - len(self.buffer)
        return end >= position

    def _next_piece(self) -> bytes:
        try:
            while not self._stream.eof:
                data = self._stream.unconsumed_tail or self._file.read(READ_BYTES)
                piece = self._stream.decompress(data, READ_BYTES)
                if piece:
                    return piece
                if not data:
                    raise CannotUnderstand("The deflated data set is cut short.")
        except zlib.error:
            raise CannotUnderstand("The data set is damaged: it cannot be inflated.") from None
        return b""


_EXPLICIT: Final = {False: Struct("<HH2sH"), True: Struct(">HH2sH")}
_IMPLICIT: Final = {False: Struct("<HHI"), True: Struct(">HHI")}
_LENGTH: Final = {False: Struct("<I"), True: Struct(">I")}
_ITEM_BYTES: Final = {False: b"\xfe\xff\x00\xe0", True: b"\xff\xfe\xe0\x00"}
_FIRST_ITEMS: Final = frozenset(_ITEM_BYTES.values())

_SHORT_VRS: Final = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
"""VRs with a length of 16 bits (PS3.5 7.1.2)."""
_LONG_VRS: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_VR_NAMES: Final = {vr: vr.decode() for vr in _SHORT_VRS | _LONG_VRS}

_DATA_SET: Final = 0
"""A container of elements: the data set itself, or an item."""
_SEQUENCE: Final = 1
"""A container of items that hold elements."""
_FRAGMENTS: Final = 2
"""A container of items that hold opaque bytes."""


class _Container(NamedTuple):
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


def _is_vr(two: bytes) -> bool:
    return two.isalpha() and two.isupper()


class _Scanner:
    """The state of one scan. Positions only grow; each step costs a bounded time."""

    def __init__(self, source: _Source, limits: HeaderLimits, header: Header) -> None:
        self._source = source
        self._limits = limits
        self._header = header
        self._position = source.first
        self._stack: list[_Container] = []
        self._depth = 0
        self._items = 0
        self._pixel_bytes = 0
        self._kept = 0
        if not self._have(8):
            raise CannotUnderstand("The file holds no data set.")
        # The declared VR encoding is wrong in some files; the first element shows which it is.
        header.implicit_vr = implicit_vr = not _is_vr(self._peek(4, 2))
        self._container = _Container(
            _DATA_SET, source.size, source.size, implicit_vr, header.big_endian, not implicit_vr
        )

    def scan(self, stop_after: int) -> None:
        """Go through the data set and fill the header."""
        source, limits = self._source, self._limits
        count = 0
        while True:
            container, position = self._container, self._position
            if container.end is not None and position >= container.end:
                if not self._stack:
                    break
                self._close()
                continue
            if container.kind != _DATA_SET:
                self._read_item(container)
                continue
            count = self._read_plain_values(container, stop_after, count)
            position = self._position
            if container.end is not None and position >= container.end:
                continue
            # One element of a data set or an item, of any kind.
            start = position - source.base
            if start < 0 or start + 12 > len(source.buffer):
                if not self._have(12) and not self._have(8):
                    if self._ends_in_zeros():
                        break
                    continue
                start = position - source.base
            vr = b""
            if container.implicit_vr:
                group, element, length = _IMPLICIT[container.big_endian].unpack_from(source.buffer, start)
                value_at = position + 8
            else:
                group, element, vr, length = _EXPLICIT[container.big_endian].unpack_from(source.buffer, start)
                value_at = position + 8
                if vr not in _SHORT_VRS:
                    vr, length, value_at = self._long_head(container, start, group, vr, length)
                    if value_at < 0:
                        continue
            tag = group << 16 | element
            if group == 0xFFFE:
                self._read_delimiter(tag, container)
                continue
            if not self._stack:
                if tag > stop_after or (tag == length == 0 and self._only_zeros_remain("junk follows it")):
                    break
                if tag in PIXEL_TAGS:
                    count += 1
                    self._read_pixel_data(container, tag, vr, value_at, length)
                    continue
            count += 1
            if count > limits.elements:
                raise CannotUnderstand(f"The data set has more than {limits.elements} elements.")
            if length == UNDEFINED:
                self._open_undefined(container, tag, vr, value_at)
            else:
                self._read_value(container, tag, vr, value_at, length)
        self._finish(count)

    def _read_plain_values(self, container: _Container, stop_after: int, count: int) -> int:
        """Go past the values that come next, as far as they are small, whole in the buffer and no sequence.

        Nearly all elements of a received object are such; whatever is not ends the run and is looked at by ``scan``.
        Returns the count of elements.
        """
        buffer, base = self._source.buffer, self._source.base
        elements = None if self._stack else self._header.elements
        implicit_vr, big_endian = container.implicit_vr, container.big_endian
        unpack = (_IMPLICIT if implicit_vr else _EXPLICIT)[big_endian].unpack_from
        most = self._limits.header_bytes + self._source.first + self._pixel_bytes - base
        stop = min(len(buffer), most, *(end - base for end in (container.end, container.limit) if end is not None))
        start, kept, vr = self._position - base, self._kept, b""
        while 0 <= start <= stop - 8 and count < self._limits.elements:
            value = start + 8
            if implicit_vr:
                group, element, length = unpack(buffer, start)
                if length >= 8 and buffer[value : value + 4] in _FIRST_ITEMS:
                    break
            else:
                group, element, vr, length = unpack(buffer, start)
                if vr not in _SHORT_VRS:
                    break
            tag, end = group << 16 | element, value + length
            if end > stop or group == 0xFFFE or length > KEPT_VALUE_BYTES:
                break
            if elements is not None:
                if tag > stop_after or not tag or tag in PIXEL_TAGS or kept + length > KEPT_BYTES:
                    break
                elements[tag] = ElementLocation(base + value, length, _VR_NAMES.get(vr, ""), buffer[value:end])
                kept += length
            count += 1
            start = end
        self._position, self._kept = start + base, kept
        return count

    def _read_value(self, container: _Container, tag: int, vr: bytes, value_at: int, length: int) -> None:
        """Go past a value of known length, or into it where it holds items; keep it where it is one to be kept."""
        source, limits = self._source, self._limits
        value_end = value_at + length
        if container.limit is not None and value_end > container.limit:
            self._value_is_missing(tag, length)
            return
        if length >= 8 and (not vr or vr == b"SQ" or vr == b"UN") and self._begins_with_item(value_at):
            self._open_sequence(container, tag, vr, value_at, value_end)
            return
        if length > limits.header_bytes:
            self._refuse_size()
        if not self._stack:
            self._header.elements[tag] = ElementLocation(
                value_at, length, _VR_NAMES.get(vr, ""), self._kept_value(value_at, length)
            )
        if container.limit is None and not source.reaches(value_end):
            self._value_is_missing(tag, length)
            return
        self._position = value_end
        if value_end - source.first - self._pixel_bytes > limits.header_bytes:
            self._refuse_size()

    def _ends_in_zeros(self) -> bool:
        """Whether the data set ends properly where no whole element follows; else it is cut short."""
        if not self._stack and self._only_zeros_remain("it is cut short, it ends inside an element"):
            return True
        self._cut_short("it ends inside an element")
        return False

    def _long_head(
        self, container: _Container, start: int, group: int, vr: bytes, length: int
    ) -> tuple[bytes, int, int]:
        """VR, length and place of the value of an element whose VR is none of the short ones; -1 where it is cut short.

        ``start`` is its place in the buffer, ``length`` what its short head would say.
        """
        buffer, value_at = self._source.buffer, self._position + 8
        if vr in _LONG_VRS:
            if start + 12 > len(buffer):
                self._cut_short("it ends inside an element")
                return vr, 0, -1
            return vr, _LENGTH[container.big_endian].unpack_from(buffer, start + 8)[0], value_at + 4
        if group == 0xFFFE or not _is_vr(vr):
            # Some writers fall back to implicit VR in the middle of things; pydicom follows them too.
            return b"", _LENGTH[container.big_endian].unpack_from(buffer, start + 4)[0], value_at
        return vr, length, value_at

    def _finish(self, count: int) -> None:
        if not count:
            raise CannotUnderstand("The file holds no data set.")
        # A sequence of defined length is trusted while it is read; only here is it known that it was all there.
        if self._source.size is None and not self._source.reaches(self._position):
            self._refuse("it is cut short")
        self._header.end = self._position
        self._header.element_count = count
        self._header.item_count = self._items

    # Bytes

    def _have(self, count: int, read_bytes: int = READ_BYTES) -> bool:
        """Let the buffer hold ``count`` bytes from the position."""
        source, position = self._source, self._position
        start = position - source.base
        if start >= 0 and start + count <= len(source.buffer):
            return True
        return source.load(position, count, read_bytes)

    def _peek(self, ahead: int, count: int) -> bytes:
        start = self._position - self._source.base + ahead
        return self._source.buffer[start : start + count]

    def _kept_value(self, value_at: int, length: int) -> bytes | None:
        if length > KEPT_VALUE_BYTES or self._kept + length > KEPT_BYTES:
            return None
        source = self._source
        start = value_at - source.base
        if start + length > len(source.buffer):
            self._position = value_at
            if not self._have(length):
                return None
            start = value_at - source.base
        self._kept += length
        return source.buffer[start : start + length]

    def _only_zeros_remain(self, words: str) -> bool:
        """Whether nothing but zeros follows, else refuse with these words; the position stays."""
        here = self._position
        while self._have(1):
            rest = self._peek(0, len(self._source.buffer))
            if rest.strip(b"\0"):
                self._refuse(words)
            self._position += len(rest)
        self._position = here
        return True

    # Refusals

    def _fail(self, words: str) -> None:
        """Pass over the nearest value of defined length that holds the junk; where there is none, refuse."""
        where = self._position
        while self._stack:
            container = self._container
            self._close()
            if container.kind == _SEQUENCE and container.end is not None:
                self._position = container.end
                return
        self._position = where
        self._refuse(words)

    def _refuse(self, words: str) -> NoReturn:
        raise CannotUnderstand(f"The data set cannot be read: {words} (at byte {self._position}).")

    def _cut_short(self, what: str) -> None:
        self._fail(f"it is cut short, {what}")

    def _value_is_missing(self, tag: int, length: int) -> None:
        self._cut_short(f"element ({tag >> 16:04X},{tag & 0xFFFF:04X}) claims {length} bytes that are not there")

    def _refuse_size(self) -> NoReturn:
        raise CannotUnderstand(f"The data set without its pixel data is larger than {self._limits.header_bytes} bytes.")

    # Containers

    def _open(self, container: _Container) -> None:
        if container.kind != _DATA_SET:
            self._depth += 1
            if self._depth > self._limits.depth:
                raise CannotUnderstand(f"Sequences are nested deeper than {self._limits.depth} levels.")
        self._stack.append(self._container)
        self._container = container

    def _close(self) -> None:
        if self._container.kind != _DATA_SET:
            self._depth -= 1
        self._container = self._stack.pop()

    def _read_delimiter(self, tag: int, container: _Container) -> None:
        """An item's end (PS3.5 7.5.2); one in an item of defined length is superfluous, but found."""
        if tag == ITEM_DELIMITATION and self._stack:
            self._position = self._position + 8 if container.end is None else container.end
            self._close()
        else:
            self._fail("a delimiter stands where an element should")

    def _begins_with_item(self, value_at: int) -> bool:
        """Whether a value is a sequence with items, also where its VR is UN or not told."""
        here = self._position
        self._position = value_at
        first = self._peek(0, 4) if self._have(8) else b""
        self._position = here
        return first in (_ITEM_BYTES[False], _ITEM_BYTES[True])

    def _open_sequence(self, container: _Container, tag: int, vr: bytes, value_at: int, value_end: int | None) -> None:
        self._note_place(tag, vr, value_at, UNDEFINED if value_end is None else value_end - value_at)
        self._position = value_at
        big_endian = container.big_endian
        if vr == b"UN" and self._have(4):
            # PS3.5 6.2.2 note 2: the content of UN is implicit VR little endian; some write it like the rest.
            big_endian = self._peek(0, 4) == _ITEM_BYTES[True]
        limit = container.limit if value_end is None else value_end
        self._open(
            _Container(_SEQUENCE, value_end, limit, container.implicit_vr, big_endian, not container.implicit_vr)
        )

    def _note_place(self, tag: int, vr: bytes, value_at: int, length: int) -> None:
        """Note where a value lies that is not kept, of an element of the data set itself."""
        if not self._stack:
            self._header.elements[tag] = ElementLocation(value_at, length, _VR_NAMES.get(vr, ""), None)

    def _open_undefined(self, container: _Container, tag: int, vr: bytes, value_at: int) -> None:
        """A value of undefined length: fragments for pixel data and OB or OW, else a sequence."""
        if tag != PIXEL_DATA and vr not in (b"OB", b"OW"):
            self._open_sequence(container, tag, vr, value_at, None)
            return
        self._note_place(tag, vr, value_at, UNDEFINED)
        self._position = value_at
        self._open(_Container(_FRAGMENTS, None, container.limit, container.implicit_vr, container.big_endian, False))

    def _read_item(self, container: _Container) -> None:
        """An item of a sequence, or a fragment (PS3.5 7.5, A.4)."""
        fragments = container.kind == _FRAGMENTS
        if not self._have(8, FRAGMENT_READ_BYTES if fragments else READ_BYTES):
            self._cut_short("a sequence or encapsulated pixel data has no end")
            return
        position = self._position
        group, element, length = _IMPLICIT[container.big_endian].unpack_from(
            self._source.buffer, position - self._source.base
        )
        tag = group << 16 | element
        if tag == SEQUENCE_DELIMITATION:
            self._position = position + 8 if container.end is None else container.end
            self._close_pixel_data(container)
            self._close()
            return
        if tag != ITEM:
            self._fail("something else stands where an item should")
            return
        self._position = position + 8
        self._items += 1
        if fragments:
            self._read_fragment(container, position + 8, length)
        else:
            self._open_item(container, position + 8, length)

    def _open_item(self, container: _Container, value_at: int, length: int) -> None:
        if self._items > self._limits.items:
            raise CannotUnderstand(f"The data set has more than {self._limits.items} items.")
        end = None if length == UNDEFINED else value_at + length
        if end is not None and not self._fits(end, container):
            self._cut_short(f"an item claims {length} bytes that are not there")
            return
        implicit_vr = container.implicit_vr
        if container.switches and length >= 8 and self._have(8) and self._peek(0, 4) not in _DELIMITERS:
            implicit_vr = not _is_vr(self._peek(4, 2))
        limit = container.limit if end is None else end
        switches = container.switches and not implicit_vr
        self._open(_Container(_DATA_SET, end, limit, implicit_vr, container.big_endian, switches))

    def _read_fragment(self, container: _Container, value_at: int, length: int) -> None:
        if length == UNDEFINED or not self._fits(value_at + length, container):
            self._cut_short("a fragment of encapsulated pixel data passes its end")
            return
        if self._items > self._limits.fragments:
            raise CannotUnderstand(f"The pixel data has more than {self._limits.fragments} fragments.")
        if container.pixel_data is not None:
            container.pixel_data.fragment_offsets.append(value_at)
            container.pixel_data.fragment_lengths.append(length)
        self._position = value_at + length

    def _fits(self, end: int, container: _Container) -> bool:
        if container.limit is not None:
            return end <= container.limit
        # What is inflated to know whether it is there must not be forgotten where it is still to be read.
        return container.kind != _FRAGMENTS or self._source.reaches(end)

    def _read_pixel_data(self, container: _Container, tag: int, vr: bytes, value_at: int, length: int) -> None:
        """The pixel data of the image itself; those of icons are nested and of no interest."""
        encapsulated = length == UNDEFINED
        location = PixelDataLocation(
            tag=tag,
            vr=_VR_NAMES.get(vr, ""),
            offset=value_at,
            length=0 if encapsulated else length,
            is_encapsulated=encapsulated,
        )
        self._header.pixel_data = location
        self._header.elements[tag] = ElementLocation(value_at, length, location.vr, None)
        if encapsulated:
            self._position = value_at
            self._open(
                _Container(
                    _FRAGMENTS, None, container.limit, container.implicit_vr, container.big_endian, False, location
                )
            )
            return
        value_end = value_at + length
        if not (value_end <= container.limit if container.limit is not None else self._source.reaches(value_end)):
            left = "" if container.limit is None else f" and {container.limit - value_at} are left"
            self._cut_short(f"the pixel data claims {length} bytes{left}")
        self._position = value_end
        self._pixel_bytes += length

    def _close_pixel_data(self, container: _Container) -> None:
        location = container.pixel_data
        if location is not None:
            location.length = self._position - location.offset
            self._pixel_bytes += location.length


_DELIMITERS: Final = frozenset((b"\xfe\xff\x0d\xe0", b"\xff\xfe\xe0\x0d", b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd"))
