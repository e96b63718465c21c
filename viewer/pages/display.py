"""``/display/``: a test pattern, one pixel of it on one pixel of the display."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from viewer.rendering.png import encode_png
from viewer.rendering.test_pattern import PATCHES, SIZE, draw_pattern


@require_safe
def display(request: HttpRequest) -> HttpResponse:
    """The pattern with what to look for."""
    return render(request, "display/page.html", {"size": SIZE, "patches": PATCHES})


@require_safe
def pattern(_request: HttpRequest) -> HttpResponse:
    """The pattern as a PNG without gamma or colour chunk, as every tile."""
    return HttpResponse(_pattern(), content_type="image/png")


@cache
def _pattern() -> bytes:
    return encode_png(draw_pattern())
