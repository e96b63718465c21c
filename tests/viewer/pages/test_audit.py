"""The audit page: for administrators, filtered, paged, exported without a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from archive.audit.chain import seal
from archive.audit.events import Event
from archive.audit.export import harmless
from archive.audit.record import record_event
from archive.models import AuditEvent
from tests.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data")]
ClientOf = Callable[..., Client]


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def actors(response: Any) -> list[str]:
    return [event.actor for event in response.context["events"]]


@pytest.mark.parametrize("who", ["reader", "referrer", "technologist", "outsider"])
def test_for_others_the_page_does_not_exist(who: str, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(getattr(cast, who))
    assert {client.get(path).status_code for path in ("/audit/", "/audit/?format=csv", "/audit/chain")} == {404}


def test_nobody_signed_in_is_asked_to(client_of: ClientOf) -> None:
    assert client_of(None).get("/audit/").status_code == 302


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["SCANNER", "reader"]),
        ("event=exported", ["reader"]),
        ("outcome=failure", ["SCANNER"]),
        ("who=READER", ["reader"]),
        ("who=10.0.0.9", ["SCANNER"]),
        ("about=1.2.3", ["reader"]),
        ("about=row", ["SCANNER"]),
        ("since=2000-01-01&until=2000-01-02", []),
        ("since=2026-01-01", ["SCANNER", "reader"]),
    ],
)
def test_filters_narrow(query: str, expected: list[str], cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM archive_auditevent")
    record_event(Event.EXPORTED, actor="reader", study_instance_uid="1.2.3", subject="1.2.3.4")
    record_event(Event.ASSOCIATION_REFUSED, outcome="failure", actor="SCANNER", address="10.0.0.9", subject="row 7")
    assert actors(client.get(f"/audit/?{query}")) == expected


@pytest.mark.parametrize("query", ["since=yesterday", "event=nonsense", "until=2026-13-40", "who=" + "x" * 200])
def test_a_filter_that_is_none_is_said_and_shows_nothing(query: str, cast: Cast, client_of: ClientOf) -> None:
    response = client_of(cast.admin).get(f"/audit/?{query}")
    assert response.status_code == 400 and actors(response) == []


def test_pages_go_on_where_the_last_ended(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    for number in range(250):
        record_event(Event.CLAIMED, actor=f"a{number}")
    seen: list[str] = []
    path: str | None = "/audit/?event=claimed"
    while path:
        response = client.get(path)
        seen += actors(response)
        older = response.context["older"]
        path = f"/audit/?event=claimed&before={older}" if older else None
    assert seen == [f"a{number}" for number in reversed(range(250))]


@pytest.mark.parametrize("before", ["x", "-5", "9" * 30, "²"])
def test_a_place_that_is_none_is_the_start(before: str, cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.admin).get("/audit/", {"before": before}).status_code == 200


def test_the_export_is_filtered_whole_and_on_record(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    for number in range(150):
        record_event(Event.CLAIMED, actor=f"a{number}", details={"n": number})
    response = client.get("/audit/?event=claimed&format=csv")
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["actor"] for row in rows] == [f"a{number}" for number in range(150)]
    assert rows[7]["details"] == '{"n": 7}'
    event = AuditEvent.objects.get(event="exported")
    assert (event.user, event.details) == (cast.admin, {"filter": {"event": "claimed"}})


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r\n=1", "|x", "%0a=1"])
def test_no_cell_of_the_export_is_a_formula(text: str, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    record_event(Event.SIGN_IN_FAILED, outcome="failure", actor=text)
    response = client.get("/audit/?event=sign-in-failed&format=csv")
    (row,) = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig")))
    assert row["actor"].startswith("'") and row["actor"] == harmless(text)


def test_texts_are_escaped(cast: Cast, client_of: ClientOf) -> None:
    record_event(Event.SIGN_IN_FAILED, actor="<script>alert(1)</script>", details={"<b>": "<i>"})
    content = client_of(cast.admin).get("/audit/").content
    assert b"<script>alert" not in content and b"<i>" not in content


def test_the_chain_is_checked_on_demand(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.admin)
    record_event(Event.STARTED)
    seal()
    assert "is whole" in text_of(client.get("/audit/chain"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE archive_auditevent SET actor='x' WHERE sealed_as=1")
    assert "breaks at place 1" in text_of(client.get("/audit/chain"))
