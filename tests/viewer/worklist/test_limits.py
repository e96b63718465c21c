"""The site's limits, and what is raised once when they are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from archive.models import AuditEvent, Study
from archive.signals import studies_changed
from tests.viewer.worklist.studies import make_study
from viewer.models import ReadingTask, TimeLimit
from viewer.signals import study_overdue
from viewer.worklist.limits import limit_for, recount
from viewer.worklist.overdue import raise_overdue

if TYPE_CHECKING:
    from tests.conftest import Cast

STAT, URGENT, ROUTINE = ReadingTask.Priority
HOUR = timedelta(hours=1)


@pytest.fixture
def told() -> Iterator[list[tuple[int, list[int]]]]:
    heard: list[tuple[int, list[int]]] = []

    def listen(study_id: int, user_ids: list[int], **_more: Any) -> None:
        heard.append((study_id, user_ids))

    study_overdue.connect(listen, weak=False, dispatch_uid="test")
    yield heard
    study_overdue.disconnect(dispatch_uid="test")


def task_of(study: Study) -> ReadingTask:
    return ReadingTask.objects.get(study=study)


def test_the_most_particular_limit_holds_and_of_two_modalities_the_shorter() -> None:
    every = TimeLimit(minutes=500)
    stat = TimeLimit(priority=STAT, minutes=60)
    ct, pet = TimeLimit(modality="CT", minutes=200), TimeLimit(modality="PT", minutes=100)
    stat_ct = TimeLimit(priority=STAT, modality="CT", minutes=90)
    limits = [every, stat, ct, pet, stat_ct]
    assert limit_for(limits, ROUTINE, ["MR"]) is every
    assert limit_for(limits, STAT, ["MR"]) is stat
    assert limit_for(limits, ROUTINE, ["CT"]) is ct
    assert limit_for(limits, STAT, ["CT"]) is stat_ct
    assert limit_for(limits, ROUTINE, ["CT", "PT"]) is pet
    assert limit_for([stat], ROUTINE, ["CT"]) is None


def test_a_site_begins_with_a_limit_for_each_priority(db: None) -> None:
    found = TimeLimit.objects.values_list("priority", "modality", "minutes")
    assert list(found) == [(STAT, "", 60), (URGENT, "", 120), (ROUTINE, "", 240)]


@pytest.mark.parametrize("values", [{"priority": 0}, {"priority": None}])
def test_there_is_one_limit_of_a_kind(db: None, values: dict[str, Any]) -> None:
    TimeLimit.objects.all().delete()
    TimeLimit.objects.create(minutes=1, modality="CT", **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        TimeLimit.objects.create(minutes=2, modality="CT", **values)


def test_a_changed_limit_counts_for_everything_that_waits_and_nothing_that_was_read(db: None) -> None:
    waits, pet = make_study(1), make_study(2, modality="CT\\PT")
    read = make_study(3, task={"state": "read"})
    due = task_of(read).due_at
    TimeLimit.objects.update(minutes=30)
    TimeLimit.objects.create(modality="PT", minutes=10)
    recount()
    assert task_of(waits).due_at == task_of(waits).waiting_since + timedelta(minutes=30)
    assert task_of(pet).due_at == task_of(pet).waiting_since + timedelta(minutes=10)
    assert task_of(read).due_at == due
    TimeLimit.objects.all().delete()
    recount()
    assert task_of(waits).due_at is None


def test_the_clock_begins_again_with_another_image(db: None) -> None:
    study = make_study(1, arrived_ago=5 * HOUR)
    assert raise_overdue() == 1
    now = timezone.now()
    Study.objects.filter(pk=study.pk).update(last_received_at=now)
    studies_changed.send(sender=None, study_ids=[study.pk], arrived=True)
    task = task_of(study)
    assert (task.waiting_since, task.due_at, task.overdue_told_at) == (now, now + 4 * HOUR, None)


def test_what_is_overdue_is_raised_once_and_told_to_the_list_and_to_whom_it_waits_for(
    cast: Cast, told: list[tuple[int, list[int]]]
) -> None:
    chiefs = Group.objects.create(name="chiefs")
    cast.admin.groups.add(chiefs)
    TimeLimit.objects.get(priority=ROUTINE).told.add(chiefs)
    late = make_study(1, arrived_ago=5 * HOUR, task={"assigned_to": cast.reader})
    make_study(2, arrived_ago=3 * HOUR)
    make_study(3, arrived_ago=5 * HOUR, task={"state": "read"})
    assert (raise_overdue(), raise_overdue()) == (1, 0)
    people = sorted([cast.admin.pk, cast.reader.pk])
    assert told == [(late.pk, people)]
    event = AuditEvent.objects.get(event="study-overdue")
    assert (event.study_instance_uid, event.actor) == ("2.25.1", "clock")
    assert (event.details["limit_minutes"], event.details["told"]) == (240, people)
    assert task_of(late).overdue_told_at is not None


def test_the_most_urgent_are_raised_first_and_the_rest_follow(
    db: None, told: list[tuple[int, list[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.worklist.overdue.MOST_AT_ONCE", 1)
    routine = make_study(1, arrived_ago=9 * HOUR)
    stat = make_study(2, arrived_ago=2 * HOUR, task={"priority": STAT})
    assert (raise_overdue(), raise_overdue(), raise_overdue()) == (1, 1, 0)
    assert [study for study, _ in told] == [stat.pk, routine.pk]
