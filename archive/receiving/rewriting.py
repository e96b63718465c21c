"""A copy of a file under other UIDs: the head written anew, the pixels copied as they lie.

Memory stays flat whatever the size of the image. What was changed stands in the
copy itself (Original Attributes Sequence, PS3.3 C.12.1.1.9).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from archive.dicom.header import Header, HeaderLimits
from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import FileMeta, read_dataset, read_file_meta
from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from archive.dicom.uids import IMPLEMENTATION_VERSION_NAME
from archive.errors import CannotUnderstand

BLOCK = 1 << 20
DEFLATED_LIMITS = HeaderLimits(inflated_bytes=1 << 30)
"""A deflated data set has to be held whole to be changed."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A file whose header was scanned and found harmless."""

    path: Path
    meta: FileMeta
    header: Header


def open_checked(path: Path) -> Readable:
    """Scan a file.

    Raises
    ------
    CannotUnderstand, OSError
    """
    with path.open("rb") as file:
        meta = read_file_meta(file)
        header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
    return Readable(path, meta, header)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that is made while it is read."""

    transfer_syntax_uid: str
    blocks: Iterator[bytes]


def as_it_is(source: Readable) -> Copy:
    """The data set byte for byte."""
    return Copy(source.meta.transfer_syntax_uid, _rest(source.path, source.meta.data_set_offset))


def under_other_uids(source: Readable, changes: Mapping[str, str], *, reason: str, changed_at: datetime) -> Copy:
    """The data set with some top-level UIDs replaced, by keyword.

    The same changes at the same moment give the same bytes.

    Raises
    ------
    CannotUnderstand
        The header cannot be written again.
    """
    deflated = source.header.deflated
    ds = read_dataset(source.path, stop_before_pixels=not deflated, **({"limits": DEFLATED_LIMITS} if deflated else {}))
    _note_changes(ds, changes, reason=reason, changed_at=changed_at)
    try:
        head = _encoded(ds, source.header)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        # pydicom raises what it likes for values that no writer of the standard would have made.
        raise CannotUnderstand(f"The header cannot be written again ({type(error).__name__}).") from None
    if deflated:
        return Copy(EXPLICIT_VR_LITTLE_ENDIAN, iter([head]))
    return Copy(source.meta.transfer_syntax_uid, _head_and_pixels(head, source))


def _note_changes(ds: Dataset, changes: Mapping[str, str], *, reason: str, changed_at: datetime) -> None:
    before, item = Dataset(), Dataset()
    for keyword, uid in changes.items():
        setattr(before, keyword, ds.get(keyword))
        setattr(ds, keyword, uid)
    item.SourceOfPreviousValues = ""
    item.AttributeModificationDateTime = changed_at.strftime("%Y%m%d%H%M%S.%f%z")
    item.ModifyingSystem = IMPLEMENTATION_VERSION_NAME
    item.ReasonForTheAttributeModification = reason
    item.ModifiedAttributesSequence = [before]
    ds.OriginalAttributesSequence = [*(ds.get("OriginalAttributesSequence") or []), item]


def _encoded(ds: Dataset, header: Header) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian = not header.big_endian
    buffer.is_implicit_VR = header.implicit_vr
    write_dataset(buffer, ds)
    return buffer.getvalue()


def _head_and_pixels(head: bytes, source: Readable) -> Iterator[bytes]:
    yield head
    pixels = source.header.pixel_data
    if pixels is not None:
        # Tag, VR and length of the element stand before its value (PS3.5 7.1).
        yield from _rest(source.path, pixels.offset - (8 if source.header.implicit_vr else 12))


def _rest(path: Path, start: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK):
            yield block
