"""The page that sends a study away: who may, what is queued, what a job's page says of each image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from archive.models import Grant, Job, Series, Study
from tests.archive.exchange.conftest import peer
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_series, mr_image

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def study() -> Study:
    store(*ct_series(3, PatientName="Doe^Jane"), mr_image(SeriesInstanceUID="2.25.55", PatientName="Doe^Jane"))
    return Study.objects.get()


def address(study: Study) -> str:
    return f"/studies/{study.study_instance_uid}/send"


def ask(client: Client, study: Study, **values: Any) -> Any:
    everything = list(Series.objects.values_list("series_instance_uid", flat=True))
    return client.post(address(study), {"peer": "ORTHANC", "series": everything} | values)


def test_the_whole_study_is_queued_and_its_job_shown(study: Study, cast: Cast, client_of: ClientOf) -> None:
    peer(104)
    answer = ask(client_of(cast.reader), study)
    job = Job.objects.get(kind="send")
    assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{job.pk}/")
    assert (job.study, job.created_by, job.parameters["series"], job.total_steps) == (study, cast.reader, [], 4)


def test_some_series_are_queued_alone(study: Study, cast: Cast, client_of: ClientOf) -> None:
    peer(104)
    ask(client_of(cast.reader), study, series=["2.25.55"])
    assert Job.objects.get(kind="send").parameters["series"] == ["2.25.55"]


@pytest.mark.parametrize(
    ("values", "words"),
    [({"peer": ""}, "Choose where"), ({"peer": "OTHER"}, "Choose where"), ({"series": []}, "series")],
)
def test_what_is_missing_is_said(
    values: dict[str, Any], words: str, study: Study, cast: Cast, client_of: ClientOf
) -> None:
    peer(104)
    answer = ask(client_of(cast.reader), study, **values)
    assert answer.status_code == 400 and words in answer.content.decode()
    assert not Job.objects.filter(kind="send").exists()


def test_only_peers_that_may_be_sent_images_are_offered(study: Study, cast: Cast, client_of: ClientOf) -> None:
    peer(104)
    peer(105, "SCANNER9", may_receive=False)
    page = client_of(cast.reader).get(address(study)).content.decode()
    assert "ORTHANC" in page and "SCANNER9" not in page


def test_without_a_peer_the_page_says_who_adds_one(study: Study, cast: Cast, client_of: ClientOf) -> None:
    assert "An administrator adds peers" in client_of(cast.reader).get(address(study)).content.decode()


@pytest.mark.parametrize("who", ["technologist", "admin", "referrer", "outsider"])
def test_without_the_right_to_download_there_is_no_such_page(
    who: str, study: Study, cast: Cast, client_of: ClientOf
) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    peer(104)
    client = client_of(getattr(cast, who))
    assert client.get(address(study)).status_code == 404
    assert ask(client, study).status_code == 404


def test_a_clinician_who_may_download_may_send(study: Study, cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=study, may_download=True)
    peer(104)
    assert ask(client_of(cast.referrer), study).status_code == 302


def test_the_jobs_page_names_the_result_of_each_image_trouble_first(
    study: Study, cast: Cast, client_of: ClientOf
) -> None:
    peer(104)
    client = client_of(cast.reader)
    ask(client, study)
    job = Job.objects.get(kind="send")
    results = {
        "2.25.1": {"outcome": "sent", "status": "0000", "words": "stored"},
        "2.25.2": {"outcome": "refused", "status": "A700", "words": "out of resources (A700)"},
    }
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, details={"results": results})
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert page.index("out of resources (A700)") < page.index(">stored<")
    assert "1 refused, 1 sent" in page and "Try again" in page
    assert client_of(cast.outsider).get(f"/jobs/{job.pk}/").status_code == 404
