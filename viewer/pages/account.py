"""A person's own account: who they are here, their password, their second factor, and signing out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from archive.access.roles import roles_of, user_of
from viewer.pages.account_choices import choices_context

SIGNED_OUT = "_portal_signed_out"


@require_GET
def account(request: HttpRequest) -> HttpResponse:
    from allauth.mfa.utils import is_mfa_enabled

    user = user_of(request)
    context = {
        "account_roles": [role.value for role in roles_of(user)],
        "other_groups": user.groups.exclude(name__in=[role.value for role in roles_of(user)]).order_by("name"),
        "has_second_factor": is_mfa_enabled(user),
        **choices_context(user),
    }
    return render(request, "account/account.html", context)


@receiver(user_logged_out, dispatch_uid="empty the browser's cache")
def _mark_signed_out(request: HttpRequest | None, **_details: Any) -> None:
    if request is not None:
        setattr(request, SIGNED_OUT, True)


class ClearCacheOnSignOutMiddleware:
    """Whenever a session ends, by a person or by idleness, the browser drops the pictures it kept.

    It stands outside everything that may end a session. Browsers heed the header on
    https and on localhost.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if getattr(request, SIGNED_OUT, False):
            response["Clear-Site-Data"] = '"cache"'
        return response
