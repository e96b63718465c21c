"""PNG writer for tiles: 8-bit grey or RGB, fast, with nothing but the pixels.

No gamma, colour space, time or text chunk: a tile is display values, and nothing
may reinterpret them (PNG specification, ISO/IEC 15948). Filter Sub in numpy and
deflate level 1 of ISA-L take a third of the time of the usual encoders.
"""

from __future__ import annotations

import struct

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_GREY, _RGB = 0, 2
_NONE, _SUB = 0, 1
_LEVEL = 1


def encode_png(image: NDArray[np.uint8], *, filtered: bool = True, icc_profile: bytes | None = None) -> bytes:
    """Encode display values.

    Parameters
    ----------
    image
        (rows, columns) grey or (rows, columns, 3) RGB, uint8.
    filtered
        False for noisy high and low bytes of value tiles, which Sub makes larger.
    icc_profile
        Embedded in an iCCP chunk; never in a tile.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ValueError(f"encode_png takes uint8 of shape (rows, columns) or (rows, columns, 3), not {image.shape}")
    rows, columns = image.shape[:2]
    color_type, step = (_GREY, 1) if image.ndim == 2 else (_RGB, 3)
    header = struct.pack(">IIBBBBB", columns, rows, 8, color_type, 0, 0, 0)
    scanlines = _scanlines(image.reshape(rows, columns * step), step, filtered)
    data = isal_zlib.compress(scanlines, _LEVEL)
    profile = () if icc_profile is None else _chunk(b"iCCP", b"ICC\0\0" + isal_zlib.compress(icc_profile))
    return b"".join((_SIGNATURE, *_chunk(b"IHDR", header), *profile, *_chunk(b"IDAT", data), _END))


def _scanlines(lines: NDArray[np.uint8], step: int, filtered: bool) -> NDArray[np.uint8]:
    """Put the filter byte before each row; Sub subtracts the pixel to the left, modulo 256."""
    rows, width = lines.shape
    result = np.empty((rows, width + 1), np.uint8)
    result[:, 0] = _SUB if filtered else _NONE
    if not filtered:
        result[:, 1:] = lines
        return result
    result[:, 1 : step + 1] = lines[:, :step]
    np.subtract(lines[:, step:], lines[:, :-step], out=result[:, step + 1 :])
    return result


def _chunk(kind: bytes, data: bytes) -> tuple[bytes, ...]:
    """The pieces of a chunk; a tile's data is copied once, when all pieces are put together."""
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)
