"""Rejecting and restoring from the page and by JSON: who may, what is answered, what is hidden."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from archive.models import AuditEvent, Grant, Instance, Study
from tests.archive.receiving.sending import store
from tests.conftest import Cast
from tests.phantoms import ct_series, mr_image

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
ClientOf = Callable[..., Client]
MR_SERIES = "2.25.55"


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


@pytest.fixture
def study() -> Study:
    store(*ct_series(3, PatientName="Doe^Jane"), mr_image(SeriesInstanceUID=MR_SERIES, PatientName="Doe^Jane"))
    return Study.objects.get()


def ask(client: Client, study: Study, action: str = "reject", **values: Any) -> Any:
    asked = {"series": [MR_SERIES], "code": "113001", "reason": "Wrong contrast"} | values
    return client.post(
        f"/studies/{study.study_instance_uid}/{action}", json.dumps(asked), content_type="application/json"
    )


def shown() -> int:
    return Instance.objects.shown().count()


@pytest.mark.parametrize("who", ["reader", "technologist", "admin"])
def test_a_series_is_rejected_and_restored(who: str, study: Study, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(getattr(cast, who))
    assert ask(client, study).json() == {"instances": 1, "revision": study.revision + 1}
    assert shown() == 3
    assert ask(client, study, "restore").json() == {"instances": 1, "revision": study.revision + 2}
    assert shown() == 4


def test_single_images_are_rejected(study: Study, cast: Cast, client_of: ClientOf) -> None:
    uids = list(Instance.objects.filter(series__modality="CT").values_list("sop_instance_uid", flat=True)[:2])
    assert ask(client_of(cast.reader), study, series=[], instances=uids).json()["instances"] == 2
    assert set(Instance.objects.exclude(rejection="").values_list("sop_instance_uid", flat=True)) == set(uids)


@pytest.mark.parametrize("who", ["referrer", "outsider"])
def test_for_others_there_is_no_such_page(who: str, study: Study, cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    client = client_of(getattr(cast, who))
    assert ask(client, study).status_code == 404
    assert client.get(f"/studies/{study.study_instance_uid}/rejecting").status_code == 404
    assert shown() == 4


def test_a_technologist_of_another_room_does_not_find_the_study(study: Study, cast: Cast, client_of: ClientOf) -> None:
    cast.technologist.modalities = ["US"]
    cast.technologist.save()
    assert ask(client_of(cast.technologist), study).status_code == 404


def test_a_technologist_is_told_what_is_not_theirs(study: Study, cast: Cast, client_of: ClientOf) -> None:
    cast.technologist.modalities = ["CT"]
    cast.technologist.save()
    client = client_of(cast.technologist)
    response = ask(client, study)
    assert response.status_code == 400 and "Your modalities: CT" in response.json()["error"]
    assert "not your modality" in client.get(f"/studies/{study.study_instance_uid}/rejecting").content.decode()
    assert shown() == 4


@pytest.mark.parametrize(
    "values",
    [
        {"series": []},
        {"series": "2.25.55"},
        {"series": [1, None, {}]},
        {"series": ["1.2.3.4"]},
        {"code": "113039"},
        {"code": ["113001"]},
        {"reason": ""},
        {"reason": None},
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    values: dict[str, Any], study: Study, cast: Cast, client_of: ClientOf
) -> None:
    response = ask(client_of(cast.reader), study, **values)
    assert response.status_code == 400 and len(response.json()["error"]) > 20
    assert shown() == 4


@pytest.mark.parametrize("body", ["[]", "{", '"x"'])
def test_a_body_that_is_no_object_is_refused(body: str, study: Study, cast: Cast, client_of: ClientOf) -> None:
    url = f"/studies/{study.study_instance_uid}/reject"
    assert client_of(cast.reader).post(url, body, content_type="application/json").status_code == 400


def test_images_of_another_study_cannot_be_slipped_in(study: Study, cast: Cast, client_of: ClientOf) -> None:
    store(mr_image(StudyInstanceUID="2.25.66", SeriesInstanceUID="2.25.67", SOPInstanceUID="2.25.68"))
    response = ask(client_of(cast.reader), study, instances=["2.25.68"], series=["2.25.67"])
    assert response.status_code == 400
    assert shown() == 5


def test_the_page_does_the_same_by_a_form(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    url = f"/studies/{study.study_instance_uid}/"
    values = {"series": [MR_SERIES], "code": "113037", "reason": "Other patient's arm"}
    response = client.post(f"{url}reject", values, follow=True)
    content = response.content.decode()
    assert "1 images are rejected" in content and "Other patient&#x27;s arm" in content and "Rita Reader" in content
    client.post(f"{url}restore", {"series": [MR_SERIES], "reason": "It is the right arm"})
    assert shown() == 4
    empty = client.post(f"{url}reject", {"code": "113037", "reason": "Nothing chosen"}, follow=True)
    assert "Choose at least one image" in empty.content.decode()


def test_a_look_at_the_page_is_on_record(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.admin).get(f"/studies/{study.study_instance_uid}/rejecting")
    event = AuditEvent.objects.get(event="identity-looked-at")
    assert (event.user, event.study_instance_uid) == (cast.admin, study.study_instance_uid)
