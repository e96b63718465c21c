"""Segmentations and structure sets as JSON: their legends, what lies on a frame, and statistics."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from archive.errors import ArchiveError
from viewer.api.measurements import no_store
from viewer.errors import NotFound, ViewerError
from viewer.objects.overlays import listed, on_frame, overlay_at, statistics_of
from viewer.pages.study import visible_study
from viewer.stacks.views import visible_stack
from viewer.tiles.drawing import frame_of
from viewer.tiles.statuses import status_of


@require_GET
def study_overlays(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Every segmentation and structure set of a study with its legend and the stacks under it."""
    return no_store(JsonResponse({"overlays": listed(visible_study(request, study_instance_uid))}))


@require_GET
def frame_overlay(request: HttpRequest, stack: str, frame: int, sop_instance_uid: str) -> HttpResponse:
    """What of an object lies on a frame of a stack."""
    try:
        found, split = visible_stack(request, stack)
        overlay = overlay_at(split.study, sop_instance_uid)
        _require_same_place(overlay.content.frame_of_reference_uid, split.series.frame_of_reference_uid)
        answer = on_frame(overlay, found, frame_of(found, frame))
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    return no_store(JsonResponse(answer))


@require_GET
def overlay_statistics(request: HttpRequest, stack: str, sop_instance_uid: str) -> HttpResponse:
    """Volume of each segment, and the values of the stack under it."""
    try:
        found, split = visible_stack(request, stack)
        overlay = overlay_at(split.study, sop_instance_uid)
        _require_same_place(overlay.content.frame_of_reference_uid, split.series.frame_of_reference_uid)
        answer = statistics_of(overlay, found, split)
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    return no_store(JsonResponse(answer))


def _require_same_place(one: str, other: str) -> None:
    if not one or one != other:
        raise NotFound("The segmentation lies in another frame of reference than this series.")
