"""The next study: one's own first, then the most urgent, what is over its limit, the oldest; never one twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from archive.models import Study
from tests.viewer.worklist.studies import make_study
from viewer.models import ReadingTask, TimeLimit
from viewer.worklist.claiming import CLAIM_LASTS, Change, NotYours, claim
from viewer.worklist.limits import set_due
from viewer.worklist.next_study import TRIED, NothingToRead, candidates, claim_next

if TYPE_CHECKING:
    from tests.conftest import Cast

HOUR = timedelta(hours=1)
STAT, URGENT, ROUTINE = ReadingTask.Priority


@pytest.fixture(autouse=True)
def limits(db: None) -> None:
    TimeLimit.objects.all().delete()
    TimeLimit.objects.create(minutes=6 * 60)
    TimeLimit.objects.create(minutes=60, modality="CR")


def taken(cast: Cast, count: int) -> list[str]:
    """Numbers of the studies that the reader is given, one after the other."""
    return [claim_next(cast.reader)[0].study_instance_uid.removeprefix("2.25.") for _ in range(count)]


def test_the_order_is_own_then_priority_then_over_the_limit_then_oldest(cast: Cast) -> None:
    make_study(1, arrived_ago=5 * HOUR)
    make_study(2, arrived_ago=4 * HOUR)
    make_study(3, arrived_ago=2 * HOUR, modality="CR")  # over by an hour
    make_study(4, arrived_ago=7 * HOUR + HOUR / 2)  # over by one and a half
    make_study(5, task={"priority": URGENT})
    make_study(6, task={"priority": STAT})
    make_study(7, task={"assigned_to": cast.reader})
    make_study(8, task={"assigned_to": cast.reader, "priority": URGENT})
    assert taken(cast, 8) == ["8", "7", "6", "5", "4", "3", "1", "2"]
    with pytest.raises(NothingToRead, match="Nothing waits to be read by you"):
        claim_next(cast.reader)


def test_what_waits_for_others_arrives_was_read_or_is_held_is_not_given(cast: Cast) -> None:
    mine, theirs = Group.objects.create(name="chest"), Group.objects.create(name="neuro")
    cast.reader.groups.add(mine)
    make_study(1, task={"assigned_to": cast.reader2})
    make_study(2, task={"assigned_group": theirs})
    make_study(3, ready=False)
    make_study(4, task={"state": "read"})
    make_study(5, task={"state": "in-progress", "claimed_by": cast.reader2, "claim_seen_at": timezone.now()})
    make_study(6, task={"state": "preliminary"})
    make_study(7, instance_count=0)
    make_study(8, task={"assigned_group": mine})
    assert taken(cast, 1) == ["8"]
    with pytest.raises(NothingToRead):
        claim_next(cast.reader)


def test_what_a_crashed_browser_left_behind_is_given_again(cast: Cast) -> None:
    study = make_study(1)
    claim(Change(cast.reader2, study))
    silent = timezone.now() - CLAIM_LASTS - timedelta(seconds=1)
    ReadingTask.objects.filter(study=study).update(claim_seen_at=silent)
    assert claim_next(cast.reader)[1].claimed_by == cast.reader


def test_the_study_that_is_open_is_not_given_again(cast: Cast) -> None:
    make_study(1, arrived_ago=2 * HOUR)
    make_study(2)
    assert claim_next(cast.reader, after="2.25.1")[0].study_instance_uid == "2.25.2"


def test_a_preliminary_report_handed_over_for_the_final_one_is_given_to_whom_it_waits_for(cast: Cast) -> None:
    make_study(1, task={"state": "preliminary", "assigned_to": cast.reader})
    assert taken(cast, 1) == ["1"]


def test_the_list_that_one_works_from_bounds_what_is_given(cast: Cast) -> None:
    make_study(1, modality="CT", arrived_ago=2 * HOUR)
    make_study(2, modality="MR")
    among = Study.objects.visible_to(cast.reader).filter(modalities="MR")
    assert claim_next(cast.reader, among=among)[0].study_instance_uid == "2.25.2"
    with pytest.raises(NothingToRead, match="within this filter"):
        claim_next(cast.reader, among=among)


def test_a_colleague_who_is_quicker_leaves_the_one_after(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from viewer.worklist import next_study

    first, second = make_study(1, arrived_ago=2 * HOUR), make_study(2)
    found = next_study.candidates

    def while_another_claims(*asked: object) -> list[int]:
        ids = list(found(*asked))  # type: ignore[arg-type]
        claim(Change(cast.reader2, first))
        return ids

    monkeypatch.setattr(next_study, "candidates", while_another_claims)
    assert claim_next(cast.reader)[0] == second


@pytest.mark.parametrize("name", ["referrer", "technologist", "admin", "outsider"])
def test_only_radiologists_are_given_studies(cast: Cast, name: str) -> None:
    make_study(1)
    with pytest.raises(NotYours):
        claim_next(getattr(cast, name))


def test_a_limit_that_changes_changes_the_order(cast: Cast) -> None:
    old, late = make_study(1, arrived_ago=5 * HOUR), make_study(2, arrived_ago=3 * HOUR, modality="MR")
    TimeLimit.objects.create(minutes=60, modality="MR")
    set_due([old.pk, late.pk])
    assert taken(cast, 2) == ["2", "1"]


def test_whoever_is_late_is_given_what_colleagues_left(cast: Cast) -> None:
    for number in range(1, TRIED + 6):
        make_study(number, arrived_ago=(100 - number) * HOUR)
    offered = candidates(Study.objects.visible_to(cast.reader), cast.reader)
    first = [next(offered) for _ in range(TRIED)]
    ReadingTask.objects.filter(study__in=first).update(
        state="in-progress", claimed_by=cast.reader2, claim_seen_at=timezone.now()
    )
    assert len(set(first)) == TRIED
    assert sorted(offered) == sorted(Study.objects.exclude(pk__in=first).values_list("pk", flat=True))
