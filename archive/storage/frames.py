"""One frame of a stored instance by one positioned read, without parsing its header."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_file_meta
from archive.errors import FrameMissing
from archive.pixels.frames import FrameIndex, read_frame
from archive.storage import layout

OPEN_FILES = 64
"""Files that a process keeps open; a stack is usually scrolled, so the same multi-frame is asked again."""
GONE = "The file of this image is missing from the archive's disk; an alarm has been raised."


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
                raise FrameMissing(GONE) from None
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


BLOCK = 1 << 18
HEAD = 1 << 10


@dataclass(frozen=True, slots=True)
class StoredStream:
    """Video: one code stream for all frames, passed on as it lies in the file."""

    path: Path
    pieces: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        return sum(length for _, length in self.pieces)

    def head(self) -> bytes:
        """The first bytes, which tell the container."""
        offset, length = self.pieces[0]
        with opened(self.path) as file:
            file.seek(offset)
            return file.read(min(HEAD, length))

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bytes ``start`` up to ``stop`` of it, all of them at first, a block at a time."""
        stop, begin = self.size if stop is None else stop, 0
        with opened(self.path) as file:
            for offset, length in self.pieces:
                first, last = max(start, begin), min(stop, begin + length)
                file.seek(offset + first - begin)
                while first < last and (block := file.read(min(BLOCK, last - first))):
                    first += len(block)
                    yield block
                begin += length


def stored_stream(key: str) -> StoredStream:
    """The code stream of a stored video, found by its header.

    Raises
    ------
    FrameMissing
        The file is gone, or holds no stream.
    CannotUnderstand
        Its header cannot be read.
    """
    path = layout.path_of(key)
    with opened(path) as file:
        meta = read_file_meta(file)
        header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
    location = header.pixel_data
    # PS3.5 A.4: the first item is the basic offset table.
    pieces = tuple(location.fragments)[1:] if location is not None and location.is_encapsulated else ()
    if not any(length for _, length in pieces) or header.deflated:
        raise FrameMissing("The object holds no video stream.")
    return StoredStream(path, pieces)


def opened(path: Path) -> BinaryIO:
    """A stored file, open for reading; ``FrameMissing`` where it is gone."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise FrameMissing(GONE) from None
