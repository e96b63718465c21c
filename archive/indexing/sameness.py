"""Is it the same instance in another encoding? Asked only when the UID is known and the bytes differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence

from archive.dicom.header import PIXEL_DATA, Header
from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_dataset, read_file_meta
from archive.errors import ArchiveError
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.description import ImageDescription
from archive.pixels.frames import FrameIndex, index_frames, read_frame

ENCODING_TAGS = frozenset(
    {0x00280004, 0x00280006, 0x7FE00001, 0x7FE00002, 0x7FE00008, 0x7FE00009, 0x7FE00010, 0xFFFCFFFC}
)
"""What may change with the encoding alone: photometric interpretation, planar configuration, pixel data, offsets, padding."""
RECOMPRESSION_TAGS = frozenset({0x00082111, 0x00089215})
"""Derivation description and code: what a lossless recompression may add, or lack (PS3.3 C.7.6.1.1.3)."""


def is_same_instance(one: Path, other: Path) -> bool:
    """Equal elements and equal decoded pixels; False where either cannot be read or decoded."""
    try:
        first, second = read_dataset(one), read_dataset(other)
        return _equal_elements(first, second) and _equal_pixels(one, first, other, second)
    except (ArchiveError, OSError):
        return False


def have_equal_elements(one: Path, other: Path) -> bool:
    """Whether two files differ in nothing but their pixels and how they are encoded.

    Raises
    ------
    CannotUnderstand
        One of them cannot be read.
    """
    return _equal_elements(read_dataset(one), read_dataset(other)) and _behind_pixels(_header(one)) == _behind_pixels(
        _header(other)
    )


# --- Elements -------------------------------------------------------------------------------------------------------


def _equal_elements(first: Dataset, second: Dataset) -> bool:
    """All elements but group lengths and what the encoding alone decides."""
    tags = {int(tag) for tag in (*first.keys(), *second.keys())}
    return all(_equal_element(first, second, tag) for tag in tags if tag & 0xFFFF and tag not in ENCODING_TAGS)


def _equal_element(first: Dataset, second: Dataset, tag: int) -> bool:
    if not (tag in first and tag in second):
        return tag in RECOMPRESSION_TAGS
    if _equal_bytes(first.get_item(tag), second.get_item(tag)):
        return True
    try:
        one, other = first[tag].value, second[tag].value
        if isinstance(one, Sequence) and isinstance(other, Sequence):
            return len(one) == len(other) and all(map(_equal_elements, one, other))
        return bool(one == other)
    except Exception:
        return False


def _equal_bytes(one: object, other: object) -> bool:
    """Equal as encoded. Numbers of an unknown type (UN, private) are only told from others by their byte order."""
    if not (isinstance(one, RawDataElement) and isinstance(other, RawDataElement)):
        return False
    if one.value is None or other.value is None or len(one.value) != len(other.value):
        return False  # Large values stay in the file; they are compared when they are read.
    if one.value == other.value:
        return True
    if one.is_little_endian == other.is_little_endian or not one.tag.is_private:
        return False
    return any(
        len(one.value) % size == 0
        and np.array_equal(np.frombuffer(one.value, f"<u{size}"), np.frombuffer(other.value, f">u{size}"))
        for size in (2, 4, 8)
    )


# --- Pixels ---------------------------------------------------------------------------------------------------------


def _equal_pixels(one: Path, first: Dataset, other: Path, second: Dataset) -> bool:
    """Equal decoded frames, or no pixel data on either side; and the same elements behind them."""
    this, that = _header(one), _header(other)
    if _behind_pixels(this) != _behind_pixels(that):
        return False
    if this.pixel_data is None or that.pixel_data is None:
        return this.pixel_data is that.pixel_data
    described, described_too = describe(first), describe(second)
    if described.frames != described_too.frames:
        return False
    with _Frames(one, described) as these, _Frames(other, described_too) as those:
        return all(
            np.array_equal(these.frame(number), those.frame(number)) for number in range(1, described.frames + 1)
        )


def _header(path: Path) -> Header:
    with path.open("rb") as file:
        meta = read_file_meta(file)
        return scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)


def _behind_pixels(header: Header) -> dict[int, object]:
    """What follows the pixel data, by tag: the value, or its length where it is not kept."""
    return {
        tag: element.length if element.value is None else element.value
        for tag, element in header.elements.items()
        if tag > PIXEL_DATA and tag not in ENCODING_TAGS
    }


class _Frames:
    """Decoded frames of one file."""

    def __init__(self, path: Path, description: ImageDescription) -> None:
        self._file = path.open("rb")
        meta = read_file_meta(self._file)
        header = scan_header(self._file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
        self._syntax = meta.transfer_syntax_uid
        self._description = description
        self._index: FrameIndex = index_frames(self._file, header, description, self._syntax)

    def frame(self, number: int) -> np.ndarray:
        data = read_frame(self._file.fileno(), self._index, number)
        return decode_frame(
            data, transfer_syntax_uid=self._syntax, description=self._description, frame_number=number
        ).values

    def __enter__(self) -> _Frames:
        return self

    def __exit__(self, *_details: object) -> None:
        self._file.close()
