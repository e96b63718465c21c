"""``/arrivals/``: what a technologist's rooms expect today, what has come, and "complete" as one button."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from archive.access.roles import Role, has_role, user_of
from archive.models import Study, User
from archive.scheduling.completeness import complete_study, reopen_study
from pacs_portal.middleware import client_address
from viewer.arrivals.board import board_of

ROOM_LENGTH = 84


@require_safe
def arrivals(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    return show(request, "arrivals/page.html")


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """The board alone, asked for every few seconds; 204 where nothing has changed since ``seen``."""
    return show(request, "arrivals/board.html", seen=request.GET.get("seen", ""))


def show(request: HttpRequest, template: str, *, seen: str = "") -> HttpResponse:
    who = technologist(request)
    found = board_of(who, room=request.GET.get("room", "")[:ROOM_LENGTH])
    if seen and seen == found.digest:
        return HttpResponse(status=204)
    return render(request, template, {"board": found, "modalities": who.modalities or []})


def technologist(request: HttpRequest) -> User:
    """The person of the request; for other roles the page does not exist."""
    user = user_of(request)
    if not has_role(user, Role.TECHNOLOGIST):
        raise Http404
    return user


@require_POST
def complete(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """All of a study is here, says the technologist."""
    return change(request, study_instance_uid, complete_study)


@require_POST
def reopen(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Take that back."""
    return change(request, study_instance_uid, reopen_study)


def change(request: HttpRequest, study_instance_uid: str, act: Callable[..., bool]) -> HttpResponse:
    who = technologist(request)
    study = get_object_or_404(Study.objects.visible_to(who).with_images(), study_instance_uid=study_instance_uid)
    done = act(study, by=who, address=client_address(request))
    room = request.POST.get("room", "")[:ROOM_LENGTH]
    if request.headers.get("HX-Request"):
        found = board_of(who, room=room)
        return render(request, "arrivals/board.html", {"board": found, "modalities": who.modalities or []})
    if not done:
        messages.info(request, "Somebody else had said so already.")
    query = f"?{urlencode({'room': room})}" if room else ""
    return redirect(f"{reverse('arrivals')}{query}")
