"""``/jobs/``: what the worker does, with progress that moves by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from archive.access.roles import Role, has_role, roles_of, user_of
from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people
from archive.exchange.committing import commitment_of
from archive.jobs import queue
from archive.jobs.registry import kind_of
from archive.models import Job, Study, User
from viewer.exports.keeping import waits
from viewer.worklist.rows import titled

PAGE = 50
ACTIVE = (Job.State.QUEUED, Job.State.RUNNING)
ENDED = (Job.State.FAILED, Job.State.CANCELLED, Job.State.PARKED)
FILTERS: dict[str, tuple[Job.State, ...]] = {
    "active": ACTIVE,
    "failed": (Job.State.FAILED, Job.State.PARKED),
    "done": (Job.State.DONE, Job.State.CANCELLED),
}
MARKS = {
    Job.State.QUEUED: "claimed",
    Job.State.RUNNING: "arriving",
    Job.State.DONE: "final",
    Job.State.FAILED: "quarantine",
    Job.State.CANCELLED: "claimed",
    Job.State.PARKED: "quarantine",
}
"""The shape beside the word of a state."""
ORDER = {"refused": 0, "not sent": 1, "warned": 2, "sent": 3}
"""Results of images: trouble first."""
MOST_RESULTS = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One job in words."""

    job: Job
    label: str
    mark: str
    subject: str
    """The study: with the patient's name only for those who may open it."""
    study_instance_uid: str
    """Empty where the person may not open it."""
    percent: int | None
    can_cancel: bool
    can_retry: bool
    has_file: bool
    """A file that the person asked for waits to be fetched."""

    @property
    def is_active(self) -> bool:
        return self.job.state in ACTIVE

    @property
    def state(self) -> str:
        if self.job.state == Job.State.RUNNING and self.job.cancel_requested:
            return "stopping"
        return str(self.job.get_state_display())


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """The page, or its list alone where htmx asks."""
    if not roles_of(user_of(request)):
        raise Http404
    template = "jobs/list.html" if request.headers.get("HX-Request") else "jobs/page.html"
    return render(request, template, context_of(request))


def context_of(request: HttpRequest) -> dict[str, Any]:
    user = user_of(request)
    found = queue.visible_jobs(user)
    counts = dict(found.order_by().values_list("state").annotate(Count("pk", distinct=True)))
    chosen = request.GET.get("state", "")
    if chosen in FILTERS:
        found = found.filter(state__in=FILTERS[chosen])
    else:
        chosen = ""
    page = Paginator(found.distinct(), PAGE).get_page(request.GET.get("page"))
    rows = rows_of(list(page), user)
    return {
        "page": page,
        "rows": rows,
        "chosen": chosen,
        "filters": [
            ("", "All", sum(counts.values())),
            *(
                (name, name.capitalize(), sum(counts.get(state, 0) for state in states))
                for name, states in FILTERS.items()
            ),
        ],
        "is_active": any(row.is_active for row in rows),
    }


def rows_of(found: list[Job], user: User) -> list[Row]:
    studies = {job.study_id for job in found if job.study_id is not None}
    visible = set(Study.objects.visible_to(user).filter(pk__in=studies).values_list("pk", flat=True))
    return [row_of(job, user, is_visible=job.study_id in visible) for job in found]


def row_of(job: Job, user: User, *, is_visible: bool) -> Row:
    kind = kind_of(job.kind)
    acts = may_act(user, job)
    return Row(
        job=job,
        label=kind.label if kind else job.kind,
        mark=MARKS[Job.State(job.state)],
        subject=subject_of(job.study, with_name=is_visible) if job.study else job.parameters.get("ae_title", ""),
        study_instance_uid=job.study.study_instance_uid if job.study and is_visible else "",
        percent=min(100, 100 * job.done_steps // job.total_steps) if job.total_steps else None,
        can_cancel=acts and job.state in ACTIVE and not job.cancel_requested,
        can_retry=acts and job.state in ENDED,
        has_file=job.state == Job.State.DONE and job.created_by_id == user.pk and waits(job.details.get("file")),
    )


def subject_of(study: Study, *, with_name: bool) -> str:
    """What a job is about; an administrator who may not open the study reads no name."""
    words = titled(" ".join(study.modality_list()), study.study_description)
    examination = f"{words} {format_date(study.study_date)}".strip()
    name = (format_for_people(study.patient_name) or "no name") if with_name else ""
    return " · ".join(part for part in (name, examination) if part)


def may_act(user: User, job: Job) -> bool:
    """Who asked for a job may cancel it; administrators may cancel any."""
    return job.created_by_id == user.pk or has_role(user, Role.ADMINISTRATOR)


@require_safe
def job(request: HttpRequest, job: int) -> HttpResponse:
    """One job: how far it is, and of one that sends the result for each image. A part of another page by htmx."""
    user = user_of(request)
    found = get_object_or_404(queue.visible_jobs(user).distinct(), pk=job)
    if request.headers.get("HX-Request") and "cell" in request.GET:
        return render(request, "peers/fetching.html", {"job": found})
    commitment = commitment_of(found)
    results = [
        {"uid": uid, "commitment": commitment.get(uid, ""), **result}
        for uid, result in (found.details.get("results") or {}).items()
    ]
    results.sort(key=lambda result: ORDER.get(result["outcome"], 0))
    context = {
        "row": rows_of([found], user)[0],
        "job": found,
        "peer": found.parameters.get("ae_title", ""),
        "counts": Counter(result["outcome"] for result in results).items(),
        "has_trouble": any(result["outcome"] != "sent" for result in results),
        "results": results[:MOST_RESULTS],
        "committed": Counter(commitment.values()).items(),
        "more": max(0, len(results) - MOST_RESULTS),
    }
    template = "jobs/one.html" if request.headers.get("HX-Request") else "jobs/one_page.html"
    return render(request, template, context)


@require_POST
def act(request: HttpRequest, job: int, action: str) -> HttpResponse:
    """``cancel`` or ``retry``."""
    user = user_of(request)
    found = get_object_or_404(queue.visible_jobs(user).distinct(), pk=job)
    functions = {"cancel": queue.cancel, "retry": queue.retry}
    if action not in functions or not may_act(user, found):
        raise Http404
    done = functions[action](found, by=user)
    if request.headers.get("HX-Request"):
        return render(request, "jobs/list.html", context_of(request))
    if not done:
        messages.warning(request, "The job had ended, or was started again, before this came.")
    return redirect("jobs")
