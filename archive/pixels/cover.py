"""Cover rectangles of a file's native pixels, in place: the Clean Pixel Data Option (PS3.15 E.3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_file_meta
from archive.errors import CannotDecode
from archive.pixels.description import ImageDescription

Rectangle = tuple[int, int, int, int]
"""Row, column, rows and columns, in pixels from 0."""
_MIDDLE = {"YBR_FULL": 128, "YBR_PARTIAL_420": 128}


def cover_rectangles(file: BinaryIO, description: ImageDescription, rectangles: Iterable[Rectangle]) -> None:
    """Write black over rectangles of every frame of an open Part 10 file with native little-endian pixels.

    Raises
    ------
    CannotDecode
        The pixels lie otherwise than cell by cell: they are not covered.
    """
    meta = read_file_meta(file)
    header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
    pixels = header.pixel_data
    rows, columns, samples = description.rows, description.columns, description.samples_per_pixel
    photometric = (header.text(0x00280004) or "").strip()
    bits = int.from_bytes(header.value(0x00280100) or b"\0\0", "little")
    is_plain = pixels is not None and not pixels.is_encapsulated and bits in (8, 16, 32)
    if not is_plain or photometric == "YBR_FULL_422":
        raise CannotDecode("Names in the pixels of this image cannot be covered: they are packed.")
    assert pixels is not None  # noqa: S101 - said above
    planar = int.from_bytes(header.value(0x00280006) or b"\0\0", "little") == 1 and samples > 1
    shape = (samples, rows, columns) if planar else (rows, columns, samples)
    black = np.zeros(samples, f"<u{bits // 8}")
    black[1:] = _MIDDLE.get(photometric, 0)
    if photometric == "MONOCHROME1":
        black[:] = 0 if description.pixel_representation else (1 << description.bits_stored) - 1
    size = rows * columns * samples * bits // 8
    if pixels.length < size * description.frames:
        raise CannotDecode("There are fewer pixels than the image says.")
    for frame in range(description.frames):
        file.seek(pixels.offset + frame * size)
        values = np.frombuffer(file.read(size), black.dtype).reshape(shape).copy()
        for row, column, height, width in rectangles:
            if planar:
                values[:, row : row + height, column : column + width] = black[:, None, None]
            else:
                values[row : row + height, column : column + width] = black
        file.seek(pixels.offset + frame * size)
        file.write(values.tobytes())
