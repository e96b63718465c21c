"""The one way in: durable or refused, nothing half, nothing lost in silence."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from archive.errors import (
    BacklogFull,
    CannotUnderstand,
    DataSetMismatch,
    InvalidUID,
    ObjectTooLarge,
    OutOfSpace,
    StorageFailed,
)
from archive.receiving.backlog import Backlog, backlog
from archive.receiving.intake import Outcome, receive_instance
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from archive.receiving.staging import StagedFile
from archive.storage import layout

CT = Path(str(get_testdata_file("CT_small.dcm", download=False)))
CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
ORIGIN = Origin(door=Door.DIMSE, calling_ae_title="SCANNER", address="127.0.0.1")

pytestmark = pytest.mark.usefixtures("portal_data", "no_messages")


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)


def data_set_bytes() -> bytes:
    return CT.read_bytes()[CT.read_bytes().index(b"\x08\x00\x05\x00CS") :]


def stage(**changes: object) -> StagedFile:
    ds = pydicom.dcmread(CT, stop_before_pixels=True)
    values: dict[str, object] = {
        "transfer_syntax_uid": str(ds.file_meta.TransferSyntaxUID),
        "sop_class_uid": CT_CLASS,
        "sop_instance_uid": str(ds.SOPInstanceUID),
        "origin": ORIGIN,
    }
    return StagedFile.create(**(values | changes))  # type: ignore[arg-type]


def incoming() -> list[Path]:
    return sorted(layout.incoming_folder().iterdir())


def notes() -> list[dict[str, object]]:
    return [json.loads(path.read_bytes()) for path in sorted(layout.refused_folder().glob("*.json"))]


def test_what_is_stored_is_the_data_set_byte_for_byte_behind_a_clean_header() -> None:
    staged = stage()
    staged.write(data_set_bytes())
    result = receive_instance(staged)
    (path,) = incoming()
    content = path.read_bytes()
    assert content[:132] == bytes(128) + b"DICM"
    assert content.endswith(data_set_bytes())
    assert result.outcome is Outcome.STORED
    assert result.digest == hashlib.sha256(data_set_bytes()).hexdigest()
    assert pydicom.dcmread(path).PatientID == pydicom.dcmread(CT).PatientID


def test_until_it_is_received_whole_a_file_has_no_name(portal_data: Path) -> None:
    staged = stage()
    staged.write(data_set_bytes())
    assert [path for path in portal_data.rglob("*") if path.is_file()] == []
    staged.abort()
    assert [path for path in portal_data.rglob("*") if path.is_file()] == []


def test_no_part_of_a_name_comes_from_the_sender() -> None:
    staged = stage()
    staged.write(data_set_bytes())
    uid = receive_instance(staged).sop_instance_uid
    (path,) = incoming()
    assert uid not in str(path) and all(c in "0123456789abcdef-." for c in path.stem)


@pytest.mark.parametrize("uid", ["../../etc/passwd", "1.2.3/4", "", "1..2", "1." * 33, "1.2.x"])
def test_a_uid_that_is_none_is_refused_before_a_byte_is_written(uid: str, portal_data: Path) -> None:
    with pytest.raises(InvalidUID):
        stage(sop_instance_uid=uid)
    assert [path for path in portal_data.rglob("*") if path.is_file()] == []


def test_the_same_instance_twice_is_two_files_for_the_indexer_to_compare() -> None:
    for _ in range(2):
        staged = stage()
        staged.write(data_set_bytes())
        receive_instance(staged)
    assert len(incoming()) == 2


@pytest.mark.parametrize("cut", [1, 100, 5000, 39000])
def test_a_data_set_that_is_cut_short_is_refused_and_its_bytes_are_kept(cut: int) -> None:
    staged = stage()
    staged.write(data_set_bytes()[:-cut])
    with pytest.raises(CannotUnderstand):
        receive_instance(staged)
    assert incoming() == []
    (note,) = notes()
    assert note["reason"] == "unreadable"
    kept = layout.path_of(str(note["key"]))
    assert kept.read_bytes().endswith(data_set_bytes()[:-cut])


@pytest.mark.parametrize("changed", [{"sop_class_uid": "1.2.840.10008.5.1.4.1.1.4"}, {"sop_instance_uid": "1.2.3"}])
def test_another_instance_than_announced_is_refused_and_kept(changed: dict[str, str]) -> None:
    staged = stage(**changed)
    staged.write(data_set_bytes())
    with pytest.raises(DataSetMismatch):
        receive_instance(staged)
    assert incoming() == []
    assert [note["reason"] for note in notes()] == ["mismatch"]


def test_an_object_over_the_site_s_limit_is_refused(settings: pytest.FixtureRequest) -> None:
    settings.PORTAL_MAX_OBJECT_MB = 1  # type: ignore[attr-defined]
    with stage() as staged:
        staged.write(bytes(1 << 19))
        with pytest.raises(ObjectTooLarge):
            staged.write(bytes(1 << 20))


def test_a_full_backlog_refuses(settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PORTAL_BACKLOG_FILES = 1  # type: ignore[attr-defined]
    stage().abort()
    (layout.incoming_folder() / "waiting.dcm").write_bytes(b"")
    monkeypatch.setattr(backlog, "_counted_at", float("-inf"))
    assert Backlog.count_now() == 1
    with pytest.raises(BacklogFull):
        stage()


def test_a_disk_that_is_nearly_full_refuses(settings: pytest.FixtureRequest) -> None:
    settings.PORTAL_RESERVED_MB = 10**9  # type: ignore[attr-defined]
    with pytest.raises(OutOfSpace):
        stage()


@pytest.mark.parametrize(("code", "refusal"), [(errno.ENOSPC, OutOfSpace), (errno.EIO, StorageFailed)])
def test_a_failed_sync_is_a_failed_store(code: int, refusal: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_descriptor: int) -> None:
        raise OSError(code, "no")

    staged = stage()
    staged.write(data_set_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(refusal):
            receive_instance(staged)
    assert incoming() == []


def test_a_file_comes_in_by_the_same_way() -> None:
    result = receive_part10(io.BytesIO(CT.read_bytes()), Origin(door=Door.FOLDER))
    assert result.sop_instance_uid == str(pydicom.dcmread(CT).SOPInstanceUID)
    assert len(incoming()) == 1


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7 " * 100, bytes(1000)])
def test_what_is_no_dicom_file_is_refused_and_leaves_nothing(content: bytes, portal_data: Path) -> None:
    with pytest.raises(CannotUnderstand):
        receive_part10(io.BytesIO(content), Origin(door=Door.UPLOAD))
    assert [path for path in portal_data.rglob("*") if path.is_file()] == []


def test_an_origin_survives_its_way_through_the_file() -> None:
    origin = Origin(door=Door.UPLOAD, user_id=7, issuer_of_patient_id="A", hold_for_review=True)
    assert Origin.from_json(origin.to_json()) == origin
