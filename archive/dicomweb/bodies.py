"""The body of a request as a stream: announced by its size, or in chunks to the end (RFC 9112 7.1)."""

from __future__ import annotations

from django.http import HttpRequest

from archive.dicomweb.errors import BodyTooLarge, LengthRequired
from archive.dicomweb.multipart import Readable
from archive.receiving.upload import BLOCK, WholeStream, largest_upload, too_large_words


def body_of(request: HttpRequest) -> Readable:
    """The body, to be read once.

    Raises
    ------
    LengthRequired
        Neither is its size announced, nor does the web server tell where chunks end.
    BodyTooLarge
        It is announced to be larger than the site takes. What comes in chunks is refused when it has grown so large.
    """
    size = request.META.get("CONTENT_LENGTH") or ""
    if size.isdigit():
        if int(size) > largest_upload():
            raise BodyTooLarge(too_large_words())
        return WholeStream(request, int(size))
    is_chunked = request.META.get("HTTP_TRANSFER_ENCODING", "").strip().lower() == "chunked"
    if not (is_chunked and request.META.get("wsgi.input_terminated")):
        raise LengthRequired("The size of the body must be announced (Content-Length), or it must come in chunks.")
    # Django reads no more than is announced: the server's own stream knows where the chunks end.
    return ChunkedStream(request.META["wsgi.input"], largest_upload())


class ChunkedStream:
    """Reads to the end, and no further than the site takes."""

    def __init__(self, stream: Readable, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes; fewer only at the end.

        Raises
        ------
        BodyTooLarge
        """
        parts: list[bytes] = []
        wanted = size
        while wanted:
            part = self._stream.read(BLOCK if size < 0 else min(wanted, BLOCK))
            if not part:
                break
            self._left -= len(part)
            if self._left < 0:
                raise BodyTooLarge(too_large_words())
            parts.append(part)
            if size >= 0:
                wanted -= len(part)
        return b"".join(parts)
