"""Remarks by the viewer's panel: on a region, a series or nothing, live for others, with the answers of CONTRACT."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from archive.models import Instance, Series, Study
from tests.viewer.discussion.test_talk import study, told
from viewer.models import CaseList, Comment

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

__all__ = ["study", "told"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data")]
ClientOf = Callable[..., "Client"]
ARROW = {"kind": "arrow", "points": [[1, 2], [30.25, 40]]}


def ask(client: Client, study: Study, rest: str, body: dict[str, Any] | None = None) -> Any:
    address = f"/api/studies/{study.study_instance_uid}/{rest}"
    return client.get(address) if body is None else client.post(address, body, content_type="application/json")


def test_a_remark_on_a_region_reaches_the_others_with_its_place(study: Study, cast: Cast, client_of: ClientOf) -> None:
    image = Instance.objects.first()
    assert image is not None
    remark = {"text": "<b>here</b>", "image": image.sop_instance_uid, "frame": 1, "region": ARROW, "view": "view=1.2~3"}
    assert ask(client_of(cast.reader), study, "talk", remark).status_code == 201
    (thread,) = ask(client_of(cast.reader2), study, "talk").json()["threads"]
    assert thread["region"] == {"kind": "arrow", "points": [[1.0, 2.0], [30.2, 40.0]]}
    assert (thread["image"], thread["text"], thread["view"]) == (image.sop_instance_uid, "<b>here</b>", "view=1.2~3")
    assert thread["is_mine"] is False


def test_a_thread_is_answered_resolved_and_taken_away_by_script(
    study: Study, cast: Cast, client_of: ClientOf, told: list[tuple[str, str]]
) -> None:
    one, other = client_of(cast.reader), client_of(cast.reader2)
    series = Series.objects.get().series_instance_uid
    begun = ask(one, study, "talk", {"text": "Noise?", "series": series}).json()["threads"][0]
    assert begun["series"] == series
    (thread,) = ask(other, study, "talk", {"text": "Dose.", "thread": begun["id"]}).json()["threads"]
    assert [answer["text"] for answer in thread["answers"]] == ["Dose."]
    assert told == [("reader", "remark")]
    assert ask(other, study, f"talk/{begun['id']}/resolve", {}).json()["threads"][0]["resolved_by"] == str(cast.reader2)
    assert ask(other, study, f"talk/{begun['id']}/remove", {}).status_code == 409
    (thread,) = ask(one, study, f"talk/{begun['id']}/remove", {}).json()["threads"]
    assert (thread["text"], thread["view"], thread["region"]) == (None, "", None)
    assert ask(one, study, f"talk/{begun['id']}/shout", {}).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"text": "x\0y"}, 400),
        ({"text": "x", "region": ARROW}, 400),
        ({"text": "x", "image": "own", "region": {"kind": "circle", "points": [[1, 2], [3, 4]]}}, 400),
        ({"text": "x", "image": "own", "region": {"kind": "arrow", "points": [[1, 2]]}}, 400),
        ({"text": "x", "image": "own", "region": {"kind": "arrow", "points": [[1, True], [3, 4]]}}, 400),
        ({"text": "x", "image": "own", "region": {"kind": "arrow", "points": [[1, 2], [3, 1e9]]}}, 400),
        ({"text": "x", "image": "own", "frame": 2}, 404),
        ({"text": "x", "image": "own", "frame": "1"}, 400),
        ({"text": "x", "series": "1.2\0"}, 404),
        ({"text": "x", "thread": 999}, 404),
    ],
)
def test_a_remark_that_makes_no_sense_gets_its_answer_and_nothing_is_kept(
    body: dict[str, Any], status: int, study: Study, cast: Cast, client_of: ClientOf
) -> None:
    if body.get("image") == "own":
        body = body | {"image": Instance.objects.order_by("pk")[0].sop_instance_uid}
    answer = ask(client_of(cast.reader), study, "talk", body)
    assert (answer.status_code, bool(answer.json()["error"])) == (status, True)
    assert not Comment.objects.exists()


def test_a_reader_is_asked_to_look_and_says_when_they_have(
    study: Study, cast: Cast, client_of: ClientOf, told: list[tuple[str, str]]
) -> None:
    asker, asked = client_of(cast.reader), client_of(cast.reader2)
    known = ask(asker, study, "talk").json()["readers"]
    assert "reader2" in [one["username"] for one in known] and "reader" not in [one["username"] for one in known]
    answer = ask(asker, study, "consultations", {"reader": "reader2", "question": "Node?"})
    (wanted,) = answer.json()["consultations"]
    assert (answer.status_code, wanted["question"], wanted["may_end"], told) == (
        201,
        "Node?",
        True,
        [("reader2", "consulted")],
    )
    assert ask(asker, study, "consultations", {"reader": "nobody"}).status_code == 409
    assert ask(asked, study, f"consultations/{wanted['id']}/looked", {}).json()["consultations"] == []


def test_the_view_on_the_screen_is_put_on_a_new_list(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    answer = ask(client, study, "lists", {"name": "Teaching", "view": "view=1.2~3", "note": "=cmd()"})
    kept = CaseList.objects.get()
    assert (answer.status_code, answer.json()["list"]["id"]) == (201, kept.pk)
    assert [(case.view, case.note) for case in kept.cases.all()] == [("view=1.2~3", "=cmd()")]
    assert [one["name"] for one in ask(client, study, "lists").json()["lists"]] == ["Teaching"]
    assert ask(client_of(cast.reader2), study, "lists", {"list": kept.pk}).status_code == 404
