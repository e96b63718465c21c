"""Claim a job with a lease, run it, keep its progress; give back what a dead worker held.

A claim is a conditional update, so that one worker has a job; the lease is renewed
with each step, and in between for as long as a single step may take, so that nothing
stays "running" for ever. Three crashes park it.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.errors import ArchiveError
from archive.jobs.registry import kind_of, quick_kinds
from archive.models import Job

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
LONGEST_STEP = timedelta(minutes=20)
"""A step that takes longer counts as hung: its lease is left to run out."""
MOST_CRASHES = 3
SAVE_EVERY_S = 0.5
"""Progress is written at most this often."""
STOP_AFTER_S = 240
"""One task ends after this long, so that a warm shutdown never waits for the whole queue."""


FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 20
"""Tries of a peer that does not answer, with pauses that double: about thirteen hours."""


class JobCancelled(Exception):
    """Somebody asked the job to stop."""


class JobRefused(Exception):
    """The job cannot be done; the message says why in words a user can act on."""


class TryLater(Exception):
    """Nothing is wrong with the job, but it cannot be done now; the message says why, ``pause`` when to try again.

    Without a pause of its own it is tried again after growing ones, and has failed after the last.
    """

    def __init__(self, message: str, pause: timedelta | None = None) -> None:
        super().__init__(message)
        self.pause = pause


class LeaseLost(Exception):
    """Another worker has taken the job over; this one must not write any more."""


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many tries that failed.

    >>> [str(pause_after(attempts)) for attempts in (1, 2, 8, 20)]
    ['0:00:30', '0:01:00', '1:00:00', '1:00:00']
    """
    return min(FIRST_PAUSE * 2 ** max(0, attempts - 1), LONGEST_PAUSE)


class Progress:
    """Steps of one running job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._saved_at = 0.0
        self.moved_at = time.monotonic()
        """When the last step was counted."""

    def start(self, total_steps: int, message: str = "") -> None:
        """Say how many steps there will be."""
        self.moved_at = time.monotonic()
        self._job.total_steps, self._job.done_steps = total_steps, 0
        self._save(message)

    def step(self, count: int = 1, message: str = "") -> None:
        """Count steps done, renew the lease, and stop where that was asked for."""
        self.moved_at = time.monotonic()
        self._job.done_steps += count
        if time.monotonic() - self._saved_at > SAVE_EVERY_S:
            self._save(message)

    def keep(self, details: dict[str, Any]) -> None:
        """Write down what the job knows of its own, so that the next try goes on from there."""
        self._job.details = details
        if not held(self._job).update(details=details, lease_until=timezone.now() + LEASE):
            raise LeaseLost

    def _save(self, message: str) -> None:
        self._saved_at = time.monotonic()
        values = {
            "done_steps": self._job.done_steps,
            "total_steps": self._job.total_steps,
            "lease_until": timezone.now() + LEASE,
        }
        if message:
            values["message"] = message[:500]
        if not held(self._job).update(**values):
            raise LeaseLost
        if Job.objects.filter(pk=self._job.pk, cancel_requested=True).exists():
            raise JobCancelled


def held(job: Job) -> QuerySet[Job]:
    """The job's row, as long as this claim holds it."""
    return Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, lease_token=job.lease_token)


@contextmanager
def lease_kept(job: Job, progress: Progress, *, every: timedelta = LEASE / 3) -> Iterator[threading.Thread]:
    """Renew the lease while a step runs, however long it takes up to ``LONGEST_STEP``, in a thread of its own."""
    ended = threading.Event()

    def renew() -> None:
        try:
            while not ended.wait(every.total_seconds()):
                if time.monotonic() - progress.moved_at > LONGEST_STEP.total_seconds():
                    return
                try:
                    held(job).update(lease_until=timezone.now() + LEASE)
                except DatabaseError as error:
                    logger.warning("a lease could not be renewed: %s", error, extra={"job": job.pk})
        finally:
            connection.close()

    keeper = threading.Thread(target=renew, name=f"lease of job {job.pk}", daemon=True)
    keeper.start()
    try:
        yield keeper
    finally:
        ended.set()
        keeper.join()


def run_waiting_jobs(*, stop_after_s: float = STOP_AFTER_S) -> int:
    """Run jobs until none waits; returns how many were run."""
    give_back_abandoned()
    done = 0
    until = time.monotonic() + stop_after_s
    while time.monotonic() < until and (job := claim_next()) is not None:
        run_job(job)
        done += 1
    return done


def claim_next() -> Job | None:
    """Take the next waiting job: quick kinds first, then the oldest."""
    now = timezone.now()
    waiting = Job.objects.filter(state=Job.State.QUEUED).filter(Q(due_at__isnull=True) | Q(due_at__lte=now))
    for candidates in (waiting.filter(kind__in=quick_kinds()), waiting):
        for pk in candidates.order_by("pk").values_list("pk", flat=True)[:20]:
            token = secrets.token_hex(8)
            claimed = Job.objects.filter(pk=pk, state=Job.State.QUEUED).update(
                state=Job.State.RUNNING, started_at=now, lease_until=now + LEASE, lease_token=token
            )
            if claimed:
                return Job.objects.select_related("study").get(pk=pk)
    return None


def run_job(job: Job) -> None:
    """Run one claimed job to its end."""
    kind = kind_of(job.kind)
    if kind is None:
        _end(job, Job.State.FAILED, "This kind of job is unknown to this version of the portal.")
        return
    progress = Progress(job)
    try:
        with lease_kept(job, progress):
            message = kind.run(job, progress)
    except LeaseLost:
        logger.warning("a job was taken over by another worker", extra={"job": job.pk})
        return
    except JobCancelled:
        _end(job, Job.State.CANCELLED, "Cancelled.")
    except TryLater as later:
        _put_off(job, later)
    except (JobRefused, ArchiveError) as error:
        _end(job, Job.State.FAILED, str(error))
    except Exception:
        logger.exception("a job failed", extra={"job": job.pk, "kind": job.kind})
        crashed(job)
    else:
        _end(job, Job.State.DONE, message)


def _end(job: Job, state: Job.State, message: str) -> None:
    with transaction.atomic():
        ended = held(job).update(
            state=state,
            finished_at=timezone.now(),
            message=message[:500],
            lease_token="",
            done_steps=job.total_steps if state == Job.State.DONE else job.done_steps,
        )
        if ended and job.created_by_id is not None:
            record_event(
                Event.JOB_ENDED,
                actor="worker",
                subject=f"job {job.pk}",
                outcome="success" if state == Job.State.DONE else "failure",
                details={"kind": job.kind, "state": str(state)},
            )


def _put_off(job: Job, later: TryLater) -> None:
    """Queue a job again for a later moment; a waiting one with the same key does it instead."""
    attempts = job.attempts + 1
    if later.pause is None and attempts >= MOST_ATTEMPTS:
        _end(job, Job.State.FAILED, f"{later} Given up after {attempts} tries.")
        return
    if _is_replaced(job):
        return
    due_at = timezone.now() + (later.pause or pause_after(attempts))
    held(job).update(
        state=Job.State.QUEUED,
        attempts=F("attempts") + 1,
        lease_token="",
        due_at=due_at,
        message=f"{later} It will be tried again at {timezone.localtime(due_at):%H:%M:%S}."[:500],
    )


def _is_replaced(job: Job) -> bool:
    """End a job that would wait beside a later one for the same; true where it did."""
    if not job.coalescing_key:
        return False
    if not Job.objects.filter(coalescing_key=job.coalescing_key, state=Job.State.QUEUED).exists():
        return False
    held(job).update(
        state=Job.State.CANCELLED, finished_at=timezone.now(), message="Replaced by a later request for the same."
    )
    return True


def crashed(job: Job) -> None:
    """Queue a crashed job again after a pause, or park it after the third time."""
    crashes = job.crashes + 1
    if crashes >= MOST_CRASHES:
        held(job).update(
            state=Job.State.PARKED,
            crashes=crashes,
            finished_at=timezone.now(),
            lease_token="",
            message="Parked: the worker failed at this three times. An administrator should look before trying again.",
        )
        return
    if _is_replaced(job):
        return
    held(job).update(
        state=Job.State.QUEUED,
        crashes=F("crashes") + 1,
        lease_token="",
        due_at=timezone.now() + timedelta(seconds=10 * 3**job.crashes),
        message="Interrupted; it will be tried again.",
    )


def give_back_abandoned() -> int:
    """Queue jobs again whose worker has let the lease run out; returns how many."""
    abandoned = list(Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=timezone.now()))
    for job in abandoned:
        crashed(job)
    return len(abandoned)
