"""Measurements of a study as JSON, and what a shape measures before it is kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive.access.roles import user_of
from archive.errors import ArchiveError
from archive.models import User
from viewer.annotations.measures import Statistics, measure, statistics
from viewer.annotations.profiles import profile_of
from viewer.annotations.saving import (
    AnnotationRefusal,
    ChangedMeanwhile,
    NotYourAnnotation,
    annotations_of,
    delete_annotation,
    may_change,
    read_drawn,
    save_annotation,
)
from viewer.annotations.shapes import AREAS, Kind, Shape, read_shape
from viewer.annotations.uptake import uptake_of
from viewer.errors import InvalidParameter, ViewerError
from viewer.models import Annotation
from viewer.pages.study import visible_study
from viewer.rendering.quantities import Quantity
from viewer.stacks.facts import FrameFacts
from viewer.stacks.quantities import own_quantity, quantities_of_frames, quantity_of_frame
from viewer.stacks.times import time_points
from viewer.stacks.views import visible_stack
from viewer.tiles.drawing import frame_of
from viewer.tiles.frames import drawable, frame_at_level
from viewer.tiles.statuses import status_of

MOST_BYTES = 1 << 18
MOST_TIMES = 1000
"""Frames that one curve is made of."""


@require_GET
def study_annotations(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """What is drawn on a study."""
    study, user = visible_study(request, study_instance_uid), user_of(request)
    found = [as_json(one, user) for one in annotations_of(study)]
    return no_store(JsonResponse({"annotations": found}))


@require_http_methods(["PUT", "DELETE"])
def annotation(request: HttpRequest, study_instance_uid: str, annotation_id: UUID) -> HttpResponse:
    """PUT makes it with ``version`` 0, changes it, or brings it back; DELETE takes it off."""
    study, user = visible_study(request, study_instance_uid), user_of(request)
    try:
        values = read_object(request)
        version = values.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or version < 0:
            raise InvalidParameter("version", version, "a whole number from 0")
        same: dict[str, Any] = {"study": study, "annotation_id": annotation_id, "version": version, "user": user}
        is_deletion = request.method == "DELETE"
        kept = (
            delete_annotation(**same) if is_deletion else save_annotation(**same, drawn=read_drawn(values, study=study))
        )
    except ChangedMeanwhile as error:
        return JsonResponse({"error": str(error), "annotation": as_json(error.annotation, user)}, status=409)
    except (NotYourAnnotation, AnnotationRefusal) as error:
        return JsonResponse({"error": str(error)}, status=403)
    except ViewerError as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    return no_store(JsonResponse(as_json(kept, user)))


@require_POST
def stack_statistics(request: HttpRequest, stack: str, frame: int) -> HttpResponse:
    """Measures of a shape on a frame, and statistics where it has an inside."""
    try:
        found, split = visible_stack(request, stack)
        values = read_object(request)
        shape = read_shape(values.get("kind"), values.get("geometry"))
        shown = frame_of(found, frame)
        description = drawable(shown.instance).description
        answer: dict[str, Any] = asdict(measure(shape, description, shown.frame_number, calibration_in(values)))
        if shape.kind in AREAS:
            summed = mean_inside(shape, shown, own_quantity(found, split, shown))
            answer["statistics"] = asdict(summed)
            answer["suv"] = uptake_of(summed, found, split)
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    return no_store(JsonResponse(answer))


def calibration_in(values: dict[str, Any]) -> Shape | None:
    """What somebody has calibrated the frame with, where the browser sends it."""
    sent = values.get("calibration")
    return None if sent is None else read_shape(Kind.CALIBRATION.value, sent)


@require_POST
def stack_profile(request: HttpRequest, stack: str, frame: int) -> HttpResponse:
    """Values along a line on a frame."""
    try:
        found, split = visible_stack(request, stack)
        values = read_object(request)
        shape = read_shape(values.get("kind"), values.get("geometry"))
        shown = frame_of(found, frame)
        decoded = frame_at_level(shown.instance, shown.frame_number, -1)
        profile = profile_of(
            shape,
            decoded.values,
            drawable(shown.instance).description,
            shown.frame_number,
            photometric_interpretation=decoded.photometric_interpretation,
            calibration=calibration_in(values),
            quantity=quantity_of_frame(found, split, shown),
        )
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    return no_store(JsonResponse(asdict(profile)))


@require_POST
def stack_curve(request: HttpRequest, stack: str, frame: int) -> HttpResponse:
    """The mean inside a shape at each time at which the place of a frame was seen, be it once."""
    try:
        found, split = visible_stack(request, stack)
        values = read_object(request)
        shape = read_shape(values.get("kind"), values.get("geometry"))
        points = time_points(found, split, frame_of(found, frame))
        if len(points.frames) > MOST_TIMES:
            raise InvalidParameter("frame", f"{len(points.frames)} times", f"at most {MOST_TIMES}")
        quantities = quantities_of_frames(found, split, points.frames)
        means = [mean_inside(shape, *each) for each in zip(points.frames, quantities, strict=True)]
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    answer = {
        "times": points.times,
        "time_unit": points.unit,
        "means": [one.mean for one in means],
        "sds": [one.sd for one in means],
        "unit": means[0].unit,
        "note": means[0].note,
    }
    return no_store(JsonResponse(answer))


def mean_inside(shape: Shape, frame: FrameFacts, quantity: Quantity) -> Statistics:
    """Statistics of a shape on one frame of the archive."""
    decoded = frame_at_level(frame.instance, frame.frame_number, -1)
    description = drawable(frame.instance).description
    return statistics(
        shape,
        decoded.values,
        description,
        frame.frame_number,
        photometric_interpretation=decoded.photometric_interpretation,
        quantity=quantity,
    )


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a request, at most 256 KiB."""
    body = request.body
    try:
        values = json.loads(body) if len(body) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InvalidParameter(
            "body", body[:40].decode("utf-8", "replace"), f"a JSON object of at most {MOST_BYTES} bytes"
        )
    return values


def as_json(annotation: Annotation, user: User) -> dict[str, Any]:
    """A measurement as the viewer keeps it."""
    return {
        "id": str(annotation.pk),
        "version": annotation.version,
        "kind": annotation.kind,
        "stack": annotation.stack,
        "SOPInstanceUID": annotation.sop_instance_uid,
        "FrameNumber": annotation.frame_number,
        "geometry": annotation.geometry,
        "label": annotation.label,
        "group": annotation.group,
        "label_offset": annotation.label_offset,
        "author": str(annotation.author or ""),
        "changed_by": str(annotation.changed_by or ""),
        "is_own": annotation.author_id == user.pk,
        "may_change": may_change(annotation, user),
        "created": annotation.created_at.isoformat(),
        "changed": annotation.changed_at.isoformat(),
        "deleted": annotation.deleted_at is not None,
    }


def no_store(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
