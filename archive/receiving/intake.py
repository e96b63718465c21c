"""``receive_instance``: the only way into the archive, used by every door.

The answer "stored" means that the bytes are on disk under a name that nothing
replaces. No database is asked: identity, duplicates and whose image it is are
the indexer's questions, and what it refuses it keeps in quarantine.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum

from archive.dicom.header import Header
from archive.dicom.header_scan import scan_header
from archive.dicom.uids import is_valid_uid
from archive.errors import CannotUnderstand, DataSetMismatch, OtherStudy
from archive.metrics import count_received
from archive.models.quarantined_file import QuarantinedFile
from archive.receiving.quarantine import keep_refused
from archive.receiving.staging import StagedFile
from archive.receiving.wakeup import announce_incoming


class Outcome(StrEnum):
    STORED = "stored"
    """Durable; it will show unless the indexer finds a reason to hold it back."""


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of one instance."""

    outcome: Outcome
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    digest: str
    """SHA-256 of the data set, hexadecimal."""


def receive_instance(staged: StagedFile, *, study_instance_uid: str = "") -> IntakeResult:
    """Check the header, make the file durable, publish it in incoming/, and wake the indexer.

    Raises
    ------
    CannotUnderstand
        The data set cannot be read whole or lacks a UID; its bytes are kept in quarantine.
    DataSetMismatch
        It is not the instance that was announced; its bytes are kept in quarantine.
    OtherStudy
        It is of another study than the one named; nothing was kept.
    OutOfSpace, StorageFailed
        Nothing was kept.
    """
    with staged:
        try:
            header = checked_header(staged)
        except CannotUnderstand as error:
            keep_refused(staged, reason=QuarantinedFile.Reason.UNREADABLE, explanation=str(error))
            raise
        except DataSetMismatch as error:
            keep_refused(staged, reason=QuarantinedFile.Reason.MISMATCH, explanation=str(error))
            raise
        if study_instance_uid and header.study_instance_uid != study_instance_uid:
            raise OtherStudy("The instance is of another study than the one that it was sent to.")
        staged.sync()
        staged.publish(staged.incoming_path())
        result = IntakeResult(
            outcome=Outcome.STORED,
            study_instance_uid=header.study_instance_uid,
            series_instance_uid=header.series_instance_uid,
            sop_instance_uid=header.sop_instance_uid,
            sop_class_uid=header.sop_class_uid,
            digest=staged.digest,
        )
    count_received(staged.origin.door, staged.size - staged.data_set_offset)
    announce_incoming()
    return result


def checked_header(staged: StagedFile) -> Header:
    """Read the header within limits and compare it with what was announced."""
    with io.FileIO(staged.descriptor, "rb", closefd=False) as file:
        header = scan_header(file, start=staged.data_set_offset, transfer_syntax_uid=staged.transfer_syntax_uid)
    for keyword, uid in (
        ("SOP Class UID", header.sop_class_uid),
        ("SOP Instance UID", header.sop_instance_uid),
        ("Study Instance UID", header.study_instance_uid),
        ("Series Instance UID", header.series_instance_uid),
    ):
        if not is_valid_uid(uid):
            raise CannotUnderstand(
                f"The {keyword} of the data set is missing or not a UID; every stored object needs one."
            )
    if header.sop_instance_uid != staged.sop_instance_uid:
        raise DataSetMismatch("The data set's SOP Instance UID is not the one that was announced with it.")
    if header.sop_class_uid != staged.sop_class_uid:
        raise DataSetMismatch("The data set's SOP Class UID is not the one that was announced with it.")
    return header
