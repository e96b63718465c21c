"""The value of one pixel, from modality values and never from what is displayed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from archive.errors import ArchiveError
from viewer.errors import InvalidParameter, ViewerError
from viewer.rendering.values import value_at
from viewer.stacks.views import visible_stack
from viewer.tiles.drawing import frame_of
from viewer.tiles.frames import drawable, frame_at_level
from viewer.tiles.statuses import status_of


@require_GET
def value(request: HttpRequest, stack: str, frame: int) -> HttpResponse:
    """``row`` and ``column`` from 0, of the image's own pixels."""
    try:
        found, _ = visible_stack(request, stack)
        shown = frame_of(found, frame)
        description = drawable(shown.instance).description
        decoded = frame_at_level(shown.instance, shown.frame_number, -1)
        pixel = value_at(
            decoded.values,
            description,
            shown.frame_number,
            _index(request, "row"),
            _index(request, "column"),
            photometric_interpretation=decoded.photometric_interpretation,
        )
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    return JsonResponse({"value": pixel.value, "unit": pixel.unit, "stored": pixel.stored, "text": pixel.text})


def _index(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise InvalidParameter(name, text, "a whole number from 0")
    return int(text)
