"""Jobs: what the worker did, does and failed at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet

from archive.admin.looks import ReadOnlyAdmin
from archive.admin.reasons import Answer, Question, with_reason
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.jobs import queue
from archive.jobs.registry import kind_of
from archive.models import Job


def _record(what: str, done: list[int], answer: Answer) -> None:
    record_event(
        Event.JOB_ENDED if what == "cancelled" else Event.JOB_STARTED,
        user=answer.by,
        address=answer.address,
        subject=f"jobs {what}",
        details={"jobs": done, "reason": answer.reason},
    )


def _cancel(jobs: QuerySet[Job], answer: Answer) -> str:
    done = [job.pk for job in jobs if queue.cancel(job, by=answer.by)]
    _record("cancelled", done, answer)
    return f"{len(done)} jobs are cancelled, or stop at their next step; the others had ended."


def _retry(jobs: QuerySet[Job], answer: Answer) -> str:
    done = [job.pk for job in jobs if queue.retry(job, by=answer.by)]
    _record("tried again", done, answer)
    return f"{len(done)} jobs wait again; the others had not failed."


def _states(jobs: QuerySet[Job]) -> list[str]:
    states = list(jobs.order_by().values_list("state", flat=True))
    return [f"{states.count(state)} {state.label}" for state in Job.State if state in states]


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "pk",
        "what",
        "study",
        "state",
        "progress",
        "message",
        "created_by",
        "created_at",
        "finished_at",
        "crashes",
    )
    list_filter = ("state", "kind")
    search_fields = ("message", "=study__study_instance_uid", "created_by__username")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    list_select_related = ("study", "created_by")
    actions = (
        with_reason(
            "cancel",
            Question(
                "Cancel",
                "Waiting jobs do not begin; running ones stop at their next step. What they had made so far is not kept.",
                _cancel,
                touches=_states,
                is_destructive=True,
            ),
        ),
        with_reason("retry", Question("Try again", "They are done anew, from the beginning.", _retry, touches=_states)),
    )

    @admin.display(description="job", ordering="kind")
    def what(self, job: Job) -> str:
        kind = kind_of(job.kind)
        return kind.label if kind else job.kind

    @admin.display(description="progress")
    def progress(self, job: Job) -> str:
        return f"{job.done_steps} of {job.total_steps}" if job.total_steps else ""
