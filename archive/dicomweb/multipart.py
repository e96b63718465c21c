"""Parts of a multipart/related request one after the other, each a stream (RFC 2387, PS3.18 8.6.1.2)."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from email.message import Message
from typing import Final, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from archive.dicomweb.errors import BadRequest

BLOCK: Final = 1 << 18
LARGEST_HEADER: Final = 4096


class Readable(Protocol):
    """What a request body is."""

    def read(self, size: int = -1, /) -> bytes: ...


def media_type(text: str) -> tuple[str, dict[str, str]]:
    """Type and parameters of a Content-Type value, names in small letters.

    >>> media_type('Multipart/Related; type="application/dicom"; boundary=x')
    ('multipart/related', {'type': 'application/dicom', 'boundary': 'x'})
    """
    message = Message()
    message["Content-Type"] = text
    pairs = message.get_params(failobj=[], unquote=True)
    return message.get_content_type() if "/" in text else "", {name.lower(): value for name, value in pairs[1:]}


class Part(io.RawIOBase):
    """One part: its headers, and its bytes as a stream that ends with the part."""

    def __init__(self, body: MultipartBody) -> None:
        self.headers: dict[str, str] = {}
        self._body = body
        self._blocks: deque[bytes] = deque()
        self.is_whole = False

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes; fewer only at the end of the part."""
        parts, wanted = [], size if size >= 0 else 1 << 62
        while wanted and (self._blocks or self._body.fill(self)):
            block = self._blocks.popleft()
            if len(block) > wanted:
                self._blocks.appendleft(block[wanted:])
                block = block[:wanted]
            parts.append(block)
            wanted -= len(block)
        return b"".join(parts)

    def add(self, block: bytes) -> None:
        """Take bytes that the body has parsed."""
        self._blocks.append(block)

    @property
    def has_blocks(self) -> bool:
        return bool(self._blocks)


class MultipartBody:
    """Iterate over the parts; what was not read of one is skipped before the next.

    Raises
    ------
    BadRequest
        No boundary, a damaged structure, or the sender went away in the middle.
    """

    def __init__(self, stream: Readable, boundary: str) -> None:
        if not boundary:
            raise BadRequest("The multipart body's boundary is not in its Content-Type.")
        self._stream = stream
        self._started: deque[Part] = deque()
        self._part: Part | None = None
        self._name = self._value = b""
        self._is_over = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._part_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
                max_header_count=16,
                max_header_size=LARGEST_HEADER,
            )
        except FormParserError as error:
            raise BadRequest("The multipart body's boundary is too long.") from error

    def __iter__(self) -> Iterator[Part]:
        while True:
            while not self._started and self._parse_more():
                pass
            if not self._started:
                return
            part = self._started.popleft()
            yield part
            while part.read(BLOCK):
                pass

    def fill(self, part: Part) -> bool:
        """Parse until the part has bytes; False at its end."""
        while not part.has_blocks and not part.is_whole:
            self._parse_more()
        return part.has_blocks

    def _parse_more(self) -> bool:
        if self._is_over:
            return False
        try:
            block = self._stream.read(BLOCK)
        except OSError as error:
            raise BadRequest("The request did not come whole.") from error
        if not block:
            raise BadRequest("The multipart body ends before its last boundary.")
        try:
            self._parser.write(block)
        except FormParserError as error:
            raise BadRequest("The multipart body is damaged.") from error
        return True

    def _begin_part(self) -> None:
        self._part = Part(self)

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._part is not None:
            name = self._name.decode("latin-1").strip().lower()
            self._part.headers[name] = self._value.decode("latin-1").strip()
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        if self._part is not None:
            self._started.append(self._part)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part is not None:
            self._part.add(data[start:end])

    def _end_part(self) -> None:
        if self._part is not None:
            self._part.is_whole = True

    def _end(self) -> None:
        self._is_over = True
