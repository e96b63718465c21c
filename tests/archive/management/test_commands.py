"""The commands of operators, run as they run them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from archive.audit.chain import seal
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, Patient, Peer, QuarantinedFile, Series, StoredFile, Study
from archive.storage import layout
from tests.archive.receiving.sending import other_content, store, zip_of
from tests.phantoms import ct_image, ct_series, mr_image, to_part10_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


def run(*arguments: Any) -> tuple[str, str]:
    """What a command printed to both of its outputs."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*map(str, arguments), "-v", "0", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


# --- import_folder ----------------------------------------------------------------------------------------------------


def test_a_folder_is_taken_with_everything_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "cd"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, ds in enumerate(ct_series(3)):
        (folder / "deep" / "er" / f"IM{number}").write_bytes(to_part10_bytes(ds))
    (folder / "more.zip").write_bytes(zip_of({"a": to_part10_bytes(mr_image(SeriesInstanceUID="2.25.3"))}))
    (folder / "readme.txt").write_text("hello")
    out, err = run("import_folder", folder)
    assert out.strip() == "4 taken, 0 already there, 1 refused."
    assert "readme.txt: It is no DICOM file" in err
    index_waiting_files()
    assert set(Instance.objects.values_list("door", flat=True)) == {"folder"} and Instance.objects.count() == 4
    assert AuditEvent.objects.get(event="uploaded").details == {"taken": 4, "refused": 1}


def test_imported_again_it_is_already_there(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(to_part10_bytes(ct_image()))
    run("import_folder", path)
    index_waiting_files()
    assert run("import_folder", path)[0].strip() == "0 taken, 1 already there, 0 refused."


def test_the_issuer_is_given_to_images_that_name_none(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(to_part10_bytes(ct_image(PatientID="P77")))
    run("import_folder", path, "--issuer", "HOSPITAL")
    index_waiting_files()
    assert Patient.objects.get().issuer_of_patient_id == "HOSPITAL"


def test_a_path_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(CommandError, match="does not exist"):
        run("import_folder", "/nowhere/at/all")


def test_a_full_disk_stops_the_import_and_says_what_to_do(tmp_path: Path, settings: Any) -> None:
    settings.PORTAL_RESERVED_MB = 10**9
    (tmp_path / "a.dcm").write_bytes(to_part10_bytes(ct_image()))
    with pytest.raises(CommandError, match="run it again for the rest"):
        run("import_folder", tmp_path / "a.dcm")


# --- add_peer ---------------------------------------------------------------------------------------------------------


def test_a_peer_may_do_everything() -> None:
    assert "SCANNER1 at 10.0.0.7:104" in run("add_peer", "SCANNER1", "10.0.0.7", 104)[0]
    peer = Peer.objects.get()
    assert (peer.host, peer.port, peer.enabled) == ("10.0.0.7", 104, True)
    assert all(
        (
            peer.may_echo,
            peer.may_store,
            peer.may_query,
            peer.may_retrieve,
            peer.may_receive,
            peer.accept_private_sop_classes,
        )
    )


def test_a_known_peer_is_changed_and_keeps_its_issuer() -> None:
    Peer.objects.create(ae_title="SCANNER1", host="old", port=1, default_issuer_of_patient_id="X", may_store=False)
    run("add_peer", "SCANNER1", "new", 105)
    peer = Peer.objects.get()
    assert (peer.host, peer.port, peer.may_store, peer.default_issuer_of_patient_id) == ("new", 105, True, "X")
    assert AuditEvent.objects.get(event="rights-changed").details == {"ae_title": "SCANNER1", "new": False}


@pytest.mark.parametrize(
    ("ae_title", "host", "port"),
    [("A" * 17, "h", 104), ("", "h", 104), ("A\\B", "h", 1), ("A", "h", 0), ("A", "h", 70000), ("A", "", 1)],
)
def test_a_peer_that_cannot_be_is_refused_in_words(ae_title: str, host: str, port: int) -> None:
    with pytest.raises(CommandError):
        run("add_peer", ae_title, host, port)
    assert Peer.objects.count() == 0


# --- reindex ----------------------------------------------------------------------------------------------------------


def test_with_an_empty_database_everything_comes_back_from_the_files() -> None:
    store(*ct_series(3), mr_image(SeriesInstanceUID="2.25.3"))
    uid = str(Instance.objects.order_by("pk")[0].sop_instance_uid)
    store(other_content(SOPInstanceUID=uid))
    before = sorted(Instance.objects.values_list("sop_instance_uid", "data_set_digest"))
    for model in (QuarantinedFile, StoredFile, Instance, Series, Study, Patient):
        model.objects.all().delete()
    out, _ = run("reindex")
    assert "4 images were added" in out
    assert sorted(Instance.objects.values_list("sop_instance_uid", "data_set_digest")) == before
    assert QuarantinedFile.objects.count() == 1


def test_what_was_read_wrongly_is_read_again() -> None:
    store(ct_image(StudyDescription="Abdomen", SeriesDescription="Axial"))
    right = Instance.objects.get()
    Instance.objects.update(description="{}", rows=0, frames=0)
    StoredFile.objects.update(frame_index=b"")
    Series.objects.update(series_description="wrong")
    Study.objects.update(study_description="wrong")
    assert "1 studies were brought up to date" in run("reindex")[0]
    instance, study = Instance.objects.get(), Study.objects.get()
    assert json.loads(instance.description) == json.loads(right.description)
    assert (instance.rows, instance.frames, bytes(instance.stored_file.frame_index)) == (
        16,
        1,
        bytes(right.stored_file.frame_index),
    )
    assert (study.study_description, Series.objects.get().series_description) == ("Abdomen", "Axial")
    assert study.revision == 2 == study.rearranged_revision


def test_where_all_is_right_nothing_changes() -> None:
    store(*ct_series(2))
    assert "0 studies were brought up to date" in run("reindex")[0]
    assert Study.objects.get().revision == 1


def test_a_rejected_image_stays_rejected() -> None:
    store(ct_image())
    Instance.objects.update(rejection="113001", rows=0)
    run("reindex", "--study", Study.objects.get().study_instance_uid)
    assert (Instance.objects.get().rejection, Instance.objects.get().rows) == ("113001", 16)


def test_a_missing_file_is_said_and_its_row_stays() -> None:
    store(ct_image())
    layout.path_of(StoredFile.objects.get().key).unlink()
    with pytest.raises(CommandError, match="1 files could not be read"):
        run("reindex")
    assert Instance.objects.count() == 1


def test_an_unknown_study_is_a_sentence() -> None:
    with pytest.raises(CommandError, match=r"no study 1\.2\.3"):
        run("reindex", "--study", "1.2.3")


# --- verify_archive ---------------------------------------------------------------------------------------------------


def test_a_whole_archive_is_verified() -> None:
    store(*ct_series(3))
    assert "All 3 files" in run("verify_archive")[0]
    assert StoredFile.objects.filter(verified_at=None).count() == 0


def test_a_flipped_bit_and_a_missing_file_end_with_exit_1() -> None:
    store(*ct_series(3))
    first, second, _ = (layout.path_of(key) for key in StoredFile.objects.order_by("pk").values_list("key", flat=True))
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(content)
    second.unlink()
    with pytest.raises(CommandError, match="2 of 3 files") as error:
        run("verify_archive")
    assert error.value.returncode == 1
    assert AuditEvent.objects.filter(event="damage-found").count() == 2


# --- verify_audit -----------------------------------------------------------------------------------------------------


def test_a_whole_trail_is_verified() -> None:
    for _ in range(3):
        record_event(Event.STARTED)
    seal()
    record_event(Event.STOPPED)
    assert "The chain of 3 rows is whole; 1 rows wait" in run("verify_audit")[0]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE archive_auditevent SET actor='x' WHERE sealed_as=2", "DELETE FROM archive_auditevent WHERE sealed_as=2"],
)
def test_a_changed_or_removed_row_ends_with_exit_1(statement: str) -> None:
    for _ in range(3):
        record_event(Event.STARTED)
    seal()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    with pytest.raises(CommandError, match="chain breaks"):
        run("verify_audit")
