"""Files that a person brings: single ones, whole folders, ZIP files, with or without a DICOMDIR.

The browser and ``manage.py import_folder`` use the same functions. What is taken
passes the one intake; what is not is reported with its reason.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, cast

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from archive.dicom.part10 import MAGIC, PREAMBLE, FileMeta, read_file_meta
from archive.errors import (
    ArchiveError,
    BacklogFull,
    CannotUnderstand,
    DataSetMismatch,
    InvalidUID,
    ObjectTooLarge,
    OutOfSpace,
    StorageFailed,
)
from archive.models import Instance
from archive.receiving.dicomdir import WORDS as INDEX_WORDS
from archive.receiving.dicomdir import FileIndex, Readable, is_index, read_index
from archive.receiving.intake import IntakeResult
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Origin
from archive.receiving.staging import check_room
from archive.receiving.zip_reader import LOCAL_HEADER, Member, ZipLimits, ZipReader, ZipRefused, ZipTooLarge
from archive.storage import layout
from archive.storage.files import refusal

BLOCK: Final = 1 << 20
HEAD: Final = 1 << 16
"""Bytes by which a file is told to be an image, an index, a ZIP file or none of them."""
EMPTY_ZIP: Final = b"PK\x05\x06"
SIDE_FILE: Final = b"\x00\x05\x16\x07"
"""AppleDouble: what macOS puts beside each file of a ZIP."""
ROOM_CHECKED_EVERY: Final = 64 << 20

NO_IMAGE = "It is no DICOM file; nothing of it was kept."
KEPT = "Its bytes are kept in quarantine with this reason."
HELD_FOR_REVIEW = "It is safely kept and waits for a technologist or an administrator to look at it."
ALREADY_THERE = "The same image is already in the archive; nothing changed."
OTHER_CONTENT = (
    "Another image with this UID is already in the archive. It is safely kept; where more than the encoding differs, "
    "it is held back for a technologist or an administrator."
)

STOPS = (OutOfSpace, BacklogFull, StorageFailed)
"""Refusals that the next file would meet as well."""


class UploadCut(ArchiveError):
    """The sender went away before the file was whole; nothing of it was kept."""


class Verdict(StrEnum):
    """What became of one file."""

    TAKEN = "taken"
    """Durably kept; it shows when it is indexed."""
    ALREADY_THERE = "already there"
    """The very same content had been stored before."""
    HELD = "held for a look"
    """Durably kept, but a person decides."""
    INDEX = "index"
    """A DICOMDIR: no image."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Report:
    """One line of the list at the end."""

    verdict: Verdict
    words: str = ""
    """Why, where it is not simply taken."""
    shown_name: str = ""
    """What the sender calls the file; for their own eyes only."""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    of: int = 0
    """How many members the ZIP file names that it came in; 0 outside of one."""
    index: FileIndex | None = None


class WholeStream:
    """Reads all of what was announced, in blocks; raises where less comes."""

    def __init__(self, stream: Readable, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes; fewer only at the end.

        Raises
        ------
        UploadCut
            The sender went away.
        """
        parts = []
        wanted = self._left if size < 0 else min(size, self._left)
        while wanted:
            try:
                part = self._stream.read(min(wanted, BLOCK))
            except OSError:
                part = b""
            if not part:
                raise UploadCut("The file did not come whole; nothing of it was kept.")
            parts.append(part)
            wanted -= len(part)
            self._left -= len(part)
        return b"".join(parts)


class Begun:
    """A stream whose first bytes have been looked at."""

    def __init__(self, stream: Readable) -> None:
        self.head = stream.read(HEAD)
        self._stream = stream
        self._position = 0

    def read(self, size: int = -1, /) -> bytes:
        first = self.head[self._position :] if size < 0 else self.head[self._position : self._position + size]
        self._position += len(first)
        if size >= 0 and len(first) == size:
            return first
        return first + self._stream.read(size if size < 0 else size - len(first))


def take(stream: Readable, origin: Origin, *, shown_name: str = "") -> Iterator[Report]:
    """Take one file that may be an image, an index or a ZIP file of them; yields a report for each.

    Raises
    ------
    UploadCut, OutOfSpace, BacklogFull, StorageFailed, ObjectTooLarge
        Nothing more of it can be taken; what was reported before stays.
    """
    begun = Begun(stream)
    if is_zip(begun.head):
        with spooled(begun) as file:
            yield from take_zip(file, origin)
    else:
        yield take_one(begun, origin, shown_name=shown_name)


def is_zip(head: bytes) -> bool:
    """A preamble may be anything: what has DICM behind it is an image."""
    return head.startswith((LOCAL_HEADER, EMPTY_ZIP)) and head[PREAMBLE : PREAMBLE + len(MAGIC)] != MAGIC


def take_one(stream: Readable, origin: Origin, *, shown_name: str = "", taken: set[str] | None = None) -> Report:
    """Take one file that is no ZIP file.

    ``taken`` collects the contents taken in one go, so that a file that comes twice in it is told as such.
    """
    begun = stream if isinstance(stream, Begun) else Begun(stream)
    report = Report(Verdict.REFUSED, shown_name=shown_name)
    if is_zip(begun.head):
        return replace(report, words="It is a ZIP file within a ZIP file, which is not opened.")
    meta = meta_of(begun.head)
    if meta is None:
        side = begun.head.startswith(SIDE_FILE)
        return replace(report, words="A side file of macOS, no image." if side else NO_IMAGE)
    if is_index(meta.sop_class_uid):
        return replace(report, verdict=Verdict.INDEX, words=INDEX_WORDS, index=read_index(begun))
    try:
        result = receive_part10(cast(BinaryIO, begun), origin)
    except (CannotUnderstand, DataSetMismatch) as error:
        return replace(report, words=f"{error} {KEPT}", sop_instance_uid=meta.sop_instance_uid)
    except (InvalidUID, ObjectTooLarge) as error:
        return replace(report, words=str(error))
    verdict, words = verdict_on(result, origin, taken)
    return replace(
        report,
        verdict=verdict,
        words=words,
        sop_instance_uid=result.sop_instance_uid,
        study_instance_uid=result.study_instance_uid,
    )


def meta_of(head: bytes) -> FileMeta | None:
    """Group 0002 of an image or an index; None for what is neither."""
    try:
        meta = read_file_meta(io.BytesIO(head))
    except CannotUnderstand:
        return None
    if is_index(meta.sop_class_uid) or (meta.sop_class_uid and meta.sop_instance_uid):
        return meta
    return None


def verdict_on(result: IntakeResult, origin: Origin, taken: set[str] | None = None) -> tuple[Verdict, str]:
    """What to tell of an image that the intake has taken: what the archive held before it came."""
    content = f"{result.sop_instance_uid} {result.digest}"
    if taken is not None and content in taken:
        return Verdict.ALREADY_THERE, "The same image came before in this upload."
    if taken is not None:
        taken.add(content)
    if origin.hold_for_review:
        return Verdict.HELD, HELD_FOR_REVIEW
    before = known_digest(result.sop_instance_uid, origin)
    if before is None:
        return Verdict.TAKEN, ""
    return (Verdict.ALREADY_THERE, ALREADY_THERE) if before == result.digest else (Verdict.HELD, OTHER_CONTENT)


def known_digest(sop_instance_uid: str, origin: Origin) -> str | None:
    """Digest of the stored image of this UID that came before; None where there is none, or no database answers."""
    known = Instance.objects.filter(sop_instance_uid=sop_instance_uid, received_at__lt=origin.received_at)
    try:
        return known.values_list("data_set_digest", flat=True).first()
    except (DatabaseError, InterfaceError):
        return None  # The image is kept all the same; what it is compared with is the indexer's question.


# --- ZIP files ------------------------------------------------------------------------------------------------------


@contextmanager
def spooled(stream: Readable) -> Iterator[BinaryIO]:
    """Copy a stream into an unnamed file of the archive's temporary folder, a block at a time; gone at the end.

    Raises
    ------
    ObjectTooLarge, OutOfSpace, BacklogFull, StorageFailed, UploadCut
    """
    layout.make_folders()
    check_room()
    try:
        descriptor = os.open(layout.temp_folder(), os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as error:
        raise refusal(error) from error
    with os.fdopen(descriptor, "w+b") as file:
        size = checked = 0
        while block := stream.read(BLOCK):
            size += len(block)
            if size > largest_upload():
                raise ObjectTooLarge(too_large_words())
            if size - checked > ROOM_CHECKED_EVERY:
                check_room()
                checked = size
            try:
                file.write(block)
            except OSError as error:
                raise refusal(error) from error
        yield file


def take_zip(file: BinaryIO, origin: Origin) -> Iterator[Report]:
    """Take the images of an open ZIP file one by one; a report for each member that is no folder.

    Raises
    ------
    OutOfSpace, BacklogFull, StorageFailed
        The rest cannot be taken; what was reported before stays.
    """
    try:
        reader = ZipReader(file, ZipLimits(inflated_bytes=largest_upload()))
        yield from _take_members(reader, origin)
    except ZipRefused as error:
        yield Report(Verdict.REFUSED, words=str(error))


def _take_members(reader: ZipReader, origin: Origin) -> Iterator[Report]:
    taken: set[str] = set()
    indexed: list[str] = []
    instances: set[str] = set()
    for member in reader.members():
        if member.is_folder:
            continue
        report = _take_member(reader, member, origin, taken)
        if report.index is not None:
            indexed += report.index.sop_instance_uids
        if report.verdict is not Verdict.REFUSED:
            instances.add(report.sop_instance_uid)
        yield report
    missing = missing_from(indexed, instances)
    if missing:
        yield missing


def _take_member(reader: ZipReader, member: Member, origin: Origin, taken: set[str]) -> Report:
    report = Report(Verdict.REFUSED, shown_name=member.shown_name, of=reader.count)
    try:
        stream = reader.open(member)
        return replace(take_one(stream, origin, shown_name=member.shown_name, taken=taken), of=reader.count)
    except ZipTooLarge:
        raise
    except ZipRefused as error:
        return replace(report, words=str(error))


def missing_from(indexed: Iterable[str], instances: set[str]) -> Report | None:
    """Say how many images an index names that did not come with it."""
    missing = [uid for uid in dict.fromkeys(indexed) if uid not in instances]
    if not missing:
        return None
    words = f"The index (DICOMDIR) names {len(missing)} images that did not come with it, or were refused."
    return Report(Verdict.REFUSED, words=words, shown_name="DICOMDIR")


def largest_upload() -> int:
    """Bytes that one upload may have, packed or unpacked."""
    return int(settings.PORTAL_MAX_UPLOAD_MB) << 20


def too_large_words() -> str:
    return f"It is larger than {settings.PORTAL_MAX_UPLOAD_MB} MiB, the most that this site takes in one upload."


# --- Folders --------------------------------------------------------------------------------------------------------


def files_below(folder: Path) -> Iterator[Path]:
    """Regular files of a folder and its sub-folders in order, or the one file; links are not followed."""
    if folder.is_file():
        yield folder
        return
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent) / name
            if path.is_file() and not path.is_symlink():
                yield path
