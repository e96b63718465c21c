"""The page of other archives: searched by POST, trouble in words, fetched as jobs with progress."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from archive.models import Job, Study
from tests.archive.exchange.conftest import Orthanc, orthanc, peer  # noqa: F401 - fixture
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_image, to_part10_bytes
from viewer.pages.peers import date_key, name_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


def ask(client: Client, **values: Any) -> str:
    answer = client.post("/peers/", {"peer": "ORTHANC"} | values, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("typed", "key"),
    [("Doe, Jane", "Doe^Jane*"), ("doe", "doe*"), ("  doe   jane ", "doe*jane*"), ("D?e*", "D?e*"), ("", "")],
)
def test_a_name_is_asked_for_by_its_beginning(typed: str, key: str) -> None:
    assert name_key(typed) == key


def test_days_become_a_range() -> None:
    start, end = date(2024, 1, 2), date(2024, 3, 4)
    assert [date_key(*ends) for ends in ((start, end), (start, None), (None, end), (None, None))] == [
        "20240102-20240304",
        "20240102-",
        "-20240304",
        "",
    ]


def test_what_an_archive_has_is_listed_and_fetched(orthanc: Orthanc, cast: Cast, client_of: ClientOf) -> None:  # noqa: F811
    orthanc.post("/instances", to_part10_bytes(ct_image(PatientID="A1", PatientName="Doe^<b>Jane")))
    there = peer(orthanc.dicom_port, retrieve_by="get")
    client = client_of(cast.reader)
    page = ask(client, patient_id="A1")
    assert "1 study at ORTHANC" in page and "Doe, &lt;b&gt;Jane" in page and "<b>Jane" not in page
    uid = ct_image().StudyInstanceUID
    cell = client.post("/peers/fetch", {"peer": "ORTHANC", "study": uid}, headers={"HX-Request": "true"})
    job = Job.objects.get(kind="fetch")
    assert (job.parameters["peer"], job.parameters["study_instance_uid"]) == (there.pk, uid)
    assert f"/jobs/{job.pk}/?cell=1" in cell.content.decode()
    assert "progress" in ask(client, patient_id="A1")
    Job.objects.update(state=Job.State.DONE, message="1 images came from ORTHANC.")
    answer = client.get(f"/jobs/{job.pk}/?cell=1", headers={"HX-Request": "true"}).content.decode()
    assert "1 images came" in answer and "hx-get" not in answer


def test_nothing_found_is_said(orthanc: Orthanc, cast: Cast, client_of: ClientOf) -> None:  # noqa: F811
    peer(orthanc.dicom_port)
    assert "Nothing found at ORTHANC" in ask(client_of(cast.technologist), patient_id="NOBODY")


def test_an_archive_that_is_away_is_said_in_words(cast: Cast, client_of: ClientOf) -> None:
    peer(1)
    assert "ORTHANC does not answer: connection refused" in ask(client_of(cast.reader), patient_id="A1")


def test_a_question_without_anything_to_narrow_it_is_not_asked(cast: Cast, client_of: ClientOf) -> None:
    peer(1)
    assert "archives are large" in ask(client_of(cast.reader), modality="CT")


def test_from_a_study_the_patients_id_is_filled_in_and_stands_in_no_address(cast: Cast, client_of: ClientOf) -> None:
    store(ct_image(PatientID="A1-77"))
    peer(1)
    study = Study.objects.get()
    client = client_of(cast.reader)
    link = f"/peers/?study={study.study_instance_uid}"
    assert link in client.get(f"/studies/{study.study_instance_uid}/").content.decode()
    assert 'value="A1-77"' in client.get(link).content.decode()
    assert client_of(cast.admin).get(link).status_code == 404


def test_without_an_archive_the_page_says_who_adds_one(cast: Cast, client_of: ClientOf) -> None:
    assert "No other archive is known" in client_of(cast.reader).get("/peers/").content.decode()


@pytest.mark.parametrize("who", ["referrer", "outsider"])
def test_for_others_there_is_no_such_page(who: str, cast: Cast, client_of: ClientOf) -> None:
    peer(1)
    client = client_of(getattr(cast, who))
    assert client.get("/peers/").status_code == 404
    assert client.post("/peers/fetch", {"peer": "ORTHANC", "study": "2.25.1"}).status_code == 404


def test_who_may_search_sees_fetches_of_others(cast: Cast, client_of: ClientOf) -> None:
    peer(1)
    client_of(cast.reader).post("/peers/fetch", {"peer": "ORTHANC", "study": "2.25.1"})
    job = Job.objects.get()
    assert client_of(cast.technologist).get(f"/jobs/{job.pk}/").status_code == 200
    assert client_of(cast.referrer).get(f"/jobs/{job.pk}/").status_code == 404
