"""My referrals and emergency access."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from archive.models import AuditEvent, BreakGlass, Grant, Study
from tests.viewer.worklist.studies import make_study

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]
HTMX = {"HX-Request": "true"}
REASON = "unconscious in the emergency room"


def give(user: User, *studies: Study) -> None:
    for study in studies:
        Grant.objects.create(user=user, study=study)


def shown(html: str) -> list[str]:
    return [part.partition("/")[0] for part in html.split('class="card referral" href="/referrals/')[1:]]


def test_a_clinician_starts_with_their_referrals_in_words(cast: Cast, client_of: ClientOf) -> None:
    give(
        cast.referrer,
        make_study(1, study_date="20261101", ready=False, instance_count=7),
        make_study(2, study_date="20261102"),
        make_study(3, study_date="20261103", task={"state": "in-progress", "claimed_by": cast.reader}),
        make_study(4, study_date="20261104", task={"state": "read"}, held_back_count=3),
    )
    make_study(5, name="OTHER^Person", patient_id="5")
    html = client_of(cast.referrer).get("/").content.decode()
    assert shown(html) == ["2.25.4", "2.25.3", "2.25.2", "2.25.1"]
    for words in (
        "images are arriving, 7 images so far",
        "waiting to be read",
        "being read",
        "3 images of this study are held back",
        "12345",
        "1972-03-01",
    ):
        assert words in html
    assert "OTHER" not in html


def test_a_ward_s_studies_are_there_and_an_expired_grant_s_are_not(cast: Cast, client_of: ClientOf) -> None:
    ward = Group.objects.create(name="ward 3")
    cast.referrer.groups.add(ward)
    Grant.objects.create(group=ward, study=make_study(1))
    Grant.objects.create(user=cast.referrer, study=make_study(2), expires_at=timezone.now() - timedelta(seconds=1))
    assert shown(client_of(cast.referrer).get("/referrals/").content.decode()) == ["2.25.1"]


def test_a_radiologist_who_also_refers_sees_only_what_was_given_to_them(cast: Cast, client_of: ClientOf) -> None:
    cast.reader.groups.add(*cast.referrer.groups.all())
    give(cast.reader, make_study(1))
    make_study(2)
    assert shown(client_of(cast.reader).get("/referrals/").content.decode()) == ["2.25.1"]


def test_others_are_told_whose_page_it_is(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    for who in (cast.reader, cast.technologist, cast.admin, cast.outsider):
        response = client_of(who).get("/referrals/")
        assert response.status_code == 403
        assert "DOE" not in response.content.decode()


def test_a_search_comes_by_post_and_brings_the_cards_alone(cast: Cast, client_of: ClientOf) -> None:
    give(cast.referrer, make_study(1, name="DOE^Jane"), make_study(2, name="ROE^Jim", patient_id="2"))
    client = client_of(cast.referrer)
    html = client.post("/referrals/", {"text": "roe"}, headers=HTMX).content.decode()
    assert shown(html) == ["2.25.2"]
    assert "<html" not in html
    assert len(shown(client.get("/referrals/?text=roe").content.decode())) == 2
    assert "No study matches" in client.post("/referrals/", {"text": "nobody"}, headers=HTMX).content.decode()


def test_an_empty_page_says_how_studies_come_here(cast: Cast, client_of: ClientOf) -> None:
    assert "No referrals yet" in client_of(cast.referrer).get("/").content.decode()


def test_more_cards_follow_and_queries_stay_few(
    cast: Cast, client_of: ClientOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    give(cast.referrer, *(make_study(number, study_date=f"202610{number:02d}") for number in range(1, 26)))
    client = client_of(cast.referrer)
    client.get("/account/")
    with django_assert_num_queries(6):  # session, user, roles, page, emergencies, rows
        html = client.get("/").content.decode()
    after = html.partition('{"after": "')[2].partition('"')[0]
    more = client.post("/referrals/", {"after": after}, headers=HTMX).content.decode()
    assert shown(html) + shown(more) == [f"2.25.{number}" for number in range(25, 0, -1)]


# --- Emergency ------------------------------------------------------------------------------------------------------


def test_an_emergency_finds_by_the_exact_identifier_only(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, patient_id="12345", accession_number="A7")
    make_study(2, patient_id="123456")
    client = client_of(cast.referrer)
    for identifier in ("12345", " 12345 ", "A7"):
        html = client.post("/emergency/", {"identifier": identifier, "reason": REASON}).content.decode()
        assert "2.25.1" in html and "2.25.2" not in html
    for identifier in ("1234", "doe", "DOE^Jane", "%", "a7"):
        html = client.post("/emergency/", {"identifier": identifier, "reason": REASON}).content.decode()
        assert "Nothing found" in html and "2.25.1" not in html and "DOE, Jane" not in html
    assert not BreakGlass.objects.exists()


def test_every_look_is_on_record_with_its_reason_and_no_name(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, patient_id="12345")
    client_of(cast.referrer).post("/emergency/", {"identifier": "12345", "reason": REASON})
    event = AuditEvent.objects.exclude(event="signed-in").get()
    assert (event.event, event.user_id) == ("identity-looked-at", cast.referrer.pk)
    assert event.details == {"reason": REASON, "studies": ["2.25.1"]}


def test_an_emergency_opens_one_study_for_an_hour(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, patient_id="12345")
    make_study(2, patient_id="12345")
    client = client_of(cast.referrer)
    response = client.post("/emergency/", {"identifier": "12345", "reason": REASON, "study": "2.25.1"})
    assert (response.status_code, response["Location"]) == (302, "/studies/2.25.1/viewer/")
    opened = BreakGlass.objects.get()
    assert (opened.user, opened.study.study_instance_uid, opened.reason) == (cast.referrer, "2.25.1", REASON)
    assert timedelta(minutes=59) < opened.expires_at - timezone.now() <= timedelta(hours=1)
    html = client.get("/").content.decode()
    assert shown(html) == ["2.25.1"] and "emergency access until" in html
    assert client.get("/studies/2.25.2/preview").status_code == 404


def test_only_a_study_that_carries_the_identifier_is_opened(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, patient_id="12345")
    make_study(2, patient_id="other")
    response = client_of(cast.referrer).post(
        "/emergency/", {"identifier": "12345", "reason": REASON, "study": "2.25.2"}
    )
    assert response.status_code == 404
    assert not BreakGlass.objects.exists()


@pytest.mark.parametrize("reason", ["", "asap", "          x"])
def test_an_emergency_needs_a_reason_and_keeps_what_was_typed(cast: Cast, client_of: ClientOf, reason: str) -> None:
    make_study(1, patient_id="12345")
    response = client_of(cast.referrer).post(
        "/emergency/", {"identifier": "12345", "reason": reason, "study": "2.25.1"}
    )
    html = response.content.decode()
    assert response.status_code == 400
    assert 'value="12345"' in html and "DOE" not in html
    assert not BreakGlass.objects.exists()


@pytest.mark.parametrize("name", ["technologist", "outsider"])
def test_a_role_without_emergency_access_is_told_so(cast: Cast, client_of: ClientOf, name: str) -> None:
    make_study(1, patient_id="12345", modality="US")
    client = client_of(getattr(cast, name))
    for response in (client.get("/emergency/"), client.post("/emergency/", {"identifier": "12345", "reason": REASON})):
        assert response.status_code == 403
        assert "no emergency access" in response.content.decode()
        assert "DOE" not in response.content.decode()
    assert not AuditEvent.objects.exclude(event="signed-in").exists()
