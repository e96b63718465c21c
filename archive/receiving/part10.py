"""Take a DICOM file (PS3.10) from a stream: uploads, folders, demo studies and derived images."""

from __future__ import annotations

import io
from typing import BinaryIO

from archive.dicom.part10 import read_file_meta
from archive.errors import CannotUnderstand
from archive.receiving.intake import IntakeResult, receive_instance
from archive.receiving.sources import Origin
from archive.receiving.staging import StagedFile

BLOCK = 1 << 20
HEAD_LIMIT = 1 << 20
"""Bytes within which the file meta information must end."""


def receive_part10(stream: BinaryIO, origin: Origin) -> IntakeResult:
    """Copy the data set of a file into the archive, a block at a time.

    Raises
    ------
    CannotUnderstand
        It is no DICOM file. The bytes of one that begins as such are kept in quarantine.
    """
    head = stream.read(HEAD_LIMIT)
    meta = read_file_meta(io.BytesIO(head))
    if not (meta.sop_class_uid and meta.sop_instance_uid):
        raise CannotUnderstand("The file names no SOP Class or SOP Instance UID; it is not a DICOM image.")
    staged = StagedFile.create(
        transfer_syntax_uid=meta.transfer_syntax_uid,
        sop_class_uid=meta.sop_class_uid,
        sop_instance_uid=meta.sop_instance_uid,
        origin=origin,
    )
    try:
        staged.write(memoryview(head)[meta.data_set_offset :])
        while block := stream.read(BLOCK):
            staged.write(block)
    except BaseException:
        staged.abort()
        raise
    return receive_instance(staged)
