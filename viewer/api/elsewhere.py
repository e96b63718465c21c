"""Measurements and key images of others, as JSON for the viewer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from archive.access.roles import user_of
from archive.access.rules import may_read_reports
from viewer.api.measurements import no_store
from viewer.objects.elsewhere import from_elsewhere
from viewer.pages.study import visible_study
from viewer.worklist.claiming import may_read


@require_GET
def study_elsewhere(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """What reports of others measured on a study, for who may read reports, and the key images that others chose."""
    study, user = visible_study(request, study_instance_uid), user_of(request)
    found = from_elsewhere(study)
    if not (may_read(user) or may_read_reports(user, study)):
        found = found | {"findings": []}
    return no_store(JsonResponse(found))
