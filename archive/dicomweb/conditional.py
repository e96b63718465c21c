"""What a client has already, and which part of it is asked for (RFC 9110 8.8, 13, 14): ETag, 304, ranges, gzip."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from isal import igzip

from archive.dicomweb.errors import RangeNotSatisfiable

GZIP_FROM: Final = 1024
"""Bytes of text from which on it is compressed, where the client takes that."""
GZIP_LEVEL: Final = 1
_SPAN: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)
_CODING: Final = re.compile(r"\s*(gzip|x-gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]{1,5}))?\s*", re.ASCII | re.IGNORECASE)

Reader = Callable[[int, int], Iterable[bytes]]
"""Blocks of a representation: from the byte counted from 0, so many."""


def not_modified(request: HttpRequest, etag: str) -> bool:
    """Whether the client has it already (RFC 9110 13.1.2, weak comparison)."""
    known = [part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(",")]
    return etag.removeprefix("W/") in known or known == ["*"]


def unchanged(etag: str) -> HttpResponse:
    """304: what the client has is good."""
    return HttpResponse(status=304, headers={"ETag": etag})


def weak(etag: str) -> str:
    """For an answer that means the same with other bytes: a multipart body has a new boundary each time."""
    return f"W/{etag}"


def accepts_gzip(request: HttpRequest) -> bool:
    """Whether a compressed answer is acceptable (RFC 9110 12.5.3): named, or by ``*``, and not with a weight of 0."""
    weights: dict[str, bool] = {}
    for part in request.headers.get("Accept-Encoding", "").split(","):
        found = _CODING.fullmatch(part)
        if found:
            weights[found[1].lower()] = bool((found[2] or "1").strip("0."))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))


def text_response(request: HttpRequest, content: bytes, content_type: str, status: int = 200) -> HttpResponse:
    """Text, compressed where it is worth it and the client takes it."""
    response = HttpResponse(content, status=status, content_type=content_type)
    response["Vary"] = "Accept, Accept-Encoding"
    if len(content) >= GZIP_FROM and accepts_gzip(request):
        response.content = igzip.compress(content, GZIP_LEVEL)
        response["Content-Encoding"] = "gzip"
    return response


def span_of(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """First byte and number of bytes that are asked for; None for all of it.

    Several ranges, other units and what is no range are ignored, as RFC 9110 14.2 allows; so is a range of
    something else than what is there now (``If-Range``, strong comparison).

    Raises
    ------
    RangeNotSatisfiable
        The range begins behind the end.
    """
    asked = request.headers.get("Range", "")
    found = _SPAN.fullmatch(asked)
    condition = request.headers.get("If-Range")
    if request.method != "GET" or found is None or not (found[1] or found[2]) or condition not in (None, etag):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        first = size - length
    else:
        first = int(found[1])
        last = min(int(found[2]), size - 1) if found[2] else size - 1
        if found[2] and int(found[2]) < first:
            return None
        length = last - first + 1
    if length <= 0:
        raise RangeNotSatisfiable(size)
    return first, length


def single_part(
    request: HttpRequest, content: bytes | Reader, *, size: int, content_type: str, etag: str
) -> HttpResponseBase:
    """One representation whose size is known: all of it (200), or the range that is asked for (206)."""
    span = span_of(request, size, etag)
    first, length = span or (0, size)
    response: HttpResponseBase
    if isinstance(content, bytes):
        response = HttpResponse(content[first : first + length], content_type=content_type)
    else:
        response = StreamingHttpResponse(content(first, length), content_type=content_type)
    if span is not None:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    return response
