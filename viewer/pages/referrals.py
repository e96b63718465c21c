"""My referrals: the studies given to a clinician, as cards that a thumb can reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from archive.access.roles import Role, has_role, user_of
from archive.access.rules import granted_to, may_break_glass, opened_in_emergency
from archive.models import BreakGlass, Study, User
from archive.models.study import StudyQuerySet
from archive.querying.words import LONGEST_TEXT, containing
from viewer.worklist.ordering import NEWEST_EXAMINED, find_page
from viewer.worklist.rows import digest_of, load_rows

CARDS = 20
"""Cards of one page: a few screens of a phone, quick on a slow line."""


@require_http_methods(["GET", "HEAD", "POST"])
def referrals(request: HttpRequest) -> HttpResponse:
    """The whole page, or its cards alone for a search or for more of them; what is typed comes by POST only."""
    if not has_role(user_of(request), Role.CLINICIAN):
        return render(request, "referrals/no_role.html", status=403)
    asked = request.POST if request.method == "POST" else request.GET
    text = request.POST.get("text", "")[:LONGEST_TEXT]
    context = cards_of(user_of(request), text=text, place=asked) | {
        "may_break_glass": may_break_glass(user_of(request))
    }
    if "seen" in asked and asked["seen"] == context["digest"]:
        return HttpResponse(status=204)
    template = "referrals/cards.html" if request.headers.get("HX-Request") else "referrals/page.html"
    return render(request, template, context)


def referred_to(who: User) -> StudyQuerySet:
    """What was given to this person or was opened by them in an emergency, whatever else their roles show them."""
    return Study.objects.visible_to(who).with_images().filter(granted_to(who) | opened_in_emergency(who))


def cards_of(who: User, *, text: str, place: Mapping[str, Any]) -> dict[str, Any]:
    """One page of cards, the newest examination first."""
    studies = containing(referred_to(who), text)
    page = find_page(studies, NEWEST_EXAMINED, after=str(place.get("after", "")), size=CARDS)
    rows = load_rows(page.ids, who)
    until = emergencies_of(who, page.ids)
    cards = [{"row": row, "emergency_until": until.get(row.pk)} for row in rows]
    return {"cards": cards, "page": page, "text": text, "digest": digest_of(rows, until)}


def emergencies_of(who: User, ids: tuple[int, ...]) -> dict[int, Any]:
    """Until when each of these studies is open by emergency access."""
    if not ids:
        return {}
    running = BreakGlass.objects.filter(user=who, study__in=ids, expires_at__gt=timezone.now())
    return dict(running.order_by("expires_at").values_list("study_id", "expires_at"))
