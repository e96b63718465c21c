"""The DICOM file format (PS3.10 7.1): preamble, group 0002, and the data set behind it."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from archive.dicom.header import DEFAULT_LIMITS, Header, HeaderLimits
from archive.dicom.header_scan import scan_header
from archive.dicom.header_source import inflate
from archive.dicom.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from archive.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from archive.errors import CannotUnderstand

PREAMBLE: Final = 128
MAGIC: Final = b"DICM"
META_LIMIT: Final = 1 << 20
"""Bytes within which group 0002 must end."""
_META_READ: Final = 1 << 12
"""Bytes that hold preamble and group 0002 of nearly every file."""
PRIVATE_CREATOR_UID: Final = IMPLEMENTATION_CLASS_UID
DEFER_BYTES: Final = 4 << 20
"""Values larger than this stay in the file until they are asked for."""

_LONG_VRS: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SOP_INSTANCE_UID: Final = 0x00080018


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What group 0002 says, or what can be told from a file without one."""

    transfer_syntax_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    data_set_offset: int
    private: bytes = b""
    """Private Information (0002,0102), where its creator is this archive."""
    is_guessed: bool = False
    """The file names no transfer syntax; its first element showed it."""


def read_file_meta(file: BinaryIO) -> FileMeta:
    """Read preamble and group 0002 from the start of a file; leaves the file anywhere.

    A missing preamble, group length, group 0002 or transfer syntax is tolerated, and a
    group 0002 in implicit VR. What is missing is guessed from the first element; the
    UIDs are then those of the data set.

    Raises
    ------
    CannotUnderstand
        The bytes do not begin like a DICOM file.
    """
    file.seek(0)
    head = file.read(_META_READ)
    found = _read_group_0002(head)
    if found is None:
        head += file.read(META_LIMIT)
        found = _read_group_0002(head)
    if found is None:
        raise CannotUnderstand("The file's header (group 0002) is cut short or far too long.")
    values, end = found
    transfer_syntax_uid = _text(values, 0x0010)
    is_guessed = not transfer_syntax_uid
    if is_guessed:
        transfer_syntax_uid = _guess_transfer_syntax(head[end : end + 8], has_preamble=end > PREAMBLE)
    sop_class_uid, sop_instance_uid = _text(values, 0x0002), _text(values, 0x0003)
    if not (sop_class_uid and sop_instance_uid):
        header = _first_elements(file, end, transfer_syntax_uid)
        sop_class_uid = sop_class_uid or (header.sop_class_uid if header else "")
        sop_instance_uid = sop_instance_uid or (header.sop_instance_uid if header else "")
    is_ours = _text(values, 0x0100) == PRIVATE_CREATOR_UID
    return FileMeta(
        transfer_syntax_uid=transfer_syntax_uid,
        sop_class_uid=sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        data_set_offset=end,
        private=values.get(0x0102, b"").rstrip(b"\0 ") if is_ours else b"",
        is_guessed=is_guessed,
    )


def _read_group_0002(head: bytes) -> tuple[dict[int, bytes], int] | None:
    """Values by element number and the offset of the data set; None where more of the file is needed."""
    values: dict[int, bytes] = {}
    position = PREAMBLE + len(MAGIC) if head[PREAMBLE : PREAMBLE + len(MAGIC)] == MAGIC else 0
    if head.startswith(MAGIC):
        position = len(MAGIC)
    while head[position : position + 2] == b"\x02\x00":
        if position + 12 > len(head):
            return None
        element, vr, length = struct.unpack_from("<H2sH", head, position + 2)
        value_at = position + 8
        if vr in _LONG_VRS:
            length, value_at = struct.unpack_from("<I", head, position + 8)[0], position + 12
        elif not (vr.isalpha() and vr.isupper()):
            length = struct.unpack_from("<I", head, position + 4)[0]
        position = value_at + length
        if position > len(head):
            return None
        values[element] = head[value_at:position]
    if position + 8 > len(head) and len(head) % _META_READ == 0:
        return None
    return values, position


def _text(values: dict[int, bytes], element: int) -> str:
    return values.get(element, b"").decode("latin-1").strip("\0 \t\r\n")


def _guess_transfer_syntax(first: bytes, *, has_preamble: bool) -> str:
    """The uncompressed transfer syntax that the first eight bytes of a data set look like."""
    if len(first) < 8:
        raise CannotUnderstand("The file holds no data set.")
    explicit = first[4:6].isalpha() and first[4:6].isupper()
    little, big = struct.unpack("<H", first[:2])[0], struct.unpack(">H", first[:2])[0]
    little_is_likely = 0x0004 <= little <= 0x0028 or has_preamble
    if explicit and 0x0004 <= big <= 0x0028:
        return EXPLICIT_VR_BIG_ENDIAN
    if explicit and little_is_likely:
        return EXPLICIT_VR_LITTLE_ENDIAN
    if not explicit and little_is_likely:
        return IMPLICIT_VR_LITTLE_ENDIAN
    raise CannotUnderstand("The file does not begin like a DICOM file.")


def _first_elements(file: BinaryIO, start: int, transfer_syntax_uid: str) -> Header | None:
    try:
        return scan_header(file, start=start, transfer_syntax_uid=transfer_syntax_uid, stop_after=_SOP_INSTANCE_UID)
    except CannotUnderstand:
        return None


def write_file_meta(
    *, transfer_syntax_uid: str, sop_class_uid: str, sop_instance_uid: str, private: bytes | None = None
) -> bytes:
    """Return a zero preamble, the prefix and group 0002 (PS3.10 table 7.1-1).

    ``private`` goes into Private Information (0002,0102), padded with a space where it is odd.
    """
    body = b"".join(
        (
            _long(0x0001, b"OB", b"\x00\x01"),
            _uid(0x0002, sop_class_uid),
            _uid(0x0003, sop_instance_uid),
            _uid(0x0010, transfer_syntax_uid),
            _uid(0x0012, IMPLEMENTATION_CLASS_UID),
            _short(0x0013, b"SH", _even(IMPLEMENTATION_VERSION_NAME.encode(), b" ")),
            b"" if private is None else _uid(0x0100, PRIVATE_CREATOR_UID) + _long(0x0102, b"OB", _even(private, b" ")),
        )
    )
    return bytes(PREAMBLE) + MAGIC + _short(0x0000, b"UL", struct.pack("<I", len(body))) + body


def _even(value: bytes, pad: bytes) -> bytes:
    return value + pad if len(value) % 2 else value


def _short(element: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", 0x0002, element, vr, len(value)) + value


def _long(element: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sHI", 0x0002, element, vr, 0, len(value)) + value


def _uid(element: int, uid: str) -> bytes:
    return _short(element, b"UI", _even(uid.encode("ascii", "replace"), b"\0"))


def read_dataset(
    path: Path | str, *, stop_before_pixels: bool = True, limits: HeaderLimits = DEFAULT_LIMITS
) -> Dataset:
    """Read a file with pydicom after ``scan_header`` has found it harmless; large values stay in the file.

    Raises
    ------
    CannotUnderstand
        It is no DICOM file, is cut short, is beyond a limit, or pydicom cannot read it.
    OSError
        The file cannot be opened.
    """
    with Path(path).open("rb") as file:
        return read_dataset_from(file, stop_before_pixels=stop_before_pixels, limits=limits)


def read_dataset_from(
    file: BinaryIO, *, stop_before_pixels: bool = True, limits: HeaderLimits = DEFAULT_LIMITS
) -> Dataset:
    """Read an open file as ``read_dataset`` does; large values need it to stay where it is."""
    meta = read_file_meta(file)
    header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid, limits=limits)
    readable, defer = file, DEFER_BYTES if isinstance(getattr(file, "name", None), str) else None
    if header.deflated or (meta.is_guessed and meta.data_set_offset == 0):
        readable, defer = io.BytesIO(_plain_file(file, meta, header, stop_before_pixels, limits)), None
    readable.seek(0)
    try:
        ds = pydicom.dcmread(readable, stop_before_pixels=stop_before_pixels, force=True, defer_size=defer)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        # pydicom raises what it likes for what it cannot read; the kind is said, the value is not.
        raise CannotUnderstand(f"The data set cannot be read ({type(error).__name__}).") from None
    if not isinstance(getattr(ds, "file_meta", None), Dataset):
        ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(meta.transfer_syntax_uid)
    return ds


def _plain_file(
    file: BinaryIO, meta: FileMeta, header: Header, stop_before_pixels: bool, limits: HeaderLimits
) -> bytes:
    """A deflated file inflated within limits, or one without group 0002 given it, so that pydicom need not guess."""
    end = header.end
    if stop_before_pixels and header.pixel_data is not None:
        end = header.pixel_data.offset - (8 if header.implicit_vr else 12)
    transfer_syntax_uid = meta.transfer_syntax_uid
    if header.deflated:
        transfer_syntax_uid = EXPLICIT_VR_LITTLE_ENDIAN
        data = inflate(file, start=header.start, size=end, limits=limits)
    else:
        file.seek(header.start)
        data = file.read(end - header.start)
    head = write_file_meta(
        transfer_syntax_uid=transfer_syntax_uid,
        sop_class_uid=meta.sop_class_uid,
        sop_instance_uid=meta.sop_instance_uid,
    )
    return head + data
