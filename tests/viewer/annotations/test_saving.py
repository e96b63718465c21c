"""Measurements through the address that the viewer uses: kept, changed, brought back; who may, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from archive.models import Grant, Instance, Study
from tests.journeys.sending import forget_what_was_drawn, store
from tests.phantoms import SERIES_INSTANCE_UID, ct_image, ramp
from viewer.models import Annotation

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
ClientOf = Callable[..., "Client"]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    forget_what_was_drawn()


@pytest.fixture
def study(portal_data: object) -> Study:
    """Two slices; stored values of a ramp from 1000 and from 1100 on."""
    store(*(ct_image(ramp(start=1000 + 100 * n), z=10.0 * n, number=n + 1) for n in range(2)))
    return Study.objects.get()


def drawn(study: Study, **changes: Any) -> dict[str, Any]:
    first = Instance.objects.filter(series__study=study).order_by("instance_number")[0]
    return {
        "version": 0,
        "kind": "ellipse",
        "geometry": {"points": [[1, 2], [9, 8]]},
        "stack": SERIES_INSTANCE_UID,
        "SOPInstanceUID": first.sop_instance_uid,
        "FrameNumber": 1,
        "label": "",
        **changes,
    }


def address(study: Study, one: object = "") -> str:
    return f"/api/studies/{study.study_instance_uid}/annotations" + (f"/{one}" if one else "")


def put(client: Client, study: Study, one: object, **changes: Any) -> Any:
    return client.put(address(study, one), drawn(study, **changes), content_type="application/json")


def delete(client: Client, study: Study, one: object, version: int) -> Any:
    return client.delete(address(study, one), {"version": version}, content_type="application/json")


def listed(client: Client, study: Study) -> list[Any]:
    return list(client.get(address(study)).json()["annotations"])


def test_what_is_drawn_is_there_when_the_study_is_opened_again(study: Study, cast: Cast, client_of: ClientOf) -> None:
    one = uuid4()
    assert put(client_of(cast.reader), study, one, label="target 1").status_code == 200
    (found,) = listed(client_of(cast.reader2), study)
    assert (found["id"], found["version"], found["label"]) == (str(one), 1, "target 1")
    assert found["geometry"] == {"points": [[1.0, 2.0], [9.0, 8.0]]}
    assert found["author"] == str(cast.reader)
    assert (found["is_own"], found["may_change"]) == (False, True)


def test_only_who_may_see_a_study_reads_and_draws(study: Study, cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    seen = {name: client_of(getattr(cast, name)).get(address(study)).status_code for name in vars(cast)}
    kept = {name: put(client_of(getattr(cast, name)), study, uuid4()).status_code for name in vars(cast)}
    statistics = {
        name: client_of(getattr(cast, name))
        .post(f"/api/stacks/{SERIES_INSTANCE_UID}/frames/1/statistics", drawn(study), content_type="application/json")
        .status_code
        for name in vars(cast)
    }
    wanted = {
        "reader": 200,
        "reader2": 200,
        "referrer": 200,
        "referrer2": 404,
        "technologist": 200,
        "admin": 404,
        "outsider": 404,
    }
    assert seen == wanted
    assert kept == wanted
    assert statistics == wanted


def test_a_stranger_takes_nothing_off(study: Study, cast: Cast, client_of: ClientOf) -> None:
    one = uuid4()
    put(client_of(cast.reader), study, one)
    assert delete(client_of(cast.referrer2), study, one, 1).status_code == 404
    Grant.objects.create(user=cast.referrer, study=study)
    assert delete(client_of(cast.referrer), study, one, 1).status_code == 403
    assert put(client_of(cast.referrer), study, one, version=1, label="mine").status_code == 403
    assert Annotation.objects.get(pk=one).version == 1


def test_another_radiologist_changes_it_and_the_author_stays(study: Study, cast: Cast, client_of: ClientOf) -> None:
    one = uuid4()
    put(client_of(cast.reader), study, one)
    found = put(client_of(cast.reader2), study, one, version=1, label="checked").json()
    assert (found["version"], found["author"], found["changed_by"]) == (2, str(cast.reader), str(cast.reader2))


def test_who_saw_an_older_version_is_told_and_loses_nothing(study: Study, cast: Cast, client_of: ClientOf) -> None:
    one = uuid4()
    put(client_of(cast.reader), study, one)
    put(client_of(cast.reader2), study, one, version=1, label="theirs")
    answer = put(client_of(cast.reader), study, one, version=1, label="mine")
    assert answer.status_code == 409
    assert answer.json()["annotation"]["label"] == "theirs"
    assert answer.json()["annotation"]["version"] == 2
    assert str(cast.reader2) in answer.json()["error"]
    assert put(client_of(cast.reader), study, one, version=2, label="mine").json()["label"] == "mine"


def test_an_answer_that_got_lost_is_given_again(study: Study, cast: Cast, client_of: ClientOf) -> None:
    one, client = uuid4(), client_of(cast.reader)
    assert put(client, study, one).json()["version"] == 1
    assert put(client, study, one).json()["version"] == 1
    assert put(client, study, one, version=1, label="b").json()["version"] == 2
    assert put(client, study, one, version=1, label="b").json()["version"] == 2
    assert Annotation.objects.count() == 1


def test_what_was_deleted_can_be_brought_back(study: Study, cast: Cast, client_of: ClientOf) -> None:
    one, client = uuid4(), client_of(cast.reader)
    put(client, study, one, label="lesion")
    assert delete(client, study, one, 1).json()["deleted"] is True
    assert listed(client, study) == []
    # The answer may get lost here too.
    assert delete(client, study, one, 1).status_code == 200
    back = put(client, study, one, version=2, label="lesion").json()
    assert (back["deleted"], back["version"]) == (False, 3)
    assert len(listed(client, study)) == 1


def test_a_deletion_on_top_of_an_unseen_change_is_refused(study: Study, cast: Cast, client_of: ClientOf) -> None:
    one = uuid4()
    put(client_of(cast.reader), study, one)
    put(client_of(cast.reader2), study, one, version=1, label="theirs")
    assert delete(client_of(cast.reader), study, one, 1).status_code == 409
    assert Annotation.objects.get(pk=one).deleted_at is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"kind": "spiral"}, 400),
        ({"geometry": {"points": [[0, 0]]}}, 400),
        ({"FrameNumber": 0}, 400),
        ({"FrameNumber": 2}, 404),
        ({"SOPInstanceUID": "1.2.3"}, 404),
        ({"SOPInstanceUID": None}, 404),
        ({"label": "x" * 201}, 400),
        ({"label": 3}, 400),
        ({"label_offset": [1]}, 400),
        ({"version": -1}, 400),
        ({"version": None}, 400),
        ({"version": 1}, 404),
        ({"stack": ""}, 400),
    ],
)
def test_what_makes_no_sense_is_refused_with_words(
    study: Study, cast: Cast, client_of: ClientOf, changes: dict[str, Any], status: int
) -> None:
    answer = put(client_of(cast.reader), study, uuid4(), **changes)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert not Annotation.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "nonsense", "[" * 100_000, '{"label": "' + "x" * (1 << 18) + '"}'])
def test_a_body_that_is_no_object_is_refused(study: Study, cast: Cast, client_of: ClientOf, body: str) -> None:
    answer = client_of(cast.reader).put(address(study, uuid4()), body, content_type="application/json")
    assert answer.status_code == 400


def test_a_measurement_of_another_study_is_not_found(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client, one = client_of(cast.reader), uuid4()
    put(client, study, one)
    store(ct_image(StudyInstanceUID="2.25.2001", SeriesInstanceUID="2.25.2002", SOPInstanceUID="2.25.2003"))
    other = Study.objects.get(study_instance_uid="2.25.2001")
    moved = put(client, other, one, version=1, SOPInstanceUID="2.25.2003")
    assert moved.status_code == 404
    assert delete(client, other, one, 1).status_code == 404


def test_statistics_are_those_of_the_modality_values(study: Study, cast: Cast, client_of: ClientOf) -> None:
    where = f"/api/stacks/{SERIES_INSTANCE_UID}/frames/2/statistics"
    body = {"kind": "rectangle", "geometry": {"points": [[3, 2], [9, 6]]}}
    found = client_of(cast.reader).post(where, body, content_type="application/json").json()
    # Stored 1100 + 16 row + column over rows 2 to 5 and columns 3 to 8, less 1024; 24 pixels of 0.25 mm².
    assert found["statistics"]["mean"] == 1100 - 1024 + 3.5 * 16 + 5.5
    assert (found["statistics"]["count"], found["statistics"]["unit"]) == (24, "HU")
    assert (found["area"], found["unit"], found["suv"]) == (6.0, "mm", None)
