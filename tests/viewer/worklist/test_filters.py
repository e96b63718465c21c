"""Filters and chips: what is found, what is left out, and what an address carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from archive.models import Study
from tests.viewer.worklist.studies import make_study
from viewer.models import ReadingTask, TimeLimit
from viewer.worklist.counts import count_open, count_site
from viewer.worklist.filters import WorklistFilter
from viewer.worklist.limits import recount
from viewer.worklist.listing import list_studies

if TYPE_CHECKING:
    from tests.conftest import Cast


def found(cast: Cast, query: str) -> set[str]:
    listing = list_studies(cast.reader, QueryDict(query))
    return {row.study_instance_uid for row in (*listing.just_arrived, *listing.rows)}


def uids(*numbers: int) -> set[str]:
    return {f"2.25.{number}" for number in numbers}


@pytest.fixture
def some(cast: Cast) -> None:
    make_study(1, name="DOE^Jane", patient_id="12345", modality="CT", accession_number="A-77", task={"priority": 0})
    make_study(
        2, name="Müller^Jürgen", patient_id="778", modality="CT\\PT", study_date=f"{timezone.localdate():%Y%m%d}"
    )
    make_study(3, name="Yamada^Tarou=山田^太郎", patient_id="98-1", modality="MR", study_description="Knee left")
    make_study(4, name="ROE^Jane", patient_id="5", modality="PT", task={"state": "read", "read_by": cast.reader})
    make_study(
        5, name="PARK^Jo", patient_id="6", modality="US", task={"state": "in-progress", "claimed_by": cast.reader}
    )
    make_study(6, name="LATE^Lu", patient_id="7", modality="US", ready=False)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", (1, 2, 3, 5, 6)),
        ("state=read", (4,)),
        ("state=all", (1, 2, 3, 4, 5, 6)),
        ("state=in-progress", (5,)),
        ("state=arriving", (6,)),
        ("unread=1", (1, 2, 3, 6)),
        ("mine=1", (5,)),
        ("stat=1", (1,)),
        ("today=1", (2,)),
        ("modality=CT", (1, 2)),
        ("modality=PT", (2,)),
        ("modality=MR&modality=US", (3, 5, 6)),
        ("modality=C", ()),
        ("modality=CT&stat=1", (1,)),
        ("text=doe", (1,)),
        ("text=jane", (1,)),
        ("text=JANE+doe", (1,)),
        ("text=doe,+jane", (1,)),
        ("text=muller+jurgen", (2,)),
        ("text=Müller", (2,)),
        ("text=山田", (3,)),
        ("text=knee+yamada", (3,)),
        ("text=a-77", (1,)),
        ("text=12345", (1,)),
        ("text=%25", ()),
        ("text=_", ()),
        ("text=jane&state=all", (1, 4)),
        ("text=nobody", ()),
    ],
)
def test_a_filter_finds_what_it_says(cast: Cast, some: None, query: str, numbers: tuple[int, ...]) -> None:
    assert found(cast, query) == uids(*numbers)


@pytest.mark.parametrize(
    "query", ["state=nonsense", "modality=%00", "modality=%27%3B--", "sort=password", "after=x", "foo=bar"]
)
def test_what_cannot_be_used_is_left_out(cast: Cast, some: None, query: str) -> None:
    assert found(cast, query) == uids(1, 2, 3, 5, 6)


def filter_of(cast: Cast, query: str) -> WorklistFilter:
    return WorklistFilter(QueryDict(query), Study.objects.all(), user=cast.reader)


def test_an_address_carries_the_filter_without_what_is_typed(cast: Cast) -> None:
    chosen = filter_of(cast, "text=doe&modality=MR&modality=CT&stat=1&state=all&junk=1&mine=")
    assert chosen.query() == "modality=MR&modality=CT&stat=1&state=all"
    assert chosen.query(sort="-date") == "modality=MR&modality=CT&sort=-date&stat=1&state=all"
    assert filter_of(cast, "text=doe").query() == ""


@pytest.mark.parametrize(
    ("query", "narrowed"), [("", False), ("state=nonsense", False), ("stat=1", True), ("text=x", True)]
)
def test_a_filter_knows_whether_it_narrows(cast: Cast, query: str, narrowed: bool) -> None:
    assert filter_of(cast, query).is_narrowed is narrowed


def test_chips_count_what_is_to_be_read(cast: Cast, some: None) -> None:
    counts = count_open(Study.objects.all(), cast.reader)
    assert (counts.to_read, counts.mine, counts.unread, counts.stat, counts.today) == ("5", "1", "4", "1", "1")
    assert counts.modalities == (("CT", "2"), ("US", "2"), ("MR", "1"), ("PT", "1"))


def test_counts_stop_where_nobody_reads_further(cast: Cast, some: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.worklist.counts.SURVEYED", 3)
    counts = count_open(Study.objects.all(), cast.reader)
    assert counts.to_read == "3+"
    assert (counts.mine, counts.stat) == ("1", "1")


def test_the_site_is_counted_without_saying_whose_studies_they_are(cast: Cast, some: None) -> None:
    TimeLimit.objects.filter(priority=ReadingTask.Priority.STAT).update(minutes=30)
    recount()  # the STAT study has waited for an hour
    counted: dict[str, Any] = count_site()
    assert counted == {
        "unread": "4",
        "preliminary": "0",
        "being read": "1",
        "STAT, to be read": "1",
        "arriving": "1",
        "overdue": "1",
    }
