"""``/studies/<uid>/deidentified``: asks for a de-identified copy; ``/jobs/<id>/copy.zip`` gives it."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from archive.access.roles import user_of
from archive.models import Job
from pacs_portal.middleware import client_address
from viewer.pages.sharing import to_mask
from viewer.pages.study import patient_facts, study_facts, visible_study
from viewer.sharing.errors import CannotShare
from viewer.sharing.exports import CHOICES, DEIDENTIFY, ask_for_copy, may_take_deidentified, path_of_copy, record_fetch


@require_http_methods(["GET", "HEAD", "POST"])
def deidentified(request: HttpRequest, study_instance_uid: str) -> HttpResponse:
    """The form; by POST the job is queued and its page shows it."""
    study = visible_study(request, study_instance_uid)
    who = user_of(request)
    if not may_take_deidentified(who, study):
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            job = ask_for_copy(study, request.POST.getlist("options"), request.POST.getlist("series"), by=who)
            return redirect("job", job.pk)
        except CannotShare as error:
            problem = str(error)
    context = {
        "study": study_facts(study),
        "patient": patient_facts(study),
        "choices": [(name, words) for name, (_, words) in CHOICES.items()],
        "chosen": request.POST.getlist("options"),
        "series": study.series.filter(instance_count__gt=0),
        "to_look_at": any(not one["is_drawn"] for one in to_mask(study)),
        "problem": problem,
    }
    return render(request, "sharing/deidentified.html", context, status=400 if problem else 200)


@require_safe
def copy(request: HttpRequest, job: int) -> HttpResponseBase:
    """The finished copy, for who asked for it and may still have it."""
    who = user_of(request)
    found = get_object_or_404(Job.objects.select_related("study"), pk=job, kind=DEIDENTIFY, created_by=who)
    if found.state != Job.State.DONE or found.study is None or not may_take_deidentified(who, found.study):
        raise Http404
    try:
        file = path_of_copy(found).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    record_fetch(found, by=who, address=client_address(request))
    name = f"{found.parameters['code']}.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
