"""The jobs page: who sees which jobs, in which words, and who may stop or repeat them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from archive.access.break_glass import open_in_emergency
from archive.jobs.queue import enqueue
from archive.models import AuditEvent, Grant, Job, Study
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_image

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def study() -> Study:
    store(ct_image(PatientName="Doe^Jane", StudyDescription="Chest", StudyDate="20261124"))
    Job.objects.all().delete()
    return Study.objects.get()


def add(study: Study | None = None, **values: Any) -> Job:
    job = enqueue("enhance", study=study, created_by=values.pop("created_by", None))
    Job.objects.filter(pk=job.pk).update(**values)
    return Job.objects.get(pk=job.pk)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def test_a_job_is_told_in_words(study: Study, cast: Cast, client_of: ClientOf) -> None:
    add(study, created_by=cast.reader, state="running", done_steps=30, total_steps=120, message="Slice 30")
    response = client_of(cast.reader).get("/jobs/")
    content = text_of(response)
    assert "Enhanced copy of a series" in content and "30 of 120" in content and "Slice 30" in content
    assert "Doe, Jane · CT Chest 2026-11-24" in content and "Rita Reader" in content
    assert b'value="25"' in response.content


def test_an_administrator_reads_no_name_without_a_reason(study: Study, cast: Cast, client_of: ClientOf) -> None:
    add(study)
    content = text_of(client_of(cast.admin).get("/jobs/"))
    assert "CT Chest 2026-11-24" in content and "Doe" not in content
    open_in_emergency(user=cast.admin, study=study, reason="Nobody else is in the house")
    assert "Doe, Jane" in text_of(client_of(cast.admin).get("/jobs/"))


def test_others_see_their_own_and_those_of_their_studies(study: Study, cast: Cast, client_of: ClientOf) -> None:
    add(study, message="of the study")
    add(None, created_by=cast.referrer2, message="of referrer2")
    Grant.objects.create(user=cast.referrer, study=study)
    seen = {
        name: text_of(client_of(getattr(cast, name)).get("/jobs/"))
        for name in ("referrer", "referrer2", "technologist")
    }
    assert "of the study" in seen["referrer"] and "of referrer2" not in seen["referrer"]
    assert "of the study" not in seen["referrer2"] and "of referrer2" in seen["referrer2"]
    assert "of the study" in seen["technologist"] and "of referrer2" not in seen["technologist"]


def test_an_outsider_sees_nothing(study: Study, cast: Cast, client_of: ClientOf) -> None:
    job = add(study)
    assert client_of(cast.outsider).get("/jobs/").status_code == 404
    assert client_of(cast.outsider).post(f"/jobs/{job.pk}/cancel").status_code == 404
    assert client_of(None).get("/jobs/").status_code == 302


@pytest.mark.parametrize(("state", "expected"), [("", 6), ("active", 2), ("failed", 2), ("done", 2), ("nonsense", 6)])
def test_states_filter_and_are_counted(state: str, expected: int, cast: Cast, client_of: ClientOf) -> None:
    for value in Job.State:
        add(state=value)
    response = client_of(cast.admin).get(f"/jobs/?state={state}")
    assert len(response.context["rows"]) == expected
    assert "All 6 Active 2 Failed 2 Done 2" in text_of(response)


def test_the_list_looks_each_second_only_while_something_moves(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    job = add(state="running")
    assert b'hx-trigger="every 1s"' in client.get("/jobs/").content
    Job.objects.filter(pk=job.pk).update(state="done")
    response = client.get("/jobs/", headers=HTMX)
    assert b'hx-trigger="every 5s"' in response.content and b"<html" not in response.content


def test_looking_for_news_costs_few_queries(
    study: Study, cast: Cast, client_of: ClientOf, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        add(study)
    client = client_of(cast.reader)
    client.get("/jobs/")
    with django_assert_max_num_queries(9):
        assert len(client.get("/jobs/", headers=HTMX).context["rows"]) == 30


@pytest.mark.parametrize("who", ["reader", "admin"])
def test_who_asked_and_administrators_cancel_and_repeat(
    who: str, study: Study, cast: Cast, client_of: ClientOf
) -> None:
    job = add(study, created_by=cast.reader)
    client = client_of(getattr(cast, who))
    assert client.post(f"/jobs/{job.pk}/cancel").status_code == 302
    job.refresh_from_db()
    assert (job.state, job.message) == ("cancelled", "Cancelled before it began.")
    response = client.post(f"/jobs/{job.pk}/retry", headers=HTMX)
    assert response.status_code == 200 and "waiting" in text_of(response)
    assert AuditEvent.objects.filter(user=getattr(cast, who), subject=f"job {job.pk}").count() >= 2


def test_a_running_job_is_asked_to_stop(study: Study, cast: Cast, client_of: ClientOf) -> None:
    job = add(study, created_by=cast.reader, state="running")
    assert "stopping" in text_of(client_of(cast.reader).post(f"/jobs/{job.pk}/cancel", headers=HTMX))


@pytest.mark.parametrize("who", ["reader2", "technologist"])
def test_others_may_look_and_not_stop(who: str, study: Study, cast: Cast, client_of: ClientOf) -> None:
    job = add(study, created_by=cast.reader)
    client = client_of(getattr(cast, who))
    assert b"Cancel" not in client.get("/jobs/").content
    assert client.post(f"/jobs/{job.pk}/cancel").status_code == 404
    assert Job.objects.get().state == "queued"


@pytest.mark.parametrize("path", ["/jobs/999999/cancel", "/jobs/1/delete"])
def test_what_is_not_there_is_not_found(path: str, cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.admin).post(path).status_code == 404


def test_only_a_post_changes_a_job(study: Study, cast: Cast, client_of: ClientOf) -> None:
    job = add(study, created_by=cast.reader)
    assert client_of(cast.reader).get(f"/jobs/{job.pk}/cancel").status_code == 405


def test_an_empty_list_says_what_would_be_here(cast: Cast, client_of: ClientOf) -> None:
    assert "No jobs yet" in text_of(client_of(cast.reader).get("/jobs/"))
    assert "No such jobs" in text_of(client_of(cast.reader).get("/jobs/?state=failed"))


def test_messages_are_escaped(cast: Cast, client_of: ClientOf) -> None:
    add(message="<script>alert(1)</script>")
    assert b"<script>alert" not in client_of(cast.admin).get("/jobs/").content
