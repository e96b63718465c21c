"""Lossless recompression: every pixel and element as it was, whoever is killed in between."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from django.conf import settings as django_settings
from pydicom.data import get_testdata_file

from archive.dicom.transfer_syntaxes import HTJ2K_LOSSLESS, JPEG_LS_LOSSLESS
from archive.indexing.settle import settle
from archive.indexing.writer import index_waiting_files
from archive.jobs.kinds import queue_recompression
from archive.jobs.queue import cancel, enqueue
from archive.jobs.run import run_waiting_jobs
from archive.models import Instance, Job, QuarantinedFile, StoredFile, Study
from archive.pixels.transcode import ImageFile
from archive.storage import integrity, layout, recompression
from archive.storage.integrity import damage_of, sweep
from archive.storage.recompression import NotRecompressed, recompress_file
from tests.journeys.sending import forget_what_was_drawn, send_as_modality, send_file, store
from tests.phantoms import ct_image
from viewer.rendering.parameters import parse_parameters
from viewer.stacks.manifest import split_study
from viewer.tiles.drawing import TileAddress, draw_tile, plan_tile

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("portal_data", "alone")]
TARGETS = pytest.mark.parametrize("target", [HTJ2K_LOSSLESS, JPEG_LS_LOSSLESS])
HUGE_S = 1e12


def wheel(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def smooth(start: int = 0) -> np.ndarray:
    """Values that compress."""
    row, column = np.mgrid[0:64, 0:64]
    return start + row * 8 + column


def stored_files() -> list[Path]:
    return sorted(path for path in (layout.archive_folder() / "files").rglob("*") if path.is_file())


def frames_of(path: Path) -> list[np.ndarray]:
    with ImageFile(path) as image:
        return [image.frame(number).values for number in range(1, image.description.frames + 1)]


def tiles() -> list[bytes]:
    """The first tile of every stack, drawn from the disk."""
    forget_what_was_drawn()
    return [
        draw_tile(plan_tile(stack, split, TileAddress(1, 0, 0, 0), parse_parameters({})))
        for study in Study.objects.order_by("pk")
        for split in split_study(study)
        for stack in split.stacks
    ]


def recompress(target: str = JPEG_LS_LOSSLESS) -> Job:
    job = enqueue("recompress", study=Study.objects.get(), parameters={"transfer_syntax_uid": target})
    while run_waiting_jobs():
        pass
    job.refresh_from_db()
    return job


# --- What stays -------------------------------------------------------------------------------------------------------

IMAGES = [
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "examples_rgb_color.dcm",
    "examples_palette.dcm",
    "examples_overlay.dcm",
]


@TARGETS
@pytest.mark.parametrize("name", IMAGES)
def test_pixels_elements_and_pictures_are_what_they_were(name: str, target: str) -> None:
    send_as_modality(wheel(name))
    index_waiting_files()
    before = StoredFile.objects.select_related("instance").get()
    old = layout.path_of(before.key)
    pixels, elements, pictures = frames_of(old), pydicom.dcmread(old, stop_before_pixels=True), tiles()
    recompress_file(before, target)
    after = StoredFile.objects.select_related("instance").get()
    new = layout.path_of(after.key)
    assert (after.transfer_syntax_uid, after.is_as_received, damage_of(after)) == (target, False, "")
    assert after.size == new.stat().st_size < before.size
    assert (after.instance.data_set_digest, after.instance.received_transfer_syntax_uid) == (
        before.instance.data_set_digest,
        before.transfer_syntax_uid,
    )
    assert after.file_digest not in {before.file_digest, after.instance.data_set_digest}
    assert after.file_digest[:16] in after.key
    assert all(np.array_equal(one, other) for one, other in zip(pixels, frames_of(new), strict=True))
    again = pydicom.dcmread(new, stop_before_pixels=True)
    assert [element.tag for element in again] == [element.tag for element in elements]
    assert tiles() == pictures
    assert stored_files() == [new]


def test_the_same_bytes_again_are_a_duplicate_and_so_is_another_encoding() -> None:
    send_file(wheel("MR_small.dcm"))
    index_waiting_files()
    assert recompress().state == Job.State.DONE
    for name in ("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_bigendian.dcm"):
        send_file(wheel(name))
    result = index_waiting_files()
    assert (result.duplicates, result.held_back, result.added) == (4, 0, 0)
    assert StoredFile.objects.get().transfer_syntax_uid == JPEG_LS_LOSSLESS


def test_other_content_is_still_told_from_the_recompressed() -> None:
    image = ct_image(smooth())
    store(image)
    recompress()
    image.ImageComments = "other"
    assert store(image).held_back == 1


# --- What is left alone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("JPEG-lossy.dcm", "with loss"),
        ("examples_ybr_color.dcm", "with loss"),
        ("SC_ybr_full_422_uncompressed.dcm", "subsampled"),
    ],
)
def test_what_would_be_spoilt_or_only_grow_stays_as_it_is(name: str, why: str) -> None:
    send_file(wheel(name))
    index_waiting_files()
    before = StoredFile.objects.get()
    with pytest.raises(NotRecompressed, match=why):
        recompress_file(before, JPEG_LS_LOSSLESS)
    assert StoredFile.objects.get().key == before.key and stored_files() == [layout.path_of(before.key)]


def test_noise_that_would_grow_stays_as_it_is() -> None:
    store(ct_image(np.random.default_rng(1).integers(0, 65536, (64, 64)), BitsStored=16))
    before = StoredFile.objects.get()
    with pytest.raises(NotRecompressed, match="no smaller"):
        recompress_file(before, JPEG_LS_LOSSLESS)
    assert StoredFile.objects.get().key == before.key


def test_a_damaged_file_is_never_made_to_look_whole() -> None:
    store(ct_image(smooth()))
    stored = StoredFile.objects.get()
    path = layout.path_of(stored.key)
    data = bytearray(path.read_bytes())
    data[-11] ^= 1
    path.write_bytes(data)
    job = recompress()
    assert "damaged" in job.message
    stored.refresh_from_db()
    assert stored.is_as_received and stored.damage and path.read_bytes() == data


def test_an_encoder_that_changes_a_pixel_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from archive.pixels import transcode

    store(ct_image(smooth()))
    before = StoredFile.objects.get()
    encode = transcode.encode_frame

    def wrongly(values: np.ndarray, **options: Any) -> bytes:
        wrong = values.copy()
        wrong[3, 5] ^= 1
        return encode(wrong, **options)

    monkeypatch.setattr(transcode, "encode_frame", wrongly)
    with pytest.raises(NotRecompressed, match="not the same afterwards"):
        recompress_file(before, JPEG_LS_LOSSLESS)
    assert StoredFile.objects.get().key == before.key and stored_files() == [layout.path_of(before.key)]


# --- Killed at every step ---------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for kill -9: nothing in the code catches it."""


def _kill(*_arguments: Any, **_values: Any) -> Any:
    raise Killed


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (recompression, "transcode_file"),
        (recompression, "have_equal_elements"),
        (recompression, "verify_same_pixels"),
        (recompression, "publish_unnamed"),
        (recompression, "sync_folder"),
        (recompression, "_take_its_place"),
        (recompression, "_remove"),
    ],
)
def test_killed_anywhere_the_image_is_whole_and_the_next_run_and_sweep_finish(
    where: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(ct_image(smooth()))
    pictures = tiles()
    with monkeypatch.context() as patch:
        patch.setattr(where, name, _kill)
        with pytest.raises(Killed):
            recompress_file(StoredFile.objects.select_related("instance__series__study").get(), JPEG_LS_LOSSLESS)
    assert damage_of(StoredFile.objects.get()) == ""
    assert tiles() == pictures
    assert list(layout.temp_folder().iterdir()) == []
    recompress()
    sweep(now=HUGE_S)
    index_waiting_files()
    stored = StoredFile.objects.get()
    assert (stored.transfer_syntax_uid, damage_of(stored)) == (JPEG_LS_LOSSLESS, "")
    assert tiles() == pictures
    assert stored_files() == [layout.path_of(stored.key)]
    assert (Instance.objects.count(), QuarantinedFile.objects.count()) == (1, 0)


def test_a_row_that_changed_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    store(ct_image(smooth()))
    stored = StoredFile.objects.select_related("instance__series__study").get()
    StoredFile.objects.update(file_digest="0" * 64)
    monkeypatch.setattr(recompression, "verify", lambda _stored: "")
    with pytest.raises(NotRecompressed, match="replaced meanwhile"):
        recompress_file(stored, JPEG_LS_LOSSLESS)
    assert stored_files() == [layout.path_of(stored.key)]


def test_a_check_that_was_under_way_raises_no_alarm_about_a_replaced_file() -> None:
    store(ct_image(smooth()))
    looked_at = StoredFile.objects.select_related("instance").get()
    recompress()
    assert integrity.verify(looked_at) == ""
    assert StoredFile.objects.get().damage == ""


# --- The job ----------------------------------------------------------------------------------------------------------


def test_a_study_is_recompressed_image_by_image_and_says_what_it_saved() -> None:
    store(*(ct_image(smooth(n), z=n, number=n) for n in range(4)))
    before = sum(StoredFile.objects.values_list("size", flat=True))
    job = recompress(HTJ2K_LOSSLESS)
    assert (job.state, job.done_steps, job.total_steps) == (Job.State.DONE, 4, 4)
    assert job.message.startswith("4 images are now ")
    assert sum(StoredFile.objects.values_list("size", flat=True)) < before
    assert set(StoredFile.objects.values_list("transfer_syntax_uid", flat=True)) == {HTJ2K_LOSSLESS}
    assert Study.objects.get().revision == 1
    again = recompress(HTJ2K_LOSSLESS)
    assert (again.state, again.total_steps) == (Job.State.DONE, 0)


def test_a_cancelled_job_stops_between_images(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from archive.jobs import run

    monkeypatch.setattr(run, "SAVE_EVERY_S", -1)
    store(*(ct_image(smooth(n), z=n, number=n) for n in range(3)))
    job = enqueue("recompress", study=Study.objects.get(), parameters={"transfer_syntax_uid": JPEG_LS_LOSSLESS})
    take = recompression._take_its_place

    def and_cancel(*arguments: Any) -> bool:
        cancel(job, by=cast.admin)
        return take(*arguments)

    monkeypatch.setattr(recompression, "_take_its_place", and_cancel)
    while run_waiting_jobs():
        pass
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    assert StoredFile.objects.filter(is_as_received=False).count() == 1
    assert [damage_of(stored) for stored in StoredFile.objects.all()] == ["", "", ""]


@pytest.mark.parametrize(
    ("parameters", "words"), [({}, "turned off"), ({"transfer_syntax_uid": "1.2.3"}, "HTJ2K or JPEG-LS")]
)
def test_a_job_that_may_not_be_is_refused_in_words(parameters: dict[str, str], words: str) -> None:
    store(ct_image(smooth()))
    job = enqueue("recompress", study=Study.objects.get(), parameters=parameters)
    while run_waiting_jobs():
        pass
    job.refresh_from_db()
    assert job.state == Job.State.FAILED and words in job.message


@pytest.mark.parametrize(("choice", "jobs"), [("off", 0), ("htj2k", 1), ("jpeg-ls", 1)])
def test_a_quiet_study_is_queued_where_the_site_has_turned_it_on(settings: Any, choice: str, jobs: int) -> None:
    settings.PORTAL_RECOMPRESS, settings.PORTAL_SETTLE_S = choice, 0
    store(ct_image(smooth()))
    assert settle() == 1
    queue_recompression(Study.objects.get().pk)
    assert Job.objects.filter(kind="recompress").count() == jobs
    while run_waiting_jobs():
        pass
    assert StoredFile.objects.filter(is_as_received=False).count() == jobs


def test_it_is_off_unless_turned_on() -> None:
    assert django_settings.PORTAL_RECOMPRESS == "off"


def test_a_full_disk_leaves_the_image_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    store(ct_image(smooth()))
    before = StoredFile.objects.get()

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("archive.storage.recompression.os.fsync", full)
    with pytest.raises(NotRecompressed, match="No space left"):
        recompress_file(before, JPEG_LS_LOSSLESS)
    assert StoredFile.objects.get().key == before.key and stored_files() == [layout.path_of(before.key)]


# --- Mended -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-50])])
def test_an_image_whose_file_is_lost_is_mended_when_it_comes_again(harm: Callable[[Path], None]) -> None:
    image = ct_image(smooth())
    store(image)
    harm(layout.path_of(StoredFile.objects.get().key))
    assert store(image).duplicates == 1
    stored = StoredFile.objects.get()
    assert (damage_of(stored), stored.is_as_received) == ("", True)
    assert stored.file_digest == stored.instance.data_set_digest
