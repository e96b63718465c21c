"""A DICOMDIR for files that go out together (PS3.3 F, PS3.10 8.6): patient, study, series and instance records.

Each record is kept as its bytes and nothing else, so that the index of many files stays small while it grows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from archive.dicom.directory_records import INVENTED, KEYS, WHERE_PRESENT, record_type_of
from archive.dicom.part10 import write_file_meta
from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

MEDIA_STORAGE_DIRECTORY: Final = "1.2.840.10008.1.3.10"
IN_USE: Final = 0xFFFF
_ITEM: Final = struct.Struct("<HHI")
_NEXT_AT: Final = 16
"""Place of the value of Offset of the Next Directory Record (0004,1400) in an item: it comes first."""
_LOWER_AT: Final = 38
"""… of Offset of Referenced Lower-Level Directory Entity (0004,1420): after (0004,1410), of 10 bytes."""
_UNSIGNED_LONG: Final = struct.Struct("<I")


@dataclass(slots=True)
class _Record:
    """One directory record, encoded, and the records below it by what tells them apart."""

    encoded: bytearray = field(default_factory=bytearray)
    below: dict[str, _Record] = field(default_factory=dict)
    offset: int = 0

    def walk(self) -> Iterator[_Record]:
        """Those below, each before the ones below itself."""
        for record in self.below.values():
            yield record
            yield from record.walk()


class Directory:
    """An index under way."""

    def __init__(self) -> None:
        self._root = _Record()

    def add(self, ds: Dataset, *, file_id: Sequence[str], transfer_syntax_uid: str) -> None:
        """Add a file.

        Parameters
        ----------
        ds
            Its data set, without pixels; it is not changed.
        file_id
            Components of its name beside the index: at most 8, of at most 8 characters each (PS3.10 8.2).
        transfer_syntax_uid
            That of the file.
        """
        record = self._root
        for kind, name in (("PATIENT", "PatientID"), ("STUDY", "StudyInstanceUID"), ("SERIES", "SeriesInstanceUID")):
            key = str(ds.get(name) or "")
            if key not in record.below:
                record.below[key] = _Record(_encoded(kind, ds, {}))
            record = record.below[key]
        about = {
            "ReferencedFileID": list(file_id),
            "ReferencedSOPClassUIDInFile": ds.SOPClassUID,
            "ReferencedSOPInstanceUIDInFile": ds.SOPInstanceUID,
            "ReferencedTransferSyntaxUIDInFile": transfer_syntax_uid,
        }
        record.below[str(ds.SOPInstanceUID)] = _Record(_encoded(record_type_of(str(ds.SOPClassUID)), ds, about))

    def to_bytes(self, sop_instance_uid: str) -> bytes:
        """The whole file; every offset counts from its first byte (PS3.3 F.3.2.2)."""
        head = write_file_meta(
            transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
            sop_class_uid=MEDIA_STORAGE_DIRECTORY,
            sop_instance_uid=sop_instance_uid,
        )
        records = list(self._root.walk())
        at = len(head) + len(_entity(0, 0, 0))
        for record in records:
            record.offset = at
            at += len(record.encoded)
        self._link(self._root)
        top = list(self._root.below.values())
        entity = _entity(top[0].offset, top[-1].offset, at - records[0].offset) if top else _entity(0, 0, 0)
        return b"".join((head, entity, *(record.encoded for record in records)))

    def _link(self, parent: _Record) -> None:
        below = list(parent.below.values())
        for record, following in zip_longest(below, below[1:]):
            if following is not None:
                _UNSIGNED_LONG.pack_into(record.encoded, _NEXT_AT, following.offset)
            if record.below:
                _UNSIGNED_LONG.pack_into(record.encoded, _LOWER_AT, next(iter(record.below.values())).offset)
            self._link(record)


def _entity(first: int, last: int, length: int) -> bytes:
    """The elements before the records: File-set Identification and Directory Information (PS3.3 F.3.2)."""
    return b"".join(
        (
            struct.pack("<HH2sH", 0x0004, 0x1130, b"CS", 0),
            struct.pack("<HH2sHI", 0x0004, 0x1200, b"UL", 4, first),
            struct.pack("<HH2sHI", 0x0004, 0x1202, b"UL", 4, last),
            struct.pack("<HH2sHH", 0x0004, 0x1212, b"US", 2, 0),
            struct.pack("<HH2sHI", 0x0004, 0x1220, b"SQ", 0, length),
        )
    )


def _encoded(kind: str, ds: Dataset, about: Mapping[str, object]) -> bytearray:
    """An item of the Directory Record Sequence, with offsets still 0."""
    try:
        content = _content(kind, ds, about)
    except Exception:
        # pydicom raises what it likes for a value that cannot be read or written: the record says what is sure.
        sure = Dataset()
        sure.StudyInstanceUID, sure.SeriesInstanceUID = ds.StudyInstanceUID, ds.SeriesInstanceUID
        content = _content(kind, sure, about)
    return bytearray(_ITEM.pack(0xFFFE, 0xE000, len(content)) + content)


def _content(kind: str, ds: Dataset, about: Mapping[str, object]) -> bytes:
    record = Dataset()
    record.OffsetOfTheNextDirectoryRecord = 0
    record.RecordInUseFlag = IN_USE
    record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    record.DirectoryRecordType = kind
    for keyword, value in about.items():
        setattr(record, keyword, value)
    if "SpecificCharacterSet" in ds:
        record.SpecificCharacterSet = ds.SpecificCharacterSet
    for keyword in KEYS[kind]:
        _copy(keyword, ds, record)
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    write_dataset(file, record)
    encoded: bytes = file.getvalue()
    return encoded


def _copy(keyword: str, ds: Dataset, record: Dataset) -> None:
    value = ds.get(keyword)
    if keyword == "ContentSequence":
        # PS3.3 F.5.23 and F.5.26: modifiers of the title alone.
        value = [item for item in value or () if item.get("RelationshipType") == "HAS CONCEPT MOD"]
    if keyword.endswith("Sequence"):
        if value or keyword == "ConceptNameCodeSequence":
            setattr(record, keyword, value or [])
        return
    if value is None or value == "":
        if keyword in WHERE_PRESENT:
            return
        value = INVENTED.get(keyword, "")
    setattr(record, keyword, value)
