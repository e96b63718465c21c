"""The queue of jobs: claimed once, renewed, given back, parked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from archive.jobs import queue, registry, run
from archive.models import Job
from tests.servers import wait_until

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = pytest.mark.django_db
ran: list[int] = []


def counts_to_three(job: Job, progress: run.Progress) -> str:
    ran.append(job.pk)
    progress.start(3, "Counting")
    for _ in range(3):
        progress.step()
    return "Counted to three."


def refuses(_job: Job, _progress: run.Progress) -> str:
    raise run.JobRefused("There is nothing to count.")


def breaks(_job: Job, _progress: run.Progress) -> str:
    raise RuntimeError("a programming error")


def is_cancelled_meanwhile(job: Job, progress: run.Progress) -> str:
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    progress.start(1)
    return "never"


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    ran.clear()
    monkeypatch.setattr(registry, "_kinds", {})
    monkeypatch.setattr(queue, "wake_worker", lambda: None)
    for function in (counts_to_three, refuses, breaks, is_cancelled_meanwhile):
        name = function.__name__
        registry.register(registry.Kind(name, name, f"{__name__}.{name}", is_quick=name == "refuses"))


def test_a_job_runs_and_says_how_it_ended() -> None:
    job = queue.enqueue("counts_to_three")
    assert run.run_waiting_jobs() == 1
    job.refresh_from_db()
    assert (job.state, job.message, job.done_steps, job.total_steps) == (Job.State.DONE, "Counted to three.", 3, 3)


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_renewed_while_one_long_step_runs() -> None:
    queue.enqueue("counts_to_three")
    job = run.claim_next()
    assert job is not None
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    renewed = Job.objects.filter(pk=job.pk, lease_until__gt=timezone.now() + run.LEASE / 2)
    with run.lease_kept(job, run.Progress(job), every=timedelta(milliseconds=20)):
        wait_until(renewed.exists, patience_s=10, what="the lease is renewed")


@pytest.mark.django_db(transaction=True)
def test_the_lease_of_a_hung_step_runs_out() -> None:
    queue.enqueue("counts_to_three")
    job = run.claim_next()
    assert job is not None
    progress = run.Progress(job)
    progress.moved_at -= run.LONGEST_STEP.total_seconds() + 1
    run_out = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_until=run_out)
    with run.lease_kept(job, progress, every=timedelta(milliseconds=1)) as keeper:
        keeper.join(5)
    job.refresh_from_db()
    assert (keeper.is_alive(), job.lease_until) == (False, run_out)


def test_a_claimed_job_is_claimed_by_nobody_else() -> None:
    queue.enqueue("counts_to_three")
    assert run.claim_next() is not None
    assert run.claim_next() is None


def test_quick_kinds_go_first() -> None:
    queue.enqueue("counts_to_three")
    quick = queue.enqueue("refuses")
    claimed = run.claim_next()
    assert claimed is not None and claimed.pk == quick.pk


def test_a_refusal_is_the_result_in_words() -> None:
    job = queue.enqueue("refuses")
    run.run_waiting_jobs()
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.FAILED, "There is nothing to count.")


def test_three_crashes_park_a_job() -> None:
    job = queue.enqueue("breaks")
    for crashes in (1, 2):
        run.run_waiting_jobs()
        job.refresh_from_db()
        assert (job.state, job.crashes) == (Job.State.QUEUED, crashes)
        assert job.due_at is not None and job.due_at > timezone.now()
        Job.objects.update(due_at=None)
    run.run_waiting_jobs()
    job.refresh_from_db()
    assert job.state == Job.State.PARKED


def test_a_lease_that_ran_out_gives_the_job_back() -> None:
    job = queue.enqueue("counts_to_three")
    run.claim_next()
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert run.give_back_abandoned() == 1
    job.refresh_from_db()
    assert (job.state, job.crashes) == (Job.State.QUEUED, 1)


def test_a_worker_that_lost_its_lease_writes_nothing() -> None:
    queue.enqueue("counts_to_three")
    late = run.claim_next()
    assert late is not None
    Job.objects.update(lease_token="another worker's")
    run.run_job(late)
    late.refresh_from_db()
    assert (late.state, late.message, late.done_steps) == (Job.State.RUNNING, "", 0)


def test_cancelling_ends_a_waiting_job_at_once_and_a_running_one_at_its_next_step(cast: Cast) -> None:
    waiting = queue.enqueue("counts_to_three")
    assert queue.cancel(waiting, by=cast.reader)
    running = queue.enqueue("is_cancelled_meanwhile")
    run.run_waiting_jobs()
    assert [one.state for one in Job.objects.order_by("pk")] == [Job.State.CANCELLED] * 2
    assert not queue.cancel(running, by=cast.reader)
    assert ran == []


def test_two_waiting_jobs_with_one_key_are_one() -> None:
    first = queue.enqueue("counts_to_three", coalescing_key="pictures 1")
    assert queue.enqueue("counts_to_three", coalescing_key="pictures 1").pk == first.pk
    run.run_waiting_jobs()
    assert queue.enqueue("counts_to_three", coalescing_key="pictures 1").pk != first.pk


def test_an_ended_job_can_be_tried_again(cast: Cast) -> None:
    job = queue.enqueue("refuses")
    run.run_waiting_jobs()
    assert queue.retry(job, by=cast.admin)
    assert not queue.retry(job, by=cast.admin)
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.QUEUED, "")


def test_a_kind_nobody_knows_is_refused_in_words() -> None:
    job = queue.enqueue("of another version")
    run.run_waiting_jobs()
    job.refresh_from_db()
    assert job.state == Job.State.FAILED


def test_a_key_that_waits_already_is_not_queued_twice_nor_retried_beside_it(cast: Cast) -> None:
    first = queue.enqueue("refuses", coalescing_key="one")
    run.run_waiting_jobs()
    second = queue.enqueue("counts_to_three", coalescing_key="one")
    assert queue.enqueue("counts_to_three", coalescing_key="one").pk == second.pk
    assert queue.retry(first, by=cast.admin) is False
    run.run_waiting_jobs()
    assert queue.retry(first, by=cast.admin) is True


def test_two_processes_that_queue_the_same_at_once_get_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    look, looked = queue._waiting, []

    def too_early(key: str) -> Job | None:
        looked.append(key)
        if len(looked) == 1:
            Job.objects.create(kind="counts_to_three", coalescing_key=key)
            return None
        return look(key)

    monkeypatch.setattr(queue, "_waiting", too_early)
    job = queue.enqueue("counts_to_three", coalescing_key="one")
    assert Job.objects.get().pk == job.pk
