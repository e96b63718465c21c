"""Ask for a derived series of a stack: the answer is the job that makes it."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from archive.access.roles import Role, has_role, user_of
from archive.errors import ArchiveError
from archive.jobs.queue import enqueue
from viewer.errors import InvalidParameter, ViewerError
from viewer.stacks.views import visible_stack
from viewer.tiles.statuses import status_of

PARAMETERS: dict[str, dict[str, tuple[float, float]]] = {
    "enhance": {"tile_mm": (2, 500), "clip": (1, 20), "radius_mm": (0.05, 20), "amount": (0, 5)},
    "mip": {"thickness_mm": (0.5, 500), "step_mm": (0.1, 500)},
}
"""Numbers that each kind takes, with their limits."""


@require_POST
def process(request: HttpRequest, stack: str, kind: str) -> HttpResponse:
    """``kind`` is ``enhance`` or ``mip``; radiologists only."""
    try:
        found, split = visible_stack(request, stack)
        if not has_role(user_of(request), Role.RADIOLOGIST):
            return JsonResponse({"error": "Only radiologists make derived series."}, status=403)
        parameters = read_parameters(kind, request.body)
    except (ViewerError, ArchiveError) as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    job = enqueue(kind, study=split.study, parameters=parameters | {"stack": found.id}, created_by=user_of(request))
    return JsonResponse({"job": job.pk, "jobs": "/jobs/"}, status=202)


def read_parameters(kind: str, body: bytes) -> dict[str, float]:
    """Numbers of a JSON object, each known and within its limits."""
    known = PARAMETERS.get(kind)
    if known is None:
        raise InvalidParameter("kind", kind, ", ".join(PARAMETERS))
    try:
        values: Any = json.loads(body or b"{}")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InvalidParameter("body", body[:40], "a JSON object")
    result = {}
    for name, value in values.items():
        if name not in known:
            raise InvalidParameter(str(name), value, ", ".join(known))
        low, high = known[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise InvalidParameter(name, value, f"a number from {low:g} to {high:g}")
        result[name] = float(value)
    return result
