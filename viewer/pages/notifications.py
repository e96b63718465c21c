"""The bell: how many, the list, one of them, and marking them as read. It makes no sound."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from archive.access.roles import Role, has_role, user_of
from archive.models import Study, User
from viewer.models import Notification
from viewer.notifying.telling import mark_seen, unread_of
from viewer.pages.referrals import referred_to
from viewer.worklist.claiming import may_read

MOST_SHOWN = 100


@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """The newest, unread ones marked in words."""
    found = Notification.objects.filter(user=user_of(request), is_in_page=True)[:MOST_SHOWN]
    return render(request, "notifications/page.html", {"notifications": found, "most": MOST_SHOWN})


@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """How many are unread: asked in the background, one look into an index."""
    return JsonResponse({"unread": unread_of(user_of(request))})


@require_safe
def notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a link in mail leads, once signed in: to what it tells of; opening it is having read it."""
    found = get_object_or_404(Notification.objects.select_related("study"), pk=pk, user=user_of(request))
    mark_seen(user_of(request), pk)
    return redirect(target_of(user_of(request), found.study))


def target_of(who: User, study: Study | None) -> str:
    """The page that shows it, for this person's role."""
    from django.urls import reverse

    if study is not None and may_read(who):
        return reverse("report", args=[study.study_instance_uid])
    if study is not None and has_role(who, Role.CLINICIAN) and referred_to(who).filter(pk=study.pk).exists():
        return reverse("referral", args=[study.study_instance_uid])
    return reverse("referrals") if has_role(who, Role.CLINICIAN) else reverse("notifications")


@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """Mark one, or all, as read."""
    which = request.POST.get("notification", "")
    if which and not (which.isascii() and which.isdigit() and len(which) < 19):
        raise Http404
    mark_seen(user_of(request), int(which) if which else None)
    return redirect("notifications")
