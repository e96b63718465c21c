"""Answers of DICOMweb: data sets as JSON or XML, multipart bodies, refusals (PS3.18 8.6, 8.7)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, Final

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from archive.dicom.accept import MediaRange, accept_header, best
from archive.dicom.native_model import Model, to_xml
from archive.dicomweb.conditional import text_response
from archive.dicomweb.errors import NotAcceptable, RangeNotSatisfiable
from archive.dicomweb.statuses import http_status_of
from archive.errors import ArchiveError

JSON: Final = "application/dicom+json"
PLAIN_JSON: Final = "application/json"
XML: Final = "application/dicom+xml"
DATA_SETS: Final = (JSON, PLAIN_JSON, XML)
RETRY_AFTER_S: Final = "30"
GATHERED: Final = 1 << 18
"""Bytes from which on a piece of a body is sent."""

View = Callable[..., HttpResponseBase]


def ranges_of(request: HttpRequest) -> tuple[MediaRange, ...]:
    """What the client accepts; the ``accept`` query parameter replaces the header (PS3.18 8.3.3.1)."""
    return accept_header(request.GET.get("accept", request.META.get("HTTP_ACCEPT", "")))


def by_preference(request: HttpRequest) -> list[MediaRange]:
    """What the client accepts, what it likes best first."""
    return sorted((one for one in ranges_of(request) if one.weight > 0), key=lambda one: -one.weight)


def chosen(request: HttpRequest, offers: tuple[str, ...]) -> str:
    """The offered media type that suits the client best.

    Raises
    ------
    NotAcceptable
        None of them; the message lists what is offered.
    """
    found = best(offers, ranges_of(request))
    if found is None:
        raise NotAcceptable(f"The answer is given as {', '.join(offers)}.")
    return found[0]


def answers_errors(view: View) -> View:
    """Turn refusals of the archive into answers in words; no traceback, no path."""

    @wraps(view)
    def answering(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        try:
            return view(request, *arguments, **named)
        except ArchiveError as error:
            response = refusal(str(error), http_status_of(error))
            if isinstance(error, RangeNotSatisfiable):
                response["Content-Range"] = f"bytes */{error.size}"
            return response
        except (DatabaseError, InterfaceError):
            return refusal("The archive's database does not answer; please try again.", 503)

    return answering


def refusal(words: str, status: int) -> HttpResponse:
    """A refusal in words."""
    response = JsonResponse({"error": words}, status=status)
    if status == 503:
        response["Retry-After"] = RETRY_AFTER_S
    return response


def data_sets(request: HttpRequest, models: Iterable[Model], *, status: int = 200) -> HttpResponseBase:
    """Data sets in the form that the client prefers: a JSON array, or a multipart body of XML documents."""
    kind = chosen(request, DATA_SETS)
    if kind == XML:
        return multipart(((XML, {}, [to_xml(model)]) for model in models), kind=XML, status=status)
    return text_response(request, json.dumps(list(models)).encode(), kind, status)


Part = tuple[str, dict[str, str], Iterable[bytes]]
"""Media type, further headers, and blocks of content."""


def multipart(parts: Iterable[Part], *, kind: str, status: int = 200) -> StreamingHttpResponse:
    """A multipart/related body, streamed part by part (RFC 2387)."""
    boundary = secrets.token_hex(16)
    response = StreamingHttpResponse(gathered(_blocks(parts, boundary)), status=status)
    response["Content-Type"] = f'multipart/related; type="{kind}"; boundary={boundary}'
    return response


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces: each passes from one thread of the server to another.

    >>> [len(piece) for piece in gathered([b"head", b"x" * GATHERED, b"tail"])]
    [262148, 4]
    """
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= GATHERED:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _blocks(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    start = f"--{boundary}\r\n"
    for kind, headers, content in parts:
        lines = "".join(f"{name}: {value}\r\n" for name, value in {"Content-Type": kind, **headers}.items())
        yield f"{start}{lines}\r\n".encode()
        yield from content
        start = f"\r\n--{boundary}\r\n"
    yield (f"\r\n--{boundary}--\r\n" if start.startswith("\r\n") else f"--{boundary}--\r\n").encode()
