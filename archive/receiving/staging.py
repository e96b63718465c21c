"""A file that is being received: unnamed until it is whole, so that a crash leaves nothing behind.

The bytes go into an unnamed file (``O_TMPFILE``) of the archive's own file
system as they come; the data set's digest is taken on the way. Memory stays
flat whatever the size of the object.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings

from archive.dicom.part10 import write_file_meta
from archive.dicom.uids import is_valid_uid
from archive.errors import BacklogFull, InvalidUID, ObjectTooLarge, OutOfSpace
from archive.receiving.backlog import backlog
from archive.receiving.sources import Origin
from archive.storage import layout
from archive.storage.files import publish_unnamed, refusal, sync_folder

_ready_folders: set[Path] = set()


def check_room() -> None:
    """Refuse before a byte is taken: BacklogFull or OutOfSpace."""
    if backlog.count() >= settings.PORTAL_BACKLOG_FILES:
        raise BacklogFull("More images wait to be indexed than the archive allows. Send it again later.")
    room = os.statvfs(layout.temp_folder())
    if room.f_bavail * room.f_frsize < settings.PORTAL_RESERVED_MB * 2**20:
        raise OutOfSpace("The archive's disk is nearly full; no image is taken until there is room.")


class StagedFile:
    """An instance on its way in. Use as a context manager: what is not published is gone."""

    def __init__(
        self, descriptor: int, *, transfer_syntax_uid: str, sop_class_uid: str, sop_instance_uid: str, origin: Origin
    ) -> None:
        self.descriptor = descriptor
        self.transfer_syntax_uid = transfer_syntax_uid
        self.sop_class_uid = sop_class_uid
        self.sop_instance_uid = sop_instance_uid
        self.origin = origin
        self.size = 0
        self.data_set_offset = 0
        self._digest = hashlib.sha256()
        self._limit = settings.PORTAL_MAX_OBJECT_MB * 2**20

    @classmethod
    def create(cls, *, transfer_syntax_uid: str, sop_class_uid: str, sop_instance_uid: str, origin: Origin) -> Self:
        """Open an unnamed file and write its Part 10 header (PS3.10 7.1), preamble zero.

        Raises
        ------
        InvalidUID, BacklogFull, OutOfSpace, StorageFailed
        """
        for name, uid in (("SOP Instance UID", sop_instance_uid), ("SOP Class UID", sop_class_uid)):
            if not is_valid_uid(uid):
                raise InvalidUID(f"The {name} is not a UID: digits and dots, at most 64 characters, are accepted.")
        folder = layout.temp_folder()
        if folder not in _ready_folders:
            layout.make_folders()
            _ready_folders.add(folder)
        check_room()
        try:
            descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o640)
        except OSError as error:
            raise refusal(error) from error
        staged = cls(
            descriptor,
            transfer_syntax_uid=transfer_syntax_uid,
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            origin=origin,
        )
        header = write_file_meta(
            transfer_syntax_uid=transfer_syntax_uid,
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            private=origin.to_json(),
        )
        try:
            os.write(descriptor, header)
        except OSError as error:
            staged.abort()
            raise refusal(error) from error
        staged.size = staged.data_set_offset = len(header)
        return staged

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes of the data set."""
        if self.size + len(data) > self._limit:
            raise ObjectTooLarge(
                f"The object is larger than {settings.PORTAL_MAX_OBJECT_MB} MiB, which this site takes at most."
            )
        view = memoryview(data)
        self._digest.update(view)
        try:
            while view:
                written = os.write(self.descriptor, view)
                view = view[written:]
                self.size += written
        except OSError as error:
            raise refusal(error) from error

    @property
    def digest(self) -> str:
        """SHA-256 of the data set so far, hexadecimal."""
        return self._digest.hexdigest()

    def sync(self) -> None:
        """Make the bytes durable. A failure is final: it is not tried again on the same file."""
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            raise refusal(error) from error

    def publish(self, target: Path) -> None:
        """Give the synced file its one name and make the name durable."""
        try:
            publish_unnamed(self.descriptor, target)
            sync_folder(target.parent)
        except OSError as error:
            raise refusal(error) from error

    def incoming_path(self) -> Path:
        """A name in incoming/ that no other file can have; sorted by arrival."""
        name = (
            f"{time.time_ns():020d}-{layout.digest_of(self.sop_instance_uid)}-{self.digest[:32]}"
            f"-{secrets.token_hex(8)}.dcm"
        )
        return layout.incoming_folder() / name

    def abort(self) -> None:
        """Forget the bytes; harmless after publishing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    close = abort

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
