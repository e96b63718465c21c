"""After every kind of abuse the receiver is the same process, answers, and holds no more than before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.network.abuse import Check, checks
from tests.network.receiver_process import MORE_MEMORY, Victim, abuse, groups, victim

pytestmark = pytest.mark.plain


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim(tmp_path_factory.mktemp("abused")) as started:
        yield started


def test_the_table_is_as_long_as_it_is_said_to_be() -> None:
    assert len(list(checks())) >= 72


@pytest.mark.parametrize(("group", "members"), groups().items(), ids=groups())
def test_a_group_of_abuses_harms_nobody(receiver: Victim, group: str, members: list[Check]) -> None:
    outcome = abuse(receiver, group, members)

    assert outcome.failed == []
    assert receiver.process.is_running()
    assert outcome.descriptors_more <= 2
    assert outcome.memory_more < MORE_MEMORY
