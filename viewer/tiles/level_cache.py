"""Levels of large images on disk, within the site's limit, for every process of the portal.

What was not used for longest goes first, what is cheap to make again (a native image) long before what is
dear (JPEG-LS, JPEG 2000). The levels that fill a screen are kept a second time, in a sixteenth of the room, and go
long after the others: an image that comes back after months is seen without decoding it. Nothing here is the only copy of anything: a file
that is lost or damaged, or a full disk, costs the time to draw it again and no more.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from django.conf import settings

from archive.dicom.transfer_syntaxes import Codec, transfer_syntax
from archive.metrics import count_cache
from archive.storage import layout
from viewer.rendering.pipeline import Decoded
from viewer.tiles.level_files import LevelDamaged, LevelFile, open_levels, write_levels

logger = logging.getLogger(__name__)

TRIMMED_EVERY = 64
"""A process looks at the whole cache each time it has written this part of the limit."""
ROOM = 8
"""When it is full, this part of the limit is made free: room for what other processes write meanwhile."""
ABANDONED_S = 600
"""A file under a hidden name that nobody has written to for so long belongs to a process that died."""
USED_EVERY_S = 60
"""How exactly the time of the last use is kept."""
WAITING_BYTES = 96 << 20
"""What waits to be written by a process; more is not kept, and drawn again by who asks for it next."""
ANSWER_FIRST_S = 0.2
"""How long writing waits, so that the answer does not share the machine with it."""
IDLE_S = 20

SMALL_PIXELS = 1 << 20
"""Levels of at most so many pixels are kept a second time, beside larger ones."""
SMALL_WORTH = 16
"""What all levels of an image take on the disk, in those of the small ones: so much dearer is a byte of these."""

_written_since = 0
_lock = threading.Lock()


def levels_folder() -> Path:
    return Path(settings.PORTAL_DATA) / "cache" / "levels"


def limit_bytes() -> int:
    return int(settings.PORTAL_CACHE_MB) * 2**20


COSTS = {
    # Making the levels of a megapixel, in those of a native image, as measured (4096 x 3328).
    Codec.HTJ2K: 2,
    Codec.JPEG_LOSSLESS: 3,
    Codec.JPEG_LS: 4,
    Codec.JPEG_XL: 4,
    Codec.JPEG_2000: 12,
}
"""All others count 1."""


def cost_of(transfer_syntax_uid: str) -> int:
    """What it costs to make the levels of a picture again, by how it is compressed."""
    return COSTS.get(transfer_syntax(transfer_syntax_uid).codec, 1)


def path_of(name: str, cost: int = 1) -> Path:
    """Where the levels of a picture are kept; ``name`` is anything that tells it from every other.

    The file's own name tells what it costs, for those who make room.
    """
    digest = layout.digest_of(name)
    return levels_folder() / digest[:2] / (f"{digest}.{cost}.levels" if cost > 1 else f"{digest}.levels")


def _cost_in(name: str) -> int:
    """The cost that a file's name tells."""
    _, _, cost = name.removesuffix(".levels").partition(".")
    return int(cost) if cost.isdecimal() and len(cost) < 4 else 1


def kept_levels(name: str, cost: int = 1) -> LevelFile | None:
    """The kept levels of a picture; None where there are none, or none that are whole."""
    path = path_of(name, cost)
    try:
        found = open_levels(path)
    except LevelDamaged as error:
        logger.warning("kept levels are damaged and are made again: %s", error)
        _remove(path)
        return None
    count_cache("levels", is_hit=found is not None)
    if found is not None:
        mark_used(path)
    return found


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        if error.errno != errno.ENOENT:
            logger.warning("%s could not be removed: %s", path.name, error.strerror)


def mark_used(path: Path) -> None:
    """What is used now goes last."""
    try:
        if time.time() - path.stat().st_mtime > USED_EVERY_S:
            os.utime(path)
    except OSError:
        # Another process has just removed it.
        return


def keep_levels(name: str, levels: Sequence[Decoded], cost: int = 1) -> bool:
    """Keep the levels of a picture now; False where the disk is full or they are larger than they may be."""
    small = [one for one in levels if one.values.shape[0] * one.values.shape[1] <= SMALL_PIXELS]
    if 0 < len(small) < len(levels):
        _keep(path_of(*_small(name, cost)), small)
    return _keep(path_of(name, cost), levels)


def kept_small_levels(name: str, cost: int = 1) -> LevelFile | None:
    """The smallest levels of a picture, where they are still kept; the larger ones may be lost."""
    return kept_levels(*_small(name, cost))


def mark_small_used(name: str, cost: int = 1) -> None:
    """They are not read as long as all levels are there, and yet of use."""
    mark_used(path_of(*_small(name, cost)))


def _small(name: str, cost: int) -> tuple[str, int]:
    return f"{name} small", cost * SMALL_WORTH


def _keep(path: Path, levels: Sequence[Decoded]) -> bool:
    global _written_since
    limit = limit_bytes()
    if 4 * sum(one.values.nbytes for one in levels) > limit:
        return False
    hidden = path.with_name(f".{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with hidden.open("xb") as file:
            size = write_levels(file, levels)
        hidden.rename(path)
    except OSError as error:
        _remove(hidden)
        logger.warning("levels could not be kept: %s", error.strerror)
        return False
    with _lock:
        _written_since += size
        is_due = _written_since * TRIMMED_EVERY >= limit
        _written_since = 0 if is_due else _written_since
    if is_due:
        trim_levels(limit)
    return True


def trim_levels(limit: int) -> int:
    """Remove levels until they fit: the time since the last use, divided by what they cost, decides.

    Returns
    -------
    How many went.
    """
    found = []
    now = time.time()
    for path in levels_folder().glob("*/*"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if path.name.startswith(".") and now - status.st_mtime > ABANDONED_S:
            _remove(path)
            continue
        unused_s = max(now - status.st_mtime, 0.0) / _cost_in(path.name)
        found.append((unused_s, status.st_size, path))
    total = sum(size for _, size, _ in found)
    most = limit if total <= limit - limit // ROOM else limit - limit // ROOM
    removed = 0
    for _, size, path in sorted(found, reverse=True):
        if total <= most:
            break
        if path.name.startswith("."):
            continue
        _remove(path)
        total -= size
        removed += 1
    return removed


class LevelWriter:
    """Keeps levels after the answer has gone out: one thread a process, and a bounded amount of memory."""

    def __init__(self, most_bytes: int = WAITING_BYTES) -> None:
        self._most = most_bytes
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._queue: SimpleQueue[tuple[str, Sequence[Decoded], int, int]] = SimpleQueue()
        self._waiting = 0
        self._thread: threading.Thread | None = None

    def put(self, name: str, levels: Sequence[Decoded], cost: int = 1) -> bool:
        """Keep these soon; False where too much is waiting already."""
        size = sum(one.values.nbytes for one in levels)
        with self._lock:
            if self._waiting and self._waiting + size > self._most:
                return False
            self._waiting += size
            self._queue.put((name, levels, cost, size))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="levels", daemon=True)
                self._thread.start()
        return True

    def wait(self, timeout_s: float = 60) -> bool:
        """Wait until everything is kept; for those who must find it on the disk."""
        with self._lock:
            return self._idle.wait_for(lambda: self._waiting == 0, timeout_s)

    def _run(self) -> None:
        while True:
            try:
                name, levels, cost, size = self._queue.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if self._queue.empty():
                        self._thread = None
                        return
                continue
            time.sleep(ANSWER_FIRST_S)
            try:
                keep_levels(name, levels, cost)
            except Exception:
                logger.exception("levels could not be kept")
            del levels
            with self._lock:
                self._waiting -= size
                self._idle.notify_all()


writer = LevelWriter()
