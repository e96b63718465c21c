"""A stored object without compression: what a peer gets that takes no other transfer syntax.

Native little-endian pixels are copied as they lie; all others are decoded a frame at a time. Whole cells are
kept where overlays lie in their unused bits; what was compressed with loss stays marked so (PS3.3 C.7.6.1.1.5).

Source: PS3.5 8.1 (native pixel data), 10.1 (default transfer syntax), A.1, A.2.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from archive.dicom.header import Header, PixelDataLocation
from archive.dicom.header_scan import scan_header
from archive.dicom.header_source import inflate
from archive.dicom.part10 import FileMeta, read_dataset_from, read_file_meta, write_file_meta
from archive.dicom.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    GE_PRIVATE_BIG_ENDIAN_PIXELS,
    IMPLICIT_VR_LITTLE_ENDIAN,
    transfer_syntax,
)
from archive.errors import CannotDecode
from archive.pixels.decode import DecodedFrame
from archive.pixels.description import ImageDescription
from archive.pixels.encode import NATIVE_TARGETS, encode_frame
from archive.pixels.transcode import ImageFile

_PIXEL_TAGS: Final = (0x7FE00000, 0x7FE00001, 0x7FE00002, 0x7FE00008, 0x7FE00009, 0x7FE00010)
_LONGEST: Final = 0xFFFFFFFE
_WORDS: Final = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
"""Bytes of each word of values that pydicom leaves as they lie."""


def write_native(source: Path, target: BinaryIO, *, transfer_syntax_uid: str) -> None:
    """Write a Part 10 file in Explicit or Implicit VR Little Endian, every pixel as it was.

    Parameters
    ----------
    source
        A stored file in any transfer syntax.
    target
        Empty; left at its end, neither flushed nor synced.

    Raises
    ------
    CannotDecode
        The pixels cannot be decoded (video, an unknown codec), or the data set cannot be written.
    CannotUnderstand, FrameMissing
        The source is damaged.
    """
    if transfer_syntax_uid not in NATIVE_TARGETS:
        raise CannotDecode(f"{transfer_syntax(transfer_syntax_uid).name} is none that objects are written in.")
    with source.open("rb") as file:
        meta = read_file_meta(file)
        header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
        plain: BinaryIO = file
        if header.deflated:
            plain, meta, header = _inflated(file, meta, header)
        target.write(_meta(meta, transfer_syntax_uid))
        is_implicit = transfer_syntax_uid == IMPLICIT_VR_LITTLE_ENDIAN
        if header.implicit_vr == is_implicit and _lies_plain(header, meta):
            plain.seek(header.start)
            _copy(plain, target, header.end - header.start)
        else:
            _write(source, plain, header, meta, target, is_implicit=is_implicit)


def _write(
    source: Path, plain: BinaryIO, header: Header, meta: FileMeta, target: BinaryIO, *, is_implicit: bool
) -> None:
    ds = read_dataset_from(plain)
    pixels = header.pixel_data
    if pixels is None:
        target.write(_encoded(ds, is_implicit=is_implicit, swap=header.big_endian))
        return
    for tag in _PIXEL_TAGS:
        ds.pop(tag, None)
    if _lies_plain(header, meta):
        target.write(_encoded(ds, is_implicit=is_implicit, swap=False))
        target.write(_element_head(pixels.tag, _vr_of(pixels, ds), pixels.length, is_implicit=is_implicit))
        plain.seek(pixels.offset)
        _copy(plain, target, pixels.length)
    else:
        with ImageFile(source) as image:
            _write_decoded(image, ds, target, is_implicit=is_implicit, swap=header.big_endian)
    target.write(_what_follows(plain, header, is_implicit=is_implicit))


def _inflated(file: BinaryIO, meta: FileMeta, header: Header) -> tuple[BinaryIO, FileMeta, Header]:
    """A deflated data set as a file of its own, within the limits of the header's scan."""
    data = inflate(file, start=header.start, size=header.end)
    plain = io.BytesIO(_meta(meta, EXPLICIT_VR_LITTLE_ENDIAN) + data)
    found = read_file_meta(plain)
    return plain, found, scan_header(plain, start=found.data_set_offset, transfer_syntax_uid=found.transfer_syntax_uid)


def _meta(meta: FileMeta, transfer_syntax_uid: str) -> bytes:
    return write_file_meta(
        transfer_syntax_uid=transfer_syntax_uid,
        sop_class_uid=meta.sop_class_uid,
        sop_instance_uid=meta.sop_instance_uid,
    )


def _lies_plain(header: Header, meta: FileMeta) -> bool:
    """Whether the data set's bytes, pixels included, are those of a native little-endian one."""
    pixels = header.pixel_data
    is_native = pixels is None or not pixels.is_encapsulated
    return is_native and not header.big_endian and meta.transfer_syntax_uid != GE_PRIVATE_BIG_ENDIAN_PIXELS


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    """Copy ``size`` bytes, a block at a time."""
    left = size
    while left:
        block = source.read(min(left, 1 << 20))
        if not block:
            raise CannotDecode("The stored file is shorter than it was.")
        target.write(block)
        left -= len(block)


# --- Data sets --------------------------------------------------------------------------------------------------------


def _encoded(ds: Dataset, *, is_implicit: bool, swap: bool) -> bytes:
    """A data set written by pydicom in little endian; ``swap`` for words that came in big endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, is_implicit
    try:
        if swap:
            _swap_words(ds)
        write_dataset(buffer, ds)
    except Exception as error:
        # pydicom raises what it likes for a value that it cannot write; the object then stays as it is.
        raise CannotDecode(f"The data set cannot be written anew ({type(error).__name__}).") from None
    return buffer.getvalue()


def _swap_words(ds: Dataset) -> None:
    for element in ds.iterall():
        size = _WORDS.get(element.VR)
        if size and isinstance(element.value, bytes) and element.value:
            whole = len(element.value) // size * size
            swapped = np.frombuffer(element.value[:whole], f">u{size}").astype(f"<u{size}").tobytes()
            element.value = swapped + element.value[whole:]


def _what_follows(plain: BinaryIO, header: Header, *, is_implicit: bool) -> bytes:
    """Elements after the pixel data, such as signatures and padding; trailing zeros of a file are none."""
    pixels = header.pixel_data
    if pixels is None or pixels.offset + pixels.length >= header.end:
        return b""
    plain.seek(pixels.offset + pixels.length)
    rest = plain.read(header.end - pixels.offset - pixels.length)
    if header.implicit_vr == is_implicit and not header.big_endian:
        return rest
    syntax = header.transfer_syntax_uid if not header.implicit_vr else IMPLICIT_VR_LITTLE_ENDIAN
    head = write_file_meta(transfer_syntax_uid=syntax, sop_class_uid="1", sop_instance_uid="1")
    ds = read_dataset_from(io.BytesIO(head + rest))
    return _encoded(ds, is_implicit=is_implicit, swap=header.big_endian)


def _vr_of(pixels: PixelDataLocation, ds: Dataset) -> str:
    """VR of native pixel data in explicit VR (PS3.5 8.2)."""
    if pixels.vr in ("OB", "OW", "OF", "OD"):
        return pixels.vr
    return {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(pixels.tag, "OW")


def _element_head(tag: int, vr: str, length: int, *, is_implicit: bool) -> bytes:
    if length > _LONGEST:
        raise CannotDecode("Without compression the image is larger than an element can be (PS3.5 7.1.1).")
    group, element = tag >> 16, tag & 0xFFFF
    if is_implicit:
        return struct.pack("<HHI", group, element, length)
    return struct.pack("<HH2sHI", group, element, vr.encode("ascii"), 0, length)


# --- Decoded frames ---------------------------------------------------------------------------------------------------


def _write_decoded(image: ImageFile, ds: Dataset, target: BinaryIO, *, is_implicit: bool, swap: bool) -> None:
    description = image.description
    if image.index.frames != description.frames:
        raise CannotDecode(f"The file holds {image.index.frames} of {description.frames} frames.")
    first = image.frame(1)
    _describe_decoded(ds, first, description, image.meta.transfer_syntax_uid)
    target.write(_encoded(ds, is_implicit=is_implicit, swap=swap))
    bits = description.rows * description.columns * description.samples_per_pixel * description.bits_allocated
    size = (bits * description.frames + 7) // 8
    tag = {"FloatPixelData": 0x7FE00008, "DoubleFloatPixelData": 0x7FE00009}.get(description.pixel_keyword, 0x7FE00010)
    vr = {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(tag, "OW" if description.bits_allocated > 8 else "OB")
    target.write(_element_head(tag, vr, size + size % 2, is_implicit=is_implicit))
    for data in _packed(image, first):
        target.write(data)
    target.write(bytes(size % 2))


def _describe_decoded(
    ds: Dataset, frame: DecodedFrame, description: ImageDescription, transfer_syntax_uid: str
) -> None:
    """What the decoded pixels say otherwise than the file did."""
    if frame.photometric_interpretation != description.photometric_interpretation:
        ds.PhotometricInterpretation = frame.photometric_interpretation
    if description.samples_per_pixel > 1:
        ds.PlanarConfiguration = 0
    if transfer_syntax(transfer_syntax_uid).lossy and str(ds.get("LossyImageCompression", "")) != "01":
        ds.LossyImageCompression = "01"


def _packed(image: ImageFile, first: DecodedFrame) -> Iterator[bytes]:
    """The bytes of each frame; frames of single bits go on within a byte (PS3.5 8.1.1)."""
    description = image.description
    left: NDArray[Any] = np.empty(0, np.uint8)
    for frame_number in range(1, description.frames + 1):
        frame = first if frame_number == 1 else image.frame(frame_number)
        if description.bits_allocated != 1:
            yield encode_frame(_cells(frame, description), transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN)
            continue
        bits = np.concatenate([left, frame.values.reshape(-1).astype(np.uint8)])
        whole = len(bits) // 8 * 8
        yield np.packbits(bits[:whole], bitorder="little").tobytes()
        left = bits[whole:]
    if len(left):
        yield np.packbits(left, bitorder="little").tobytes()


def native_frame(image: ImageFile, frame_number: int) -> bytes:
    """One decoded frame as native little-endian pixel data holds it; single bits begin at a byte.

    Raises
    ------
    FrameMissing, CannotDecode
    """
    frame = image.frame(frame_number)
    if image.description.bits_allocated == 1:
        return np.packbits(frame.values.reshape(-1).astype(np.uint8), bitorder="little").tobytes()
    return encode_frame(_cells(frame, image.description), transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN)


def _cells(frame: DecodedFrame, description: ImageDescription) -> NDArray[Any]:
    """Stored values in cells of Bits Allocated, up to High Bit."""
    if frame.cells is not None or frame.values.dtype.kind == "f":
        return frame.values if frame.cells is None else frame.cells
    if description.bits_allocated not in (8, 16, 32, 64):
        raise CannotDecode(f"Pixels of {description.bits_allocated} allocated bits are not written.")
    kind = "i" if description.pixel_representation else "u"
    cells = frame.values.astype(f"{kind}{description.bits_allocated // 8}")
    below = description.high_bit + 1 - description.bits_stored
    return cells << below if below > 0 else cells


__all__ = ["NATIVE_TARGETS", "native_frame", "write_native"]
