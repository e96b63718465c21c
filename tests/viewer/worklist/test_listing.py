"""A page of the worklist: what stands on top, who sees what, and how many queries it takes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.http import QueryDict

from archive.models import Grant, Study, User
from tests.viewer.worklist.studies import make_study
from viewer.worklist.history import history_of
from viewer.worklist.listing import ARRIVALS, READING, Listing, list_studies

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from tests.conftest import Cast


def listed(who: User, query: str = "") -> Listing:
    return list_studies(User.objects.get(pk=who.pk), QueryDict(query))


def top(listing: Listing) -> list[str]:
    return [row.study_instance_uid for row in listing.just_arrived]


def rest(listing: Listing) -> list[str]:
    return [row.study_instance_uid for row in listing.rows]


def test_what_just_arrived_stands_on_top_once_the_urgent_first(cast: Cast) -> None:
    make_study(1, arrived_ago=timedelta(hours=3))
    make_study(2, arrived_ago=timedelta(minutes=2))
    make_study(3, arrived_ago=timedelta(minutes=1), ready=False)
    make_study(4, arrived_ago=timedelta(minutes=5), task={"priority": 0})
    listing = listed(cast.reader)
    assert top(listing) == ["2.25.4", "2.25.3", "2.25.2"]
    assert rest(listing) == ["2.25.1"]


def test_only_a_few_stand_on_top_and_the_others_wait_their_turn(cast: Cast) -> None:
    for number in range(1, 9):
        make_study(number, arrived_ago=timedelta(minutes=number))
    listing = listed(cast.reader)
    assert top(listing) == [f"2.25.{number}" for number in range(1, 6)]
    assert rest(listing) == ["2.25.8", "2.25.7", "2.25.6"]


def test_nothing_stands_on_top_of_a_search_another_order_or_a_later_page(cast: Cast) -> None:
    study = make_study(1, arrived_ago=timedelta(minutes=1))
    for query in ("text=doe", "sort=patient", f"after={study.pk - 1}x&sort=-date"):
        listing = listed(cast.reader, query)
        assert (top(listing), rest(listing)) == ([], ["2.25.1"])
    assert top(listed(cast.reader, f"after={study.pk}")) == []


def test_a_technologist_sees_what_arrives_at_their_rooms_the_newest_first(cast: Cast) -> None:
    make_study(1, arrived_ago=timedelta(hours=3), modality="MR")
    make_study(2, arrived_ago=timedelta(hours=1), task={"state": "read"})
    make_study(3, modality="US")
    listing = listed(cast.technologist)
    assert listing.habit == ARRIVALS
    assert rest(listing) == ["2.25.2", "2.25.1"]


def test_a_clinician_sees_their_own_patients_only(cast: Cast) -> None:
    Grant.objects.create(user=cast.referrer, study=make_study(1))
    make_study(2, patient_id="other")
    assert listed(cast.referrer).habit == READING
    assert rest(listed(cast.referrer)) == ["2.25.1"]
    assert listed(cast.referrer).counts.to_read == "1"


def test_the_outsider_and_the_administrator_see_no_row_and_no_count(cast: Cast) -> None:
    make_study(1, arrived_ago=timedelta(minutes=1))
    for who in (cast.outsider, cast.admin):
        listing = listed(who, "state=all")
        assert listing.is_empty
        assert (listing.counts.to_read, listing.counts.modalities) == ("0", ())


def test_studies_whose_images_were_all_rejected_are_not_listed(cast: Cast) -> None:
    make_study(1, instance_count=0)
    assert listed(cast.reader, "state=all").is_empty


def test_a_page_takes_the_same_few_queries_however_many_studies_there_are(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_study(1, arrived_ago=timedelta(minutes=1))
    make_study(99, patient_id="P99")
    reader = User.objects.get(pk=cast.reader.pk)
    # roles; just arrived, of these those that fit; 4 for the page; rows; counts; own claims, own assignments, asked to look
    with django_assert_num_queries(12):
        list_studies(reader, QueryDict())
    for number in range(2, 70):
        make_study(number, arrived_ago=timedelta(hours=number), patient_id=f"P{number}")
    reader = User.objects.get(pk=cast.reader.pk)
    with django_assert_num_queries(12):
        assert len(list_studies(reader, QueryDict()).rows) == 50


def test_the_history_holds_what_the_person_may_see_and_says_how_long_ago(cast: Cast) -> None:
    study = make_study(1, study_date="20261124", modality="MR")
    make_study(2, study_date="20250311", study_description="Chest")
    make_study(3, study_date="20261124")
    make_study(4, patient_id="somebody else")
    Grant.objects.create(user=cast.referrer, study=study)
    seen = history_of(study, cast.reader).entries
    assert [(entry.study_instance_uid, entry.date, entry.distance) for entry in seen] == [
        ("2.25.3", "2026-11-24", "same day"),
        ("2.25.2", "2025-03-11", "20 months before"),
    ]
    assert history_of(study, cast.referrer).entries == ()


def test_no_history_is_offered_while_the_identity_is_to_be_checked(cast: Cast) -> None:
    study = make_study(1, to_be_checked=True)
    make_study(2)
    history = history_of(Study.objects.get(pk=study.pk), cast.reader)
    assert (history.to_be_checked, history.entries) == (True, ())
