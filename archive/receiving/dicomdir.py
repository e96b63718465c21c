"""DICOMDIR (PS3.3 F, PS3.10 8.6): an index of the files beside it, never stored as an image.

What it is good for here: the images it names and that did not come can be said.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from pydicom import Dataset

from archive.dicom.header import HeaderLimits
from archive.dicom.part10 import read_dataset_from
from archive.dicom.uids import is_valid_uid
from archive.dicom.values import items, text
from archive.errors import CannotUnderstand

MEDIA_STORAGE_DIRECTORY: Final = "1.2.840.10008.1.3.10"
LARGEST: Final = 16 << 20
"""Bytes of an index that is read; a CD of 10,000 images has one of some 5 MiB."""
LIMITS: Final = HeaderLimits(header_bytes=LARGEST, elements=1_000_000, items=200_000)
WORDS: Final = "An index of files; its images are taken one by one."


class Readable(Protocol):
    """What can be read from its start to its end."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class FileIndex:
    """What a DICOMDIR names."""

    sop_instance_uids: tuple[str, ...] = ()
    """Of Referenced SOP Instance UID in File (0004,1511), in order."""
    is_read: bool = True
    """False where it is too large or too damaged to be read; its images are taken all the same."""


def is_index(sop_class_uid: str) -> bool:
    """Whether group 0002 says that the file is a DICOMDIR."""
    return sop_class_uid == MEDIA_STORAGE_DIRECTORY


def read_index(stream: Readable) -> FileIndex:
    """Read which images a DICOMDIR names; one that cannot be read names none."""
    content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        return FileIndex(is_read=False)
    try:
        ds = read_dataset_from(io.BytesIO(content), limits=LIMITS)
    except CannotUnderstand:
        return FileIndex(is_read=False)
    return FileIndex(tuple(dict.fromkeys(_references(ds))))


def _references(ds: Dataset) -> Iterator[str]:
    for record in items(ds, "DirectoryRecordSequence"):
        uid = text(record, "ReferencedSOPInstanceUIDInFile")
        if is_valid_uid(uid):
            yield uid
