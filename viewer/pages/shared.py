"""``/s/…``: what the holder of a link sees. No account, no session: a secret in the address, then one in a cookie.

A link that is unknown, over, revoked or used up is answered by one and the same page.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.entities import Visitor
from archive.access.rules import may_have_values
from archive.errors import ArchiveError
from archive.models import Study
from pacs_portal.middleware import client_address
from viewer.errors import ViewerError
from viewer.models import ShareLink, ShareOpening
from viewer.pages.shared_cookie import COOKIE, give_cookie
from viewer.pages.study import viewer_modules, window_presets
from viewer.rendering.color_maps import MAP_NAMES
from viewer.rendering.parameters import parse_parameters
from viewer.sharing import contents
from viewer.sharing.errors import LinkEnded
from viewer.sharing.links import find_link, open_link, opening_of
from viewer.tiles.drawing import TileAddress, draw_tile, frame_of, plan_tile
from viewer.tiles.statuses import status_of

ENDED_WORDS = "This link does not open anything. It may be over, or it was taken back. Ask who sent it to you."
View = Callable[..., HttpResponse]


def private(response: HttpResponse) -> HttpResponse:
    """Nothing of a shared page is kept, and its address goes nowhere."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def ended(request: HttpRequest, *, clears: bool = False) -> HttpResponse:
    """The one answer for a link that opens nothing."""
    if request.headers.get("Accept", "").startswith("text/html") or not clears:
        response = render(request, "shared/ended.html", {"words": ENDED_WORDS}, status=404)
    else:
        response = JsonResponse({"error": ENDED_WORDS, "ended": True}, status=404)
    if clears:
        response["Clear-Site-Data"] = '"cache"'
    # Django would write the address, and so the secret, into the log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return private(response)


@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, secret: str) -> HttpResponse:
    """Say what the link is for; only the button opens it, so that a mail scanner uses no view up."""
    try:
        link = find_link(secret)
        if request.method != "POST":
            return private(render(request, "shared/landing.html", _about(link)))
        opened = open_link(
            link,
            passcode=request.POST.get("passcode", ""),
            address=client_address(request),
            browser=request.headers.get("User-Agent", ""),
        )
    except LinkEnded:
        return ended(request)
    if opened is None:
        context = _about(link) | {"problem": "This is not the passcode."}
        return private(render(request, "shared/landing.html", context, status=200))
    cookie, opening = opened
    response = redirect("shared-viewer", opening.pk)
    give_cookie(request, response, opening, cookie)
    return private(response)


def _about(link: ShareLink) -> dict[str, Any]:
    return {"recipient": link.recipient, "asks_passcode": bool(link.passcode), "sharer": link.maker.get_full_name()}


def with_opening(view: View) -> View:
    """Find the opening that the cookie belongs to, anew for every request; refusals become the one answer."""

    @wraps(view)
    def found(request: HttpRequest, opening_id: UUID, **values: Any) -> HttpResponse:
        try:
            opening = opening_of(opening_id, request.COOKIES.get(COOKIE, ""))
            return private(view(request, opening, **values))
        except LinkEnded:
            return ended(request, clears=True)
        except (ViewerError, ArchiveError) as error:
            return private(JsonResponse({"error": str(error)}, status=status_of(error)))

    return found


@require_safe
@with_opening
def viewer_page(request: HttpRequest, opening: ShareOpening) -> HttpResponse:
    """The viewer, with what a visitor may do in it."""
    from viewer.pages.cases import stepping_without_names

    link, root = opening.link, contents.root_of(opening)
    stepping = stepping_without_names(request, opening)
    manifest = contents.study_manifest_of(opening)
    study, patient = contents.study_facts_of(link, link.study)
    data = {
        "study": study,
        "patient": patient,
        "manifest": manifest,
        "manifest_url": f"{root}/manifest.json",
        "sign_in": "",
        "may_download": False,
        "may_process": False,
        "may_report": False,
        "presets": window_presets(None),
        "color_maps": list(MAP_NAMES),
        "user": None,
        "shortcuts": {},
        "priors": [],
        "hanging": None,
        "stepping": stepping,
        "shared": {"alive": f"{root}/alive", "words": ENDED_WORDS},
    }
    context = {
        "viewer_data": data,
        "manifest": manifest,
        "study": study,
        "patient": patient,
        "link": link,
        "stepping": stepping,
        "report_url": f"{root}/report/" if link.with_report else "",
        "modules": viewer_modules(settings.STATICFILES_DIRS[0]),
    }
    return render(request, "shared/viewer.html", context)


@require_safe
@with_opening
def study_manifest(request: HttpRequest, opening: ShareOpening) -> HttpResponse:
    return JsonResponse(contents.study_manifest_of(opening))


@require_safe
@with_opening
def stack_manifest(request: HttpRequest, opening: ShareOpening, stack: str) -> HttpResponse:
    return JsonResponse(contents.stack_manifest_of(opening, stack))


@require_safe
@with_opening
def alive(request: HttpRequest, opening: ShareOpening) -> HttpResponse:
    """Whether the link still runs: an open page asks every few seconds."""
    return JsonResponse({"open": True})


@require_safe
@with_opening
def thumbnail(request: HttpRequest, opening: ShareOpening, stack: str) -> HttpResponse:
    """The smallest level of the middle image, covered like every tile."""
    shared = contents.shared_stack(opening.link, stack)
    address = TileAddress(frame=len(shared.stack.frames) // 2 + 1, level=0, row=0, column=0)
    return _picture(opening.link, shared, address, {})


@require_safe
@with_opening
def tile(
    request: HttpRequest, opening: ShareOpening, stack: str, frame: int, level: int, row: int, column: int
) -> HttpResponse:
    """One tile with the recipient's name in it."""
    shared = contents.shared_stack(opening.link, stack)
    asked = {name: str(value) for name, value in request.GET.items() if name not in ("k", "rev")}
    return _picture(opening.link, shared, TileAddress(frame, level, row, column), asked)


def _picture(
    link: ShareLink, shared: contents.SharedStack, address: TileAddress, asked: dict[str, str]
) -> HttpResponse:
    parameters = parse_parameters(asked)
    visitor = Visitor(link.study_id, link.maker)
    if (parameters.values and not may_have_values(visitor)) or parameters.presentation_state:
        return JsonResponse({"error": "There is no such tile."}, status=404)
    frame = frame_of(shared.stack, address.frame)
    cover = contents.redaction_of(link, shared, frame)
    planned = plan_tile(shared.stack, shared.split, address, parameters, cover)
    return HttpResponse(draw_tile(planned), content_type="image/png")


@require_safe
@with_opening
def report(request: HttpRequest, opening: ShareOpening) -> HttpResponse:
    """The signed report, where the maker has put it in and may still read it."""
    from archive.access.rules import may_read_reports
    from viewer.pages.report import readable_report
    from viewer.reports.html import as_html

    link = opening.link
    study: Study = link.study
    if not link.with_report or not may_read_reports(link.maker, study):
        return ended(request)
    document = readable_report(link.maker, study)
    html = as_html(document) if document else ""
    return render(
        request, "shared/report.html", {"report_html": html, "link": link, "viewer": contents.root_of(opening)}
    )
