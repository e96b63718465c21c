"""The addresses of critical results and of one referral, for each role."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from archive.models import AuditEvent, Grant, Study
from tests.viewer.critical.conftest import TEXT
from viewer.models import CriticalCategory, CriticalResult, Notification, Question

if TYPE_CHECKING:
    from django.test import Client

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]
Flagged = Callable[..., CriticalResult]
ADDRESS = "/api/studies/2.25.1/critical"


def flag_through(client: Client, study: Study, cast: Cast, **values: Any) -> Any:
    asked = {
        "category": CriticalCategory.objects.first().pk,
        "text": "<b>Embolism</b>",
        "recipient": cast.referrer.pk,
        "patient": study.patient_id,
    }
    return client.post(ADDRESS, asked | values, content_type="application/json")


def test_a_reader_flags_and_a_clinician_acknowledges_on_one_page(
    study: Study, cast: Cast, client_of: ClientOf, given: Grant
) -> None:
    response = flag_through(client_of(cast.reader), study, cast, at_once=True)
    assert (response.status_code, response.json()["results"][0]["state"]) == (201, "told")
    phone = client_of(cast.referrer)
    assert "A critical result waits to be acknowledged" in phone.get("/").content.decode()
    html = phone.get("/referrals/2.25.1/").content.decode()
    assert "&lt;b&gt;Embolism&lt;/b&gt;" in html and "<b>Embolism" not in html
    pk = CriticalResult.objects.get().pk
    answered = phone.post(f"/critical/{pk}/acknowledge", follow=True)
    assert "Acknowledged by Clara Clinician at" in answered.content.decode()
    told = client_of(cast.reader).get(ADDRESS).json()["results"][0]
    assert told["words"].startswith("Acknowledged by Clara Clinician") and not told["waits"]


def test_a_clinician_does_not_see_what_nobody_was_told_of(
    study: Study, cast: Cast, client_of: ClientOf, given: Grant, flagged: Flagged
) -> None:
    flagged()
    told = client_of(cast.referrer).get(ADDRESS).json()
    assert told == {"results": []}
    assert TEXT not in client_of(cast.referrer).get("/referrals/2.25.1/").content.decode()


def test_each_role_is_answered_by_the_access_table(
    study: Study, cast: Cast, client_of: ClientOf, given: Grant, flagged: Flagged
) -> None:
    pk = flagged(at_once=True).pk
    expected = {"reader": 200, "reader2": 200, "referrer": 200, "referrer2": 404, "technologist": 403, "admin": 404}
    assert {name: client_of(getattr(cast, name)).get(ADDRESS).status_code for name in expected} == expected
    for name in ("referrer2", "admin", "outsider"):
        assert client_of(getattr(cast, name)).post(f"/critical/{pk}/acknowledge").status_code == 404
    for name in ("reader", "technologist"):
        client_of(getattr(cast, name)).post(f"/critical/{pk}/acknowledge")
    assert CriticalResult.objects.get().state == "told"
    assert client_of(cast.referrer).post(f"{ADDRESS}/{pk}/acknowledge").status_code == 200
    assert client_of(cast.referrer).post(f"{ADDRESS}/{pk}/acknowledge").status_code == 409
    assert client_of(cast.referrer).post(f"{ADDRESS}/{pk}/withdraw").status_code == 403
    assert client_of(cast.reader).post(f"{ADDRESS}/{pk}/repeat").status_code == 404


def test_bad_bodies_are_refused_in_words(study: Study, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    for values, words in (
        ({"category": "1"}, "how soon"),
        ({"recipient": 10**12}, "who must know"),
        ({"text": ""}, "what was found"),
        ({"patient": None}, "patient"),
    ):
        response = flag_through(client, study, cast, **values)
        assert response.status_code == 400 and words in response.json()["error"]
    assert client.post(ADDRESS, "[", content_type="application/json").status_code == 400


def test_the_page_of_a_referral_says_204_until_something_is_new(
    study: Study, cast: Cast, client_of: ClientOf, given: Grant, flagged: Flagged
) -> None:
    phone = client_of(cast.referrer)
    digest = phone.get("/referrals/2.25.1/").content.decode().partition('data-digest="')[2].partition('"')[0]
    assert phone.get(f"/referrals/2.25.1/?seen={digest}").status_code == 204
    flagged(at_once=True)
    news = phone.get(f"/referrals/2.25.1/?seen={digest}")
    assert (news.status_code, TEXT in news.content.decode(), "<html" in news.content.decode()) == (200, True, False)
    assert phone.get(f"/referrals/2.25.1/?seen={news['X-Portal-Digest']}").status_code == 204


def test_a_referral_is_for_whom_it_was_given_to(study: Study, cast: Cast, client_of: ClientOf, given: Grant) -> None:
    statuses = {who.username: client_of(who).get("/referrals/2.25.1/").status_code for who in cast.everybody()}
    assert statuses.pop("referrer") == 200
    assert statuses.pop("referrer2") == 404
    assert set(statuses.values()) == {403}


def test_a_question_goes_to_the_reader_and_its_answer_comes_back(
    study: Study, cast: Cast, client_of: ClientOf, given: Grant
) -> None:
    phone = client_of(cast.referrer)
    phone.post("/referrals/2.25.1/ask", {"text": "Which side?"})
    question = Question.objects.get()
    assert (question.asked_of, Notification.objects.get().user) == (cast.reader, cast.reader)
    assert client_of(cast.referrer2).post("/referrals/2.25.1/ask", {"text": "x"}).status_code == 404
    assert client_of(cast.admin).post(f"/questions/{question.pk}/answer", {"text": "x"}).status_code == 404
    phone.post(f"/questions/{question.pk}/answer", {"text": "Mine."})
    assert Question.objects.get().answered_at is None
    client_of(cast.reader2).post(f"/questions/{question.pk}/answer", {"text": "<i>Left.</i>"})
    html = phone.get("/referrals/2.25.1/").content.decode()
    assert "&lt;i&gt;Left.&lt;/i&gt;" in html and "Rudi Reader" in html
    kinds = dict(Notification.objects.values_list("user__username", "kind"))
    assert kinds == {"reader": "question", "referrer": "answer"}
    assert set(AuditEvent.objects.filter(event__startswith="question").values_list("event", flat=True)) == {
        "question-asked",
        "question-answered",
    }
