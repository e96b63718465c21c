"""The DICOM file format (PS3.10 7.1): preamble, group 0002, and the data set behind it."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom import Dataset

from archive.dicom.header import inflate, scan_header
from archive.dicom.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    is_deflated,
)
from archive.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from archive.errors import CannotUnderstand

PREAMBLE = 128
MAGIC = b"DICM"
META_LIMIT = 1 << 20
"""Bytes within which group 0002 must end."""
PRIVATE_CREATOR_UID = f"{IMPLEMENTATION_CLASS_UID}"
_LONG_VRS = frozenset({b"OB", b"OW", b"UN", b"UT", b"SQ", b"OF", b"OD", b"OL", b"UC", b"UR"})
DEFER_SIZE = 1 << 20
"""Values larger than this stay in the file until they are asked for."""


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What group 0002 says, or what can be told from a file without one."""

    transfer_syntax_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    data_set_offset: int
    private: bytes = b""
    """Private Information (0002,0102), where its creator is this archive."""


def read_file_meta(file: BinaryIO) -> FileMeta:
    """Read group 0002 from the start of a file; leaves the file anywhere.

    A file without a preamble, or without group 0002, is accepted where its first
    element shows how it is encoded.

    Raises
    ------
    CannotUnderstand
        The bytes do not begin like a DICOM file.
    """
    file.seek(0)
    head = file.read(PREAMBLE + 4)
    start = PREAMBLE + 4 if head[PREAMBLE:] == MAGIC else 0
    file.seek(start)
    block = file.read(META_LIMIT)
    elements, length = _meta_elements(block)
    syntax = _text(elements, 0x0010)
    offset = start + length
    if not syntax:
        syntax = _guess_syntax(block[length : length + 8])
    sop_class, sop_instance = _text(elements, 0x0002), _text(elements, 0x0003)
    if not (sop_class and sop_instance):
        header = scan_header(file, start=offset, transfer_syntax_uid=syntax)
        sop_class, sop_instance = header.sop_class_uid, header.sop_instance_uid
    ours = _text(elements, 0x0100) == PRIVATE_CREATOR_UID
    return FileMeta(syntax, sop_class, sop_instance, offset, elements.get(0x0102, b"").rstrip(b"\0") if ours else b"")


def _meta_elements(block: bytes) -> tuple[dict[int, bytes], int]:
    """Values of group 0002 by element number, and the bytes it takes; explicit little endian (PS3.10 7.1)."""
    elements: dict[int, bytes] = {}
    position = 0
    while position + 8 <= len(block) and block[position : position + 2] == b"\x02\x00":
        element = int.from_bytes(block[position + 2 : position + 4], "little")
        vr = block[position + 4 : position + 6]
        if vr in _LONG_VRS:
            length = int.from_bytes(block[position + 8 : position + 12], "little")
            value = position + 12
        elif vr.isalpha() and vr.isupper():
            length = int.from_bytes(block[position + 6 : position + 8], "little")
            value = position + 8
        else:
            raise CannotUnderstand("The file's header (group 0002) is damaged.")
        if value + length > len(block):
            raise CannotUnderstand("The file's header (group 0002) is cut short or far too long.")
        elements[element] = block[value : value + length]
        position = value + length
    return elements, position


def _text(elements: dict[int, bytes], element: int) -> str:
    return elements.get(element, b"").strip(b" \0").decode("ascii", "replace")


def _guess_syntax(first: bytes) -> str:
    """Encoding of a data set without group 0002, from its first element, which must be of group 0008 or near."""
    if len(first) < 8:
        raise CannotUnderstand("The file is too short to be a DICOM file.")
    little_group, big_group = struct.unpack("<H", first[:2])[0], struct.unpack(">H", first[:2])[0]
    has_vr = first[4:6].isalpha() and first[4:6].isupper()
    if has_vr and 0x0004 <= little_group <= 0x0010:
        return EXPLICIT_VR_LITTLE_ENDIAN
    if has_vr and 0x0004 <= big_group <= 0x0010:
        return EXPLICIT_VR_BIG_ENDIAN
    if 0x0004 <= little_group <= 0x0010 and struct.unpack("<L", first[4:])[0] < 0x10000:
        return IMPLICIT_VR_LITTLE_ENDIAN
    raise CannotUnderstand("The file does not begin like a DICOM file.")


def write_file_meta(
    *, transfer_syntax_uid: str, sop_class_uid: str, sop_instance_uid: str, private: bytes | None = None
) -> bytes:
    """A zero preamble and group 0002 (PS3.10 table 7.1-1).

    ``private`` goes into Private Information (0002,0102).
    """
    body = b"".join(
        (
            _long(0x0001, b"OB", b"\x00\x01"),
            _uid(0x0002, sop_class_uid),
            _uid(0x0003, sop_instance_uid),
            _uid(0x0010, transfer_syntax_uid),
            _uid(0x0012, IMPLEMENTATION_CLASS_UID),
            _short(0x0013, b"SH", _even(IMPLEMENTATION_VERSION_NAME.encode(), b" ")),
            _uid(0x0100, PRIVATE_CREATOR_UID) + _long(0x0102, b"OB", _even(private, b"\0")) if private is not None else b"",
        )
    )
    return bytes(PREAMBLE) + MAGIC + _short(0x0000, b"UL", struct.pack("<L", len(body))) + body


def _even(value: bytes, pad: bytes) -> bytes:
    return value + pad if len(value) % 2 else value


def _short(element: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", 0x0002, element, vr, len(value)) + value


def _long(element: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sHL", 0x0002, element, vr, 0, len(value)) + value


def _uid(element: int, uid: str) -> bytes:
    return _short(element, b"UI", _even(uid.encode("ascii", "replace"), b"\0"))


def read_dataset(path: Path, *, stop_before_pixels: bool = True) -> Dataset:
    """Read a file with pydicom after ``scan_header`` has found it harmless; large values stay in the file.

    Raises
    ------
    CannotUnderstand
        It is no data set, or goes beyond a limit.
    """
    with path.open("rb") as file:
        meta = read_file_meta(file)
        scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
    try:
        if is_deflated(meta.transfer_syntax_uid):
            return _read_deflated(path, meta, stop_before_pixels)
        ds = pydicom.dcmread(path, stop_before_pixels=stop_before_pixels, force=True, defer_size=DEFER_SIZE)
    except CannotUnderstand:
        raise
    except Exception as error:  # pydicom raises what it likes for what it cannot read
        raise CannotUnderstand(f"The data set cannot be read ({type(error).__name__}).") from error
    return ds


def _read_deflated(path: Path, meta: FileMeta, stop_before_pixels: bool) -> Dataset:
    """Inflate within the limit, then read as explicit little endian."""
    with path.open("rb") as file:
        inflated = inflate(file, start=meta.data_set_offset)
    header = write_file_meta(
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
        sop_class_uid=meta.sop_class_uid,
        sop_instance_uid=meta.sop_instance_uid,
    )
    return pydicom.dcmread(io.BytesIO(header + inflated.read()), stop_before_pixels=stop_before_pixels, force=True)
