"""Take a DICOM file (PS3.10) from a stream: uploads, folders, demo studies and derived images."""

from __future__ import annotations

import io
from typing import BinaryIO

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import FileMeta, read_file_meta
from archive.dicom.uids import is_valid_uid
from archive.errors import CannotUnderstand
from archive.receiving.intake import IntakeResult, receive_instance
from archive.receiving.sources import Origin
from archive.receiving.staging import StagedFile

BLOCK = 1 << 20
SOP_INSTANCE_UID = 0x00080018
HEAD_LIMIT = 1 << 20
"""Bytes within which the file meta information must end."""


def receive_part10(stream: BinaryIO, origin: Origin, *, study_instance_uid: str = "") -> IntakeResult:
    """Copy the data set of a file into the archive, a block at a time.

    Raises
    ------
    CannotUnderstand
        It is no DICOM file. The bytes of one that begins as such are kept in quarantine.
    OtherStudy
        It is of another study than the one that it was sent to; nothing of it is kept.
    """
    head = stream.read(HEAD_LIMIT)
    meta = read_file_meta(io.BytesIO(head))
    sop_class_uid, sop_instance_uid = uids_of(head, meta)
    if not (sop_class_uid and sop_instance_uid):
        raise CannotUnderstand("The file names no SOP Class or SOP Instance UID; it is not a DICOM image.")
    staged = StagedFile.create(
        transfer_syntax_uid=meta.transfer_syntax_uid,
        sop_class_uid=sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        origin=origin,
    )
    try:
        staged.write(memoryview(head)[meta.data_set_offset :])
        while block := stream.read(BLOCK):
            staged.write(block)
    except BaseException:
        staged.abort()
        raise
    return receive_instance(staged, study_instance_uid=study_instance_uid)


def uids_of(head: bytes, meta: FileMeta) -> tuple[str, str]:
    """SOP Class and SOP Instance UID of the data set; group 0002 of real files often names others."""
    try:
        header = scan_header(
            io.BytesIO(head),
            start=meta.data_set_offset,
            transfer_syntax_uid=meta.transfer_syntax_uid,
            stop_after=SOP_INSTANCE_UID,
        )
    except CannotUnderstand:
        return meta.sop_class_uid, meta.sop_instance_uid
    found = (header.sop_class_uid, meta.sop_class_uid), (header.sop_instance_uid, meta.sop_instance_uid)
    sop_class_uid, sop_instance_uid = (own if is_valid_uid(own) else announced for own, announced in found)
    return sop_class_uid, sop_instance_uid
