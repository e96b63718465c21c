"""A stored file written anew without what names somebody: its header cleaned, its pixels covered where that was drawn."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from archive.dicom.deidentify import Deidentification, deidentify
from archive.dicom.header import Header
from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_dataset_from, read_file_meta, write_file_meta
from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from archive.errors import CannotUnderstand
from archive.pixels.cover import Rectangle, cover_rectangles
from archive.pixels.description import ImageDescription
from archive.pixels.native import write_native

_BLOCK = 1 << 20


def write_deidentified(
    source: Path,
    target: BinaryIO,
    how: Deidentification,
    *,
    description: ImageDescription,
    masks: Sequence[Rectangle] | None,
    work_folder: Path,
) -> None:
    """Write a Part 10 file of one image, de-identified.

    Parameters
    ----------
    masks
        Rectangles to cover; an empty list where somebody has looked and found nothing, None where nobody has.
    work_folder
        For a file without a name, while pixels are covered.

    Raises
    ------
    CannotDecode, CannotUnderstand
        The image cannot be covered, or its header cannot be written again: nothing of it may go out.
    """
    with tempfile.TemporaryFile(dir=work_folder) as covered, source.open("rb") as stored:
        file = cast("BinaryIO", stored)
        deflated = _scanned(file).deflated
        if masks or deflated:
            write_native(source, cast("BinaryIO", covered), transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN)
            file = cast("BinaryIO", covered)
        if masks:
            cover_rectangles(file, description, masks)
        _write(file, target, how, pixels_are_clean=masks is not None)


def _scanned(file: BinaryIO) -> Header:
    file.seek(0)
    meta = read_file_meta(file)
    return scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)


def _write(file: BinaryIO, target: BinaryIO, how: Deidentification, *, pixels_are_clean: bool) -> None:
    file.seek(0)
    meta = read_file_meta(file)
    header = _scanned(file)
    file.seek(0)
    ds = read_dataset_from(file)
    data_set = _encoded(ds, header, how, pixels_are_clean=pixels_are_clean)
    target.write(
        write_file_meta(
            transfer_syntax_uid=meta.transfer_syntax_uid,
            sop_class_uid=meta.sop_class_uid,
            sop_instance_uid=how.new_uid(meta.sop_instance_uid),
        )
    )
    target.write(data_set)
    pixels = header.pixel_data
    if pixels is not None:
        # Whatever follows the pixels, such as signatures (FFFA,FFFA), stays behind.
        head = 8 if header.implicit_vr else 12
        _copy(file, target, pixels.offset - head, pixels.length + head)


def _encoded(ds: Dataset, header: Header, how: Deidentification, *, pixels_are_clean: bool) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = not header.big_endian, header.implicit_vr
    try:
        deidentify(ds, how, pixels_are_clean=pixels_are_clean)
        write_dataset(buffer, ds)
    except Exception as error:
        # pydicom raises what it likes for a value that it cannot write.
        raise CannotUnderstand(f"The data set cannot be written anew ({type(error).__name__}).") from None
    return bytes(buffer.getvalue())


def _copy(source: BinaryIO, target: BinaryIO, start: int, size: int) -> None:
    source.seek(start, io.SEEK_SET)
    while size:
        block = source.read(min(size, _BLOCK))
        if not block:
            raise CannotUnderstand("The stored file is shorter than it was.")
        target.write(block)
        size -= len(block)
