"""The value of one pixel, from modality values and never from what is displayed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from archive.errors import ArchiveError
from viewer.errors import InvalidParameter, ViewerError
from viewer.rendering.values import PixelValue, value_at, with_unit
from viewer.stacks.lookup import SplitSeries
from viewer.stacks.quantities import mappings_beside
from viewer.stacks.splitting import Stack
from viewer.stacks.suv import suv_kinds_of_stack
from viewer.stacks.views import visible_stack
from viewer.tiles.drawing import frame_of
from viewer.tiles.frames import drawable, frame_at_level
from viewer.tiles.statuses import status_of


@require_GET
def value(request: HttpRequest, stack: str, frame: int) -> HttpResponse:
    """``row`` and ``column`` from 0, of the image's own pixels."""
    try:
        found, split = visible_stack(request, stack)
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
            objects=mappings_beside(split, shown),
        )
        uptake, missing = _uptake(pixel, found, split)
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    body_weight = [with_unit(one["value"], f"{one['unit']} {one['name']}") for one in uptake[:1]]
    return JsonResponse(
        {
            "value": pixel.value,
            "unit": pixel.unit,
            "stored": pixel.stored,
            "real_world": [one._asdict() for one in pixel.real_world],
            "suv": uptake,
            "suv_missing": missing,
            "text": pixel.text if "SUV" in pixel.text else " · ".join([pixel.text, *body_weight]),
        }
    )


def _uptake(pixel: PixelValue, stack: Stack, split: SplitSeries) -> tuple[list[dict[str, Any]], list[str]]:
    """Uptake values of a pixel of a PET, each with its formula, and why others are not there."""
    value = pixel.value
    if split.series.modality != "PT" or not isinstance(value, int | float):
        return [], []
    found = suv_kinds_of_stack(stack, split)
    kinds = [
        {"name": kind.name, "formula": kind.formula, "value": value * kind.factor, "unit": kind.unit}
        for kind in found.kinds
    ]
    return kinds, list(found.missing)


def _index(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise InvalidParameter(name, text, "a whole number from 0")
    return int(text)
