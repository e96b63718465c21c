"""Many readers at once: of the claims of one study one wins, and whoever asks for the next study gets another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from archive.models import AuditEvent, Study, User
from tests.viewer.worklist.studies import make_study
from viewer.models import ReadingTask
from viewer.worklist.claiming import Change, ClaimedByAnother, claim
from viewer.worklist.next_study import claim_next

if TYPE_CHECKING:
    from tests.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)
READERS = 20
STUDIES = 10


@pytest.fixture
def readers(cast: Cast) -> list[User]:
    radiologists = Group.objects.get(name="radiologist")
    made = User.objects.bulk_create(User(username=f"reader {number}") for number in range(READERS))
    radiologists.user_set.add(*made)
    return made


def at_once(readers: list[User], act: Callable[[User], str]) -> list[list[str]]:
    """Everybody begins at the same moment, each in a thread and on a connection of their own."""
    start = Barrier(len(readers))

    def one(reader: User) -> list[str]:
        try:
            start.wait(30)
            return [act(reader) for _ in range(STUDIES)]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(readers)) as pool:
        return list(pool.map(one, readers))


def test_of_two_hundred_claims_of_ten_studies_each_has_one_winner(readers: list[User]) -> None:
    studies = [make_study(number, patient_id=f"P{number}") for number in range(1, STUDIES + 1)]
    turns = {reader.pk: iter(studies) for reader in readers}

    def take(reader: User) -> str:
        study = next(turns[reader.pk])
        try:
            claim(Change(reader, study))
        except ClaimedByAnother as refusal:
            return f"told of {refusal.reader.pk} about {study.pk}"
        return f"{reader.pk} has {study.pk}"

    outcomes = Counter(outcome for turn in at_once(readers, take) for outcome in turn)
    holders = dict(ReadingTask.objects.values_list("study", "claimed_by"))
    assert set(holders) == {study.pk for study in studies} and None not in holders.values()
    assert {outcome for outcome in outcomes if " has " in outcome} == {
        f"{reader} has {study}" for study, reader in holders.items()
    }
    for study, reader in holders.items():
        assert outcomes[f"told of {reader} about {study}"] == READERS - 1
    assert AuditEvent.objects.filter(event="claimed").count() == STUDIES


def test_readers_who_ask_for_the_next_study_at_once_get_different_ones(readers: list[User]) -> None:
    some = readers[:4]
    for number in range(len(some) * STUDIES):
        make_study(number + 1, patient_id=f"P{number}", arrived_ago=timedelta(minutes=number))

    def take(reader: User) -> str:
        return claim_next(reader)[0].study_instance_uid

    given = [uid for turn in at_once(some, take) for uid in turn]
    assert len(set(given)) == len(given) == Study.objects.count()
