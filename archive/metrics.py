"""Counts for operators, kept by every process of the portal and read together by ``/metrics``.

Each process counts in files of its own, which ``prometheus_client`` maps into memory (its multi-process mode):
a count costs no lock with others and outlives the process. A process that begins takes over the files of one
that has ended, so that counts never go back and there are no more files than processes. Room on the disk is
taken before the first count: a mapped page that a full disk has no room for would end the process.

No label carries anything of a patient, and each has few values.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Final

from prometheus_client import Counter, Histogram

logger = logging.getLogger(__name__)

ROOM_BYTES: Final = {"counter": 1 << 19, "histogram": 1 << 20}
"""Disk space of a process by kind of file: twice what all addresses with all statuses take."""
TRIED_AGAIN_S: Final = 30.0
"""After a full disk, when room is asked for again; nothing is counted meanwhile."""
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the classes of answering times."""

# No registry of its own process: what all have counted is read from the files.
_REQUESTS = Counter(
    "portal_http_requests", "Answers of the web server, by address and status.", ("route", "status"), registry=None
)
_SECONDS = Histogram(
    "portal_http_request_seconds",
    "Time until an answer began, by address.",
    ("route",),
    buckets=SECONDS,
    registry=None,
)
_TILES = Counter(
    "portal_tiles",
    "Tiles that were answered, by where they came from: drawn, memory, or browser (not modified).",
    ("source",),
    registry=None,
)
_CACHE = Counter(
    "portal_cache_requests", "Looks into a cache on disk, by outcome: hit or miss.", ("cache", "outcome"), registry=None
)
_INSTANCES = Counter(
    "portal_instances_received", "Instances that were made durable, by the door they came by.", ("door",), registry=None
)
_BYTES = Counter(
    "portal_received_bytes", "Bytes of instances that were made durable, by door.", ("door",), registry=None
)
_REFUSED_INSTANCES = Counter(
    "portal_instances_refused", "Instances that were not taken, by door.", ("door",), registry=None
)
_ASSOCIATIONS = Counter(
    "portal_dicom_associations", "Associations that peers opened, by protocol: plain or TLS.", ("over",), registry=None
)
_REFUSALS = Counter(
    "portal_dicom_refused", "Associations and requests that peers were refused, by kind.", ("kind",), registry=None
)


class _Room:
    """The files of this process, and whether there is room in them."""

    def __init__(self) -> None:
        self._ready_for = 0
        self._tried_at = float("-inf")

    def is_made(self) -> bool:
        """Whether this process may count."""
        if self._ready_for == os.getpid():
            return True
        if time.monotonic() - self._tried_at < TRIED_AGAIN_S:
            return False
        self._tried_at = time.monotonic()
        try:
            for kind, size in ROOM_BYTES.items():
                _make_file(kind, size)
        except OSError as error:
            logger.warning("nothing is counted for now: %s", error.strerror)
            return False
        self._ready_for = os.getpid()
        return True

    def forget(self) -> None:
        """In a forked process: its files are not its parent's."""
        self._ready_for, self._tried_at = 0, float("-inf")


_room = _Room()
_lock = threading.Lock()
"""Held around every count, and while a process forks: no child inherits a lock that nobody gives back."""


def _after_fork_in_child() -> None:
    _room.forget()
    _lock.release()


os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork_in_child)


def folder() -> Path:
    """Where the processes of this machine count (``pacs_portal.settings`` names it)."""
    return Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])


def _make_file(kind: str, size: int) -> None:
    """Take over the file of a process that has ended, or make one whose every byte has its place on the disk."""
    path = folder() / f"{kind}_{os.getpid()}.db"
    if path.exists() or _take_over(kind, path):
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    hidden = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
        hidden.rename(path)
    except OSError:
        hidden.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _take_over(kind: str, path: Path) -> bool:
    for old in folder().glob(f"{kind}_*.db"):
        owner = old.stem.rpartition("_")[2]
        if owner.isdecimal() and not _lives(int(owner)):
            try:
                old.rename(path)
            except FileNotFoundError:
                # Another process that began just now was quicker.
                continue
            return True
    return False


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno != errno.ESRCH
    return True


def count_request(route: str, status: int, seconds: float) -> None:
    """An answer of the web server; ``route`` is the pattern of its address, without values."""
    with _lock:
        if _room.is_made():
            _REQUESTS.labels(route, str(status)).inc()
            _SECONDS.labels(route).observe(seconds)


def count_tile(source: str) -> None:
    """A tile: ``drawn``, from ``memory``, or still good in the ``browser``."""
    with _lock:
        if _room.is_made():
            _TILES.labels(source).inc()


def count_cache(cache: str, *, is_hit: bool) -> None:
    """A look into a cache on disk."""
    with _lock:
        if _room.is_made():
            _CACHE.labels(cache, "hit" if is_hit else "miss").inc()


def count_received(door: str, size: int) -> None:
    """An instance that is durable, and its bytes."""
    with _lock:
        if _room.is_made():
            _INSTANCES.labels(door).inc()
            _BYTES.labels(door).inc(size)


def count_refused_instance(door: str) -> None:
    """An instance that was not taken."""
    with _lock:
        if _room.is_made():
            _REFUSED_INSTANCES.labels(door).inc()


def count_association(*, over_tls: bool) -> None:
    """An association that was begun."""
    with _lock:
        if _room.is_made():
            _ASSOCIATIONS.labels("TLS" if over_tls else "plain").inc()


def count_refusal(kind: str) -> None:
    """An association (``association``, ``handshake``) or a request within one (``request``) that was refused."""
    with _lock:
        if _room.is_made():
            _REFUSALS.labels(kind).inc()
