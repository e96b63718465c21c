"""Put jobs into the queue, cancel them, try them again."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from archive.access.roles import Role, has_role
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.jobs.kinds import FETCH
from archive.models import Job, Study, User

logger = logging.getLogger(__name__)


def enqueue(
    kind: str,
    *,
    study: Study | None = None,
    parameters: dict[str, Any] | None = None,
    created_by: User | None = None,
    coalescing_key: str = "",
    total_steps: int = 0,
    due_at: datetime | None = None,
) -> Job:
    """Add a job, or return the waiting one with the same key; the worker is woken after the commit, or comes when it is due."""
    values = {
        "kind": kind,
        "study": study,
        "parameters": parameters or {},
        "created_by": created_by,
        "coalescing_key": coalescing_key,
        "total_steps": total_steps,
        "due_at": due_at,
    }
    with transaction.atomic():
        job = _waiting(coalescing_key)
        if job is not None:
            return job
        try:
            with transaction.atomic():
                job = Job.objects.create(**values)
        except IntegrityError:
            # Another process queued the same a moment ago.
            job = _waiting(coalescing_key)
            if job is None:
                raise
            return job
        if created_by is not None:
            record_event(
                Event.JOB_STARTED,
                user=created_by,
                study_instance_uid=study.study_instance_uid if study else "",
                subject=f"job {job.pk}",
                details={"kind": kind},
            )
    if due_at is None:
        transaction.on_commit(wake_worker, robust=True)
    return job


def _waiting(coalescing_key: str) -> Job | None:
    """The waiting job with a key, held until this transaction ends: it does not begin before it can see its work."""
    if not coalescing_key:
        return None
    return Job.objects.select_for_update().filter(coalescing_key=coalescing_key, state=Job.State.QUEUED).first()


def wake_worker() -> None:
    """A hint that may be lost; the schedule makes up for it."""
    from archive.tasks import run_jobs

    try:
        run_jobs.apply_async(expires=60)
    except (OperationalError, OSError) as error:
        logger.warning("no wake-up could be sent: %s", type(error).__name__)


def visible_jobs(who: User) -> QuerySet[Job]:
    """Administrators see all, others their own and those of studies they may open.

    Fetches name no patient; whoever may search other archives sees them.
    """
    jobs = Job.objects.select_related("study", "created_by").order_by("-pk")
    if has_role(who, Role.ADMINISTRATOR):
        return jobs
    fetched = jobs.filter(kind=FETCH) if has_role(who, Role.RADIOLOGIST, Role.TECHNOLOGIST) else jobs.none()
    return fetched | jobs.filter(study__in=Study.objects.visible_to(who)) | jobs.filter(created_by=who)


def cancel(job: Job, *, by: User) -> bool:
    """Cancel a waiting job at once, a running one at its next step; False where it had ended."""
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(
        state=Job.State.CANCELLED, finished_at=timezone.now(), message="Cancelled before it began."
    )
    asked = waiting or Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(cancel_requested=True)
    if asked:
        record_event(Event.JOB_ENDED, user=by, subject=f"job {job.pk}", details={"cancelled": True})
    return bool(asked)


def retry(job: Job, *, by: User) -> bool:
    """Queue a job again that failed, was cancelled or was parked; False where it had not, or the same waits already."""
    if job.coalescing_key and Job.objects.filter(coalescing_key=job.coalescing_key, state=Job.State.QUEUED).exists():
        return False
    ended = [Job.State.FAILED, Job.State.CANCELLED, Job.State.PARKED]
    again = Job.objects.filter(pk=job.pk, state__in=ended).update(
        state=Job.State.QUEUED,
        cancel_requested=False,
        crashes=0,
        attempts=0,
        done_steps=0,
        due_at=None,
        finished_at=None,
        message="",
    )
    if again:
        record_event(Event.JOB_STARTED, user=by, subject=f"job {job.pk}", details={"again": True})
        wake_worker()
    return bool(again)
