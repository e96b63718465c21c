"""``/jobs/``: what the worker does, with progress that moves by itself."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from archive.access.roles import Role, has_role, roles_of, user_of
from archive.dicom.person_name import format_for_people
from archive.jobs import queue
from archive.jobs.registry import kind_of
from archive.models import Job

PAGE = 50
ENDED = (Job.State.FAILED, Job.State.CANCELLED, Job.State.PARKED)
FILTERS = {
    "active": (Job.State.QUEUED, Job.State.RUNNING),
    "failed": (Job.State.FAILED, Job.State.PARKED),
    "done": (Job.State.DONE, Job.State.CANCELLED),
}


@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """The page, or its table alone where htmx asks."""
    if not roles_of(user_of(request)):
        raise Http404
    template = "jobs/table.html" if request.headers.get("HX-Request") else "jobs/page.html"
    return render(request, template, context_of(request))


def context_of(request: HttpRequest) -> dict[str, object]:
    chosen = request.GET.get("state", "")
    found = queue.visible_jobs(user_of(request)).select_related("study__patient")
    if chosen in FILTERS:
        found = found.filter(state__in=FILTERS[chosen])
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    return {
        "page": page,
        "rows": [row_of(job, request) for job in page],
        "chosen": chosen,
        "filters": [("", "All"), *((name, name.capitalize()) for name in FILTERS)],
        "is_active": any(job.state in FILTERS["active"] for job in page),
    }


def row_of(job: Job, request: HttpRequest) -> dict[str, object]:
    """A job in words."""
    kind = kind_of(job.kind)
    share = 100 * job.done_steps // job.total_steps if job.total_steps else 0
    return {
        "job": job,
        "label": kind.label if kind else job.kind,
        "study": format_for_people(job.study.patient_name) or "no name" if job.study else "",
        "percent": share,
        "may_act": may_act(request, job),
        "can_cancel": job.state in FILTERS["active"] and not job.cancel_requested,
        "can_retry": job.state in ENDED,
    }


def may_act(request: HttpRequest, job: Job) -> bool:
    """Who asked for a job may cancel it; administrators may cancel any."""
    user = user_of(request)
    return job.created_by_id == user.pk or has_role(user, Role.ADMINISTRATOR)


@require_POST
def act(request: HttpRequest, job: int, action: str) -> HttpResponse:
    """``cancel`` or ``retry``."""
    found = get_object_or_404(queue.visible_jobs(user_of(request)), pk=job)
    functions = {"cancel": queue.cancel, "retry": queue.retry}
    if action not in functions or not may_act(request, found):
        raise Http404
    functions[action](found, by=user_of(request))
    if request.headers.get("HX-Request"):
        return render(request, "jobs/table.html", context_of(request))
    return redirect("jobs")
