"""Remarks, mentions, requests to look and who else is there: said to those who may see the study, and to nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from archive.models import Grant, Study
from tests.archive.receiving.sending import store
from tests.phantoms import ct_series
from viewer.discussion.signals import attention_wanted
from viewer.models import Comment, Consultation, StudyPresence

if TYPE_CHECKING:
    from django.test import Client

    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data")]
ClientOf = Callable[..., "Client"]


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)
    store(*ct_series(2, PatientName="Doe^Jane"))
    return Study.objects.get()


@pytest.fixture
def told() -> Iterator[list[tuple[str, str]]]:
    heard: list[tuple[str, str]] = []

    def hear(person: Any, why: str, **_more: Any) -> None:
        heard.append((person.username, why))

    attention_wanted.connect(hear)
    yield heard
    attention_wanted.disconnect(hear)


def say(client: Client, study: Study, text: str, **more: Any) -> Any:
    return client.post(f"/studies/{study.study_instance_uid}/talk/", {"text": text} | more)


def page(client: Client, study: Study) -> str:
    return client.get(f"/studies/{study.study_instance_uid}/talk/").content.decode()


def test_a_thread_is_begun_answered_resolved_and_opened_again(study: Study, cast: Cast, client_of: ClientOf) -> None:
    one, other = client_of(cast.reader), client_of(cast.reader2)
    assert say(one, study, "Is this a <b>lesion</b>?", view="layout=1x1&view=2.25.1~1").status_code == 302
    begun = Comment.objects.get()
    say(other, study, "No, a vessel.", thread=begun.pk)
    shown = page(one, study)
    assert "&lt;b&gt;lesion" in shown and "No, a vessel." in shown and "viewer/?layout=1x1&amp;view=2.25.1~1" in shown
    address = f"/studies/{study.study_instance_uid}/talk/{begun.pk}"
    other.post(f"{address}/resolve")
    begun.refresh_from_db()
    assert begun.resolved_by == cast.reader2
    one.post(f"{address}/reopen")
    begun.refresh_from_db()
    assert begun.resolved_at is None


def test_only_its_author_takes_a_remark_away_and_brings_it_back(study: Study, cast: Cast, client_of: ClientOf) -> None:
    say(client_of(cast.reader), study, "A slip of the hand")
    address = f"/studies/{study.study_instance_uid}/talk/{Comment.objects.get().pk}"
    client_of(cast.reader2).post(f"{address}/remove")
    assert Comment.objects.get().deleted_at is None
    client_of(cast.reader).post(f"{address}/remove")
    assert "A slip" not in page(client_of(cast.reader2), study)
    client_of(cast.reader).post(f"{address}/restore")
    assert "A slip" in page(client_of(cast.reader2), study)


def test_mentions_tell_those_who_may_see_the_study(
    study: Study, cast: Cast, client_of: ClientOf, told: list[tuple[str, str]]
) -> None:
    Grant.objects.create(user=cast.referrer, study=study)
    say(client_of(cast.reader), study, "@reader2 @referrer @referrer2 @outsider @reader mail@admin @nobody look.")
    assert sorted(told) == [("reader2", "mentioned"), ("referrer", "mentioned")]


def test_who_may_not_see_the_study_finds_no_discussion(study: Study, cast: Cast, client_of: ClientOf) -> None:
    uid = study.study_instance_uid
    for who in (cast.referrer, cast.outsider, cast.admin):
        client = client_of(who)
        assert client.get(f"/studies/{uid}/talk/").status_code == 404
        assert say(client, study, "x").status_code == 404
        assert client.post(f"/studies/{uid}/presence").status_code == 404
        assert client.post(f"/studies/{uid}/consult", {"reader": "reader"}).status_code == 404


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"text": "  "}, 400),
        ({"text": "x" * 4001}, 400),
        ({"text": "x", "image": "1.2.3"}, 400),
        ({"text": "x", "series": "1.2.3"}, 400),
        ({"text": "x", "view": "//elsewhere.example"}, 400),
        ({"text": "x", "thread": "999"}, 400),
    ],
)
def test_a_remark_about_nothing_is_refused(
    values: dict[str, str], status: int, study: Study, cast: Cast, client_of: ClientOf
) -> None:
    answer = client_of(cast.reader).post(f"/studies/{study.study_instance_uid}/talk/", values)
    assert answer.status_code == status
    assert not Comment.objects.exists()


def test_a_reader_who_is_asked_to_look_sees_it_on_the_worklist_until_they_have(
    study: Study, cast: Cast, client_of: ClientOf, told: list[tuple[str, str]]
) -> None:
    asker, asked = client_of(cast.reader), client_of(cast.reader2)
    address = f"/studies/{study.study_instance_uid}/consult"
    for _ in range(2):
        asker.post(address, {"reader": "reader2", "question": "Node?"})
    wanted = Consultation.objects.get()
    assert told == [("reader2", "consulted")]
    assert "asks you to look" in asked.get("/").content.decode()
    assert "asks you to look" not in asker.get("/").content.decode()
    # It is a row of the one who was asked, and of nobody else.
    assert "please look" in asked.post("/worklist/rows", {"mine": "1"}).content.decode()
    assert "please look" not in asker.post("/worklist/rows", {}).content.decode()
    client_of(cast.reader2).post(f"{address}/{wanted.pk}/looked")
    assert "asks you to look" not in asked.get("/").content.decode()
    asker.post(address, {"reader": "referrer"})
    assert Consultation.objects.count() == 1


def test_others_who_have_the_study_open_are_named_for_a_while(study: Study, cast: Cast, client_of: ClientOf) -> None:
    address = f"/studies/{study.study_instance_uid}/presence"
    assert client_of(cast.reader).post(address).json()["others"] == []
    assert client_of(cast.reader2).post(address).json()["others"] == [str(cast.reader)]
    StudyPresence.objects.filter(user=cast.reader).update(seen_at=timezone.now() - timedelta(minutes=1))
    assert client_of(cast.reader2).post(address).json()["others"] == []
