"""The same image in another encoding: every element as it was, every pixel compared.

Data sets in explicit VR little endian are copied byte for byte around the pixel
data; others are written anew by pydicom. Frames go through memory one at a time.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import numpy as np
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from archive.dicom.header import Header
from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import FileMeta, read_dataset_from, read_file_meta, write_file_meta
from archive.dicom.transfer_syntaxes import transfer_syntax
from archive.errors import CannotDecode
from archive.pixels.decode import DecodedFrame, decode_frame
from archive.pixels.describe import describe
from archive.pixels.description import ImageDescription
from archive.pixels.encode import LOSSLESS_TARGETS, encode_frame
from archive.pixels.frames import FrameIndex, index_frames, read_frame

_PHOTOMETRIC_INTERPRETATION: Final = 0x00280004
_PLANAR_CONFIGURATION: Final = 0x00280006
_PIXEL_DATA: Final = 0x7FE00010
_DROPPED: Final = frozenset({0x7FE00000, 0x7FE00001, 0x7FE00002})
"""Group length and the extended offset table (PS3.3 C.7.6.3.1.8): they speak of the old encoding."""
_LONG_VRS: Final = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
_LARGEST_OFFSET: Final = 0xFFFFFFFF

Progress = Callable[[int, int], None]
"""Called with the frames that are done, and all."""


class ImageFile:
    """An open file with everything that decoding its frames needs. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self.file: BinaryIO = path.open("rb")
        try:
            self.meta: FileMeta = read_file_meta(self.file)
            self.header: Header = scan_header(
                self.file, start=self.meta.data_set_offset, transfer_syntax_uid=self.meta.transfer_syntax_uid
            )
            self.description: ImageDescription = describe(read_dataset_from(self.file))
            self.index: FrameIndex = index_frames(
                self.file, self.header, self.description, self.meta.transfer_syntax_uid
            )
        except BaseException:
            self.file.close()
            raise

    def frame(self, frame_number: int) -> DecodedFrame:
        """Decode one frame, counted from 1."""
        return decode_frame(
            self.encoded_frame(frame_number),
            transfer_syntax_uid=self.meta.transfer_syntax_uid,
            description=self.description,
            frame_number=frame_number,
        )

    def encoded_frame(self, frame_number: int) -> bytes:
        """The bytes of one frame as they lie."""
        return read_frame(self.file.fileno(), self.index, frame_number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()


def check_recompressible(description: ImageDescription, transfer_syntax_uid: str) -> None:
    """Refuse what recompression would spoil or not help.

    Raises
    ------
    CannotDecode
        A lossy stream, which would grow; floating-point pixels; cells of other than 8 or 16 bits; subsampled colours.
    """
    syntax = transfer_syntax(transfer_syntax_uid)
    if syntax.lossy:
        raise CannotDecode(f"Images in {syntax.name} are kept as they are: without loss they would only grow.")
    if description.bits_allocated not in (8, 16) or description.pixel_keyword != "PixelData":
        raise CannotDecode("Only images of 8 or 16 bits a sample are recompressed.")
    if description.photometric_interpretation.endswith(("_422", "_420")) or description.samples_per_pixel == 4:
        raise CannotDecode("Images with subsampled colours or four samples a pixel are not recompressed.")


def transcode_file(
    source: Path, target: BinaryIO, *, transfer_syntax_uid: str, progress: Progress = lambda _done, _all: None
) -> None:
    """Write the image of a file as a Part 10 file in a lossless compressed transfer syntax.

    Parameters
    ----------
    target
        Empty, seekable; left at its end, neither flushed nor synced.

    Raises
    ------
    CannotDecode
        The image cannot be decoded, or not be written in this transfer syntax.
    CannotUnderstand, FrameMissing
        The source is damaged.
    """
    if transfer_syntax_uid not in LOSSLESS_TARGETS:
        raise CannotDecode(f"Images are not recompressed to {transfer_syntax(transfer_syntax_uid).name}.")
    with ImageFile(source) as image:
        check_recompressible(image.description, image.meta.transfer_syntax_uid)
        if image.index.frames != image.description.frames:
            raise CannotDecode(f"The file holds {image.index.frames} of {image.description.frames} frames.")
        before, after = _around_pixel_data(image, image.frame(1).photometric_interpretation)
        target.write(
            write_file_meta(
                transfer_syntax_uid=transfer_syntax_uid,
                sop_class_uid=image.meta.sop_class_uid,
                sop_instance_uid=image.meta.sop_instance_uid,
                private=image.meta.private or None,
            )
        )
        target.write(before)
        _write_pixel_data(image, target, transfer_syntax_uid, progress)
        target.write(after)


def _write_pixel_data(image: ImageFile, target: BinaryIO, transfer_syntax_uid: str, progress: Progress) -> None:
    """Encapsulated pixel data, one fragment a frame, with a basic offset table (PS3.5 A.4)."""
    frames = image.description.frames
    target.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF))
    target.write(struct.pack("<HHI", 0xFFFE, 0xE000, 4 * frames))
    table_at = target.tell()
    target.write(bytes(4 * frames))
    first = target.tell()
    offsets = []
    for frame_number in range(1, frames + 1):
        offsets.append(target.tell() - first)
        decoded = image.frame(frame_number)
        # Whole cells where their unused bits carry overlays, so that these are kept.
        encoded = encode_frame(
            decoded.values if decoded.cells is None else decoded.cells, transfer_syntax_uid=transfer_syntax_uid
        )
        padding = len(encoded) % 2
        target.write(struct.pack("<HHI", 0xFFFE, 0xE000, len(encoded) + padding))
        target.write(encoded + bytes(padding))
        progress(frame_number, frames)
    target.write(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    if offsets[-1] > _LARGEST_OFFSET:
        raise CannotDecode("The image is too large for a basic offset table.")
    target.seek(table_at)
    target.write(struct.pack(f"<{frames}I", *offsets))
    target.seek(0, os.SEEK_END)


def _around_pixel_data(image: ImageFile, photometric_interpretation: str) -> tuple[bytes, bytes]:
    """The data set before and after its pixel data, in explicit VR little endian."""
    header, location = image.header, image.header.pixel_data
    if location is None:
        raise CannotDecode("The object holds no pixel data.")
    if header.deflated or header.implicit_vr or header.big_endian:
        return _written_anew(image, photometric_interpretation), b""
    edits = _edits(image, photometric_interpretation)
    before = _edited(image.file, header, edits, stop=location.offset - 12)
    image.file.seek(location.offset + location.length)
    return before, image.file.read(header.end - location.offset - location.length)


def _edits(image: ImageFile, photometric_interpretation: str) -> dict[int, bytes]:
    """Elements that the new encoding says otherwise; empty bytes for those that go."""
    edits = dict.fromkeys(_DROPPED, b"")
    description = image.description
    if photometric_interpretation != description.photometric_interpretation:
        value = photometric_interpretation.encode("ascii")
        value += b" " * (len(value) % 2)
        edits[_PHOTOMETRIC_INTERPRETATION] = struct.pack("<HH2sH", 0x0028, 0x0004, b"CS", len(value)) + value
        edits[0x00280000] = b""
    if description.samples_per_pixel > 1 and description.planar_configuration != 0:
        edits[_PLANAR_CONFIGURATION] = struct.pack("<HH2sHH", 0x0028, 0x0006, b"US", 2, 0)
    return edits


def _edited(file: BinaryIO, header: Header, edits: dict[int, bytes], *, stop: int) -> bytes:
    """The data set up to the pixel data, with some elements replaced."""
    result = io.BytesIO()
    position = header.start
    for tag in sorted(edits.keys() & header.elements.keys()):
        element = header.elements[tag]
        start = element.offset - (12 if element.vr in _LONG_VRS else 8)
        file.seek(position)
        result.write(file.read(start - position))
        result.write(edits[tag])
        position = element.offset + element.length
    file.seek(position)
    result.write(file.read(stop - position))
    return result.getvalue()


def _written_anew(image: ImageFile, photometric_interpretation: str) -> bytes:
    """The data set without pixel data, written by pydicom."""
    ds: Dataset = read_dataset_from(image.file)
    for tag in (*_DROPPED, _PIXEL_DATA):
        if tag in ds:
            del ds[tag]
    ds.PhotometricInterpretation = photometric_interpretation
    if image.description.samples_per_pixel > 1:
        ds.PlanarConfiguration = 0
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    try:
        write_dataset(buffer, ds)
    except Exception as error:
        # pydicom raises what it likes for a value that it cannot write; the image then stays as it is.
        raise CannotDecode(f"The data set cannot be written anew ({type(error).__name__}).") from None
    return buffer.getvalue()


def verify_same_pixels(one: Path, other: Path, *, progress: Progress = lambda _done, _all: None) -> bool:
    """Whether two files decode to the same stored values in every frame, and the same overlay bits in their cells.

    Raises
    ------
    CannotDecode, CannotUnderstand, FrameMissing
        One of them cannot be read.
    """
    with ImageFile(one) as first, ImageFile(other) as second:
        frames = first.description.frames
        if frames != second.description.frames:
            return False
        for frame_number in range(1, frames + 1):
            this, that = first.frame(frame_number), second.frame(frame_number)
            if not _same(this, that):
                return False
            progress(frame_number, frames)
    return True


def _same(one: DecodedFrame, other: DecodedFrame) -> bool:
    if one.photometric_interpretation != other.photometric_interpretation:
        return False
    if not np.array_equal(one.values, other.values):
        return False
    if one.cells is None or other.cells is None:
        return one.cells is other.cells
    return np.array_equal(one.cells, other.cells)
