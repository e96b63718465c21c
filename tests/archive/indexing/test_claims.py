"""No two indexers take one file, and no file keeps the others from being indexed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import OperationalError

from archive.indexing import writer
from archive.indexing.claims import MOST_CRASHES, claimed_batch
from archive.indexing.writer import index_waiting_files
from archive.models import Instance, QuarantinedFile
from archive.storage import layout
from tests.journeys.sending import send_data_sets
from tests.phantoms import ct_series

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]


def left() -> list[str]:
    return sorted(path.name for path in layout.archive_folder().glob("claims/*/*"))


def dies_over_its_claim() -> None:
    """Another process claims and is killed."""
    child = os.fork()
    if child == 0:
        with claimed_batch():
            os._exit(9)
    os.waitpid(child, 0)


def test_two_at_once_get_different_files() -> None:
    send_data_sets(*ct_series(5))
    with claimed_batch(2) as one, claimed_batch(2) as other, claimed_batch(2) as third:
        names = [path.name for path in (*one, *other, *third)]
        assert (len(one), len(other), len(third), len(set(names))) == (2, 2, 1, 5)
    # What was not finished stays together, and is taken over claim by claim.
    with claimed_batch(100) as one, claimed_batch(100) as other, claimed_batch(100) as third:
        assert sorted(map(len, (one, other, third))) == [1, 2, 2]


def test_what_a_killed_process_held_is_taken_over_at_once() -> None:
    send_data_sets(*ct_series(3))
    dies_over_its_claim()
    assert len(left()) == 3
    assert index_waiting_files().added == 3
    assert list(layout.claims_folder().iterdir()) == []


def test_a_claim_that_survives_a_few_crashes_is_indexed_as_one_batch() -> None:
    send_data_sets(*ct_series(3))
    for _ in range(MOST_CRASHES):
        dies_over_its_claim()
    with claimed_batch() as paths:
        assert len(paths) == 3


def test_the_file_over_which_processes_die_is_held_back_and_the_others_are_indexed() -> None:
    send_data_sets(*ct_series(3))
    for _ in range(MOST_CRASHES + 1):
        dies_over_its_claim()
    dies_over_its_claim()  # Alone with the first file now.
    result = index_waiting_files()
    assert (result.added, result.held_back) == (2, 1)
    held = QuarantinedFile.objects.get()
    assert held.reason == "unreadable" and "again and again" in held.explanation
    assert layout.path_of(held.key).exists()
    assert list(layout.claims_folder().iterdir()) == []


def test_files_taken_one_at_a_time_are_all_indexed_when_nothing_dies_any_more() -> None:
    send_data_sets(*ct_series(4))
    for _ in range(MOST_CRASHES + 1):
        dies_over_its_claim()
    assert index_waiting_files().added == 4
    assert list(layout.claims_folder().iterdir()) == []


def test_a_database_that_is_away_makes_no_file_suspect(monkeypatch: pytest.MonkeyPatch) -> None:
    send_data_sets(*ct_series(2))
    with monkeypatch.context() as patch:
        patch.setattr(writer._Batch, "write", _away)
        for _ in range(3 * MOST_CRASHES):
            with pytest.raises(OperationalError):
                index_waiting_files()
    assert not [name for name in left() if not name.endswith(".dcm")]
    assert index_waiting_files().added == 2


def _away(*_arguments: object) -> None:
    raise OperationalError("database is locked")


def test_an_error_that_nobody_foresaw_holds_back_its_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    send_data_sets(*ct_series(3))
    prepare, calls = writer.prepare, []

    def once_wrong(path: Path) -> object:
        calls.append(path)
        if len(calls) == 2:
            raise ZeroDivisionError("not foreseen")
        return prepare(path)

    monkeypatch.setattr(writer, "prepare", once_wrong)
    result = index_waiting_files()
    assert (result.added, result.held_back, Instance.objects.count()) == (2, 1, 2)
    held = QuarantinedFile.objects.get()
    assert "ZeroDivisionError" in held.explanation and "not foreseen" not in held.explanation
