"""The worklist's addresses: who gets what, what a name never appears in, what a refusal says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.utils import timezone

from archive.models import AuditEvent, Grant
from tests.viewer.worklist.studies import make_study
from viewer.models import Preferences, ReadingTask
from viewer.worklist import changes
from viewer.worklist.changes import worklist_changed

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]
HTMX = {"HX-Request": "true"}
ACTIONS = ("claim", "claim-heartbeat", "release", "read", "unread", "priority")


def rows_in(html: str) -> list[str]:
    return re.findall(r'data-study="([0-9.]+)"', html)


def without_token(content: bytes) -> bytes:
    """A page without the token, which is a new one in every answer."""
    return re.sub(rb"[A-Za-z0-9]{64}", b"", content)


# --- The page -------------------------------------------------------------------------------------------------------


def test_a_reader_s_start_page_is_the_worklist(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, name="DOE^Jane", patient_id="12345", held_back_count=12)
    response = client_of(cast.reader).get("/")
    html = response.content.decode()
    assert response.status_code == 200
    assert rows_in(html) == ["2.25.1"]
    for said in ("DOE, Jane", "12345", "1972-03-01", "54Y", "12 images of this study are held back", "unread"):
        assert said in html
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/worklist/", "/search/", "/referrals/", "/emergency/", "/account/"])
def test_nobody_sees_a_page_without_signing_in(client_of: ClientOf, path: str) -> None:
    response = client_of(None).get(path)
    assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/accounts/login/")


def test_the_outsider_is_told_that_they_have_no_role(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    client = client_of(cast.outsider)
    for response in (client.get("/"), client.get("/worklist/?state=all"), client.post("/worklist/", {"text": "doe"})):
        assert response.status_code == 403
        assert "has no role yet" in response.content.decode()
        assert "DOE" not in response.content.decode()
    assert client.post("/worklist/rows", {"state": "all"}).status_code == 404


def test_an_administrator_goes_to_the_administration_and_sees_the_worklist_in_numbers(
    cast: Cast, client_of: ClientOf
) -> None:
    make_study(1)
    client = client_of(cast.admin)
    assert client.get("/")["Location"] == "/admin/"
    html = client.get("/worklist/").content.decode()
    assert "in numbers" in html and "DOE" not in html
    assert client.post("/worklist/rows", {}).status_code == 404


def test_a_technologist_sees_their_modality_and_no_way_to_claim(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, modality="CT")
    make_study(2, modality="US")
    html = client_of(cast.technologist).get("/").content.decode()
    assert rows_in(html) == ["2.25.1"]
    assert "Arrivals" in html and "data-claimable" not in html and "data-may-read" not in html


def test_a_clinician_s_worklist_is_read_only_and_their_own(cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=make_study(1))
    make_study(2)
    html = client_of(cast.referrer).get("/worklist/").content.decode()
    assert rows_in(html) == ["2.25.1"]
    assert "data-claimable" not in html


def test_of_several_roles_the_radiologist_comes_first_with_a_link_to_the_referrals(
    cast: Cast, client_of: ClientOf
) -> None:
    make_study(1)
    cast.reader.groups.add(*cast.referrer.groups.all(), *cast.technologist.groups.all())
    html = client_of(cast.reader).get("/").content.decode()
    assert "Reading worklist" in html and 'href="/referrals/"' in html


def test_text_of_an_image_is_escaped(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, name='<script>alert(1)</script>^"x', study_description="<img src=x>", modality="<b>")
    client = client_of(cast.reader)
    for html in (client.get("/").content.decode(), client.get("/studies/2.25.1/preview").content.decode()):
        assert "<script>alert" not in html and "<img src=x>" not in html and "<b>" not in html
        assert "&lt;script&gt;" in html


def test_an_empty_list_says_what_to_do(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.reader)
    assert "Nothing waits to be read" in client.get("/").content.decode()
    make_study(1)
    narrowed = client.get("/?stat=1").content.decode()
    assert "No study matches" in narrowed and "Clear the filter" in narrowed
    assert "None of your patients waits" in client_of(cast.referrer).get("/worklist/").content.decode()
    cast.technologist.modalities = []
    cast.technologist.save()
    assert "No modality is entered" in client_of(cast.technologist).get("/").content.decode()


# --- The list -------------------------------------------------------------------------------------------------------


def test_what_is_typed_comes_by_post_and_is_in_no_address(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, name="DOE^Jane")
    make_study(2, name="ROE^Jim", patient_id="2")
    client = client_of(cast.reader)
    response = client.post("/worklist/rows", {"text": "doe", "modality": "CT"}, headers=HTMX)
    assert rows_in(response.content.decode()) == ["2.25.1"]
    assert response["HX-Replace-Url"] == "/?modality=CT"
    assert len(rows_in(client.get("/?text=doe").content.decode())) == 2


def test_an_address_brings_a_list_back(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, modality="MR")
    make_study(2, modality="CT", arrived_ago=timedelta(hours=2))
    make_study(3, modality="CT", arrived_ago=timedelta(hours=3))
    html = client_of(cast.reader).get("/?modality=CT&sort=-waiting").content.decode()
    assert rows_in(html) == ["2.25.2", "2.25.3"]
    assert re.search(r'value="CT" id="chip-CT" checked', html)
    assert 'aria-sort="descending"' in html


def test_the_list_keeps_the_address_of_the_page_it_stands_on(cast: Cast, client_of: ClientOf) -> None:
    headers = HTMX | {"HX-Current-URL": "http://testserver/worklist/?stat=1"}
    response = client_of(cast.reader).post("/worklist/rows", {"today": "1"}, headers=headers)
    assert response["HX-Replace-Url"] == "/worklist/?today=1"
    elsewhere = HTMX | {"HX-Current-URL": "https://evil.example/worklist/../x"}
    response = client_of(cast.reader).post("/worklist/rows", {}, headers=elsewhere)
    assert response["HX-Replace-Url"] == "/"


def test_a_look_that_finds_nothing_new_is_204_and_one_that_does_brings_the_rows(
    cast: Cast, client_of: ClientOf
) -> None:
    make_study(1)
    client = client_of(cast.reader)
    seen = client.post("/worklist/rows", {}, headers=HTMX)["X-Worklist-Seen"]
    again = client.post("/worklist/rows", {"seen": seen}, headers=HTMX)
    assert (again.status_code, again.content) == (204, b"")
    make_study(2, arrived_ago=timedelta(seconds=1), ready=False, instance_count=3)
    fresh = client.post("/worklist/rows", {"seen": seen}, headers=HTMX)
    html = fresh.content.decode()
    assert rows_in(html) == ["2.25.2", "2.25.1"]
    assert "arriving 3 images" in html
    assert "HX-Replace-Url" not in fresh


def test_the_looks_of_colleagues_are_read_once_and_each_sees_their_own(
    cast: Cast, client_of: ClientOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_study(1, task={"assigned_to": cast.reader})
    make_study(2, patient_id="P2", task={"state": "in-progress", "claimed_by": cast.reader2})
    ReadingTask.objects.filter(state="in-progress").update(claim_seen_at=timezone.now())
    first, second = client_of(cast.reader), client_of(cast.reader2)
    for client in (first, second):
        client.get("/account/")
        client.post("/worklist/rows", {"sort": "priority", "stat": "1"}, headers=HTMX)
    worklist_changed()
    mine = first.post("/worklist/rows", {}, headers=HTMX).content.decode()
    with django_assert_num_queries(9):  # session, user, roles; four for one's own; filters; columns
        theirs = second.post("/worklist/rows", {}, headers=HTMX).content.decode()
    assert "for you" in mine and "for Rita Reader" in theirs
    assert mine.count("data-claimable") == 1 and theirs.count("data-claimable") == 2
    for html in (mine, theirs):
        assert '<span id="count-mine" hx-swap-oob="true" class="worklist-count">1</span>' in html


def test_a_change_is_seen_by_the_next_look_of_everybody(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    first, second = client_of(cast.reader), client_of(cast.reader2)
    second.post("/worklist/rows", {}, headers=HTMX)
    seen = second.post("/worklist/rows", {}, headers=HTMX)["X-Worklist-Seen"]
    for act, word in (("claim", "being read"), ("release", "unread"), ("read", "read"), ("unread", "unread")):
        first.post(f"/studies/2.25.1/{act}")
        answer = second.post("/worklist/rows", {"seen": seen, "state": "all"}, headers=HTMX)
        assert answer.status_code == 200
        assert f'data-state="{word}"' in answer.content.decode()
        seen = answer["X-Worklist-Seen"]


def test_pages_follow_each_other(cast: Cast, client_of: ClientOf) -> None:
    for number in range(1, 61):
        make_study(number, arrived_ago=timedelta(hours=100 - number))
    client = client_of(cast.reader)
    first = client.post("/worklist/rows", {}, headers=HTMX).content.decode()
    after = re.search(r'hx-vals=\'{"after": "(\d+)"}\'', first)
    assert after is not None
    second = client.post("/worklist/rows", {"after": after[1]}, headers=HTMX).content.decode()
    assert rows_in(first) + rows_in(second) == [f"2.25.{number}" for number in range(1, 61)]
    assert 'id="worklist-previous"' in second and 'id="worklist-next"' not in second


def test_a_page_of_many_rows_takes_few_queries(
    cast: Cast,
    client_of: ClientOf,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "CLOCK_S", 10**9)  # no minute ends in between
    client = client_of(cast.reader)
    client.get("/account/")  # the session's last use is written once
    for number in range(1, 61):
        make_study(number, arrived_ago=timedelta(hours=number), patient_id=f"P{number}")
    # session, user, roles; just arrived; 4 for the page; rows; counts, own claims, own assignments, asked; columns;
    # filters, groups, rights of two kinds; asked to look
    with django_assert_num_queries(19):
        client.get("/")
    seen = client.post("/worklist/rows", {}, headers=HTMX)["X-Worklist-Seen"]
    with django_assert_num_queries(3):  # a look after which nothing has changed reads no study: session, user, roles
        assert client.post("/worklist/rows", {"seen": seen}, headers=HTMX).status_code == 204
    cache.clear()
    with django_assert_num_queries(13):  # without the number, the list is read, and nothing in it is new
        assert client.post("/worklist/rows", {"seen": seen}, headers=HTMX).status_code == 204


@pytest.mark.parametrize(
    "query",
    ["after=abc", "before=-1", "sort=;drop", "modality=%00%00", "state=%F0%9F%98%80", "after=99999999999999999999"],
)
def test_no_parameter_breaks_the_list(cast: Cast, client_of: ClientOf, query: str) -> None:
    make_study(1)
    response = client_of(cast.reader).get(f"/?{query}")
    assert response.status_code == 200
    assert rows_in(response.content.decode()) == ["2.25.1"]


def test_columns_are_a_choice_that_is_kept_but_identity_is_none(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    client = client_of(cast.reader)
    assert client.post("/worklist/columns", {"column": ["referrer", "password"]}).status_code == 204
    kept = Preferences.objects.get(user=cast.reader).worklist_columns
    assert {"patient", "id", "born", "state", "priority", "referrer"} <= set(kept)
    assert "password" not in kept and "station" not in kept
    html = client.get("/").content.decode()
    assert "data-hide-station" in html and "data-hide-referrer" not in html
    assert client_of(cast.outsider).post("/worklist/columns", {"column": "age"}).status_code == 404


# --- The preview ----------------------------------------------------------------------------------------------------


def test_a_preview_shows_facts_history_and_what_can_be_done(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, study_date="20261124", referring_physician_name="SMITH^Ann", held_back_count=2)
    make_study(2, study_date="20250311", study_description="Chest")
    html = client_of(cast.reader).get("/studies/2.25.1/preview").content.decode()
    for said in ("SMITH, Ann", "2 images of this study are held back", "20 months before", "Open and claim"):
        assert said in html
    assert "/studies/2.25.2/viewer/" in html


def test_a_preview_offers_no_history_while_the_identity_is_to_be_checked(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, to_be_checked=True)
    make_study(2)
    html = client_of(cast.reader).get("/studies/2.25.1/preview").content.decode()
    assert "Identity to be checked" in html and "2.25.2" not in html


def test_a_preview_opens_nothing_and_claims_nothing(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    client_of(cast.reader).get("/studies/2.25.1/preview")
    assert ReadingTask.objects.get().state == "unread"


@pytest.mark.parametrize("name", ["outsider", "referrer", "admin"])
def test_a_preview_of_a_study_that_is_not_theirs_is_not_there(cast: Cast, client_of: ClientOf, name: str) -> None:
    make_study(1)
    client = client_of(getattr(cast, name))
    there, absent = client.get("/studies/2.25.1/preview"), client.get("/studies/2.25.9/preview")
    assert (there.status_code, absent.status_code) == (404, 404)
    assert without_token(there.content) == without_token(absent.content)


# --- The actions ----------------------------------------------------------------------------------------------------


def test_of_two_readers_one_claims_and_the_other_is_told_who(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    first = client_of(cast.reader).post("/studies/2.25.1/claim")
    second = client_of(cast.reader2).post("/studies/2.25.1/claim")
    assert (first.status_code, first.json()["claimed_by"], first.json()["claim_lasts_s"]) == (200, "Rita Reader", 300)
    assert second.status_code == 409
    assert second.json()["reader"] == "Rita Reader"
    assert second.json()["error"].startswith("Rita Reader is reading this study since ")


def test_a_study_goes_from_claim_over_read_back_to_unread(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    client = client_of(cast.reader)
    states = [
        client.post(f"/studies/2.25.1/{action}").json().get("state")
        for action in ("claim", "claim-heartbeat", "release", "claim", "read", "unread")
    ]
    assert states == ["in-progress", "in-progress", "unread", "in-progress", "read", "unread"]
    assert client.post("/studies/2.25.1/claim-heartbeat").status_code == 409


def test_arriving_images_open_read_only(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, ready=False)
    response = client_of(cast.reader).post("/studies/2.25.1/claim")
    assert response.status_code == 409
    assert "still arriving" in response.json()["error"]


def test_priority_is_set_by_its_word(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    client = client_of(cast.technologist)
    assert client.post("/studies/2.25.1/priority", {"priority": "stat"}).json()["priority"] == "STAT"
    wrong = client.post("/studies/2.25.1/priority", {"priority": "now"})
    assert wrong.status_code == 400
    assert wrong.json()["error"] == "priority: 'now' cannot be used. Accepted: STAT, urgent, routine."


@pytest.mark.parametrize("action", ACTIONS)
def test_the_outsider_finds_no_action(cast: Cast, client_of: ClientOf, action: str) -> None:
    make_study(1)
    for who in (cast.outsider, cast.referrer, cast.admin):
        assert client_of(who).post(f"/studies/2.25.1/{action}", {"priority": "STAT"}).status_code == 404
    assert client_of(cast.reader).post(f"/studies/2.25.9/{action}", {"priority": "STAT"}).status_code == 404
    task = ReadingTask.objects.get()
    assert (task.state, task.priority) == ("unread", ReadingTask.Priority.ROUTINE)
    assert not AuditEvent.objects.exclude(event="signed-in").exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_who_sees_a_study_but_does_not_read_is_refused_in_words(cast: Cast, client_of: ClientOf, action: str) -> None:
    Grant.objects.create(user=cast.referrer, study=make_study(1))
    response = client_of(cast.referrer).post(f"/studies/2.25.1/{action}", {"priority": "STAT"})
    assert response.status_code == 403
    assert "radiologists" in response.json()["error"]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_a_post_with_a_token(cast: Cast, client_of: ClientOf, action: str) -> None:
    make_study(1)
    assert client_of(cast.reader).get(f"/studies/2.25.1/{action}").status_code == 405
    strict = client_of(cast.reader, enforce_csrf_checks=True)  # type: ignore[call-arg]
    refused = strict.post(f"/studies/2.25.1/{action}")
    assert refused.status_code == 403
    assert "too old to be sent" in refused.content.decode()


def test_a_study_without_a_row_on_the_worklist_is_404(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    ReadingTask.objects.all().delete()
    assert client_of(cast.reader).post("/studies/2.25.1/claim").status_code == 404
    assert client_of(cast.reader).get("/studies/2.25.1/preview").status_code == 200


def test_a_claim_is_shown_to_the_others(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    client_of(cast.reader).post("/studies/2.25.1/claim")
    html = client_of(cast.reader2).get("/").content.decode()
    assert "being read" in html and "Rita Reader" in html
    assert "data-claimable" not in html
    ReadingTask.objects.update(claim_seen_at=timezone.now() - timedelta(minutes=6))
    assert "data-claimable" in client_of(cast.reader2).get("/").content.decode()


def test_a_study_s_uid_is_all_that_addresses_carry(cast: Cast, client_of: ClientOf) -> None:
    make_study(1, name="DOE^Jane", patient_id="SECRET1")
    html = client_of(cast.reader).get("/").content.decode()
    for address in re.findall(r'(?:href|src|hx-get|hx-post|action)="([^"]*)"', html):
        assert "DOE" not in address and "SECRET1" not in address
