"""Backup while receiving, wipe, restore: what was acknowledged before the mark is there, byte for byte."""

from __future__ import annotations

import io
import json
import shutil
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage  # type: ignore[attr-defined]

from archive.models import StoredFile, Study
from archive.storage import backup, layout
from archive.storage.backup import BackupRefused, make_backup, restore_backup
from archive.storage.integrity import damage_of
from tests.environment import LARGE, profile
from tests.faults.kill_nine import digest_of, images, rows_of, waiting_files
from tests.journeys.sending import send_data_sets, store
from tests.phantoms import ct_image, ct_series
from tests.servers import LivePortal, start_portal, wait_until

needs_programs = pytest.mark.skipif(
    profile() == LARGE and not shutil.which("pg_dump"), reason="pg_dump is not installed: apt-get install postgresql."
)


# --- The drill --------------------------------------------------------------------------------------------------------


class Sender(threading.Thread):
    """Sends images one after the other until told to stop, and notes when each was acknowledged."""

    def __init__(self, port: int, count: int) -> None:
        super().__init__(daemon=True)
        self.port, self.images = port, images(count, 1, "of the drill")
        self.acknowledged: dict[str, tuple[datetime, str]] = {}
        self.stopping = threading.Event()

    def run(self) -> None:
        ae = AE(ae_title="DRILL")
        ae.add_requested_context(CTImageStorage, "1.2.840.10008.1.2.1")
        association = ae.associate("127.0.0.1", self.port, ae_title="PORTAL")
        for ds in self.images:
            if self.stopping.is_set():
                break
            if association.send_c_store(ds).Status == 0x0000:
                self.acknowledged[str(ds.SOPInstanceUID)] = (datetime.now(UTC), digest_of(ds))
            time.sleep(0.005)
        association.release()


@pytest.mark.profiles
@pytest.mark.timeout(240)
@needs_programs
def test_backup_while_receiving_then_wipe_then_restore(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    portal = start_portal(tmp_path / "first")
    try:
        sender = Sender(portal.dicom_port, 2000)
        sender.start()
        wait_until(lambda: len(sender.acknowledged) > 150, patience_s=60, what="nothing is acknowledged")
        made = portal.manage("backup", str(tmp_path / "copy"), "--verbosity", "0")
        assert made.returncode == 0, made.stderr
        still_sending = sender.is_alive()
        sender.stopping.set()
        sender.join(60)
    finally:
        portal.stop()
    shutil.rmtree(portal.data)
    manifest = json.loads((tmp_path / "copy" / "backup.json").read_text())
    mark = datetime.fromisoformat(manifest["mark"])
    before = {uid: digest for uid, (when, digest) in sender.acknowledged.items() if when < mark}
    assert still_sending and len(before) > 100 and len(before) < len(sender.acknowledged)

    (tmp_path / "second").mkdir()
    fresh = start_portal(tmp_path / "second", PORTAL_SETTLE_S="1")
    try:
        # It has been set up, as a person would who finds that the data folder is gone: tables and accounts are there.
        end_without_database(fresh)
        restored = fresh.manage("restore", str(tmp_path / "copy"), "--verbosity", "0")
        assert restored.returncode == 0, restored.stderr
        again = start_portal(tmp_path / "second", **kept_services(fresh))
        try:
            wait_until(lambda: not waiting_files(again), patience_s=60, what="incoming/ does not empty by itself")
            stored, held = rows_of(again, 1)
        finally:
            again.stop()
    finally:
        fresh.clean_up.close()
    assert held == {}
    assert {uid: stored.get(uid) for uid in before} == before
    assert (again.data / "keys" / "secret_key").read_bytes() == (tmp_path / "copy/keys/secret_key").read_bytes()


def end_without_database(portal: LivePortal) -> None:
    """End the processes and keep the services that they used."""
    services, portal.clean_up = portal.clean_up, type(portal.clean_up)()
    portal.stop()
    portal.clean_up = services


def kept_services(portal: LivePortal) -> dict[str, str]:
    return {name: portal.environment[name] for name in ("DATABASE_URL", "REDIS_URL") if name in portal.environment}


# --- In one process ---------------------------------------------------------------------------------------------------

in_process = pytest.mark.usefixtures("portal_data", "alone", "transactional_db")
on_sqlite = pytest.mark.skipif(profile() == LARGE, reason="SQLite's own behaviour")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def keys_in(target: Path) -> set[str]:
    return {path.relative_to(target / "archive").as_posix() for path in (target / "archive" / "files").rglob("*.dcm")}


@in_process
@needs_programs
def test_each_row_of_the_copied_database_has_its_file(target: Path) -> None:
    store(*ct_series(5))
    send_data_sets(ct_image(z=99, number=99))
    manifest = make_backup(target)
    assert (manifest["stored"], manifest["waiting"]) == (5, 1)
    assert keys_in(target) == set(StoredFile.objects.values_list("key", flat=True))
    for stored in StoredFile.objects.all():
        assert (target / "archive" / stored.key).read_bytes() == layout.path_of(stored.key).read_bytes()


@in_process
@needs_programs
def test_a_second_backup_brings_the_first_up_to_date(target: Path) -> None:
    store(*ct_series(3))
    send_data_sets(ct_image(z=99, number=99))
    make_backup(target)
    store()
    gone = StoredFile.objects.order_by("pk").first()
    assert gone is not None
    gone.instance.delete()
    layout.path_of(gone.key).unlink()
    manifest = make_backup(target)
    assert (manifest["stored"], manifest["waiting"]) == (3, 0)
    assert keys_in(target) == set(StoredFile.objects.values_list("key", flat=True))
    assert list((target / "archive" / "incoming").iterdir()) == []


@in_process
@needs_programs
def test_what_the_archive_has_lost_stays_in_the_backup(target: Path) -> None:
    store(*ct_series(2))
    make_backup(target)
    lost = StoredFile.objects.order_by("pk").first()
    assert lost is not None
    layout.path_of(lost.key).unlink()
    make_backup(target)
    assert lost.key in keys_in(target)


@in_process
@needs_programs
def test_a_file_replaced_while_it_is_copied_makes_the_copy_begin_again(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(*ct_series(2))
    copy, replaced = backup._copy_database, []

    def then_a_file_is_replaced(folder: Path) -> Path:
        done = copy(folder)
        if not replaced:
            stored = StoredFile.objects.order_by("pk").first()
            assert stored is not None
            old = layout.path_of(stored.key)
            stored.key = stored.key.removesuffix(".dcm") + "-0123456789ab.dcm"
            stored.save()
            old.rename(layout.path_of(stored.key))
            replaced.append(stored.key)
        return done

    monkeypatch.setattr(backup, "_copy_database", then_a_file_is_replaced)
    make_backup(target)
    assert keys_in(target) == set(StoredFile.objects.values_list("key", flat=True))
    assert replaced[0] in keys_in(target)


@in_process
def test_a_backup_never_goes_into_the_data_folder_or_among_other_files(portal_data: Path, tmp_path: Path) -> None:
    for folder in (portal_data, portal_data / "copy", portal_data.parent):
        with pytest.raises(BackupRefused, match="outside the data folder"):
            make_backup(folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("Dear")
    with pytest.raises(BackupRefused, match="not empty"):
        make_backup(tmp_path / "other")


@in_process
@needs_programs
def test_the_backup_of_another_portal_is_not_overwritten(target: Path, portal_data: Path) -> None:
    (portal_data / "keys" / "secret_key").write_text("one")
    make_backup(target)
    (portal_data / "keys" / "secret_key").write_text("two")
    with pytest.raises(BackupRefused, match="another portal"):
        make_backup(target)


@in_process
def test_an_interrupted_first_backup_is_not_restored(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "_copy_database", lambda _target: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        make_backup(target)
    with pytest.raises(BackupRefused, match="never finished"):
        restore_backup(target)


@in_process
@needs_programs
def test_an_interrupted_later_backup_leaves_the_earlier_one_whole(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(*ct_series(2))
    first = make_backup(target)
    names = {path.name for path in target.iterdir() if not path.name.startswith(".")}
    monkeypatch.setattr(backup, "_copy_stored", lambda *_a: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        make_backup(target)
    assert json.loads((target / "backup.json").read_text()) == first
    assert {path.name for path in target.iterdir() if not path.name.startswith(".")} == names


@in_process
@needs_programs
def test_a_backup_is_not_restored_over_images(target: Path) -> None:
    store(*ct_series(2))
    make_backup(target)
    with pytest.raises(BackupRefused, match="only restored into an empty one"):
        restore_backup(target)
    shutil.rmtree(layout.archive_folder())
    with pytest.raises(BackupRefused, match="only restored into an empty one"):
        restore_backup(target)


@in_process
def test_what_is_no_backup_is_said(tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="no backup"):
        restore_backup(tmp_path)
    (tmp_path / "backup.json").write_text("{")
    with pytest.raises(BackupRefused, match="cannot be read"):
        restore_backup(tmp_path)
    (tmp_path / "backup.json").write_text(json.dumps({"mark": "", "database": "oracle"}))
    with pytest.raises(BackupRefused, match="of a oracle database"):
        restore_backup(tmp_path)


@in_process
@on_sqlite
def test_a_database_that_was_only_set_up_is_replaced_with_its_journal(target: Path) -> None:
    store(*ct_series(4))
    make_backup(target)
    Study.objects.all().delete()
    shutil.rmtree(layout.archive_folder())
    database = Path(str(connection.settings_dict["NAME"]))
    connection.close()
    database.with_name(database.name + "-wal").write_bytes(b"of the database that goes")
    restore_backup(target)
    assert Study.objects.get().instance_count == 4
    assert [damage_of(stored) for stored in StoredFile.objects.all()] == [""] * 4


@in_process
@needs_programs
def test_the_command_says_what_is_in_the_backup(target: Path) -> None:
    from django.core.management import CommandError, call_command

    store(*ct_series(2))
    said = io.StringIO()
    call_command("backup", str(target), verbosity=0, stdout=said)
    assert said.getvalue().startswith("Everything acknowledged before 20")
    with pytest.raises(CommandError, match="outside the data folder"):
        call_command("backup", str(layout.archive_folder()), verbosity=0)
