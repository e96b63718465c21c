"""Files that people bring: every one is taken, or refused with its reason; nothing half, nothing from a name."""

from __future__ import annotations

import io
import resource
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.fileset import FileSet

from archive.errors import BacklogFull, ObjectTooLarge, OutOfSpace
from archive.indexing.writer import index_waiting_files
from archive.models import Instance, QuarantinedFile
from archive.receiving import upload
from archive.receiving.sources import Door, Origin
from archive.receiving.upload import Report, UploadCut, Verdict, WholeStream, files_below, take
from archive.storage import layout
from tests.archive.receiving.sending import other_content, send, store, zip_of
from tests.phantoms import ct_image, ct_series, to_part10_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "no_messages")]


def take_bytes(data: bytes, **origin: Any) -> list[Report]:
    return list(take(io.BytesIO(data), Origin(door=Door.UPLOAD, **origin)))


def verdicts(reports: list[Report]) -> list[Verdict]:
    return [report.verdict for report in reports]


def names_on_disk(portal_data: Path) -> str:
    return " ".join(str(path.relative_to(portal_data)) for path in portal_data.rglob("*"))


def test_an_image_is_taken_and_shows_after_indexing() -> None:
    ds = ct_image()
    (report,) = take_bytes(to_part10_bytes(ds))
    assert (report.verdict, report.words) == (Verdict.TAKEN, "")
    index_waiting_files()
    instance = Instance.objects.get()
    assert (
        (instance.sop_instance_uid, instance.door)
        == (ds.SOPInstanceUID, "upload")
        == (report.sop_instance_uid, "upload")
    )


def test_the_same_image_again_is_said_to_be_there() -> None:
    ds = ct_image()
    store(ds)
    assert verdicts(take_bytes(to_part10_bytes(ds))) == [Verdict.ALREADY_THERE]


def test_its_own_indexing_does_not_make_an_image_look_old(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = upload.receive_part10

    def receive_and_index(*arguments: Any) -> Any:
        result = receive(*arguments)
        index_waiting_files()
        return result

    monkeypatch.setattr(upload, "receive_part10", receive_and_index)
    assert verdicts(take_bytes(to_part10_bytes(ct_image()))) == [Verdict.TAKEN]


def test_another_image_of_a_known_uid_is_kept_and_said_to_wait() -> None:
    uid = str(ct_image().SOPInstanceUID)
    store(ct_image(SOPInstanceUID=uid))
    (report,) = take_bytes(to_part10_bytes(other_content(SOPInstanceUID=uid)))
    index_waiting_files()
    assert report.verdict is Verdict.HELD and "held back" in report.words
    assert QuarantinedFile.objects.get().reason == QuarantinedFile.Reason.OTHER_CONTENT


def test_what_a_clinician_brings_waits_for_a_look() -> None:
    assert verdicts(take_bytes(to_part10_bytes(ct_image()), hold_for_review=True)) == [Verdict.HELD]
    index_waiting_files()
    assert QuarantinedFile.objects.get().reason == QuarantinedFile.Reason.UPLOAD_REVIEW
    assert Instance.objects.count() == 0


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7" * 999, bytes(300), b"\x89PNG\r\n\x1a\n" * 99])
def test_what_is_no_image_is_refused_and_leaves_nothing(data: bytes, portal_data: Path) -> None:
    (report,) = take_bytes(data)
    assert (report.verdict, report.words) == (Verdict.REFUSED, upload.NO_IMAGE)
    assert list(portal_data.rglob("*.dcm")) == []


def test_an_image_cut_short_is_refused_and_kept_in_quarantine() -> None:
    (report,) = take_bytes(to_part10_bytes(ct_image())[:-100])
    assert report.verdict is Verdict.REFUSED and report.words.endswith(upload.KEPT)
    index_waiting_files()
    assert QuarantinedFile.objects.get().reason == QuarantinedFile.Reason.UNREADABLE


def test_a_uid_that_is_a_path_is_refused(portal_data: Path) -> None:
    data = to_part10_bytes(ct_image(SOPInstanceUID="2.25.10203040506070")).replace(
        b"2.25.10203040506070", b"../../../../x/passwd"[:19]
    )
    (report,) = take_bytes(data)
    assert report.verdict is Verdict.REFUSED and "not a UID" in report.words
    assert "passwd" not in names_on_disk(portal_data)


# --- A sender that goes away ------------------------------------------------------------------------------------------


def test_a_stream_that_ends_early_leaves_nothing(portal_data: Path) -> None:
    data = to_part10_bytes(ct_image())
    with pytest.raises(UploadCut):
        list(take(WholeStream(io.BytesIO(data[:-10]), len(data)), Origin(door=Door.UPLOAD)))
    assert list(portal_data.rglob("*.dcm")) == []


def test_a_stream_cut_between_two_elements_leaves_nothing(portal_data: Path) -> None:
    """Cut before the pixel data, the rest is a data set that reads well: only the announced size tells."""
    whole = to_part10_bytes(ct_image())
    cut = whole.index(b"\xe0\x7f\x10\x00OW")
    with pytest.raises(UploadCut):
        list(take(WholeStream(io.BytesIO(whole[:cut]), len(whole)), Origin(door=Door.UPLOAD)))
    assert list(portal_data.rglob("*.dcm")) == []


def test_no_more_than_was_announced_is_read() -> None:
    stream = WholeStream(io.BytesIO(b"abcdef"), 3)
    assert (stream.read(10), stream.read(10), stream.read()) == (b"abc", b"", b"")


# --- ZIP files --------------------------------------------------------------------------------------------------------


def test_the_images_of_a_zip_are_taken_one_by_one() -> None:
    images = list(ct_series(3))
    members = {f"DICOM/IM{number}": to_part10_bytes(ds) for number, ds in enumerate(images)}
    reports = take_bytes(zip_of(members | {"README.txt": b"Made by room 4."}))
    assert verdicts(reports) == [Verdict.TAKEN] * 3 + [Verdict.REFUSED]
    assert [report.shown_name for report in reports] == [*members, "README.txt"]
    assert {report.of for report in reports} == {4}
    index_waiting_files()
    assert set(Instance.objects.values_list("sop_instance_uid", flat=True)) == {ds.SOPInstanceUID for ds in images}


def test_a_file_that_is_in_the_zip_twice_is_told_as_such() -> None:
    data = to_part10_bytes(ct_image())
    assert verdicts(take_bytes(zip_of({"a": data, "b": data}))) == [Verdict.TAKEN, Verdict.ALREADY_THERE]


def test_names_of_members_reach_no_path(portal_data: Path) -> None:
    data = to_part10_bytes(ct_image())
    reports = take_bytes(zip_of({"../../evil.dcm": data, "/abs/evil2.dcm": to_part10_bytes(ct_image(number=2))}))
    assert verdicts(reports) == [Verdict.TAKEN] * 2
    assert "evil" not in names_on_disk(portal_data) and not (portal_data.parent / "evil.dcm").exists()


def test_a_zip_in_a_zip_is_not_opened() -> None:
    inner = zip_of({"a": to_part10_bytes(ct_image())})
    (report,) = take_bytes(zip_of({"inner.zip": inner}))
    assert report.verdict is Verdict.REFUSED and "within a ZIP file" in report.words


def test_an_image_with_the_mark_of_a_zip_in_its_preamble_is_an_image() -> None:
    data = b"PK\x03\x04" + to_part10_bytes(ct_image())[4:]
    assert verdicts(take_bytes(data)) == [Verdict.TAKEN]


def test_one_damaged_member_does_not_hinder_the_next() -> None:
    good, bad = to_part10_bytes(ct_image()), to_part10_bytes(ct_image(number=2))
    whole = zip_of({"bad": bad, "good": good}, zipfile.ZIP_STORED)
    damaged = whole.replace(bad[-40:], bytes(40), 1)
    reports = take_bytes(damaged)
    assert verdicts(reports) == [Verdict.REFUSED, Verdict.TAKEN]
    assert "checksum" in reports[0].words
    assert len(list(layout.incoming_folder().iterdir())) == 1


def test_a_zip_that_is_cut_short_is_refused_in_words() -> None:
    (report,) = take_bytes(zip_of({"a": to_part10_bytes(ct_image())})[:-30])
    assert report.verdict is Verdict.REFUSED and "cut short or damaged" in report.words


def test_an_empty_zip_gives_an_empty_list() -> None:
    assert take_bytes(zip_of({})) == []


def test_a_bomb_stops_at_the_site_s_limit(settings: Any) -> None:
    settings.PORTAL_MAX_UPLOAD_MB = 2
    bomb = zip_of(
        {
            "big": b"DICM" + bytes(9 << 20),
            **{str(number): to_part10_bytes(ct_image()) + bytes(1 << 20) for number in range(4)},
        }
    )
    reports = take_bytes(bomb)
    assert verdicts(reports)[-1] is Verdict.REFUSED and "2 MiB" in reports[-1].words


def test_a_zip_over_the_limit_is_refused_while_it_comes(settings: Any) -> None:
    settings.PORTAL_MAX_UPLOAD_MB = 1
    with pytest.raises(ObjectTooLarge, match="1 MiB"):
        take_bytes(zip_of({"a": bytes(3 << 20)}, zipfile.ZIP_STORED))


def test_a_large_zip_costs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    block = to_part10_bytes(ct_image())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for number in range(6):
            file.writestr(str(number), block + bytes(32 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with path.open("rb") as stream:
        reports = list(take(stream, Origin(door=Door.UPLOAD)))
    assert len(reports) == 6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10


def test_a_full_disk_ends_the_whole_zip(monkeypatch: pytest.MonkeyPatch) -> None:
    reports = take(
        io.BytesIO(zip_of({str(n): to_part10_bytes(ct_image(number=n)) for n in range(3)})), Origin(door=Door.UPLOAD)
    )
    assert next(reports).verdict is Verdict.TAKEN
    monkeypatch.setattr("archive.receiving.staging.check_room", _full)
    with pytest.raises(OutOfSpace):
        next(reports)


def _full() -> None:
    raise OutOfSpace("full")


def test_a_full_backlog_is_no_verdict_on_the_file(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PORTAL_BACKLOG_FILES = 1
    send(ct_image())
    monkeypatch.setattr("archive.receiving.backlog.backlog._counted_at", float("-inf"))
    with pytest.raises(BacklogFull):
        take_bytes(to_part10_bytes(ct_image(number=2)))


# --- DICOMDIR ---------------------------------------------------------------------------------------------------------


def medium(folder: Path, images: list[Dataset]) -> dict[str, bytes]:
    """What a CD of these images holds, by path."""
    from tests.phantoms import with_meta

    file_set = FileSet()
    for ds in images:
        with_meta(ds)
        ds.PatientName, ds.PatientID, ds.StudyID = "A^B", "1", "1"
        ds.StudyDate = ds.ContentDate = "20261124"
        ds.StudyTime = ds.ContentTime = "1000"
        ds.AccessionNumber, ds.SeriesNumber = "", 1
        ds.PatientBirthDate = ds.PatientSex = ""
        file_set.add(ds)
    file_set.write(folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_index_is_no_image_and_its_images_are_taken(tmp_path: Path) -> None:
    reports = take_bytes(zip_of(medium(tmp_path, list(ct_series(2)))))
    assert sorted(verdicts(reports)) == sorted([Verdict.INDEX, Verdict.TAKEN, Verdict.TAKEN])
    index_waiting_files()
    assert Instance.objects.count() == 2 and QuarantinedFile.objects.count() == 0


def test_images_that_the_index_names_and_that_did_not_come_are_counted(tmp_path: Path) -> None:
    files = medium(tmp_path, list(ct_series(3)))
    gone = next(name for name in files if name != "DICOMDIR")
    del files[gone]
    reports = take_bytes(zip_of(files))
    assert reports[-1].verdict is Verdict.REFUSED and "names 1 images that did not come" in reports[-1].words


def test_an_index_alone_is_told_as_one(tmp_path: Path) -> None:
    images = list(ct_series(2))
    (report,) = take_bytes(medium(tmp_path, images)["DICOMDIR"])
    assert report.verdict is Verdict.INDEX and report.index is not None
    assert set(report.index.sop_instance_uids) == {str(ds.SOPInstanceUID) for ds in images}


def test_a_damaged_index_is_still_an_index(tmp_path: Path) -> None:
    (report,) = take_bytes(medium(tmp_path, list(ct_series(2)))["DICOMDIR"][:-40])
    assert report.verdict is Verdict.INDEX and report.index is not None and not report.index.is_read


# --- Folders ----------------------------------------------------------------------------------------------------------


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"x")
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a").write_bytes(b"x")
    (folder / "link").symlink_to(outside / "secret")
    (folder / "linked").symlink_to(outside)
    assert list(files_below(folder)) == [folder / "sub" / "a"]
