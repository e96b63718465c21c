"""One frame of a stored instance by one positioned read, without parsing its header."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path

from archive.errors import FrameMissing
from archive.pixels.frames import FrameIndex, read_frame
from archive.storage import layout

OPEN_FILES = 64
"""Files that a process keeps open; a stack is usually scrolled, so the same multi-frame is asked again."""


class OpenFiles:
    """A small cache of open descriptors. Stored files never change under their key, so a kept one is always right."""

    def __init__(self, size: int = OPEN_FILES) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, int] = OrderedDict()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()

    def read(self, path: Path, index: FrameIndex, frame_number: int) -> bytes:
        with self._lock:
            descriptor = self._open.pop(path, -1)
        if descriptor < 0:
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise FrameMissing(
                    "The file of this image is missing from the archive's disk; an alarm has been raised."
                ) from None
        try:
            return read_frame(descriptor, index, frame_number)
        finally:
            self._keep(path, descriptor)

    def _keep(self, path: Path, descriptor: int) -> None:
        with self._lock:
            closing = self._open.pop(path, -1)
            self._open[path] = descriptor
            surplus = [self._open.popitem(last=False)[1] for _ in range(len(self._open) - self._size)]
        for old in (closing, *surplus):
            if old >= 0:
                os.close(old)


_files = OpenFiles()


def read_stored_frame(key: str, index: FrameIndex, frame_number: int) -> bytes:
    """Encoded bytes of one frame, counted from 1.

    Raises
    ------
    FrameMissing
        There is no such frame, or its file is gone or cut short.
    """
    return _files.read(layout.path_of(key), index, frame_number)
