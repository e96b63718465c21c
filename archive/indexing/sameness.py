"""Is it the same instance in another transfer syntax? Asked only when the UID is known and the bytes differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import Dataset

from archive.dicom.header import scan_header
from archive.dicom.part10 import read_dataset, read_file_meta
from archive.errors import ArchiveError
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.description import ImageDescription
from archive.pixels.frames import FrameIndex, index_frames, read_frame

ENCODING_TAGS = frozenset({0x00280004, 0x00280006, 0x7FE00001, 0x7FE00002, 0x7FE00010, 0x7FE00008, 0x7FE00009})
"""What may change with the transfer syntax alone: photometric interpretation, planar configuration, pixel data and offsets."""


def is_same_instance(one: Path, other: Path) -> bool:
    """Equal elements and equal decoded pixels; False where either cannot be read or decoded."""
    try:
        first, second = read_dataset(one), read_dataset(other)
        if _comparable(first) != _comparable(second):
            return False
        return _equal_pixels(one, describe(first), other, describe(second))
    except ArchiveError:
        return False


def _comparable(ds: Dataset) -> dict[int, object]:
    """Elements by tag, without group lengths and what the encoding alone decides."""
    return {
        int(element.tag): element.value
        for element in ds
        if element.tag.element != 0 and int(element.tag) not in ENCODING_TAGS and element.VR != "UN"
    }


def _equal_pixels(one: Path, first: ImageDescription, other: Path, second: ImageDescription) -> bool:
    if first.frames != second.frames:
        return False
    with _Frames(one, first) as these, _Frames(other, second) as those:
        return all(np.array_equal(these.frame(number), those.frame(number)) for number in range(1, first.frames + 1))


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
