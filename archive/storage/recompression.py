"""A job: the images of a study in a lossless compressed transfer syntax, every pixel compared before it counts.

The data set and its pixels stay what they were; only their encoding changes, so the
digest and the transfer syntax of what was received stay on the instance. The order is
that of the intake: an unnamed file, synced, named, its folder synced, then the row,
and the old file goes last. Whatever a crash leaves without a row, the sweep finds.
"""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from archive.dicom.transfer_syntaxes import transfer_syntax
from archive.errors import ArchiveError, CannotDecode
from archive.indexing.sameness import have_equal_elements
from archive.jobs.kinds import TARGETS
from archive.jobs.run import JobRefused
from archive.models import Instance, StoredFile
from archive.pixels.describe import to_json
from archive.pixels.transcode import ImageFile, check_recompressible, transcode_file, verify_same_pixels
from archive.storage import layout
from archive.storage.files import make_durable_folder, publish_unnamed, sync_folder
from archive.storage.integrity import data_set_digest, verify

if TYPE_CHECKING:
    from archive.jobs.run import Progress
    from archive.models import Job

logger = logging.getLogger(__name__)

MIB = 2**20
StillAtIt = Callable[[int, int], None]


class NotRecompressed(Exception):
    """A file stays as it is; the message says why, in words that are counted."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A recompressed file that has its name on disk and not yet its row."""

    key: str
    size: int
    digest: str
    frame_index: bytes
    description: str


def recompress_study(job: Job, progress: Progress) -> str:
    """Parameters: ``transfer_syntax_uid``, by default what the site has chosen."""
    target = str(job.parameters.get("transfer_syntax_uid") or TARGETS.get(settings.PORTAL_RECOMPRESS, ""))
    if not target:
        raise JobRefused("Recompression is turned off at this site (PORTAL_RECOMPRESS).")
    if target not in TARGETS.values():
        raise JobRefused("Images are recompressed to HTJ2K or JPEG-LS, both without loss.")
    waiting = StoredFile.objects.filter(instance__series__study=job.study).exclude(transfer_syntax_uid=target)
    ids = list(waiting.exclude(instance__description="").order_by("pk").values_list("pk", flat=True))
    progress.start(len(ids), "Recompressing images")
    before = after = 0
    kept: Counter[str] = Counter()
    for pk in ids:
        stored = StoredFile.objects.select_related("instance__series__study").filter(pk=pk).first()
        if stored is None:
            continue
        try:
            size = recompress_file(stored, target, still_at_it=lambda _done, _all: progress.step(0))
        except NotRecompressed as reason:
            kept[str(reason)] += 1
        else:
            before, after = before + stored.size, after + size
        progress.step()
    return _summary(target, len(ids) - kept.total(), before, after, kept)


def _summary(target: str, done: int, before: int, after: int, kept: Counter[str]) -> str:
    text = f"{done} images are now {transfer_syntax(target).name}: {after / MIB:.1f} MiB instead of {before / MIB:.1f}."
    if kept:
        text += " Kept as they are: " + "; ".join(f"{count} ({reason})" for reason, count in kept.most_common(3)) + "."
    return text


def recompress_file(
    stored: StoredFile, transfer_syntax_uid: str, *, still_at_it: StillAtIt = lambda _done, _all: None
) -> int:
    """Let a recompressed file take the place of a stored one; returns its size.

    Raises
    ------
    NotRecompressed
        It cannot or should not be: lossy already, damaged, no smaller, or changed meanwhile.
    """
    source = layout.path_of(stored.key)
    _check(stored, transfer_syntax_uid)
    new = _make(stored, source, transfer_syntax_uid, still_at_it)
    if not _take_its_place(stored, new, transfer_syntax_uid):
        layout.path_of(new.key).unlink(missing_ok=True)
        raise NotRecompressed("replaced meanwhile")
    transaction.on_commit(lambda: _remove(source))
    return new.size


def _check(stored: StoredFile, transfer_syntax_uid: str) -> None:
    """Refuse what is not worth it, and never make a damaged file look whole."""
    if stored.transfer_syntax_uid == transfer_syntax_uid:
        raise NotRecompressed("in this transfer syntax already")
    if transfer_syntax(stored.transfer_syntax_uid).lossy:
        raise NotRecompressed("compressed with loss: without loss they would grow")
    if stored.damage or verify(stored):
        raise NotRecompressed("damaged")


def _make(stored: StoredFile, source: Path, transfer_syntax_uid: str, still_at_it: StillAtIt) -> NewFile:
    """Write, compare and name the new file; what fails leaves nothing behind."""
    try:
        descriptor = os.open(layout.temp_folder(), os.O_TMPFILE | os.O_RDWR, 0o640)
    except OSError as error:
        raise NotRecompressed(f"no room for the new file: {error.strerror}") from error
    unnamed = Path(f"/proc/self/fd/{descriptor}")
    try:
        with os.fdopen(descriptor, "w+b", closefd=False) as file:
            with ImageFile(source) as image:
                check_recompressible(image.description, image.meta.transfer_syntax_uid)
            transcode_file(source, file, transfer_syntax_uid=transfer_syntax_uid, progress=still_at_it)
        os.fsync(descriptor)
        size = os.fstat(descriptor).st_size
        if size >= stored.size:
            raise NotRecompressed("no smaller that way")
        if not (have_equal_elements(source, unnamed) and verify_same_pixels(source, unnamed, progress=still_at_it)):
            logger.error("recompression changed an image", extra={"sop_instance_uid": stored.instance.sop_instance_uid})
            raise NotRecompressed("not the same afterwards")
        return _publish(stored, descriptor, unnamed, size)
    except CannotDecode as error:
        raise NotRecompressed(str(error).rstrip(".")) from error
    except ArchiveError as error:
        raise NotRecompressed("cannot be read") from error
    except OSError as error:
        raise NotRecompressed(f"the new file could not be written: {error.strerror}") from error
    finally:
        os.close(descriptor)


def _publish(stored: StoredFile, descriptor: int, unnamed: Path, size: int) -> NewFile:
    """Give the synced file its durable name; one left by a run that was killed here is taken instead."""
    series = stored.instance.series
    digest = data_set_digest(unnamed)
    with ImageFile(unnamed) as image:
        frame_index, description = image.index.to_bytes(), json.dumps(to_json(image.description), separators=(",", ":"))
    key = layout.file_key(
        study_instance_uid=series.study.study_instance_uid,
        series_instance_uid=series.series_instance_uid,
        sop_instance_uid=stored.instance.sop_instance_uid,
        digest=digest,
    )
    path = layout.path_of(key)
    make_durable_folder(path.parent)
    try:
        publish_unnamed(descriptor, path)
    except FileExistsError:
        if path.stat().st_size != size or data_set_digest(path) != digest:
            raise NotRecompressed("another file has the name of the new one") from None
    sync_folder(path.parent)
    return NewFile(key=key, size=size, digest=digest, frame_index=frame_index, description=description)


def _take_its_place(stored: StoredFile, new: NewFile, transfer_syntax_uid: str) -> bool:
    """Change the row, unless it no longer is what was recompressed."""
    with transaction.atomic():
        changed = StoredFile.objects.filter(pk=stored.pk, key=stored.key, file_digest=stored.file_digest).update(
            key=new.key,
            size=new.size,
            transfer_syntax_uid=transfer_syntax_uid,
            file_digest=new.digest,
            frame_index=new.frame_index,
            is_as_received=False,
            verified_at=timezone.now(),
            damage="",
        )
        if changed:
            # The colours may be encoded otherwise now; the description is that of the file that is drawn.
            Instance.objects.filter(pk=stored.instance_id).update(description=new.description)
    return bool(changed)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_folder(path.parent)
