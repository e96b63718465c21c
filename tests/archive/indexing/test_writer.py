"""Acknowledged files become rows, once, whoever is killed in between."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from django.db import transaction
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.uid import JPEGLSLossless, RLELossless

from archive.indexing import writer
from archive.indexing.settle import settle
from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, Job, Patient, QuarantinedFile, Series, StoredFile, Study
from archive.receiving.part10 import receive_part10
from archive.receiving.sources import Door, Origin
from archive.storage import layout
from archive.storage.integrity import damage_of
from viewer.models import ReadingTask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
CT = Path(str(get_testdata_file("CT_small.dcm", download=False)))


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


def ct(**changes: object) -> Dataset:
    ds = pydicom.dcmread(CT)
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    if "SOPInstanceUID" in changes:
        ds.file_meta.MediaStorageSOPInstanceUID = changes["SOPInstanceUID"]
    return ds


def send(ds: Dataset, **origin: object) -> None:
    buffer = io.BytesIO()
    ds.save_as(buffer)
    receive_part10(io.BytesIO(buffer.getvalue()), Origin(door=Door.DIMSE, calling_ae_title="SCANNER", **origin))  # type: ignore[arg-type]


def files_left() -> list[Path]:
    folders = (layout.incoming_folder(), layout.claims_folder())
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_one_image_becomes_patient_study_series_instance_and_a_row_of_the_worklist() -> None:
    send(ct())
    assert index_waiting_files().added == 1
    study = Study.objects.get()
    assert (study.patient.patient_id, study.patient_name) == ("1CT1", "CompressedSamples^CT1")
    assert (study.study_date, study.modalities, study.series_count, study.instance_count) == ("20040119", "CT", 1, 1)
    assert (study.revision, study.ready_at) == (1, None)
    instance = Instance.objects.get()
    assert (instance.rows, instance.columns, instance.frames) == (128, 128, 1)
    assert (instance.door, instance.calling_ae_title, instance.added_revision) == ("dimse", "SCANNER", 1)
    assert damage_of(instance.stored_file) == ""
    assert ReadingTask.objects.get().study == study
    assert Job.objects.get().kind == "pictures"
    assert AuditEvent.objects.get(event="instances-received").details == {"instances": 1}
    assert files_left() == []


def test_the_same_image_again_changes_nothing() -> None:
    for _ in range(3):
        send(ct())
        index_waiting_files()
    send(ct())
    send(ct())
    assert index_waiting_files().duplicates == 2
    assert (Instance.objects.count(), StoredFile.objects.count(), Study.objects.get().revision) == (1, 1, 1)
    assert QuarantinedFile.objects.count() == 0
    assert files_left() == []


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_the_same_image_in_another_transfer_syntax_is_a_duplicate(syntax: str) -> None:
    send(ct())
    index_waiting_files()
    compressed = ct()
    compressed.compress(syntax, generate_instance_uid=False) if syntax == RLELossless else _jpeg_ls(compressed)
    send(compressed)
    result = index_waiting_files()
    assert (result.duplicates, result.held_back) == (1, 0)


def _jpeg_ls(ds: Dataset) -> None:
    import imagecodecs
    from pydicom.encaps import encapsulate

    stream = imagecodecs.jpegls_encode(ds.pixel_array.astype("int32").astype("uint16"))
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = JPEGLSLossless


def test_other_content_under_a_known_uid_is_held_back_and_never_overwrites() -> None:
    send(ct())
    index_waiting_files()
    stored = StoredFile.objects.get()
    before = layout.path_of(stored.key).read_bytes()
    send(ct(StudyDescription="something else"))
    send(ct(StudyDescription="something else"))
    result = index_waiting_files()
    assert (result.added, result.held_back, result.duplicates) == (0, 1, 1)
    held = QuarantinedFile.objects.get()
    assert (held.reason, held.state) == ("other-content", "held")
    assert layout.path_of(held.key).exists()
    assert layout.path_of(stored.key).read_bytes() == before
    assert Study.objects.get().held_back_count == 1


def test_two_contents_of_one_uid_in_one_batch_keep_the_first() -> None:
    send(ct())
    send(ct(StudyDescription="something else"))
    result = index_waiting_files()
    assert (result.added, result.held_back) == (1, 1)


def test_another_patient_in_a_known_study_is_held_back() -> None:
    send(ct())
    send(ct(SOPInstanceUID="1.2.3.4", PatientID="SOMEBODY ELSE"))
    result = index_waiting_files()
    assert (result.added, result.held_back) == (1, 1)
    assert QuarantinedFile.objects.get().reason == "other-patient"
    assert [patient.patient_id for patient in Patient.objects.all()] == ["1CT1"]


def test_a_series_that_belongs_to_another_study_is_held_back() -> None:
    send(ct())
    send(ct(SOPInstanceUID="1.2.3.4", StudyInstanceUID="1.2.3"))
    result = index_waiting_files()
    assert (result.added, result.held_back) == (1, 1)
    assert QuarantinedFile.objects.get().reason == "other-study"
    assert Study.objects.count() == 1


def test_a_changed_name_alone_is_noted() -> None:
    send(ct())
    send(ct(SOPInstanceUID="1.2.3.4", PatientName="Compressed^Samples"))
    assert index_waiting_files().added == 2
    study = Study.objects.get()
    assert (study.patient_name, study.name_note) == ("CompressedSamples^CT1", "Compressed^Samples")


def test_one_id_with_two_birth_dates_is_to_be_checked() -> None:
    send(ct(PatientBirthDate="19500101"))
    send(ct(SOPInstanceUID="1.2.3.4", SeriesInstanceUID="1.2.3", StudyInstanceUID="1.2", PatientBirthDate="19600101"))
    index_waiting_files()
    assert Study.objects.count() == 2
    assert Patient.objects.get().identity_to_be_checked


def test_placeholder_ids_make_a_patient_for_each_study() -> None:
    send(ct(PatientID="UNKNOWN"))
    send(ct(PatientID="UNKNOWN", SOPInstanceUID="1.2.3.4", SeriesInstanceUID="1.2.3", StudyInstanceUID="1.2"))
    index_waiting_files()
    assert Patient.objects.count() == 2


def test_a_crash_before_the_commit_is_made_good_by_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    send(ct())
    with monkeypatch.context() as patch:
        patch.setattr(writer._Batch, "_announce", _crash)
        with pytest.raises(KeyboardInterrupt):
            index_waiting_files()
    assert (Instance.objects.count(), len(files_left())) == (0, 1)
    assert index_waiting_files().added == 1
    assert files_left() == []


def _crash(_batch: object) -> None:
    raise KeyboardInterrupt


def test_a_crash_after_the_commit_is_made_good_by_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    send(ct())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_a, **_k: _crash(None))
        with pytest.raises(KeyboardInterrupt):
            index_waiting_files()
    assert (Instance.objects.count(), len(files_left())) == (1, 1)
    assert index_waiting_files().duplicates == 1
    assert (Instance.objects.count(), files_left()) == (1, [])


def test_an_uncommitted_batch_leaves_no_row() -> None:
    send(ct())
    with pytest.raises(RuntimeError), transaction.atomic():
        index_waiting_files()
        raise RuntimeError
    assert Study.objects.count() == 0


def test_more_than_one_batch_is_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        send(ct(SOPInstanceUID=f"1.2.3.{number}", InstanceNumber=number))
    from archive.indexing import claims

    monkeypatch.setattr(claims.claimed_batch.__wrapped__, "__defaults__", (2,))
    assert index_waiting_files().added == 5
    study = Study.objects.get()
    assert (study.instance_count, study.revision) == (5, 3)
    revisions = list(Instance.objects.order_by("pk").values_list("added_revision", flat=True))
    assert revisions == [1, 1, 2, 2, 3]


def test_a_quiet_study_is_announced_once_and_arriving_again_when_more_comes(settings: pytest.FixtureRequest) -> None:
    settings.PORTAL_SETTLE_S = 0  # type: ignore[attr-defined]
    send(ct())
    index_waiting_files()
    assert (settle(), settle()) == (1, 0)
    assert Study.objects.get().ready_at is not None
    send(ct(SOPInstanceUID="1.2.3.4"))
    index_waiting_files()
    assert Study.objects.get().ready_at is None


def test_a_derived_series_is_not_counted_as_received(settings: pytest.FixtureRequest) -> None:
    send(ct())
    ds = ct(SOPInstanceUID="1.2.3.4", SeriesInstanceUID="1.2.3")
    buffer = io.BytesIO()
    ds.save_as(buffer)
    receive_part10(io.BytesIO(buffer.getvalue()), Origin(door=Door.DERIVED, processing="processed: CLAHE"))
    index_waiting_files()
    study = Study.objects.get()
    assert (study.instance_count, study.series_count) == (1, 2)
    assert [series.is_derived for series in Series.objects.order_by("pk")] == [False, True]


def test_a_clinician_s_upload_waits_for_a_look() -> None:
    send(ct(), hold_for_review=True)
    index_waiting_files()
    assert QuarantinedFile.objects.get().reason == "upload-review"
    assert Study.objects.count() == 0


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def one() -> None:
        ds = ct()
        buffer = io.BytesIO()
        ds.save_as(buffer)
        with pytest.raises(Exception, match="cut short"):
            receive_part10(io.BytesIO(buffer.getvalue()[:-100]), Origin(door=Door.DIMSE, calling_ae_title="SCANNER"))

    return one


def test_what_the_intake_refused_is_listed_with_its_reason(refuse: Callable[[], None]) -> None:
    refuse()
    assert index_waiting_files().held_back == 1
    held = QuarantinedFile.objects.get()
    assert held.reason == "unreadable" and "cut short" in held.explanation
    assert index_waiting_files().held_back == 0
