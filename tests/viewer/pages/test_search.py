"""Search among what a person may see."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from archive.models import Grant
from tests.viewer.worklist.studies import make_study

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from archive.models import User
    from tests.conftest import Cast

ClientOf = Callable[["User | None"], "Client"]
HTMX = {"HX-Request": "true"}


def found(client: Client, **values: str) -> list[str]:
    html = client.post("/search/", values, headers=HTMX).content.decode()
    return re.findall(r'href="/studies/([0-9.]+)/viewer/"', html)


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ({"text": "doe"}, ["2", "1"]),
        ({"text": "doe", "since": "2026-01-01"}, ["2"]),
        ({"until": "2025-12-31"}, ["1"]),
        ({"since": "20250101", "until": "20251231"}, ["1"]),
        ({"modality": "PT"}, ["3"]),
        ({"text": "", "modality": ""}, ["3", "2", "1"]),
    ],
)
def test_fields_narrow_what_is_found(
    cast: Cast, client_of: ClientOf, values: dict[str, str], numbers: list[str]
) -> None:
    make_study(1, study_date="20250311", task={"state": "read"})
    make_study(2, study_date="20261101")
    make_study(3, name="ROE^Jim", patient_id="3", modality="CT\\PT", study_date="20261102")
    assert found(client_of(cast.reader), **values) == [f"2.25.{number}" for number in numbers]


def test_everybody_finds_only_what_they_may_see(cast: Cast, client_of: ClientOf) -> None:
    Grant.objects.create(user=cast.referrer, study=make_study(1, modality="US"))
    make_study(2, modality="MR")
    assert found(client_of(cast.reader), text="doe") == ["2.25.2", "2.25.1"]
    assert found(client_of(cast.referrer), text="doe") == ["2.25.1"]
    assert found(client_of(cast.technologist), text="doe") == ["2.25.2"]
    assert found(client_of(cast.admin), text="doe") == []
    outsider = client_of(cast.outsider).post("/search/", {"text": "doe"}, headers=HTMX)
    assert outsider.status_code == 403 and b"2.25" not in outsider.content


def test_a_name_in_an_address_is_not_searched(cast: Cast, client_of: ClientOf) -> None:
    make_study(1)
    html = client_of(cast.reader).get("/search/?text=doe").content.decode()
    assert "2.25.1" not in html and "Type a part of a name" in html


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"since": "24.11.2026"}, "From: A date is written as 2026-11-24."),
        ({"modality": "c;t"}, "Modality: A modality is a code such as CT, MR or US."),
    ],
)
def test_a_field_that_cannot_be_used_says_what_would(
    cast: Cast, client_of: ClientOf, values: dict[str, str], sentence: str
) -> None:
    make_study(1)
    html = client_of(cast.reader).post("/search/", values | {"text": "doe"}).content.decode()
    assert sentence in html
    assert 'value="doe"' in html and "2.25.1" not in html


def test_nothing_found_says_what_to_try(cast: Cast, client_of: ClientOf) -> None:
    html = client_of(cast.reader).post("/search/", {"text": "nobody"}, headers=HTMX).content.decode()
    assert "No study matches" in html


def test_results_come_in_pages_with_few_queries(
    cast: Cast, client_of: ClientOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, 61):
        make_study(number, patient_id=f"P{number}")
    client = client_of(cast.reader)
    client.get("/account/")
    with django_assert_num_queries(6):  # session, user, roles, index, page, rows
        html = client.post("/search/", {"text": "doe"}, headers=HTMX).content.decode()
    first = re.findall(r'href="/studies/([0-9.]+)/viewer/"', html)
    after = re.search(r'name="after" value="(\d+)"', html)
    assert after is not None
    second = found(client, text="doe", after=after[1])
    assert first + second == [f"2.25.{number}" for number in range(60, 0, -1)]
