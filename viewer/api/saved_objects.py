"""Write measurements, key images or the present view as DICOM objects: the answer is the job that does it."""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from archive.access.roles import Role, has_role, user_of
from archive.errors import ArchiveError
from archive.jobs.queue import enqueue
from archive.models import Study
from archive.pixels.description import VoiFunction
from viewer.annotations.freezing import frozen
from viewer.annotations.saving import annotations_of
from viewer.api.measurements import read_object
from viewer.errors import InvalidParameter, ViewerError
from viewer.pages.study import visible_study
from viewer.rendering.parameters import function_text
from viewer.stacks.views import visible_stack
from viewer.tiles.drawing import frame_of
from viewer.tiles.statuses import status_of

MEASUREMENTS, VIEW = "measurements", "view"
"""Kinds of jobs."""
FARTHEST_PX = 1e6
LONGEST_DESCRIPTION = 64
ONLY_RADIOLOGISTS = "Only radiologists write objects into the archive."


@require_POST
def export_measurements(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """All measurements and key images of a study as SR, KOS and presentation states; radiologists only."""
    study = visible_study(request, study_instance_uid)
    if not has_role(user_of(request), Role.RADIOLOGIST):
        return JsonResponse({"error": ONLY_RADIOLOGISTS}, status=403)
    drawn = frozen(annotations_of(study))
    if not drawn:
        return JsonResponse({"error": "Nothing is measured or marked on this study yet."}, status=409)
    return _queued(request, MEASUREMENTS, study, {"drawn": drawn})


@require_POST
def save_view(request: HttpRequest, stack: str, frame: int) -> HttpResponse:
    """The view of a frame, with what is drawn on it, as a presentation state; radiologists only."""
    try:
        found, split = visible_stack(request, stack)
        if not has_role(user_of(request), Role.RADIOLOGIST):
            return JsonResponse({"error": ONLY_RADIOLOGISTS}, status=403)
        shown = frame_of(found, frame)
        view = read_view(read_object(request))
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    if shown.instance.subtracted or shown.instance.slide is not None:
        return JsonResponse({"error": "A view of a slide or of differences cannot be saved."}, status=409)
    uid = shown.instance.sop_instance_uid
    here = [one for one in annotations_of(split.study) if one.sop_instance_uid == uid]
    view |= {"SOPInstanceUID": uid, "FrameNumber": shown.frame_number}
    return _queued(request, VIEW, split.study, {"drawn": frozen(here), "view": view})


def _queued(request: HttpRequest, kind: str, study: Study, parameters: dict[str, Any]) -> HttpResponse:
    job = enqueue(kind, study=study, parameters=parameters, created_by=user_of(request))
    return JsonResponse({"job": job.pk, "jobs": "/jobs/"}, status=202)


def read_view(values: dict[str, Any]) -> dict[str, Any]:
    """A view as a browser sends it, each value of its kind.

    Raises
    ------
    InvalidParameter
        It names the value and what would be accepted.
    """
    rotation = values.get("rotation")
    if rotation not in (0, 90, 180, 270) or isinstance(rotation, bool):
        raise InvalidParameter("rotation", rotation, "0, 90, 180 or 270")
    for name in ("inverted", "flipped"):
        if not isinstance(values.get(name), bool):
            raise InvalidParameter(name, values.get(name), "true or false")
    description = values.get("description", "")
    if not isinstance(description, str) or len(description) > LONGEST_DESCRIPTION:
        raise InvalidParameter("description", description, f"text of at most {LONGEST_DESCRIPTION} characters")
    return {
        "rotation": rotation,
        "inverted": values["inverted"],
        "flipped": values["flipped"],
        "area": _area(values.get("area")),
        "window": _window(values.get("window")),
        "description": description.strip(),
    }


def _area(found: object) -> list[float]:
    accepted = "[left, top, right, bottom] in image pixels"
    if not isinstance(found, list) or len(found) != 4 or not all(_is_number(part) for part in found):
        raise InvalidParameter("area", found, accepted)
    left, top, right, bottom = (float(part) for part in found)
    if not (left < right and top < bottom) or max(map(abs, (left, top, right, bottom))) > FARTHEST_PX:
        raise InvalidParameter("area", found, accepted)
    return [left, top, right, bottom]


def _window(found: object) -> dict[str, Any] | None:
    if found is None:
        return None
    functions = {function_text(one): one.value for one in VoiFunction}
    function = found.get("function", "linear") if isinstance(found, dict) else None
    numbers: list[Any] = [found.get(name) for name in ("center", "width")] if isinstance(found, dict) else []
    if function not in functions or not all(_is_number(part) for part in numbers) or not numbers[1] > 0:
        raise InvalidParameter("window", found, "null or center, width above 0 and a function: " + ", ".join(functions))
    return {"center": float(numbers[0]), "width": float(numbers[1]), "function": functions[function]}


def _is_number(part: object) -> bool:
    return isinstance(part, int | float) and not isinstance(part, bool) and math.isfinite(part)
