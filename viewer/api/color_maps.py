"""The pseudo-colour maps, so that the browser colours its own pictures as the server does."""

from __future__ import annotations

from base64 import b64encode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from viewer.rendering.color_maps import MAP_NAMES, color_map


@require_GET
def color_maps(request: HttpRequest) -> HttpResponse:
    """Each map by name: 256 times red, green, blue as bytes in base 64."""
    return JsonResponse({name: b64encode(color_map(name).tobytes()).decode("ascii") for name in MAP_NAMES})
