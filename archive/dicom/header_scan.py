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

from typing import BinaryIO, Final, NoReturn

from archive.dicom.header import (
    DEFAULT_LIMITS,
    KEPT_VALUE_BYTES,
    PIXEL_DATA,
    PIXEL_TAGS,
    UNDEFINED,
    ElementLocation,
    Header,
    HeaderLimits,
    PixelDataLocation,
)
from archive.dicom.header_elements import (
    DATA_SET,
    DELIMITERS,
    EXPLICIT,
    FIRST_ITEMS,
    FRAGMENTS,
    IMPLICIT,
    ITEM,
    ITEM_BYTES,
    ITEM_DELIMITATION,
    LENGTH,
    LONG_VRS,
    SEQUENCE,
    SEQUENCE_DELIMITATION,
    SHORT_VRS,
    VR_NAMES,
    Container,
    is_vr,
)
from archive.dicom.header_source import READ_BYTES, Inflating, Source, Stored
from archive.dicom.transfer_syntaxes import transfer_syntax
from archive.errors import CannotUnderstand

FRAGMENT_READ_BYTES: Final = 1 << 12
"""Bytes read at once between the fragments of encapsulated pixel data."""
KEPT_BYTES: Final = 8 << 20
"""All values kept of one header."""


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
    source: Source = Inflating(file, start, limits) if syntax.deflated else Stored(file, start)
    header = Header(
        transfer_syntax_uid=transfer_syntax_uid,
        start=start,
        deflated=syntax.deflated,
        big_endian=syntax.big_endian,
        implicit_vr=syntax.implicit_vr,
    )
    _Scanner(source, limits, header).scan(0xFFFFFFFF if stop_after is None else stop_after)
    return header


class _Scanner:
    """The state of one scan. Positions only grow; each step costs a bounded time."""

    def __init__(self, source: Source, limits: HeaderLimits, header: Header) -> None:
        self._source = source
        self._limits = limits
        self._header = header
        self._position = source.first
        self._stack: list[Container] = []
        self._depth = 0
        self._items = 0
        self._pixel_bytes = 0
        self._kept = 0
        if not self._have(8):
            raise CannotUnderstand("The file holds no data set.")
        # The declared VR encoding is wrong in some files; the first element shows which it is.
        header.implicit_vr = implicit_vr = not is_vr(self._peek(4, 2))
        self._container = Container(DATA_SET, source.size, source.size, implicit_vr, header.big_endian, not implicit_vr)

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
            if container.kind != DATA_SET:
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
                group, element, length = IMPLICIT[container.big_endian].unpack_from(source.buffer, start)
                value_at = position + 8
            else:
                group, element, vr, length = EXPLICIT[container.big_endian].unpack_from(source.buffer, start)
                value_at = position + 8
                if vr not in SHORT_VRS:
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

    def _read_plain_values(self, container: Container, stop_after: int, count: int) -> int:
        """Go past the values that come next, as far as they are small, whole in the buffer and no sequence.

        Nearly all elements of a received object are such; whatever is not ends the run and is looked at by ``scan``.
        Returns the count of elements.
        """
        buffer, base = self._source.buffer, self._source.base
        elements = None if self._stack else self._header.elements
        implicit_vr, big_endian = container.implicit_vr, container.big_endian
        unpack = (IMPLICIT if implicit_vr else EXPLICIT)[big_endian].unpack_from
        most = self._limits.header_bytes + self._source.first + self._pixel_bytes - base
        stop = min(len(buffer), most, *(end - base for end in (container.end, container.limit) if end is not None))
        start, kept, vr = self._position - base, self._kept, b""
        while 0 <= start <= stop - 8 and count < self._limits.elements:
            value = start + 8
            if implicit_vr:
                group, element, length = unpack(buffer, start)
                if length >= 8 and buffer[value : value + 4] in FIRST_ITEMS:
                    break
            else:
                group, element, vr, length = unpack(buffer, start)
                if vr not in SHORT_VRS:
                    break
            tag, end = group << 16 | element, value + length
            if end > stop or group == 0xFFFE or length > KEPT_VALUE_BYTES:
                break
            if elements is not None:
                if tag > stop_after or not tag or tag in PIXEL_TAGS or kept + length > KEPT_BYTES:
                    break
                elements[tag] = ElementLocation(base + value, length, VR_NAMES.get(vr, ""), buffer[value:end])
                kept += length
            count += 1
            start = end
        self._position, self._kept = start + base, kept
        return count

    def _read_value(self, container: Container, tag: int, vr: bytes, value_at: int, length: int) -> None:
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
                value_at, length, VR_NAMES.get(vr, ""), self._kept_value(value_at, length)
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
        self, container: Container, start: int, group: int, vr: bytes, length: int
    ) -> tuple[bytes, int, int]:
        """VR, length and place of the value of an element whose VR is none of the short ones; -1 where it is cut short.

        ``start`` is its place in the buffer, ``length`` what its short head would say.
        """
        buffer, value_at = self._source.buffer, self._position + 8
        if vr in LONG_VRS:
            if start + 12 > len(buffer):
                self._cut_short("it ends inside an element")
                return vr, 0, -1
            return vr, LENGTH[container.big_endian].unpack_from(buffer, start + 8)[0], value_at + 4
        if group == 0xFFFE or not is_vr(vr):
            # Some writers fall back to implicit VR in the middle of things; pydicom follows them too.
            return b"", LENGTH[container.big_endian].unpack_from(buffer, start + 4)[0], value_at
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
            if container.kind == SEQUENCE and container.end is not None:
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

    def _open(self, container: Container) -> None:
        if container.kind != DATA_SET:
            self._depth += 1
            if self._depth > self._limits.depth:
                raise CannotUnderstand(f"Sequences are nested deeper than {self._limits.depth} levels.")
        self._stack.append(self._container)
        self._container = container

    def _close(self) -> None:
        if self._container.kind != DATA_SET:
            self._depth -= 1
        self._container = self._stack.pop()

    def _read_delimiter(self, tag: int, container: Container) -> None:
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
        return first in FIRST_ITEMS

    def _open_sequence(self, container: Container, tag: int, vr: bytes, value_at: int, value_end: int | None) -> None:
        self._note_place(tag, vr, value_at, UNDEFINED if value_end is None else value_end - value_at)
        self._position = value_at
        big_endian = container.big_endian
        if vr == b"UN" and self._have(4):
            # PS3.5 6.2.2 note 2: the content of UN is implicit VR little endian; some write it like the rest.
            big_endian = self._peek(0, 4) == ITEM_BYTES[True]
        limit = container.limit if value_end is None else value_end
        self._open(Container(SEQUENCE, value_end, limit, container.implicit_vr, big_endian, not container.implicit_vr))

    def _note_place(self, tag: int, vr: bytes, value_at: int, length: int) -> None:
        """Note where a value lies that is not kept, of an element of the data set itself."""
        if not self._stack:
            self._header.elements[tag] = ElementLocation(value_at, length, VR_NAMES.get(vr, ""), None)

    def _open_undefined(self, container: Container, tag: int, vr: bytes, value_at: int) -> None:
        """A value of undefined length: fragments for pixel data and OB or OW, else a sequence."""
        if tag != PIXEL_DATA and vr not in (b"OB", b"OW"):
            self._open_sequence(container, tag, vr, value_at, None)
            return
        self._note_place(tag, vr, value_at, UNDEFINED)
        self._position = value_at
        self._open(Container(FRAGMENTS, None, container.limit, container.implicit_vr, container.big_endian, False))

    def _read_item(self, container: Container) -> None:
        """An item of a sequence, or a fragment (PS3.5 7.5, A.4)."""
        fragments = container.kind == FRAGMENTS
        if not self._have(8, FRAGMENT_READ_BYTES if fragments else READ_BYTES):
            self._cut_short("a sequence or encapsulated pixel data has no end")
            return
        position = self._position
        group, element, length = IMPLICIT[container.big_endian].unpack_from(
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

    def _open_item(self, container: Container, value_at: int, length: int) -> None:
        if self._items > self._limits.items:
            raise CannotUnderstand(f"The data set has more than {self._limits.items} items.")
        end = None if length == UNDEFINED else value_at + length
        if end is not None and not self._fits(end, container):
            self._cut_short(f"an item claims {length} bytes that are not there")
            return
        implicit_vr = container.implicit_vr
        if container.switches and length >= 8 and self._have(8) and self._peek(0, 4) not in DELIMITERS:
            implicit_vr = not is_vr(self._peek(4, 2))
        limit = container.limit if end is None else end
        switches = container.switches and not implicit_vr
        self._open(Container(DATA_SET, end, limit, implicit_vr, container.big_endian, switches))

    def _read_fragment(self, container: Container, value_at: int, length: int) -> None:
        if length == UNDEFINED or not self._fits(value_at + length, container):
            self._cut_short("a fragment of encapsulated pixel data passes its end")
            return
        if self._items > self._limits.fragments:
            raise CannotUnderstand(f"The pixel data has more than {self._limits.fragments} fragments.")
        if container.pixel_data is not None:
            container.pixel_data.fragment_offsets.append(value_at)
            container.pixel_data.fragment_lengths.append(length)
        self._position = value_at + length

    def _fits(self, end: int, container: Container) -> bool:
        if container.limit is not None:
            return end <= container.limit
        # What is inflated to know whether it is there must not be forgotten where it is still to be read.
        return container.kind != FRAGMENTS or self._source.reaches(end)

    def _read_pixel_data(self, container: Container, tag: int, vr: bytes, value_at: int, length: int) -> None:
        """The pixel data of the image itself; those of icons are nested and of no interest."""
        encapsulated = length == UNDEFINED
        location = PixelDataLocation(
            tag=tag,
            vr=VR_NAMES.get(vr, ""),
            offset=value_at,
            length=0 if encapsulated else length,
            is_encapsulated=encapsulated,
        )
        self._header.pixel_data = location
        self._header.elements[tag] = ElementLocation(value_at, length, location.vr, None)
        if encapsulated:
            self._position = value_at
            self._open(
                Container(
                    FRAGMENTS, None, container.limit, container.implicit_vr, container.big_endian, False, location
                )
            )
            return
        value_end = value_at + length
        if not (value_end <= container.limit if container.limit is not None else self._source.reaches(value_end)):
            left = "" if container.limit is None else f" and {container.limit - value_at} are left"
            self._cut_short(f"the pixel data claims {length} bytes{left}")
        self._position = value_end
        self._pixel_bytes += length

    def _close_pixel_data(self, container: Container) -> None:
        location = container.pixel_data
        if location is not None:
            location.length = self._position - location.offset
            self._pixel_bytes += location.length
