"""Ask for a file to take away, fetch it, and tell the audit trail of a view that a browser saved itself."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from archive.access.roles import user_of
from archive.access.rules import may_download
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.jobs.queue import enqueue
from archive.models import Job, Study
from pacs_portal.middleware import client_address
from viewer.api.measurements import read_object
from viewer.errors import ViewerError
from viewer.exports.keeping import path_of
from viewer.exports.wishes import read_wish
from viewer.pages.study import visible_study
from viewer.tiles.statuses import status_of

EXPORT = "export"


@require_POST
def export(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The answer is the job that makes the file."""
    study = downloadable_study(request, study_instance_uid)
    try:
        values = read_object(request)
        wish = read_wish(values)
    except ViewerError as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    job = enqueue(EXPORT, study=study, parameters=values, created_by=user_of(request))
    tell(request, study, {"form": wish.form, "with_names": wish.with_names, "frames": len(wish.frames), "job": job.pk})
    return JsonResponse({"job": job.pk, "jobs": f"/jobs/{job.pk}/"}, status=202)


@require_POST
def view_saved(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """Told by the viewer before it saves the view on the screen as a picture."""
    study = downloadable_study(request, study_instance_uid)
    try:
        values = read_object(request)
    except ViewerError as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    tell(request, study, {"form": "view", "with_names": values.get("with_names") is True})
    return HttpResponse(status=204)


@require_safe
def file_of_job(request: HttpRequest, job: int) -> HttpResponseBase:
    """The file that a job made, for whoever asked for it and may still take the study away."""
    user = user_of(request)
    found = get_object_or_404(Job.objects.select_related("study"), pk=job, kind=EXPORT, created_by=user)
    kept = found.details.get("file")
    if not kept or found.study is None or not _may_take(user, found.study):
        raise Http404("There is no such file.")
    try:
        file = path_of(kept["key"]).open("rb")
    except FileNotFoundError:
        raise Http404("The file was kept for a day; ask for it again.") from None
    tell(request, found.study, {"job": found.pk, "fetched": kept["size"]})
    response = FileResponse(file, content_type=kept["media_type"], as_attachment=True, filename=kept["name"])
    response["Cache-Control"] = "no-store"
    return response


def _may_take(user: Any, study: Study) -> bool:
    return Study.objects.visible_to(user).filter(pk=study.pk).exists() and may_download(user, study)


def downloadable_study(request: HttpRequest, study_instance_uid: str) -> Study:
    """A study that the person may see and take away; 404 otherwise."""
    study = visible_study(request, study_instance_uid)
    if not may_download(user_of(request), study):
        raise Http404("There is no such study.")
    return study


def tell(request: HttpRequest, study: Study, details: dict[str, Any]) -> None:
    record_event(
        Event.EXPORTED,
        user=user_of(request),
        address=client_address(request),
        study_instance_uid=study.study_instance_uid,
        details=details,
    )
