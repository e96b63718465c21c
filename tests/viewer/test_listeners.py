"""What the reading side announces reaches the people whom it is about, as news that names no patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.viewer.worklist.studies import make_study
from viewer.discussion.signals import attention_wanted
from viewer.models import Notification
from viewer.signals import study_assigned, study_overdue

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.profiles]


@pytest.fixture(autouse=True)
def no_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.notifying.telling.wake_sender", lambda: None)


def news(user: object) -> list[str]:
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("kind", flat=True))


def test_whom_a_study_is_given_to_again_is_told_again(cast: Cast) -> None:
    study = make_study(1)

    for _ in range(2):
        study_assigned.send(sender=None, study_id=study.pk, user_ids=[cast.reader.pk], because="by hand")

    assert news(cast.reader) == ["assigned", "assigned"]
    assert news(cast.reader2) == []


def test_those_whom_the_site_names_are_told_of_an_overdue_study(cast: Cast) -> None:
    study_overdue.send(sender=None, study_id=make_study(1).pk, user_ids=[cast.reader.pk, cast.admin.pk])

    assert news(cast.reader) == news(cast.admin) == ["overdue"]


def test_a_person_is_told_of_a_remark_that_names_them_and_of_a_colleague_who_asks(cast: Cast) -> None:
    study = make_study(1)

    for why in ("mentioned", "consulted"):
        attention_wanted.send(sender=None, person=cast.reader2, study=study, by=cast.reader, why=why)

    assert news(cast.reader2) == ["mentioned", "consulted"]
