"""Compare files with rows, and files with their digests."""

from __future__ import annotations

import hashlib
import io
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.part10 import read_file_meta
from archive.errors import ArchiveError
from archive.models import QuarantinedFile, StoredFile
from archive.storage import layout

logger = logging.getLogger(__name__)

BLOCK = 1 << 20
YOUNG_S = 600
"""A file without a row is left alone for this long: its indexer may be about to commit."""


def data_set_digest(path: Path) -> str:
    """SHA-256 of a file's data set, without preamble and group 0002."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        meta = read_file_meta(io.BytesIO(file.read(BLOCK)))
        file.seek(meta.data_set_offset)
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def damage_of(stored: StoredFile) -> str:
    """What is wrong with a stored file, in words; empty where it is whole."""
    path = layout.path_of(stored.key)
    try:
        if path.stat().st_size != stored.size:
            return "The file has another size than when it was stored."
        if data_set_digest(path) != stored.file_digest:
            return "The file's content is not what was stored."
    except FileNotFoundError:
        return "The file is missing."
    except (OSError, ArchiveError):
        return "The file cannot be read."
    return ""


def verify(stored: StoredFile) -> str:
    """Check one file, keep the finding on its row, raise an alarm where it is new; returns the finding."""
    damage = damage_of(stored)
    news = damage and damage != stored.damage
    now = timezone.now()
    # Only of the file that was looked at: another may have taken its place meanwhile (recompressed, mended).
    same = StoredFile.objects.filter(pk=stored.pk, key=stored.key).update(damage=damage, verified_at=now)
    if not same:
        return ""
    stored.damage, stored.verified_at = damage, now
    if news:
        uid = stored.instance.sop_instance_uid
        logger.error("a stored file is damaged", extra={"sop_instance_uid": uid, "damage": damage})
        record_event(
            Event.DAMAGE_FOUND, outcome="failure", actor="integrity check", subject=uid, details={"damage": damage}
        )
    return damage


def verify_some(limit: int = 500) -> int:
    """Check the files that were not looked at for longest; returns how many are damaged."""
    waiting = StoredFile.objects.select_related("instance").order_by(F("verified_at").asc(nulls_first=True), "pk")
    return sum(bool(verify(stored)) for stored in waiting[:limit])


def files_without_rows(*, now: float) -> list[str]:
    """Keys of files under files/ and quarantine/ that no row names, and that are not young."""
    found = []
    for path in (
        *layout.archive_folder().glob("files/*/*/*/*.dcm"),
        *layout.archive_folder().glob("quarantine/*/*.dcm"),
    ):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if now - status.st_ctime > YOUNG_S:
            found.append(path.relative_to(layout.archive_folder()).as_posix())
    known: set[str] = set()
    for start in range(0, len(found), 500):
        part = found[start : start + 500]
        known |= set(StoredFile.objects.filter(key__in=part).values_list("key", flat=True))
        known |= set(QuarantinedFile.objects.filter(key__in=part).values_list("key", flat=True))
    return [key for key in found if key not in known]


def return_to_incoming(key: str) -> None:
    """Let the indexer look again at a stored file that has no row."""
    try:
        layout.path_of(key).rename(layout.incoming_folder() / f"{0:020d}-{secrets.token_hex(16)}.dcm")
    except FileNotFoundError:
        pass  # It was being removed.


@transaction.atomic
def adopt_quarantined(key: str) -> None:
    """Make the row of a quarantined file whose note was lost in a crash."""
    QuarantinedFile.objects.get_or_create(
        key=key,
        defaults={
            "size": layout.path_of(key).stat().st_size,
            "reason": QuarantinedFile.Reason.UNREADABLE,
            "explanation": "It was refused; the note that said why was lost in a crash.",
            "door": "",
            "received_at": timezone.now(),
        },
    )


def _adopt_if_there(key: str) -> None:
    try:
        adopt_quarantined(key)
    except FileNotFoundError:
        pass  # It was being removed.


def sweep(*, now: float, progress: Callable[[str], None] = lambda _line: None) -> dict[str, int]:
    """Compare files with rows, both ways."""
    strays = files_without_rows(now=now)
    for key in strays:
        progress(key)
        if key.startswith("quarantine/"):
            _adopt_if_there(key)
        else:
            return_to_incoming(key)
    missing = 0
    for stored in StoredFile.objects.filter(damage="").select_related("instance").iterator():
        if not layout.path_of(stored.key).exists():
            missing += bool(verify(stored))
    return {"files without rows": len(strays), "rows without files": missing}
