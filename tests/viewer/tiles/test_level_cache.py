"""The levels of large images stay within the site's limit, whoever writes them and whatever happens to them."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest

from viewer.rendering.pipeline import ReducedFrame
from viewer.rendering.tiles import Region
from viewer.tiles.level_cache import (
    LevelWriter,
    cost_of,
    keep_levels,
    kept_levels,
    kept_small_levels,
    levels_folder,
    mark_small_used,
    path_of,
    trim_levels,
)

PICTURE = [ReducedFrame(np.full((512, 512), 7, np.uint16), "MONOCHROME2", 0)]
PICTURE_BYTES = 512 * 512 * 2


def size_of_cache() -> int:
    return sum(path.stat().st_size for path in levels_folder().glob("*/*"))


def test_what_was_not_used_for_longest_goes_first(portal_data: Path) -> None:
    for age, name in ((300, "old"), (200, "older"), (100, "new")):
        keep_levels(name, PICTURE)
        os.utime(path_of(name), (10_000 - age, 10_000 - age))
    assert kept_levels("old") is not None, "this is a use"
    assert trim_levels(2 * PICTURE_BYTES) == 2, "an eighth is left free"
    assert (kept_levels("older"), kept_levels("new")) == (None, None)
    assert kept_levels("old") is not None


def test_what_is_dear_to_make_again_stays_longer(portal_data: Path) -> None:
    jpeg_2000, jpeg_ls, native = (cost_of(f"1.2.840.10008.1.2{one}") for one in (".4.90", ".4.80", ".1"))
    assert jpeg_2000 > jpeg_ls > native == 1
    now = time.time()
    # Unused for two hours and for one: per unit of cost the dear one was used later.
    for age_s, name, cost in ((7200, "dear", jpeg_2000), (3600, "cheap", native)):
        keep_levels(name, PICTURE, cost)
        os.utime(path_of(name, cost), (now - age_s, now - age_s))
    assert trim_levels(3 * PICTURE_BYTES // 2) == 1
    assert kept_levels("cheap") is None
    assert kept_levels("dear", jpeg_2000) is not None


def test_the_levels_that_fill_a_screen_stay_when_the_large_ones_go(portal_data: Path) -> None:
    whole = ReducedFrame(np.full((1200, 2000), 9, np.uint16), "MONOCHROME2", 1)
    now = time.time()
    for age_s, name in ((7200, "old"), (3600, "new")):
        keep_levels(name, [PICTURE[0], whole])
        os.utime(path_of(name), (now - age_s, now - age_s))
        mark_small_used(name)
    assert trim_levels(size_of_cache() * 3 // 4) == 1
    assert (kept_levels("old"), kept_levels("new") is None) == (None, False)
    small = kept_small_levels("old")
    assert small is not None
    np.testing.assert_array_equal(small.read(0, Region(0, 0, 512, 512)), PICTURE[0].values)
    assert trim_levels(1) == 3, "but not for ever"


def test_many_images_stay_within_the_limit(portal_data: Path, settings: object) -> None:
    settings.PORTAL_CACHE_MB = 8  # type: ignore[attr-defined]
    for number in range(60):
        assert keep_levels(f"image {number}", PICTURE)
        assert size_of_cache() <= 8 << 20
    assert kept_levels("image 59") is not None
    assert kept_levels("image 0") is None


def _keep_many(folder: Path, start: int) -> None:
    from django.conf import settings

    settings.PORTAL_DATA, settings.PORTAL_CACHE_MB = folder, 8
    for number in range(start, start + 40):
        keep_levels(f"image {number}", PICTURE)


def test_two_processes_at_once_stay_within_the_limit_and_leave_whole_files(portal_data: Path) -> None:
    forked = multiprocessing.get_context("fork")
    processes = [forked.Process(target=_keep_many, args=(portal_data, start)) for start in (0, 20)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert 0 < size_of_cache() <= 8 << 20
    found = [kept for number in range(60) if (kept := kept_levels(f"image {number}")) is not None]
    assert found
    for file in found:
        np.testing.assert_array_equal(file.read(0, Region(0, 0, 512, 512)), PICTURE[0].values)


def test_a_picture_that_would_push_out_all_others_is_not_kept(portal_data: Path, settings: object) -> None:
    settings.PORTAL_CACHE_MB = 1  # type: ignore[attr-defined]
    assert not keep_levels("large", PICTURE)
    assert size_of_cache() == 0


def test_a_damaged_file_is_removed(portal_data: Path) -> None:
    keep_levels("key", PICTURE)
    path_of("key").write_bytes(b"PORTLEV1 and no more")
    assert kept_levels("key") is None
    assert not path_of("key").exists()


def test_a_folder_that_cannot_be_written_does_no_harm(portal_data: Path) -> None:
    levels_folder().parent.mkdir(exist_ok=True)
    levels_folder().write_bytes(b"a file where the folder should be")
    assert keep_levels("key", PICTURE) is False
    assert kept_levels("key") is None


def test_a_full_disk_leaves_no_half_file(portal_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: object, _levels: object) -> int:
        file.write(b"PORTLEV1 ")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("viewer.tiles.level_cache.write_levels", full)
    assert keep_levels("key", PICTURE) is False
    assert list(levels_folder().rglob("*")) == [path_of("key").parent]


def test_a_half_file_of_a_process_that_died_goes_after_a_while(portal_data: Path) -> None:
    keep_levels("key", PICTURE)
    for name, age in ((".dead", 700.0), (".alive", 0.0)):
        path = path_of("key").parent / name
        path.write_bytes(b"half")
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    trim_levels(1 << 30)
    assert sorted(path.name for path in levels_folder().glob("*/*")) == sorted([".alive", path_of("key").name])


def test_writing_later_is_bounded_and_happens(portal_data: Path) -> None:
    writer = LevelWriter(most_bytes=PICTURE_BYTES)
    assert writer.put("first", PICTURE)
    assert writer.wait()
    assert kept_levels("first") is not None
    with writer._lock:
        writer._waiting += PICTURE_BYTES
    assert not writer.put("second", PICTURE), "as much as may wait is waiting"
