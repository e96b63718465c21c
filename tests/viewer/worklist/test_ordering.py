"""Orders and pages: every study once, in order, forwards and backwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from archive.models import Study
from tests.viewer.worklist.studies import make_study
from viewer.worklist.filters import OPEN_STATES
from viewer.worklist.ordering import COLUMNS, STANDARD, Order, Page, find_page, parse_order

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


@pytest.fixture
def many() -> list[Study]:
    """Twenty studies with equal values in every sortable column."""
    states = ("unread", "in-progress", "read")
    return [
        make_study(
            number,
            name=("DOE^Jane", "Ångström^Åsa", "", "PARK^Jisung=朴^智星")[number % 4],
            patient_id=f"P{number % 3}",
            modality=("CT", "MR", "CT\\PT")[number % 3],
            arrived_ago=timedelta(hours=number // 3),
            study_date=("20261124", "20261123")[number % 2],
            task={"state": states[number % 3], "priority": number % 3},
        )
        for number in range(20)
    ]


def numbers(page: Page) -> list[int]:
    found = Study.objects.in_bulk(list(page.ids))
    return [int(found[pk].study_instance_uid.removeprefix("2.25.")) for pk in page.ids]


@pytest.mark.parametrize("states", [(), OPEN_STATES, ("unread",)])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", COLUMNS)
def test_pages_hold_every_study_once_forwards_and_backwards(
    many: list[Study], column: str, descending: bool, states: tuple[str, ...]
) -> None:
    order = Order(column, descending)
    wanted = Study.objects.filter(reading_task__isnull=False)
    wanted = wanted.filter(reading_task__state__in=states) if states else wanted
    expected = list(wanted.order_by(*order.order_by()).values_list("pk", flat=True))

    page = find_page(Study.objects.all(), order, states=states, size=4)
    pages = [page]
    while page.after:
        page = find_page(Study.objects.all(), order, states=states, after=page.after, size=4)
        pages.append(page)
    back = [pages[-1]]
    while back[-1].before:
        back.append(find_page(Study.objects.all(), order, states=states, before=back[-1].before, size=4))

    assert [pk for page in pages for pk in page.ids] == expected
    assert [page.ids for page in reversed(back)] == [page.ids for page in pages]


def test_the_standard_order_is_stat_then_urgent_then_the_longest_waiting() -> None:
    for number, (priority, hours) in enumerate([(2, 9), (0, 1), (1, 2), (0, 3), (2, 10)]):
        make_study(number, arrived_ago=timedelta(hours=hours), task={"priority": priority})
    assert numbers(find_page(Study.objects.all(), STANDARD, states=OPEN_STATES)) == [3, 1, 2, 4, 0]


def test_waiting_counts_from_the_last_image_not_the_first() -> None:
    study = make_study(1, arrived_ago=timedelta(hours=5))
    make_study(2, arrived_ago=timedelta(hours=3))
    study.reading_task.waiting_since = timezone.now()
    study.reading_task.save()
    assert numbers(find_page(Study.objects.all(), STANDARD, states=OPEN_STATES)) == [2, 1]


@pytest.mark.parametrize("place", ["0", "999999999", "-1", "1 OR 1=1", "²", "9" * 30, "None"])
def test_a_place_that_is_gone_or_no_place_gives_the_first_page(place: str) -> None:
    make_study(1)
    assert numbers(find_page(Study.objects.all(), STANDARD, states=OPEN_STATES, after=place)) == [1]
    assert numbers(find_page(Study.objects.all(), STANDARD, states=OPEN_STATES, before=place)) == [1]


def test_a_list_without_studies_has_no_neighbours() -> None:
    assert find_page(Study.objects.all(), STANDARD, states=OPEN_STATES) == Page()


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("date", Order("date")),
        ("-date", Order("date", descending=True)),
        ("", STANDARD),
        ("--date", STANDARD),
        ("patient__user__password", STANDARD),
        ("-", STANDARD),
    ],
)
def test_only_columns_sort(text: str, order: Order) -> None:
    assert parse_order(text) == order


def test_a_deep_page_takes_as_many_queries_as_the_first(
    many: list[Study], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = find_page(Study.objects.all(), STANDARD, states=OPEN_STATES, size=4)
    with django_assert_num_queries(4):  # unread, in progress, preliminary, all in order
        find_page(Study.objects.all(), STANDARD, states=OPEN_STATES, size=4)
    with django_assert_num_queries(5):  # and the place
        find_page(Study.objects.all(), STANDARD, states=OPEN_STATES, after=first.after, size=4)
