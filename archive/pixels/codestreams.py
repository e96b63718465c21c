"""Headers of code streams, read by a few lines of our own before any codec sees a byte.

JPEG and JPEG-LS (ISO/IEC 10918-1 B.2, 14495-1 C.2), JPEG 2000 and HTJ2K
(ISO/IEC 15444-1 A.5, B), JPEG XL (ISO/IEC 18181-1 D), RLE (PS3.5 G.5). The sizes
found are compared with the data set, so that a code stream cannot claim more.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from archive.errors import CannotDecode

MAXIMUM_MARKERS: Final = 4096
"""Marker segments, or boxes, before the first scan or the code stream."""
MAXIMUM_SCANS: Final = 100
"""Scans of a JPEG image. Progressive ones have about ten; each goes over the whole image, however short it is."""
USUAL_SCANS: Final = 12
"""As many as writers make of an image of any size."""
MAXIMUM_SCANNED_PIXELS: Final = 1 << 28
"""Rows x columns x scans of a JPEG image of more scans; takes about a second."""
MAXIMUM_TILE_PARTS: Final = 1 << 16
"""Tile-parts of a JPEG 2000 image."""
MAXIMUM_TILES: Final = 1 << 14
"""Tiles of a JPEG 2000 image; each costs memory before a pixel is decoded."""

_SOF: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
_LOSSLESS_SOF: Final = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
SEQUENTIAL_SOF: Final = frozenset({0xC0, 0xC1, 0xC3})
"""Frames of Huffman coding whose scans hold each component once: baseline, extended and lossless."""
JPEG_LS_SOF: Final = 0xF7
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True, slots=True)
class CodeStream:
    """What a code stream says about its image."""

    rows: int
    columns: int
    components: int
    precision: int
    """Bits of a sample."""
    is_signed: bool = False
    is_lossless_jpeg: bool = False
    frame_type: int = 0
    """Second byte of the JPEG frame marker."""
    is_color_transformed: bool = False
    """JPEG 2000: the multiple component transform was used, and the codec undoes it."""
    is_high_throughput: bool = False
    is_reversible: bool = False
    """JPEG 2000: the wavelet is the one on whole numbers, so that every decoder gives the same values."""
    scans: int = 1
    """Of a JPEG image."""
    adobe_transform: int | None = None
    """0 RGB, 1 YCbCr, None without an Adobe marker."""
    has_jfif: bool = False
    component_identifiers: bytes = b""
    is_subsampled: bool = False
    is_complete: bool = True
    """The end marker is there."""


def read_jpeg(data: bytes) -> CodeStream:
    """Read the frame header of a JPEG or JPEG-LS stream.

    Raises
    ------
    CannotDecode
        It is none, or its header is damaged.
    """
    position = _first_marker(data)
    adobe: int | None = None
    jfif = False
    for _ in range(MAXIMUM_MARKERS):
        while data[position : position + 2] == b"\xff\xff":
            position += 1
        if position + 4 > len(data) or data[position] != 0xFF:
            break
        marker = data[position + 1]
        if marker in _WITHOUT_LENGTH:
            position += 2
            continue
        length = struct.unpack_from(">H", data, position + 2)[0]
        body = data[position + 4 : position + 2 + length]
        if marker in _SOF:
            return _frame_header(data, position, marker, body, adobe, jfif)
        if marker in (0xDA, 0xD9):
            break
        if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        jfif = jfif or (marker == 0xE0 and body.startswith(b"JFIF\0"))
        position += 2 + length
    raise CannotDecode("The JPEG stream is damaged: it has no frame header.")


def _first_marker(data: bytes) -> int:
    if not data.startswith(b"\xff\xd8"):
        raise CannotDecode("The frame is no JPEG stream.")
    return 2


def _frame_header(data: bytes, position: int, marker: int, body: bytes, adobe: int | None, jfif: bool) -> CodeStream:
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise CannotDecode("The JPEG stream is damaged: its frame header is cut short.")
    precision, rows, columns, components = struct.unpack_from(">BHHB", body)
    scans = data.count(b"\xff\xda", position)
    if scans > MAXIMUM_SCANS:
        raise CannotDecode(f"The JPEG stream has {scans} scans; at most {MAXIMUM_SCANS} are decoded.")
    if scans > USUAL_SCANS and scans * rows * columns > MAXIMUM_SCANNED_PIXELS:
        raise CannotDecode(f"The JPEG stream has {scans} scans, too many for {rows} x {columns} pixels.")
    sampling = body[7 : 6 + 3 * components : 3]
    return CodeStream(
        rows=rows,
        columns=columns,
        components=components,
        precision=precision,
        is_lossless_jpeg=marker in _LOSSLESS_SOF,
        frame_type=marker,
        adobe_transform=adobe,
        has_jfif=jfif,
        component_identifiers=body[6 : 6 + 3 * components : 3],
        is_subsampled=len(set(sampling)) > 1,
        scans=scans,
        # Entropy-coded bytes of 255 are never followed by D9.
        is_complete=data.find(b"\xff\xd9", position) >= 0,
    )


def read_jpeg_2000(data: bytes) -> CodeStream:
    """Read the SIZ and COD segments of a JPEG 2000 or HTJ2K code stream, bare or in JP2 boxes.

    Raises
    ------
    CannotDecode
        It is none, its header is damaged, or it has more tiles than are decoded.
    """
    start = _code_stream_start(data)
    if data[start : start + 4] != b"\xff\x4f\xff\x51" or len(data) < start + 45:
        raise CannotDecode("The frame is no JPEG 2000 stream.")
    length, _capabilities, right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, components = (
        struct.unpack_from(">HHIIIIIIIIH", data, start + 4)
    )
    if right <= left or bottom <= top or not tile_width or not tile_height or not components:
        raise CannotDecode("The JPEG 2000 stream is damaged: its sizes make no sense.")
    if tile_left > left or tile_top > top or length < 38 + 3 * components or len(data) < start + 4 + length:
        raise CannotDecode("The JPEG 2000 stream is damaged: its header is cut short.")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > MAXIMUM_TILES:
        raise CannotDecode(f"The JPEG 2000 stream has {tiles} tiles; at most {MAXIMUM_TILES} are decoded.")
    parts = data[start + 42 : start + 42 + 3 * components]
    depths, steps = parts[::3], set(parts[1::3]) | set(parts[2::3])
    if len(set(depths)) > 1 or steps != {1}:
        raise CannotDecode("The JPEG 2000 stream has components of different depth or size; these are not decoded.")
    style = _coding_style(data, start + 4 + length)
    return CodeStream(
        rows=bottom - top,
        columns=right - left,
        components=components,
        precision=(depths[0] & 0x7F) + 1,
        is_signed=bool(depths[0] & 0x80),
        is_color_transformed=style.transformed,
        is_high_throughput=style.high_throughput,
        is_reversible=style.reversible,
        is_complete=data.rfind(b"\xff\xd9") > start and _holds_its_tiles(data, style.end, tiles),
    )


def _code_stream_start(data: bytes) -> int:
    """Offset of the code stream; that of the jp2c box where there are boxes."""
    if not data.startswith(b"\0\0\0\x0cjP  "):
        return 0
    return _find_box(data, (b"jp2c",))


def _find_box(data: bytes, kinds: tuple[bytes, ...]) -> int:
    """Offset of the content of the first box of one of these kinds (ISO/IEC 15444-1 I.4)."""
    position = 0
    for _ in range(MAXIMUM_MARKERS):
        if position + 16 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, position)
        header = 8
        if length == 1:
            length, header = struct.unpack_from(">Q", data, position + 8)[0], 16
        if kind in kinds:
            return position + header
        if length < header:
            break
        position += length
    raise CannotDecode("The boxes of the frame hold no code stream.")


class _CodingStyle(NamedTuple):
    transformed: bool
    """Components are transformed (COD)."""
    high_throughput: bool
    """CAP, or the style of the blocks (COD)."""
    reversible: bool
    """The wavelet (COD)."""
    end: int
    """Where the main header ends."""


def _coding_style(data: bytes, position: int) -> _CodingStyle:
    transformed = high_throughput = reversible = False
    for _ in range(MAXIMUM_MARKERS):
        if position + 4 > len(data):
            break
        marker, length = struct.unpack_from(">HH", data, position)
        if marker in (0xFF90, 0xFF93, 0xFFD9) or length < 2:
            break
        if marker == 0xFF50:
            high_throughput = True
        if marker == 0xFF52 and length >= 12 and position + 14 <= len(data):
            transformed = bool(data[position + 8])
            high_throughput = high_throughput or bool(data[position + 12] & 0x40)
            reversible = data[position + 13] == 1
        position += 2 + length
    return _CodingStyle(transformed, high_throughput, reversible, position)


def _holds_its_tiles(data: bytes, position: int, tiles: int) -> bool:
    """Whether every tile has a part, and every part the length that it gives (SOT, A.4.2). OpenJPH does not look."""
    found: set[int] = set()
    for _ in range(MAXIMUM_TILE_PARTS):
        if data[position : position + 2] != b"\xff\x90" or position + 12 > len(data):
            break
        tile, length = struct.unpack_from(">HI", data, position + 4)
        found.add(tile)
        # 0: the last part, up to the end.
        position = position + length if length else len(data)
        if position > len(data) or 0 < length < 14:
            return False
    return len(found) == tiles


def read_jpeg_xl(data: bytes) -> CodeStream:
    """Read the size of a JPEG XL image, bare or in boxes; its depth is left to the codec.

    Raises
    ------
    CannotDecode
        It is none.
    """
    if data.startswith(b"\0\0\0\x0cJXL "):
        at = _find_box(data, (b"jxlc", b"jxlp"))
        # A partial code stream begins with its number.
        data = data[at + 4 if data[at - 4 : at] == b"jxlp" else at :]
    if not data.startswith(b"\xff\x0a") or len(data) < 12:
        raise CannotDecode("The frame is no JPEG XL stream.")
    bits = _Bits(int.from_bytes(data[2:16], "little"))
    small = bits.take(1)
    rows = 8 * (bits.take(5) + 1) if small else bits.size()
    ratio = bits.take(3)
    if ratio:
        multiplier, divisor = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
        columns = rows * multiplier // divisor
    else:
        columns = 8 * (bits.take(5) + 1) if small else bits.size()
    return CodeStream(rows=rows, columns=columns, components=0, precision=0)


class _Bits:
    """Bits of a number, the least significant first."""

    def __init__(self, value: int) -> None:
        self._value = value

    def take(self, count: int) -> int:
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken

    def size(self) -> int:
        """A size of JPEG XL: 9, 13, 18 or 30 bits, plus one."""
        return self.take((9, 13, 18, 30)[self.take(2)]) + 1


def read_rle_segments(data: bytes) -> list[tuple[int, int]]:
    """Return the first byte and length of each RLE segment (PS3.5 G.5).

    Raises
    ------
    CannotDecode
        The RLE header is damaged.
    """
    if len(data) < 64:
        raise CannotDecode("The RLE frame is cut short.")
    count, *offsets = struct.unpack_from("<16I", data)
    if not 1 <= count <= 15:
        raise CannotDecode(f"The RLE frame is damaged: it claims {count} segments.")
    starts = [*offsets[:count], len(data)]
    if starts[0] < 64 or any(start >= end for start, end in zip(starts, starts[1:], strict=False)):
        raise CannotDecode("The RLE frame is damaged: its segments do not follow each other.")
    return [(start, end - start) for start, end in zip(starts, starts[1:], strict=False)]
