"""Bytes of a data set, read forwards: as they lie in a file, or inflated within limits (PS3.5 A.5)."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO, Final, Protocol

from archive.dicom.header import DEFAULT_LIMITS, HeaderLimits
from archive.errors import CannotUnderstand

READ_BYTES: Final = 1 << 16
"""Bytes read at once; holds the whole header of most images."""


def inflate(file: BinaryIO, *, start: int, size: int, limits: HeaderLimits = DEFAULT_LIMITS) -> bytes:
    """Return the first ``size`` bytes of a deflated data set (PS3.5 A.5), inflated within the limits.

    Raises
    ------
    CannotUnderstand
        It is damaged, shorter, or beyond a limit.
    """
    source = Inflating(file, start, limits)
    if size and not source.reaches(size, keep_from=0):
        raise CannotUnderstand("The deflated data set is cut short.")
    return source.buffer[:size]


class Source(Protocol):
    """Bytes of a data set, read forwards; ``buffer`` holds those from ``base`` on."""

    buffer: bytes
    base: int
    first: int
    """Position of the data set's first byte."""
    size: int | None
    """Position after the last byte, None where it is not known beforehand."""

    def load(self, position: int, count: int, read_bytes: int) -> bool:
        """Let the buffer hold ``count`` bytes from ``position``; False where the data set ends before."""

    def reaches(self, position: int) -> bool:
        """Whether the data set has the bytes before ``position``; the buffer may move on to there."""


class Stored:
    """A data set as it lies in the file."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self.size: int | None = file.seek(0, io.SEEK_END)
        self.first = self.base = start
        self.buffer = b""

    def load(self, position: int, count: int, read_bytes: int) -> bool:
        self._file.seek(position)
        wanted = max(count, read_bytes)
        parts = []
        while wanted > 0 and (part := self._file.read(wanted)):
            parts.append(part)
            wanted -= len(part)
        self.buffer = parts[0] if len(parts) == 1 else b"".join(parts)
        self.base = position
        return len(self.buffer) >= count

    def reaches(self, position: int) -> bool:
        return self.size is not None and position <= self.size


class Inflating:
    """A deflated data set, inflated piece by piece within limits."""

    def __init__(self, file: BinaryIO, start: int, limits: HeaderLimits) -> None:
        deflated = file.seek(0, io.SEEK_END) - start
        file.seek(start)
        self._file = file
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._limit = min(limits.inflated_bytes, max(limits.inflate_free_bytes, limits.inflate_ratio * deflated))
        self.size: int | None = None
        self.first = self.base = 0
        self.buffer = b""

    def load(self, position: int, count: int, read_bytes: int) -> bool:
        return self.reaches(position + count, keep_from=position)

    def reaches(self, position: int, keep_from: int | None = None) -> bool:
        """Inflate up to ``position``; what is before ``keep_from``, by default before the last piece, is forgotten."""
        end = self.base + len(self.buffer)
        if keep_from is None:
            keep_from = position
        pieces = [self.buffer] if end > keep_from else []
        while end < position:
            piece = self._next_piece()
            if not piece:
                break
            end += len(piece)
            if end > self._limit:
                raise CannotUnderstand(f"The deflated data set grows beyond {self._limit} bytes, which is the limit.")
            if end > keep_from:
                pieces.append(piece)
        self.buffer = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.base = end - len(self.buffer)
        return end >= position

    def _next_piece(self) -> bytes:
        try:
            while not self._stream.eof:
                data = self._stream.unconsumed_tail or self._file.read(READ_BYTES)
                piece = self._stream.decompress(data, READ_BYTES)
                if piece:
                    return piece
                if not data:
                    raise CannotUnderstand("The deflated data set is cut short.")
        except zlib.error:
            raise CannotUnderstand("The data set is damaged: it cannot be inflated.") from None
        return b""
