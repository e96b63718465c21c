"""The state machine: one reader has a study, the others are told who."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from archive.models import AuditEvent, Study, User
from tests.viewer.worklist.studies import make_study
from viewer.models import ReadingTask
from viewer.worklist import claiming
from viewer.worklist.claiming import (
    CLAIM_LASTS,
    AlreadyRead,
    Change,
    ClaimedByAnother,
    ClaimLost,
    NotOnWorklist,
    NotYours,
    StillArriving,
)

if TYPE_CHECKING:
    from tests.conftest import Cast

State = ReadingTask.State


@pytest.fixture
def study(db: None) -> Study:
    return make_study(1)


def by(user: User, study: Study) -> Change:
    return Change(user, study, "192.0.2.7")


def task_of(study: Study) -> ReadingTask:
    return ReadingTask.objects.get(study=study)


def events(study: Study) -> list[tuple[str, int | None]]:
    found = AuditEvent.objects.filter(study_instance_uid=study.study_instance_uid).order_by("pk")
    return list(found.values_list("event", "user_id"))


def silent(study: Study, for_: timedelta = CLAIM_LASTS + timedelta(seconds=1)) -> None:
    ReadingTask.objects.filter(study=study).update(claim_seen_at=timezone.now() - for_)


def test_a_claim_is_the_reader_s_and_is_audited_once(cast: Cast, study: Study) -> None:
    claiming.claim(by(cast.reader, study))
    first = task_of(study)
    claiming.claim(by(cast.reader, study))
    again = task_of(study)
    assert (again.state, again.claimed_by, again.claimed_at) == (State.IN_PROGRESS, cast.reader, first.claimed_at)
    assert events(study) == [("claimed", cast.reader.pk)]
    assert AuditEvent.objects.get().address == "192.0.2.7"


def test_the_second_reader_is_told_who_has_it(cast: Cast, study: Study) -> None:
    claiming.claim(by(cast.reader, study))
    with pytest.raises(ClaimedByAnother, match=r"^Rita Reader is reading this study since \d\d:\d\d\.") as refusal:
        claiming.claim(by(cast.reader2, study))
    assert refusal.value.reader == cast.reader
    assert task_of(study).claimed_by == cast.reader


def test_a_claim_without_a_sign_of_life_is_taken_over_and_the_first_reader_learns_it(cast: Cast, study: Study) -> None:
    claiming.claim(by(cast.reader, study))
    silent(study)
    claiming.claim(by(cast.reader2, study))
    assert task_of(study).claimed_by == cast.reader2
    assert AuditEvent.objects.order_by("pk").last().details == {"taken_over_from": cast.reader.pk}
    with pytest.raises(ClaimedByAnother, match="Rudi Reader"):
        claiming.heartbeat(by(cast.reader, study))


def test_a_sign_of_life_keeps_a_claim(cast: Cast, study: Study) -> None:
    claiming.claim(by(cast.reader, study))
    silent(study)
    claiming.heartbeat(by(cast.reader, study))
    with pytest.raises(ClaimedByAnother):
        claiming.claim(by(cast.reader2, study))


def test_a_claim_of_almost_five_silent_minutes_holds(cast: Cast, study: Study) -> None:
    claiming.claim(by(cast.reader, study))
    silent(study, CLAIM_LASTS - timedelta(seconds=30))
    with pytest.raises(ClaimedByAnother):
        claiming.claim(by(cast.reader2, study))


def test_a_released_study_waits_again_and_can_be_claimed_by_another(cast: Cast, study: Study) -> None:
    claiming.claim(by(cast.reader, study))
    claiming.release(by(cast.reader, study))
    claiming.release(by(cast.reader, study))
    task = task_of(study)
    assert (task.state, task.claimed_by, task.claimed_at) == (State.UNREAD, None, None)
    assert [event for event, _ in events(study)] == ["claimed", "released"]
    with pytest.raises(ClaimLost):
        claiming.heartbeat(by(cast.reader, study))
    claiming.claim(by(cast.reader2, study))


def test_nobody_releases_another_reader_s_claim(cast: Cast, study: Study) -> None:
    claiming.claim(by(cast.reader, study))
    with pytest.raises(ClaimedByAnother):
        claiming.release(by(cast.reader2, study))
    assert task_of(study).claimed_by == cast.reader


def test_a_read_study_is_nobody_s_claim_and_says_who_read_it(cast: Cast, study: Study) -> None:
    claiming.mark_read(by(cast.reader, study))
    task = task_of(study)
    assert (task.state, task.read_by, task.claimed_by) == (State.READ, cast.reader, None)
    assert [event for event, _ in events(study)] == ["claimed", "marked-read"]
    with pytest.raises(AlreadyRead, match="read by Rita Reader"):
        claiming.claim(by(cast.reader2, study))
    with pytest.raises(AlreadyRead):
        claiming.mark_read(by(cast.reader2, study))


def test_a_study_that_another_has_is_not_marked_read(cast: Cast, study: Study) -> None:
    claiming.claim(by(cast.reader, study))
    with pytest.raises(ClaimedByAnother):
        claiming.mark_read(by(cast.reader2, study))
    assert task_of(study).state == State.IN_PROGRESS


def test_a_study_marked_unread_waits_again(cast: Cast, study: Study) -> None:
    claiming.mark_read(by(cast.reader, study))
    claiming.mark_unread(by(cast.reader2, study))
    claiming.mark_unread(by(cast.reader2, study))
    task = task_of(study)
    assert (task.state, task.read_by, task.read_at) == (State.UNREAD, None, None)
    assert events(study)[2:] == [("marked-unread", cast.reader2.pk)]


def test_arriving_images_are_not_claimed(cast: Cast) -> None:
    arriving = make_study(2, ready=False)
    with pytest.raises(StillArriving):
        claiming.claim(by(cast.reader, arriving))
    with pytest.raises(StillArriving):
        claiming.mark_read(by(cast.reader, arriving))
    assert task_of(arriving).state == State.UNREAD


@pytest.mark.parametrize(
    "act", [claiming.claim, claiming.heartbeat, claiming.release, claiming.mark_read, claiming.mark_unread]
)
@pytest.mark.parametrize("name", ["referrer", "technologist", "admin", "outsider"])
def test_only_radiologists_claim_and_read(cast: Cast, study: Study, act: Any, name: str) -> None:
    with pytest.raises(NotYours):
        act(by(getattr(cast, name), study))
    assert task_of(study).state == State.UNREAD
    assert events(study) == []


def test_radiologists_and_technologists_set_the_priority(cast: Cast, study: Study) -> None:
    claiming.set_priority(by(cast.technologist, study), ReadingTask.Priority.STAT)
    claiming.set_priority(by(cast.reader, study), ReadingTask.Priority.STAT)
    assert task_of(study).priority == ReadingTask.Priority.STAT
    event = AuditEvent.objects.get()
    assert (event.event, event.details) == ("priority-changed", {"before": "routine", "after": "STAT"})
    for user in (cast.referrer, cast.admin, cast.outsider):
        with pytest.raises(NotYours):
            claiming.set_priority(by(user, study), ReadingTask.Priority.ROUTINE)


def test_a_study_without_a_row_on_the_worklist_is_refused_in_words(cast: Cast, study: Study) -> None:
    ReadingTask.objects.all().delete()
    with pytest.raises(NotOnWorklist):
        claiming.claim(by(cast.reader, study))


def test_audit_details_carry_no_name(cast: Cast, study: Study) -> None:
    claiming.claim(by(cast.reader, study))
    silent(study)
    claiming.mark_read(by(cast.reader2, study))
    claiming.mark_unread(by(cast.reader, study))
    told = " ".join(str(details) for details in AuditEvent.objects.values_list("details", flat=True))
    assert "DOE" not in told.upper() and "19720301" not in told
