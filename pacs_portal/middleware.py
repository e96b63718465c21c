"""What happens around every request: whose address it is, who is signed in, and for how long."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.http import urlencode

from pacs_portal.bearer import has_token

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from archive.models import User

GetResponse = Callable[[HttpRequest], HttpResponseBase]

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
OPEN_PREFIXES = ("/accounts/", "/healthz", "/readyz", "/metrics", "/static/", "/s/", "/send-in/")
"""Addresses that need no account: those of links carry a secret of their own."""
JSON_PREFIXES = ("/api/", "/dicom-web/", "/stacks/", "/tiles/", "/wado")
"""Addresses that a script asks: answered 401, never sent to a page."""
SEEN_EVERY_S = 60
"""A session's last use is written at most this often."""


def _is_trusted(address: str) -> bool:
    return _is_one_of(address, tuple(settings.PORTAL_TRUSTED_PROXIES))


@lru_cache(maxsize=1024)
def _is_one_of(address: str, proxies: tuple[str, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address)
        return any(found in ipaddress.ip_network(proxy, strict=False) for proxy in proxies)
    except ValueError:
        return False


def client_address(request: HttpRequest) -> str:
    """Address of the person's machine: the nearest one that is not a trusted proxy."""
    address = request.META.get("REMOTE_ADDR", "")
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if not hop.strip() or not _is_trusted(address):
            break
        address = hop.strip()
    return address[:64]


class ForwardedHeadersMiddleware:
    """Forget forwarded headers that come from anybody but a trusted proxy."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_trusted(request.META.get("REMOTE_ADDR", "")):
            for name in FORWARDED:
                request.META.pop(name, None)
        return self.get_response(request)


class SignedInMiddleware:
    """Every address needs an account unless it is listed above; idle sessions end."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refused = None if has_token(request) else self._refusal(request)
        if refused is not None:
            return refused
        response = self.get_response(request)
        if not response.has_header("Cache-Control") and not request.path.startswith("/static/"):
            response["Cache-Control"] = "no-store"
        return response

    def _refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        if request.user.is_authenticated and is_idle(request.session.get("seen_at")):
            logout(request)
        if not request.user.is_authenticated:
            return None if request.path.startswith(OPEN_PREFIXES) else ask_to_sign_in(request)
        now = time.time()
        is_background = request.headers.get("X-Portal-Background") is not None
        if not is_background and now - request.session.get("seen_at", 0) > SEEN_EVERY_S:
            request.session["seen_at"] = now
        return second_factor_refusal(request)


def is_idle(seen_at: float | None) -> bool:
    """Whether a session has been left alone for too long."""
    return seen_at is not None and time.time() - seen_at > settings.PORTAL_IDLE_S


def ask_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Send a page to the sign-in page; tell a script that it needs an account."""
    asks_json = request.path.startswith(JSON_PREFIXES) or request.path.endswith("/manifest.json")
    sign_in = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}"
    if asks_json:
        response: HttpResponse = JsonResponse(
            {"error": "Please sign in.", "sign_in": resolve_url(settings.LOGIN_URL)}, status=401
        )
        response["WWW-Authenticate"] = 'Bearer realm="portal", Session realm="portal"'
        return response
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = resolve_url(settings.LOGIN_URL)
        return response
    return redirect(sign_in)


def needs_second_factor(user: User | AnonymousUser) -> bool:
    """Whether this person may do nothing but set up a second factor: staff without one, in production."""
    if settings.IS_DEMO or user.is_anonymous or not user.is_staff:
        return False
    from allauth.mfa.utils import is_mfa_enabled

    return not is_mfa_enabled(user)


def second_factor_refusal(request: HttpRequest) -> HttpResponseBase | None:
    """In production, staff without a second factor can do nothing but set one up."""
    if request.path.startswith(OPEN_PREFIXES) or not needs_second_factor(request.user):
        return None
    return redirect("mfa_index")
