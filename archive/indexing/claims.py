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
MOST_CRASHES = 5
"""Processes that may die over one claim before its files are taken one at a time."""
TRYING = ".trying"
POISON = ".poison"
"""Suffix of a file over which alone a process died: it is not read again, but held back."""


@contextmanager
def claimed_batch(size: int = BATCH) -> Iterator[list[Path]]:
    """Yield paths held by this process: an abandoned claim first, else the oldest of incoming/.

    Of a claim over which processes keep dying, one file; it bears ``POISON`` where that one did it.
    """
    folder, descriptor = _take_abandoned() or _make_claim()
    try:
        paths = _files(folder)
        if not paths:
            paths = _move_in(folder, size)
        elif _crashes(folder) > MOST_CRASHES:
            paths = [_one_alone(paths)]
        yield paths
    except BaseException:
        # The process lives: nothing here has killed it, and what failed may succeed the next time.
        folder = _absolve(folder)
        raise
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
            return _named_after(entry, _crashes(entry) + 1), locked
        try:
            entry.rmdir()
        except OSError:
            pass
        os.close(locked)
    return None


def _crashes(folder: Path) -> int:
    """Processes that have died over a claim; its folder is named for it."""
    number = folder.name.partition(".")[2]
    return int(number) if number.isdigit() else 0


def _named_after(folder: Path, crashes: int) -> Path:
    return folder.rename(folder.with_name(f"{folder.name.partition('.')[0]}.{crashes}"))


def _one_alone(paths: list[Path]) -> Path:
    """Mark the file that is tried alone; the one that was being tried when the last process died is poison."""
    for path in paths:
        if path.suffix == POISON:
            return path
        if path.suffix == TRYING:
            return path.rename(path.with_suffix(POISON))
    return paths[0].rename(paths[0].with_name(paths[0].name + TRYING))


def _absolve(folder: Path) -> Path:
    for path in _files(folder):
        if path.suffix == TRYING:
            path.rename(path.with_suffix(""))
    return _named_after(folder, 0)


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
