"""Acknowledging: by whom, once, with name and time; and what happens until somebody does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group

from archive.models import AuditEvent, Grant, Study, User
from viewer.critical.acknowledging import acknowledge
from viewer.critical.chasing import chase
from viewer.critical.errors import AlreadyTold, NotTold, NotYoursToAcknowledge
from viewer.critical.words import results_for
from viewer.models import CriticalResult, Delivery, Notification
from viewer.worklist.claiming import Change

if TYPE_CHECKING:
    from tests.conftest import Cast

Flagged = Callable[..., CriticalResult]
MINUTE = timedelta(minutes=1)


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def unread(user: User) -> list[str]:
    return list(
        Notification.objects.filter(user=user, read_at__isnull=True).order_by("pk").values_list("kind", flat=True)
    )


def test_the_clinician_s_name_and_time_stand_and_the_reader_is_told(
    study: Study, cast: Cast, given: Grant, flagged: Flagged
) -> None:
    result = flagged(at_once=True)
    acknowledge(Change(cast.referrer, study, "10.0.0.7"), result)
    (shown,) = results_for(cast.reader, study)
    assert shown.words.startswith("Acknowledged by Clara Clinician at 20")
    assert (unread(cast.referrer), unread(cast.reader)) == ([], ["acknowledged"])
    event = AuditEvent.objects.get(event="critical-acknowledged")
    assert (event.user_id, event.address, event.study_instance_uid) == (cast.referrer.pk, "10.0.0.7", "2.25.1")
    assert not Delivery.objects.filter(notification__user=cast.referrer, state="waiting").exists()


def test_the_second_is_told_who_was_first(study: Study, cast: Cast, given: Grant, flagged: Flagged) -> None:
    result = flagged(at_once=True)
    Grant.objects.create(user=cast.referrer2, study=study)
    acknowledge(Change(cast.referrer, study), result)
    with pytest.raises(AlreadyTold, match="Acknowledged by Clara Clinician"):
        acknowledge(Change(cast.referrer2, study), result)
    assert CriticalResult.objects.get().acknowledged_by == cast.referrer


@pytest.mark.parametrize("name", ["referrer2", "reader", "reader2", "technologist", "admin", "outsider"])
def test_nobody_else_acknowledges(study: Study, cast: Cast, given: Grant, flagged: Flagged, name: str) -> None:
    with pytest.raises(NotYoursToAcknowledge):
        acknowledge(Change(getattr(cast, name), study), flagged(at_once=True))


def test_what_nobody_was_told_of_cannot_be_acknowledged(
    study: Study, cast: Cast, given: Grant, flagged: Flagged
) -> None:
    with pytest.raises(NotTold):
        acknowledge(Change(cast.referrer, study), flagged())


def test_it_is_reminded_until_acknowledged_with_one_unread_reminder_at_a_time(
    study: Study, cast: Cast, given: Grant, flagged: Flagged
) -> None:
    result = flagged(at_once=True)
    told_at = result.told_at
    assert chase(told_at + 4 * MINUTE) == 0
    assert chase(told_at + 5 * MINUTE) == 1
    assert chase(told_at + 5 * MINUTE) == 0  # a second worker, or the same message twice
    assert chase(told_at + 10 * MINUTE) == 1
    assert unread(cast.referrer) == ["critical", "critical-reminder"]
    assert Notification.objects.filter(user=cast.referrer, kind="critical-reminder").count() == 2
    acknowledge(Change(cast.referrer, study), result)
    assert unread(cast.referrer) == []
    assert chase(told_at + 60 * MINUTE) == 0


def test_it_is_escalated_to_the_category_s_people_who_can_then_see_and_acknowledge(
    study: Study, cast: Cast, given: Grant, flagged: Flagged
) -> None:
    result = flagged(at_once=True)
    on_call = Group.objects.create(name="on call")
    cast.referrer2.groups.add(on_call)
    result.category.escalate_to_groups.add(on_call)
    result.category.escalate_to_users.add(cast.reader2)
    assert not Study.objects.visible_to(fresh(cast.referrer2)).exists()
    chase(result.told_at + 15 * MINUTE)
    for user in (cast.referrer2, cast.reader2, cast.reader):
        assert unread(user) == ["critical-escalated"]
    (shown,) = results_for(fresh(cast.reader2), study)
    assert "escalated" in shown.words and shown.may_acknowledge
    assert Study.objects.visible_to(fresh(cast.referrer2)).get() == study
    chase(result.told_at + 20 * MINUTE)
    assert unread(cast.referrer2) == ["critical-escalated", "critical-reminder"]
    acknowledge(Change(fresh(cast.referrer2), study), result)
    assert unread(cast.referrer) == unread(cast.referrer2) == []


def test_without_people_to_escalate_to_the_reader_learns_that_nobody_answered(
    study: Study, cast: Cast, given: Grant, flagged: Flagged
) -> None:
    result = flagged(at_once=True)
    chase(result.told_at + 15 * MINUTE)
    assert unread(cast.reader) == ["critical-escalated"]
