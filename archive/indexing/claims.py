"""Claim a batch of incoming/ so that no two indexers take the same file.

A claim is a folder of its own that its owner holds by a lock; the lock ends with
the process, so what a crash left is taken over at once, by anybody.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.storage import layout

BATCH = 200
"""Files a transaction."""


@contextmanager
def claimed_batch(size: int = BATCH) -> Iterator[list[Path]]:
    """Yield paths held by this process: an abandoned claim first, else the oldest of incoming/."""
    folder, descriptor = _take_abandoned() or _make_claim()
    try:
        paths = _files(folder)
        if not paths:
            paths = _move_in(folder, size)
        yield paths
    finally:
        try:
            folder.rmdir()
        except OSError:
            pass  # What was not finished stays claimed until the lock below is gone.
        os.close(descriptor)


def _take_abandoned() -> tuple[Path, int] | None:
    for entry in sorted(layout.claims_folder().iterdir()):
        locked = _lock(entry)
        if locked is None:
            continue
        if _files(entry):
            return entry, locked
        try:
            entry.rmdir()
        except OSError:
            pass
        os.close(locked)
    return None


def _make_claim() -> tuple[Path, int]:
    while True:
        folder = layout.claims_folder() / secrets.token_hex(12)
        folder.mkdir()
        locked = _lock(folder)
        if locked is not None:
            return folder, locked


def _lock(folder: Path) -> int | None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    if not folder.exists():  # Removed by its owner between opening and locking.
        os.close(descriptor)
        return None
    return descriptor


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _move_in(folder: Path, size: int) -> list[Path]:
    with os.scandir(layout.incoming_folder()) as entries:
        names = sorted(entry.name for entry in entries)[:size]
    taken = []
    for name in names:
        try:
            (layout.incoming_folder() / name).rename(folder / name)
        except FileNotFoundError:
            continue
        taken.append(folder / name)
    return taken
