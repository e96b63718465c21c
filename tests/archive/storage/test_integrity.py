"""Damage is found, said once and never drawn over; files and rows are compared both ways."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, QuarantinedFile, StoredFile
from archive.storage import layout
from archive.storage.integrity import damage_of, files_without_rows, sweep, verify, verify_some
from tests.journeys.sending import refusal_of, store
from tests.phantoms import ct_image, ct_series, to_part10_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
LATER_S = 1e12


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-9] ^= 0x40
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (flip, "content is not what was stored"),
        (lambda path: path.write_bytes(path.read_bytes()[:-2]), "another size"),
        (lambda path: path.write_bytes(b"\0" * path.stat().st_size), "content is not what was stored"),
        (lambda path: path.unlink(), "missing"),
    ],
)
def test_damage_is_found_and_raises_one_alarm(harm: Callable[[Path], object], words: str) -> None:
    store(ct_image())
    stored = StoredFile.objects.select_related("instance").get()
    assert verify(stored) == ""
    harm(layout.path_of(stored.key))
    for _ in range(3):
        assert verify_some() == 1
    stored.refresh_from_db()
    assert words in stored.damage or "cannot be read" in stored.damage
    (alarm,) = AuditEvent.objects.filter(event="damage-found")
    assert (alarm.outcome, alarm.subject) == ("failure", stored.instance.sop_instance_uid)


def test_those_not_looked_at_for_longest_come_first() -> None:
    store(*ct_series(3))
    assert verify_some(limit=2) == 0
    assert StoredFile.objects.filter(verified_at=None).count() == 1
    verify_some(limit=1)
    assert not StoredFile.objects.filter(verified_at=None).exists()


def test_a_row_without_its_file_is_found_by_the_sweep() -> None:
    store(*ct_series(2))
    lost = StoredFile.objects.order_by("pk").first()
    assert lost is not None
    layout.path_of(lost.key).unlink()
    assert sweep(now=time.time())["rows without files"] == 1
    assert sweep(now=time.time())["rows without files"] == 0
    assert damage_of(lost) == StoredFile.objects.get(pk=lost.pk).damage == "The file is missing."


def test_a_file_without_a_row_is_indexed_again_when_it_is_no_longer_young() -> None:
    store(*ct_series(2))
    Instance.objects.order_by("pk")[0].delete()
    assert files_without_rows(now=time.time()) == []
    assert sweep(now=LATER_S)["files without rows"] == 1
    assert index_waiting_files().added == 1
    assert [damage_of(stored) for stored in StoredFile.objects.all()] == ["", ""]


def test_a_quarantined_file_without_a_row_is_listed(tmp_path: Path) -> None:
    (tmp_path / "cut.dcm").write_bytes(to_part10_bytes(ct_image())[:-40])
    assert refusal_of(tmp_path / "cut.dcm") is not None
    for note in layout.refused_folder().iterdir():
        note.unlink()
    sweep(now=LATER_S)
    assert QuarantinedFile.objects.get().reason == "unreadable"
    assert sweep(now=LATER_S)["files without rows"] == 0
