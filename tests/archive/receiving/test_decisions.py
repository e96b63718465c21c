"""What people decide about held-back files: carried out once, undoable where said, nothing lost in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from archive.dicom.part10 import read_file_meta
from archive.errors import CannotUnderstand, DataSetMismatch
from archive.indexing.writer import index_waiting_files
from archive.models import AuditEvent, Instance, QuarantinedFile, Study
from archive.receiving import decisions
from archive.receiving.comparison import compare
from archive.receiving.decisions import Action, Decider, DecisionRefused, actions_for, decide, remove_leftovers
from archive.receiving.intake import receive_instance
from archive.receiving.rewriting import open_checked, under_other_uids
from archive.receiving.sources import Door, Origin
from archive.receiving.staging import StagedFile
from archive.storage import layout
from archive.storage.integrity import damage_of, sweep
from tests.archive.receiving.sending import other_content, send, store
from tests.conftest import Cast
from tests.phantoms import ct_image, ramp, to_part10_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]
State = QuarantinedFile.State
UID = "2.25.4711"


@pytest.fixture
def by(cast: Cast) -> Decider:
    return Decider(user=cast.technologist, reason="The scanner sent it twice", address="127.0.0.1")


def held(*images: Dataset, **origin: Any) -> QuarantinedFile:
    """Send images and return the file that is held back because of the last."""
    for ds in images:
        store(ds, **origin)
    return QuarantinedFile.objects.get(state=State.HELD)


def row_of_other_content() -> QuarantinedFile:
    return held(ct_image(SOPInstanceUID=UID), other_content(SOPInstanceUID=UID))


def stored_pixels(instance: Instance) -> np.ndarray:
    ds = pydicom.dcmread(layout.path_of(instance.stored_file.key))
    return np.frombuffer(ds.PixelData, dtype="<u2").reshape(ds.Rows, ds.Columns)


def files(part: str) -> list[Path]:
    return sorted((layout.archive_folder() / part).rglob("*.dcm"))


# --- Replace, put back ------------------------------------------------------------------------------------------------


def test_a_replaced_image_shows_the_new_content_as_of_a_new_revision(by: Decider) -> None:
    row = row_of_other_content()
    before = Study.objects.get()
    decide(row, Action.REPLACE, by=by)
    instance, study = Instance.objects.get(), Study.objects.get()
    assert (stored_pixels(instance) == ramp(start=5)).all()
    assert damage_of(instance.stored_file) == ""
    assert study.revision == before.revision + 1 == study.rearranged_revision == instance.added_revision
    assert (before.held_back_count, study.held_back_count) == (1, 0)


def test_what_was_replaced_is_kept_and_can_be_put_back(by: Decider) -> None:
    row = row_of_other_content()
    decide(row, Action.REPLACE, by=by)
    row.refresh_from_db()
    assert (row.state, actions_for(row)) == (State.REPLACED, (Action.PUT_BACK,))
    kept = pydicom.dcmread(layout.path_of(row.key))
    assert kept.PixelData == ramp().astype("<u2").tobytes()
    decide(row, Action.PUT_BACK, by=by)
    assert (stored_pixels(Instance.objects.get()) == ramp()).all()
    assert (len(files("files")), len(files("quarantine"))) == (1, 1)


def test_a_replacement_is_audited_with_its_reason_and_without_names(by: Decider) -> None:
    decide(row_of_other_content(), Action.REPLACE, by=by)
    event = AuditEvent.objects.get(event="quarantine-decided")
    assert (event.user, event.address, event.subject) == (by.user, "127.0.0.1", UID)
    assert event.details["reason"] == "The scanner sent it twice" and event.details["decision"] == "replaced"


@pytest.mark.parametrize("changes", [{"SeriesInstanceUID": "2.25.99"}, {"PatientID": "other"}])
def test_an_image_of_other_people_or_series_does_not_replace(changes: dict[str, str], by: Decider) -> None:
    row = held(ct_image(SOPInstanceUID=UID), other_content(SOPInstanceUID=UID, **changes))
    with pytest.raises(DecisionRefused, match="names another"):
        decide(row, Action.REPLACE, by=by)
    assert (stored_pixels(Instance.objects.get()) == ramp()).all()
    assert QuarantinedFile.objects.get().state == State.HELD


@pytest.mark.parametrize("step", ["_put_in_place", "_note_swap", "_remove_after_commit"])
def test_a_crash_while_replacing_loses_nothing(step: str, by: Decider, monkeypatch: pytest.MonkeyPatch) -> None:
    row = row_of_other_content()
    contents = {ramp().astype("<u2").tobytes(), ramp(start=5).astype("<u2").tobytes()}

    def crash(*_arguments: Any, **_values: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(decisions, step, crash)
        with pytest.raises(KeyboardInterrupt):
            decide(row, Action.REPLACE, by=by)
    assert QuarantinedFile.objects.get(pk=row.pk).state == State.HELD
    assert (stored_pixels(Instance.objects.get()) == ramp()).all()
    later = 4e9  # Every file is old by then.
    sweep(now=later)
    index_waiting_files()
    assert damage_of(Instance.objects.get().stored_file) == ""
    decide(row, Action.REPLACE, by=by)
    assert (stored_pixels(Instance.objects.get()) == ramp(start=5)).all()
    assert {pydicom.dcmread(path).PixelData for path in (*files("files"), *files("quarantine"))} == contents


def test_a_stored_file_that_is_gone_can_be_replaced(by: Decider) -> None:
    row = row_of_other_content()
    layout.path_of(Instance.objects.get().stored_file.key).unlink()
    decide(row, Action.REPLACE, by=by)
    instance = Instance.objects.get()
    assert damage_of(instance.stored_file) == "" and (stored_pixels(instance) == ramp(start=5)).all()


def test_of_two_people_who_decide_at_once_one_is_told(by: Decider) -> None:
    row = row_of_other_content()
    same = QuarantinedFile.objects.get(pk=row.pk)
    decide(row, Action.REPLACE, by=by)
    for action in (Action.REPLACE, Action.DROP):
        with pytest.raises(DecisionRefused):
            decide(same, action, by=by)
    assert layout.path_of(QuarantinedFile.objects.get().key).exists()


# --- Keep both --------------------------------------------------------------------------------------------------------


def test_both_are_kept_under_two_uids(by: Decider) -> None:
    row = row_of_other_content()
    decide(row, Action.KEEP_BOTH, by=by)
    index_waiting_files()
    first, second = Instance.objects.order_by("pk")
    assert first.sop_instance_uid == UID and (stored_pixels(first) == ramp()).all()
    assert second.sop_instance_uid.startswith("2.25.") and (stored_pixels(second) == ramp(start=5)).all()
    assert first.series == second.series and damage_of(second.stored_file) == ""
    row.refresh_from_db()
    assert row.state == State.KEPT_BOTH and Study.objects.get().held_back_count == 0


def test_the_copy_says_what_was_changed_in_it(by: Decider) -> None:
    decide(row_of_other_content(), Action.KEEP_BOTH, by=by)
    index_waiting_files()
    ds = pydicom.dcmread(layout.path_of(Instance.objects.order_by("pk")[1].stored_file.key))
    (item,) = ds.OriginalAttributesSequence
    assert item.ModifiedAttributesSequence[0].SOPInstanceUID == UID
    assert item.ReasonForTheAttributeModification == "CORRECT"
    assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID != UID


def test_the_bytes_that_came_stay(by: Decider) -> None:
    row = row_of_other_content()
    decide(row, Action.KEEP_BOTH, by=by)
    assert pydicom.dcmread(layout.path_of(row.key)).SOPInstanceUID == UID


def test_images_of_another_patient_become_a_study_of_their_own(by: Decider) -> None:
    store(ct_image(number=1, PatientID="A1", PatientName="One"))
    for number in (2, 3):
        store(ct_image(number=number, PatientID="B2", PatientName="Two"))
    assert Study.objects.get().held_back_count == 2
    for row in QuarantinedFile.objects.all():
        decide(row, Action.KEEP_BOTH, by=by)
    index_waiting_files()
    one, two = Study.objects.order_by("pk")
    assert (one.patient.patient_id, one.instance_count, one.held_back_count) == ("A1", 1, 0)
    assert (two.patient.patient_id, two.series_count, two.instance_count) == ("B2", 1, 2)


def test_images_of_a_series_of_another_study_become_a_series_of_their_own(by: Decider) -> None:
    store(ct_image(number=1))
    row = held(ct_image(number=2, StudyInstanceUID="2.25.77"))
    assert row.reason == QuarantinedFile.Reason.OTHER_STUDY
    decide(row, Action.KEEP_BOTH, by=by)
    index_waiting_files()
    assert Study.objects.get(study_instance_uid="2.25.77").instance_count == 1


def test_made_again_after_a_crash_the_copy_is_the_same(by: Decider, monkeypatch: pytest.MonkeyPatch) -> None:
    row = row_of_other_content()
    with monkeypatch.context() as patch:
        patch.setattr(decisions, "_end", _crash)
        with pytest.raises(KeyboardInterrupt):
            decide(row, Action.KEEP_BOTH, by=by)
    index_waiting_files()
    decide(QuarantinedFile.objects.get(pk=row.pk), Action.KEEP_BOTH, by=by)
    assert index_waiting_files().duplicates == 1
    assert Instance.objects.count() == 2 and not QuarantinedFile.objects.filter(state=State.HELD).exists()


def _crash(*_arguments: Any, **_values: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "transfer_syntax_uid",
    ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"],
)
def test_a_copy_reads_as_the_file_did_in_every_encoding(transfer_syntax_uid: str, tmp_path: Path) -> None:
    from django.utils import timezone

    path = tmp_path / "a.dcm"
    path.write_bytes(
        to_part10_bytes(ct_image(PatientName="Müller^Öle", SpecificCharacterSet="ISO_IR 100"), transfer_syntax_uid)
    )
    source = open_checked(path)
    copy = under_other_uids(source, {"SOPInstanceUID": "2.25.5"}, reason="CORRECT", changed_at=timezone.now())
    from archive.dicom.part10 import write_file_meta

    head = write_file_meta(
        transfer_syntax_uid=copy.transfer_syntax_uid,
        sop_class_uid=source.header.sop_class_uid,
        sop_instance_uid="2.25.5",
    )
    (tmp_path / "b.dcm").write_bytes(head + b"".join(copy.blocks))
    before, after = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "b.dcm")
    assert after.SOPInstanceUID == "2.25.5" and str(after.PatientName) == "Müller^Öle"
    assert after.pixel_array.tolist() == before.pixel_array.tolist()
    del after.OriginalAttributesSequence
    after.SOPInstanceUID = before.SOPInstanceUID
    assert [element for element in after if element.tag.group != 0x7FE0] == [
        element for element in before if element.tag.group != 0x7FE0
    ]


def test_real_files_can_be_kept_under_another_uid(data_dir: Path) -> None:
    from django.utils import timezone

    checked = 0
    for path in sorted(data_dir.rglob("*.dcm"))[::40]:
        try:
            source = open_checked(path)
        except CannotUnderstand:
            continue
        copy = under_other_uids(source, {"SOPInstanceUID": "2.25.5"}, reason="CORRECT", changed_at=timezone.now())
        tail = b"".join(copy.blocks)
        pixels = source.header.pixel_data
        if pixels is not None and not source.header.deflated:
            assert tail.endswith(path.read_bytes()[pixels.offset :])
        checked += 1
    assert checked > 5


# --- Release, drop ----------------------------------------------------------------------------------------------------


def test_a_released_upload_is_stored_by_the_intake(by: Decider) -> None:
    row = held(ct_image(SOPInstanceUID=UID), hold_for_review=True)
    decide(row, Action.RELEASE, by=by)
    assert index_waiting_files().added == 1
    assert Instance.objects.get().sop_instance_uid == UID
    row.refresh_from_db()
    assert row.state == State.RELEASED and not layout.path_of(row.key).exists()


def test_what_would_be_held_back_again_is_not_released(by: Decider) -> None:
    store(ct_image(number=1, PatientID="A1"))
    row = held(ct_image(number=2, PatientID="B2"))
    with pytest.raises(DecisionRefused, match="stored under another patient"):
        decide(row, Action.RELEASE, by=by)
    assert layout.path_of(row.key).exists()


def test_what_still_cannot_be_read_is_not_kept_twice(by: Decider) -> None:
    with pytest.raises(CannotUnderstand):
        from archive.receiving.part10 import receive_part10
        from archive.receiving.sources import Door, Origin

        receive_part10(_stream(to_part10_bytes(ct_image())[:-20]), Origin(door=Door.UPLOAD))
    index_waiting_files()
    row = QuarantinedFile.objects.get()
    with pytest.raises(DecisionRefused, match="still cannot be read"):
        decide(row, Action.RELEASE, by=by)
    index_waiting_files()
    assert QuarantinedFile.objects.count() == 1


def _stream(data: bytes) -> Any:
    import io

    return io.BytesIO(data)


def test_an_image_that_was_announced_wrongly_is_stored_as_what_it_is(by: Decider) -> None:
    data = to_part10_bytes(ct_image(SOPInstanceUID="2.25.1234567"))
    meta = read_file_meta(_stream(data))
    staged = StagedFile.create(
        transfer_syntax_uid=meta.transfer_syntax_uid,
        sop_class_uid=meta.sop_class_uid,
        sop_instance_uid="2.25.7654321",
        origin=Origin(door=Door.DIMSE),
    )
    staged.write(data[meta.data_set_offset :])
    with pytest.raises(DataSetMismatch):
        receive_instance(staged)
    index_waiting_files()
    row = QuarantinedFile.objects.get()
    assert row.reason == QuarantinedFile.Reason.MISMATCH
    decide(row, Action.RELEASE, by=by)
    index_waiting_files()
    assert Instance.objects.get().sop_instance_uid == "2.25.1234567"


def test_what_is_dropped_is_gone_from_the_disk_and_its_row_stays(by: Decider) -> None:
    row = row_of_other_content()
    decide(row, Action.DROP, by=by)
    row.refresh_from_db()
    assert (row.state, row.decided_by, row.decision_reason) == (State.DROPPED, by.user, by.reason)
    assert not layout.path_of(row.key).exists()
    assert Study.objects.get().held_back_count == 0


def test_a_file_that_a_crash_left_after_dropping_is_removed(by: Decider, monkeypatch: pytest.MonkeyPatch) -> None:
    row = row_of_other_content()
    with monkeypatch.context() as patch:
        patch.setattr(decisions, "_remove_after_commit", lambda *_paths: None)
        decide(row, Action.DROP, by=by)
    assert layout.path_of(row.key).exists()
    assert remove_leftovers() == 1
    assert not layout.path_of(row.key).exists()


@pytest.mark.parametrize("reason", ["", "   ", "ok", " a b "])
def test_a_decision_needs_a_reason(reason: str, cast: Cast) -> None:
    row = row_of_other_content()
    with pytest.raises(DecisionRefused, match="at least 5 characters"):
        decide(row, Action.DROP, by=Decider(cast.admin, reason))
    assert layout.path_of(row.key).exists()


def test_an_action_that_does_not_fit_is_refused(by: Decider) -> None:
    row = held(ct_image(), hold_for_review=True)
    with pytest.raises(DecisionRefused):
        decide(row, Action.REPLACE, by=by)


# --- Side by side -----------------------------------------------------------------------------------------------------


def test_both_sides_say_what_differs() -> None:
    store(ct_image(SOPInstanceUID=UID, PatientName="Doe^Jane", StudyDescription="Chest"))
    row = held(other_content(SOPInstanceUID=UID, PatientName="DOE^JANE", StudyDescription="Abdomen"))
    lines = {line.label: line for part in compare(row) for line in part.lines}
    assert (lines["Name"].stored, lines["Name"].came, lines["Name"].differs) == ("Doe, Jane", "DOE, JANE", False)
    descriptions = [
        line for part in compare(row) if part.heading == "Study" for line in part.lines if line.label == "Description"
    ]
    assert (descriptions[0].stored, descriptions[0].came, descriptions[0].differs) == ("Chest", "Abdomen", True)
    assert lines["Content"].differs


def test_a_file_that_cannot_be_read_has_one_side_empty(portal_data: Path) -> None:
    row = row_of_other_content()
    layout.path_of(row.key).write_bytes(b"x")
    assert [part.heading for part in compare(row)] == ["Patient", "Study", "Series", "Image"]
    send(ct_image())
