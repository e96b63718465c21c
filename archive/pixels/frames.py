"""Where the bytes of each frame lie (PS3.5 8, A.4), and reading one frame by its place.

An index is made once, when the instance is indexed, and kept packed beside its
row: a few bytes for one frame or native pixels, 12 bytes for each fragment of
encapsulated ones. Looking up a frame unpacks only that frame.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, Final

import numpy as np

from archive.dicom.header import Header
from archive.dicom.transfer_syntaxes import Codec, transfer_syntax
from archive.errors import CannotDecode, FrameMissing
from archive.pixels.description import ImageDescription
from archive.pixels.limits import (
    MAXIMUM_ENCODED_FRAME_BYTES,
    MAXIMUM_INFLATED_BYTES,
    check_expansion,
    check_image_plane,
)

EXTENDED_OFFSET_TABLE: Final = 0x7FE00001
_READ_BYTES: Final = 1 << 16

_HEAD: Final = struct.Struct("<BBIQ")
"""Kind, flags, frames, and where the deflated data set begins."""
_NATIVE_PLACE: Final = struct.Struct("<QQ")
"""First byte of the pixel data, and bits of one frame."""
_FRAGMENT: Final = struct.Struct("<QI")
"""First byte and length."""
_FIRST: Final = struct.Struct("<II")
"""First fragment of a frame, and of the next."""

_NATIVE, _ONE_EACH, _FRAGMENTED = 1, 2, 3
_IS_DEFLATED, _IS_SWAPPED = 1, 2


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """Places of frames, packed; ``b""`` for an instance without any."""

    packed: bytes

    @classmethod
    def empty(cls) -> FrameIndex:
        """The index of an instance without frames that can be read."""
        return cls(b"")

    @classmethod
    def native(
        cls, *, offset: int, bits_a_frame: int, frames: int, deflated_at: int | None = None, swapped: bool = False
    ) -> FrameIndex:
        """Frames one after the other, without gaps; ``swapped`` where bytes stand in big-endian words."""
        flags = (_IS_DEFLATED if deflated_at is not None else 0) | (_IS_SWAPPED if swapped else 0)
        head = _HEAD.pack(_NATIVE, flags, frames, deflated_at or 0)
        return cls(head + _NATIVE_PLACE.pack(offset, bits_a_frame))

    @classmethod
    def encapsulated(cls, frames: Sequence[Sequence[tuple[int, int]]], *, deflated_at: int | None = None) -> FrameIndex:
        """Frames as lists of fragments, each with its first byte and length."""
        kind = _ONE_EACH if all(len(fragments) == 1 for fragments in frames) else _FRAGMENTED
        flags = _IS_DEFLATED if deflated_at is not None else 0
        parts = [_HEAD.pack(kind, flags, len(frames), deflated_at or 0)]
        if kind == _FRAGMENTED:
            firsts = [0]
            for fragments in frames:
                firsts.append(firsts[-1] + len(fragments))
            parts.append(struct.pack(f"<{len(firsts)}I", *firsts))
        parts.extend(_FRAGMENT.pack(*fragment) for fragments in frames for fragment in fragments)
        return cls(b"".join(parts))

    def to_bytes(self) -> bytes:
        """What is kept."""
        return self.packed

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> FrameIndex:
        """Return the index that ``to_bytes`` gave; nothing is unpacked yet."""
        return cls(bytes(data))

    @property
    def frames(self) -> int:
        """How many frames can be read."""
        return _HEAD.unpack_from(self.packed)[2] if self.packed else 0

    @property
    def deflated_at(self) -> int | None:
        """First byte of the deflated data set that the places count in; None where they count in the file."""
        if not self.packed:
            return None
        _kind, flags, _frames, start = _HEAD.unpack_from(self.packed)
        return int(start) if flags & _IS_DEFLATED else None

    def place(self, frame_number: int) -> FramePlace:
        """Where a frame lies.

        Raises
        ------
        FrameMissing
            There is no such frame.
        """
        frames = self.frames
        if not 1 <= frame_number <= frames:
            known = f"the file holds {frames} (1 to {frames})" if frames else "the file holds none that can be read"
            raise FrameMissing(f"Frame {frame_number} does not exist: {known}.")
        kind = self.packed[0]
        if kind == _NATIVE:
            offset, bits = _NATIVE_PLACE.unpack_from(self.packed, _HEAD.size)
            first_bit = (frame_number - 1) * bits
            first_byte, end_byte = first_bit // 8, (first_bit + bits + 7) // 8
            if not self.packed[1] & _IS_SWAPPED:
                return FramePlace(((offset + first_byte, end_byte - first_byte),), first_bit % 8, bits)
            first_byte, end_byte = first_byte & ~1, (end_byte + 1) & ~1
            pieces = ((offset + first_byte, end_byte - first_byte),)
            return FramePlace(pieces, first_bit - 8 * first_byte, bits, swapped=True)
        if kind == _ONE_EACH:
            return FramePlace((self._fragment(_HEAD.size, frame_number - 1),))
        first, following = _FIRST.unpack_from(self.packed, _HEAD.size + 4 * (frame_number - 1))
        start = _HEAD.size + 4 * (frames + 1)
        return FramePlace(tuple(self._fragment(start, number) for number in range(first, following)))

    def _fragment(self, start: int, number: int) -> tuple[int, int]:
        offset, length = _FRAGMENT.unpack_from(self.packed, start + number * _FRAGMENT.size)
        return offset, length


@dataclass(frozen=True, slots=True)
class FramePlace:
    """The pieces of one frame, each with its first byte and length."""

    pieces: tuple[tuple[int, int], ...]
    skipped_bits: int = 0
    """Bits of the first piece that belong to the frame before: cells of 1 or 12 bits, odd frames in words."""
    bits: int | None = None
    """Bits of the frame; None for encapsulated frames."""
    swapped: bool = False
    """Bytes stand in big-endian words, and the pieces begin and end with whole words."""


def read_frame(descriptor: int, index: FrameIndex, frame_number: int) -> bytes:
    """Return the encoded bytes of one frame, counted from 1, by positioned reads of an open file.

    Fragments are joined. Cells of 1 or 12 bits begin at the first bit of the result.

    Raises
    ------
    FrameMissing
        There is no such frame, or the file ends before it does.
    """
    place = index.place(frame_number)
    deflated_at = index.deflated_at
    if deflated_at is not None:
        data = _read_inflated(descriptor, deflated_at, place.pieces)
    elif len(place.pieces) == 1:
        data = _read_at(descriptor, *place.pieces[0])
    else:
        data = b"".join(_read_at(descriptor, offset, length) for offset, length in place.pieces)
    if place.swapped:
        # Some writers forget the byte that makes an odd value even.
        data = np.frombuffer(data.ljust(len(data) + 1 & ~1, b"\0"), ">u2").astype("<u2").tobytes()
    if place.bits is not None and (place.skipped_bits or place.bits != 8 * len(data)):
        return _aligned(data, place.skipped_bits, place.bits)
    return data


def _read_at(descriptor: int, offset: int, length: int) -> bytes:
    data = os.pread(descriptor, length, offset)
    while len(data) < length:
        more = os.pread(descriptor, length - len(data), offset + len(data))
        if not more:
            raise FrameMissing("The file is cut short: it ends inside the frame.")
        data += more
    return data


def _aligned(data: bytes, skipped_bits: int, bits: int) -> bytes:
    """Shift packed cells so that the frame begins at the least significant bit of the first byte (PS3.5 8.1.1)."""
    if skipped_bits % 8 == bits % 8 == 0:
        return data[skipped_bits // 8 : (skipped_bits + bits) // 8]
    unpacked = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    return np.packbits(unpacked[skipped_bits : skipped_bits + bits], bitorder="little").tobytes()


def _read_inflated(descriptor: int, start: int, pieces: tuple[tuple[int, int], ...]) -> bytes:
    """Inflate a data set from its start and keep the pieces; their extent was bounded when it was indexed."""
    result = []
    stream = _inflated_blocks(descriptor, start)
    position, block = 0, b""
    for offset, length in pieces:
        parts: list[bytes] = []
        missing = length
        while missing:
            while position + len(block) <= offset + length - missing:
                position += len(block)
                block = next(stream, b"")
                if not block:
                    raise FrameMissing("The file is cut short: it ends inside the frame.")
            at = offset + length - missing - position
            parts.append(block[at : at + missing])
            missing -= len(parts[-1])
        result.extend(parts)
    return b"".join(result)


def _inflated_blocks(descriptor: int, position: int) -> Iterator[bytes]:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while not stream.eof:
            data = stream.unconsumed_tail
            if not data:
                data = os.pread(descriptor, _READ_BYTES, position)
                position += len(data)
            block = stream.decompress(data, 16 * _READ_BYTES)
            if block:
                yield block
            elif not data:
                return
    except zlib.error:
        raise FrameMissing("The file is damaged: its data set cannot be inflated.") from None


def index_frames(file: BinaryIO, header: Header, description: ImageDescription, transfer_syntax_uid: str) -> FrameIndex:
    """Find every frame of an image whose header was scanned.

    A file that holds fewer frames than it claims gives an index of those that are whole.

    Raises
    ------
    CannotDecode
        Nothing that can be drawn: no pixel data, a video stream, sizes that do not
        fit the bytes that are there, or frames that cannot be told apart.
    """
    location = header.pixel_data
    if location is None:
        raise CannotDecode("The object holds no pixel data.")
    syntax = transfer_syntax(transfer_syntax_uid)
    if syntax.codec is Codec.VIDEO:
        raise CannotDecode(f"Video ({syntax.name}): it is played on a page of its own.")
    check_image_plane(description)
    deflated_at = header.start if header.deflated else None
    if header.deflated and location.offset + location.length > MAXIMUM_INFLATED_BYTES:
        raise CannotDecode(f"A deflated data set of more than {MAXIMUM_INFLATED_BYTES} bytes is kept, but not drawn.")
    encapsulated = syntax.encapsulated
    if syntax.codec is Codec.OTHER:
        raise CannotDecode(f"{syntax.name} is kept and can be downloaded, but is not drawn.")
    if encapsulated != location.is_encapsulated:
        found = "encapsulated" if location.is_encapsulated else "not encapsulated"
        raise CannotDecode(f"The file says {syntax.name}, but its pixel data is {found}.")
    if not encapsulated:
        # PS3.5 A.2: in OW, cells smaller than a word lie in words, and big-endian words have their bytes swapped.
        swapped = header.big_endian and location.vr == "OW" and description.bits_allocated < 16
        return _native_index(location.offset, location.length, description, deflated_at, swapped=swapped)
    frames = _EncapsulatedFrames(file, header, description.frames).find()
    if any(length > MAXIMUM_ENCODED_FRAME_BYTES for length in (sum(part[1] for part in frame) for frame in frames)):
        raise CannotDecode(f"A frame has more than {MAXIMUM_ENCODED_FRAME_BYTES} encoded bytes.")
    check_expansion(description, max(sum(part[1] for part in frame) for frame in frames))
    return FrameIndex.encapsulated(frames, deflated_at=deflated_at)


def native_frame_bits(description: ImageDescription, available_bits: int | None = None) -> int:
    """Bits of one native frame; chroma of YBR_FULL_422 and YBR_PARTIAL_420 is subsampled (PS3.3 C.7.6.3.1.2).

    Some writers say 4:2:2 and store every sample; where ``available_bits`` are enough
    for that in each frame, it is believed.
    """
    pixels = description.rows * description.columns
    full = pixels * description.samples_per_pixel * description.bits_allocated
    if description.samples_per_pixel != 3:
        return full
    name = description.photometric_interpretation
    if not name.endswith(("_422", "_420")) or (available_bits is not None and available_bits >= full):
        return full
    if name.endswith("_422"):
        return full * 2 // 3
    return full // 2


def _native_index(
    offset: int, length: int, description: ImageDescription, deflated_at: int | None, *, swapped: bool
) -> FrameIndex:
    bits = native_frame_bits(description, length * 8 // description.frames)
    frames = min(description.frames, length * 8 // bits)
    if frames == 0:
        raise CannotDecode(
            f"A frame of {description.rows} x {description.columns} pixels needs {(bits + 7) // 8} bytes, "
            f"but the pixel data has {length}."
        )
    return FrameIndex.native(offset=offset, bits_a_frame=bits, frames=frames, deflated_at=deflated_at, swapped=swapped)


class _EncapsulatedFrames:
    """Groups fragments into frames (PS3.5 A.4)."""

    def __init__(self, file: BinaryIO, header: Header, frames: int) -> None:
        assert header.pixel_data is not None  # noqa: S101 - the caller looked
        self._file = file
        self._header = header
        self._frames = frames
        items = list(header.pixel_data.fragments)
        self._table = items[0] if items else None
        self._fragments = items[1:]

    def find(self) -> list[list[tuple[int, int]]]:
        fragments, frames = self._fragments, self._frames
        if not any(length for _offset, length in fragments):
            raise CannotDecode("The pixel data is empty.")
        if frames == 1:
            return [fragments]
        if len(fragments) == frames:
            return [[fragment] for fragment in fragments]
        if len(fragments) > frames:
            starts = self._starts_by_table() or self._starts_by_signature()
            if len(starts) == frames:
                return [fragments[one:other] for one, other in pairwise([*starts, len(fragments)])]
        elif self._starts_by_signature() == list(range(len(fragments))):
            # Recording stopped early: every fragment is a whole frame, and the last ones are missing.
            return [[fragment] for fragment in fragments]
        raise CannotDecode(
            f"{len(fragments)} fragments cannot be told apart into {frames} frames: "
            "there is no offset table, and the code streams have no beginnings that can be recognised."
        )

    def _starts_by_table(self) -> list[int]:
        """Numbers of the fragments that the extended or the basic offset table points to; empty where it is wrong."""
        by_offset = {offset - self._fragments[0][0]: number for number, (offset, _length) in enumerate(self._fragments)}
        for offsets in (self._extended_offsets(), self._basic_offsets()):
            starts = [by_offset.get(offset, -1) for offset in offsets]
            if len(starts) == self._frames and starts[0] == 0 and all(one < other for one, other in pairwise(starts)):
                return starts
        return []

    def _extended_offsets(self) -> tuple[int, ...]:
        element = self._header.elements.get(EXTENDED_OFFSET_TABLE)
        if element is None:
            return ()
        data = self._header.value(EXTENDED_OFFSET_TABLE)
        if data is None and not self._header.deflated and element.length <= 8 * self._frames:
            self._file.seek(element.offset)
            data = self._file.read(element.length)
        return struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8]) if data else ()

    def _basic_offsets(self) -> tuple[int, ...]:
        if self._table is None or self._header.deflated or self._table[1] > 4 * self._frames + 4:
            return ()
        data = self._bytes_at(*self._table)
        return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])

    def _starts_by_signature(self) -> list[int]:
        if self._header.deflated:
            return []
        return [
            number
            for number, (offset, length) in enumerate(self._fragments)
            if begins_code_stream(self._bytes_at(offset, min(length, 16)))
        ]

    def _bytes_at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)


def begins_code_stream(data: bytes) -> bool:
    """Whether bytes begin as a frame does: JPEG and JPEG-LS, JPEG 2000 bare or boxed, JPEG XL, or an RLE header."""
    if data.startswith((b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\xff\x0a")):
        return True
    if data[:4] == b"\0\0\0\x0c" and data[4:8] in (b"jP  ", b"JXL "):
        return True
    # PS3.5 G.5: 1 to 15 segments, the first of which always stands at byte 64.
    return len(data) >= 8 and 1 <= data[0] <= 15 and data[1:8] == b"\0\0\0\x40\0\0\0"
