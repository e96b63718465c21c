"""``/tiles/…`` and rendered pictures: the addresses asked most, answered before the rest of the middleware.

The order is fixed: who is it, may they, does it exist, is it cached, draw it. Rights
come before any cache; a decision is kept for five seconds at most.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from archive.access.rules import may_have_values
from archive.errors import ArchiveError, FrameMissing
from archive.metrics import count_tile
from archive.models import Series
from pacs_portal.middleware import is_idle
from viewer.errors import InvalidParameter, ViewerError
from viewer.rendering.parameters import parse_parameters
from viewer.stack_converter import STACK
from viewer.stacks.lookup import forget_kept, series_of_stack, stack_at
from viewer.stacks.presentation_states import forget_states
from viewer.tiles import wado_rendered
from viewer.tiles.drawing import PlannedTile, TileAddress, draw_tile, plan_tile
from viewer.tiles.sessions import Viewing, may_see, series_kept, viewing_of
from viewer.tiles.statuses import status_of

logger = logging.getLogger(__name__)

RENDERED = re.compile(
    r"/dicom-web/studies/(?P<study_instance_uid>[0-9.]{1,70})/series/(?P<series_instance_uid>[0-9.]{1,70})"
    r"/instances/(?P<sop_instance_uid>[0-9.]{1,70})(?:/frames/(?P<frames>[^/]+))?/(?P<word>rendered|thumbnail)"
)
PATH = re.compile(rf"/tiles/({STACK})/" r"(\d{1,7})/(\d{1,2})/(\d{1,4})/(\d{1,4})\.png")
CACHED_FOR_S = 6 * 3600
VIEWS = {"rendered": wado_rendered.rendered, "thumbnail": wado_rendered.thumbnail}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class TileMiddleware:
    """Answers tiles and pictures of instances; passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/tiles/"):
            response: HttpResponseBase | None = answer(request)
        else:
            response = answer_rendered(request) if request.path_info.startswith("/dicom-web/") else None
        if response is None:
            return self.get_response(request)
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def answer(request: HttpRequest) -> HttpResponse:
    """One tile, or why there is none."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    try:
        viewing = viewing_of(session_cookie(request))
        if viewing is None or is_idle(viewing.seen_at):
            return JsonResponse(
                {"error": "Please sign in."}, status=401, headers={"WWW-Authenticate": 'Session realm="portal"'}
            )
        return tile(request, viewing)
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    except DatabaseError as error:
        return without_database(error)


def without_database(error: DatabaseError) -> HttpResponse:
    logger.error("no picture without the database: %s", error)
    return JsonResponse(
        {"error": "The database does not answer; please try again."}, status=503, headers={"Retry-After": "5"}
    )


def answer_rendered(request: HttpRequest) -> HttpResponseBase | None:
    """A rendered instance or frame for a person who is signed in; None where the rest of the middleware is needed.

    A token and nobody signed in go the long way.
    """
    found = RENDERED.fullmatch(request.path_info)
    if found is None or request.method not in {"GET", "HEAD"} or "HTTP_AUTHORIZATION" in request.META:
        return None
    try:
        viewing = viewing_of(session_cookie(request))
        if viewing is None or is_idle(viewing.seen_at):
            return None
        request.user = viewing.user
        resource = found.groupdict()
        return VIEWS[resource.pop("word")](request, **resource)
    except DatabaseError as error:
        return without_database(error)


def session_cookie(request: HttpRequest) -> str | None:
    """The session's cookie, read without the request's full cookie jar."""
    # Of two cookies of one name the last counts, as everywhere else in Django.
    for part in reversed(request.META.get("HTTP_COOKIE", "").split(";")):
        name, _, value = part.strip().partition("=")
        if name == settings.SESSION_COOKIE_NAME:
            return str(value)
    return None


def tile(request: HttpRequest, viewing: Viewing) -> HttpResponse:
    """Authorise, then draw."""
    found = PATH.fullmatch(request.path_info)
    if found is None:
        return JsonResponse({"error": "There is no such tile."}, status=404)
    query = {name: str(value) for name, value in request.GET.items()}
    key, revision = query.pop("k", ""), read_revision(query.pop("rev", ""))
    series = kept_series(found[1], revision)
    if not may_see(viewing.user, series.study_id):
        return JsonResponse({"error": "There is no such stack."}, status=404)
    parameters = parse_parameters(query)
    if parameters.values and not may_have_values(viewing.user):
        return JsonResponse({"error": "There is no such tile."}, status=404)
    address = TileAddress(frame=int(found[2]), level=int(found[3]), row=int(found[4]), column=int(found[5]))
    started = time.perf_counter()

    def plan() -> PlannedTile:
        return plan_tile(*stack_at(found[1], revision=revision, series=series), address, parameters)

    planned = plan()
    is_addressed = key == viewing.tile_key and revision is not None
    etag = planned.etag
    headers = {"ETag": etag}
    if is_addressed:
        headers["Cache-Control"] = f"private, max-age={CACHED_FOR_S}, immutable"
    if request.META.get("HTTP_IF_NONE_MATCH") == etag:
        count_tile("browser")
        return HttpResponse(status=304, headers=headers)
    is_kept = planned.is_kept
    try:
        picture = draw_tile(planned)
    except FrameMissing:
        # The file may have been recompressed or mended since its place was looked up.
        forget_kept()
        forget_states()
        picture = draw_tile(plan())
    took_ms = (time.perf_counter() - started) * 1000
    count_tile("memory" if is_kept else "drawn")
    headers["Server-Timing"] = f"{'kept' if is_kept else 'drawn'};dur={took_ms:.2f}"
    return HttpResponse(picture, content_type="image/png", headers=headers)


def kept_series(stack_id: str, revision: int | None) -> Series:
    """The series of a stack, looked up every five seconds; at once where a newer revision is asked for."""
    series = series_kept.get(stack_id)
    if series is None or (revision is not None and revision > series.study.revision):
        series = series_of_stack(stack_id)
        series_kept.put(stack_id, series)
    return cast("Series", series)


def read_revision(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidParameter("rev", text, "the study's revision as the manifest gives it")
    return int(text)
