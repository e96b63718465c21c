"""Answers of PS3.18 that rendered resources and WADO-URI share: single part, multipart, not modified, refused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase

from archive.access.roles import user_of
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.errors import ArchiveError, FrameMissing
from archive.models import Study
from pacs_portal.middleware import client_address
from viewer.errors import InvalidParameter, NotAcceptable, ViewerError
from viewer.rendering.media_types import HTML, PLAIN
from viewer.stacks.lookup import forget_kept
from viewer.stacks.presentation_states import forget_states
from viewer.tiles.representations import Choice
from viewer.tiles.sessions import KeptForSeconds
from viewer.tiles.statuses import status_of

logger = logging.getLogger(__name__)

VIEWING_S = 900.0
"""Accesses of one person to one study within this time are one event of the audit trail in each process."""
_viewings = KeptForSeconds(VIEWING_S)

Maker = Callable[[Choice], bytes | Iterator[bytes]]


def answered(answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Run a view; a refusal becomes its status with a report in words."""
    try:
        try:
            return answer()
        except FrameMissing:
            # The file may have been recompressed or mended since its place was looked up.
            forget_kept()
            forget_states()
            return answer()
    except NotAcceptable as error:
        return JsonResponse({"error": str(error), "offered": error.offered}, status=status_of(error))
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    except OSError:
        logger.exception("a rendered resource could not be read")
        return JsonResponse({"error": "The file of this image cannot be read; an alarm has been raised."}, status=404)


def single_values(query: QueryDict) -> dict[str, str]:
    """Query parameters as plain text, each given once."""
    found = {}
    for name, values in query.lists():
        if len(values) != 1:
            raise InvalidParameter(str(name)[:40], ", ".join(values), "the parameter once, lists with commas")
        found[str(name)] = str(values[0])
    return found


def unchanged(tag: str) -> HttpResponseBase:
    return with_headers(HttpResponse(status=304), tag=tag, ignored=())


def single_part(choice: Choice, body: bytes | Iterator[bytes], *, location: str = "") -> HttpResponseBase:
    """One representation (8.6.1.1), and the address that it has by itself, if any."""
    media_type = _content_type(choice)
    response: HttpResponseBase
    if isinstance(body, bytes):
        response = HttpResponse(body, content_type=media_type)
        response["Content-Length"] = str(len(body))
    else:
        response = StreamingHttpResponse(body, content_type=media_type)
    if location:
        response["Content-Location"] = location
    return response


def multipart(choices: Sequence[Choice], make: Maker, *, tag: str, last_word: str) -> StreamingHttpResponse:
    """Several representations, each with its Content-Location, made one after the other (8.6.1.2)."""
    # Made from the ETag, so that equal tags mean equal bytes.
    boundary = f"part-{tag.strip(chr(34))}"
    first = choices[0][1].media_type
    return StreamingHttpResponse(
        _parts(choices, make, boundary, last_word),
        content_type=f'multipart/related; type="{first}"; boundary="{boundary}"',
    )


def _parts(choices: Sequence[Choice], make: Maker, boundary: str, last_word: str) -> Iterator[bytes]:
    for choice in choices:
        media_type, body = _made(choice, make)
        location = f"{base_url()}{choice[0].path}/{last_word}"
        head = f"--{boundary}\r\nContent-Type: {media_type}\r\nContent-Location: {location}\r\n"
        yield f"{head}Content-Length: {len(body)}\r\n\r\n".encode("ascii") + body + b"\r\n"
    yield f"--{boundary}--\r\n".encode("ascii")


def _made(choice: Choice, make: Maker) -> tuple[str, bytes]:
    """A part; a status report in its place where it cannot be made, as the headers have gone out by then."""
    try:
        body = make(choice)
        return _content_type(choice), body if isinstance(body, bytes) else b"".join(body)
    except (ViewerError, ArchiveError, OSError) as error:
        words = "The file of this image cannot be read." if isinstance(error, OSError) else str(error)
        logger.warning("a part could not be made: %s", words)
        return f"{PLAIN}; charset=utf-8", words.encode()


def _content_type(choice: Choice) -> str:
    media_type = choice[1].media_type
    return f"{media_type}; charset=utf-8" if media_type in (HTML, PLAIN) else media_type


def base_url() -> str:
    """Of the DICOMweb service, as the world calls it."""
    return f"{settings.PORTAL_PUBLIC_URL}/dicom-web"


def with_headers(response: HttpResponseBase, *, tag: str, ignored: Sequence[str]) -> HttpResponseBase:
    """Validators, caching and warnings. A kept answer is used again only after rights were asked anew."""
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Accept, Authorization, Cookie"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    if ignored:
        # 8.3.5.1.1; RFC 7234 5.5 wants the sentence quoted.
        response["Warning"] = ", ".join(f'299 {base_url()} "{sentence}"' for sentence in ignored)
    return response


def note_access(request: HttpRequest, study: Study) -> None:
    """DICOM Instances Accessed (PS3.15 A.5.3.6), once for each person, study and viewing."""
    user = user_of(request)
    key = (user.pk, study.pk)
    if _viewings.get(key):
        return
    _viewings.put(key, True)
    record_event(
        Event.INSTANCES_ACCESSED,
        user=user,
        address=client_address(request),
        study_instance_uid=study.study_instance_uid,
        subject="rendered",
    )
