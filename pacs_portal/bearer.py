"""Bearer tokens at the door: only in the Authorization header, only for addresses that programs use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from archive.access.identity_tokens import IdentityToken, find_identity_token
from archive.access.tokens import allows, find_token
from archive.models import AccessToken

PREFIXES: Final = ("/dicom-web/", "/wado", "/api/")
STORE_PREFIX: Final = "/dicom-web/studies"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class BearerMiddleware:
    """Sign a request in by its token; without one, the session decides as everywhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not request.path.startswith(PREFIXES):
            return self.get_response(request)
        token: AccessToken | IdentityToken | None = find_token(text.strip()) or find_identity_token(text.strip())
        if token is None:
            return _refusal(401, "invalid_token", "The access token is unknown, expired or revoked.")
        # What a service offers may be known with every token: a sender asks it before it stores.
        is_store = request.method == "OPTIONS" or (request.method == "POST" and request.path.startswith(STORE_PREFIX))
        if not allows(token.scopes, is_safe=request.method in SAFE_METHODS, is_store=is_store):
            return _refusal(403, "insufficient_scope", f"The access token's scope is {_words(token.scopes)}.")
        request.user = token.user
        request.access_token = token  # type: ignore[attr-defined]
        # No browser sends this header by itself: the forgery that CSRF tokens prevent cannot happen.
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return self.get_response(request)


def has_token(request: HttpRequest) -> bool:
    """Whether the request was signed in by a token."""
    return getattr(request, "access_token", None) is not None


def _words(scopes: frozenset[str]) -> str:
    return " and ".join(sorted(scopes)) or "none of the portal's"


def _refusal(status: int, error: str, words: str) -> HttpResponseBase:
    return JsonResponse(
        {"error": words},
        status=status,
        headers={"WWW-Authenticate": f'Bearer realm="portal", error="{error}"', "Cache-Control": "no-store"},
    )
