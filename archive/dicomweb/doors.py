"""An address and what its methods do: searched or retrieved by GET, stored to by POST, rejected by DELETE.

Every address tells by OPTIONS what it can be asked (PS3.18 8.9); another method is refused with those that are.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from archive.dicomweb.capabilities import capabilities
from archive.dicomweb.errors import NotOffered
from archive.dicomweb.operations import NOT_OFFERED, unoffered
from archive.dicomweb.responses import View, answers_errors, refusal


def resource(route: str, name: str = "", **views: View) -> URLPattern:
    """An address with a view for each method; ``GET`` answers HEAD too."""
    allow = ", ".join([*views, *(["HEAD"] if "GET" in views else []), "OPTIONS"])

    @answers_errors
    def door(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        if request.method == "OPTIONS":
            return capabilities(request, allow=allow)
        view = views.get("GET" if request.method == "HEAD" else request.method or "")
        if view is not None:
            return view(request, *arguments, **named)
        response = refusal(f"This address does not take {request.method}: {allow}.", 405)
        response["Allow"] = allow
        return response

    return path(route, door, name=name or None)


def not_offered() -> list[URLPattern]:
    """Addresses of the standard's services that the portal does not have: absent, and said so."""

    @answers_errors
    def absent(request: HttpRequest, service: str, rest: str = "") -> HttpResponseBase:
        raise NotOffered(unoffered(service))

    return [
        path(f"{service}{rest}", absent, {"service": service})
        for service in NOT_OFFERED
        for rest in ("", "/<path:rest>")
    ]
