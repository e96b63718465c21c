"""Durable writing: a name appears only with its bytes on disk, and never replaces another."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from archive.errors import OutOfSpace, StorageFailed

_FULL = {errno.ENOSPC, errno.EDQUOT}


def refusal(error: OSError) -> OutOfSpace | StorageFailed:
    """Say in the archive's words why bytes could not be kept."""
    if error.errno in _FULL:
        return OutOfSpace("The archive's disk is full; the image was not taken. Send it again when there is room.")
    return StorageFailed("The image could not be made durable on the archive's disk; it was not taken.")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(folders: Iterable[Path]) -> None:
    for folder in sorted(set(folders)):
        sync_folder(folder)


def make_durable_folder(folder: Path) -> None:
    """Create a folder and make its name, and those of its new parents, durable."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        sync_folder(new.parent)


def publish_unnamed(descriptor: int, target: Path) -> None:
    """Give an unnamed, already synced file (O_TMPFILE) its name; FileExistsError where the name is taken."""
    folder = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.link(str(descriptor), target, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def link_once(source: Path, target: Path) -> bool:
    """Give a file a second name; False where the very same file, or one of equal bytes, has it already.

    Raises
    ------
    FileExistsError
        Another file has the name.
    """
    make_durable_folder(target.parent)
    try:
        os.link(source, target)
    except FileExistsError:
        if not (target.samefile(source) or _equal_bytes(source, target)):
            raise
        return False
    return True


def _equal_bytes(one: Path, other: Path) -> bool:
    with one.open("rb") as first, other.open("rb") as second:
        while True:
            block = first.read(1 << 20)
            if block != second.read(1 << 20):
                return False
            if not block:
                return True
