"""``/upload/requests``: ask somebody for images; ``/send-in/…``: where they send them, without an account."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.access.roles import Role, has_role, user_of
from archive.access.rules import may_upload
from archive.receiving.sources import Door, Origin
from archive.receiving.upload import largest_upload
from pacs_portal.middleware import client_address
from viewer.models import UploadRequest
from viewer.pages.shared import ended, private
from viewer.pages.sharing import whole
from viewer.pages.upload import Notes, announced_size, asked_for, take_file
from viewer.sharing.errors import CannotShare, LinkEnded
from viewer.sharing.links import policy
from viewer.sharing.requests import find_request, make_request, reserve, revoke_request

WAITING = "It waits for a technologist or an administrator to look at it."


@require_http_methods(["GET", "HEAD", "POST"])
def requests(request: HttpRequest) -> HttpResponse:
    """A person's requests; by POST one is made, and its address is shown this once."""
    who = user_of(request)
    if not may_upload(who):
        return render(request, "worklist/no_role.html", status=403)
    problem, made = "", ""
    if request.method == "POST":
        try:
            secret = _made(request)
            made = f"{settings.PORTAL_PUBLIC_URL}{reverse('send-in', args=[secret])}"
        except CannotShare as error:
            problem = str(error)
    found = UploadRequest.objects.select_related("maker")
    if not has_role(who, Role.ADMINISTRATOR):
        found = found.filter(maker=who)
    context = {
        "requests": found,
        "problem": problem,
        "made": made,
        "typed": request.POST if problem else {},
        "longest": policy().longest_days_of_requests,
    }
    return render(request, "sharing/requests.html", context, status=400 if problem else 200)


def _made(request: HttpRequest) -> str:
    form = request.POST
    secret, _ = make_request(
        sender=form.get("sender", "").strip(),
        purpose=form.get("purpose", "").strip(),
        days=whole(form.get("days", ""), "the number of days"),
        gib=whole(form.get("gib", ""), "the most GiB"),
        files=whole(form.get("files", ""), "the most files"),
        by=user_of(request),
        address=client_address(request),
    )
    return secret


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a request at once."""
    who = user_of(request)
    found = UploadRequest.objects.all()
    if not has_role(who, Role.ADMINISTRATOR):
        found = found.filter(maker=who)
    ending = get_object_or_404(found, pk=pk)
    if revoke_request(ending, by=who, address=client_address(request)):
        messages.success(request, f"{ending.sender} can send nothing any more.")
    return redirect("upload-requests")


# --- Without an account -----------------------------------------------------------------------------------------------


@require_safe
@ensure_csrf_cookie
def page(request: HttpRequest, secret: str) -> HttpResponse:
    """The upload page for somebody who was asked."""
    try:
        found = find_request(secret)
    except LinkEnded:
        return ended(request)
    limit = min(largest_upload(), found.most_bytes - found.bytes)
    context: dict[str, Any] = {
        "asked": found,
        "limit": limit,
        "limit_gib": limit / 2**30,
        "is_held": True,
        "upload_address": reverse("send-in-file", args=[secret]),
        "outcome_address": reverse("send-in-outcome", args=[secret]),
    }
    return private(render(request, "sharing/send_in.html", context))


@require_http_methods(["PUT"])
def file(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Take one file of somebody who was asked; it waits in quarantine, whatever it is."""
    try:
        found = find_request(secret)
    except LinkEnded:
        return ended(request)
    size = announced_size(request)
    if isinstance(size, JsonResponse):
        size._has_been_logged = True  # type: ignore[attr-defined]
        return size
    if not reserve(found, size):
        refusal = JsonResponse({"error": "That is more than this request takes."}, status=413)
        refusal._has_been_logged = True  # type: ignore[attr-defined]
        return refusal
    origin = Origin(
        door=Door.UPLOAD,
        address=client_address(request),
        hold_for_review=True,
        sender=f"{found.sender} (request {found.pk})",
    )
    response = take_file(request, origin, Notes(request, user=None, actor=f"upload request {found.pk}"))
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@require_POST
def outcome(request: HttpRequest, secret: str) -> HttpResponse:
    """All that was sent waits; what the archive holds besides is not told."""
    try:
        find_request(secret)
    except LinkEnded:
        return ended(request)
    uids = asked_for(request.body)
    if uids is None:
        return JsonResponse({"error": "Expected a JSON object with a list 'instances'."}, status=400)
    return JsonResponse({"waiting": 0, "held": dict.fromkeys(uids, WAITING), "studies": []})
