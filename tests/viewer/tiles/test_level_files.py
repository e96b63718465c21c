"""A file of levels gives back what was written, region by region, or says that it is damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from viewer.rendering.pipeline import ReducedFrame
from viewer.rendering.tiles import Region
from viewer.tiles.level_files import LevelDamaged, open_levels, write_levels

SMALL = np.arange(300 * 400, dtype=np.int16).reshape(300, 400) - 30000
LARGE = np.random.default_rng(1).integers(0, 256, (1100, 1300, 3), dtype=np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two levels of different kinds, as those of a palette image are."""
    path = tmp_path / "one.levels"
    with path.open("wb") as file:
        write_levels(file, [ReducedFrame(SMALL, "MONOCHROME2", 0), ReducedFrame(LARGE, "RGB", 1)])
    return path


@pytest.mark.parametrize(
    "region",
    [
        Region(0, 0, 512, 512),
        Region(1024, 1024, 76, 276),
        Region(500, 511, 30, 2),
        Region(0, 0, 1100, 1300),
        Region(511, 0, 2, 1300),
        Region(7, 7, 0, 5),
    ],
)
def test_a_region_is_what_was_written(path: Path, region: Region) -> None:
    file = open_levels(path)
    assert file is not None
    expected = LARGE[region.row : region.row + region.rows, region.column : region.column + region.columns]
    np.testing.assert_array_equal(file.read(1, region), expected)


def test_levels_keep_their_type_and_photometric_interpretation(path: Path) -> None:
    file = open_levels(path)
    assert file is not None
    assert [(one.shape, one.dtype, one.photometric_interpretation) for one in file.levels] == [
        ((300, 400), np.int16, "MONOCHROME2"),
        ((1100, 1300, 3), np.uint8, "RGB"),
    ]
    np.testing.assert_array_equal(file.read(0, Region(0, 0, 300, 400)), SMALL)


def test_where_there_is_no_file_there_are_no_levels(tmp_path: Path) -> None:
    assert open_levels(tmp_path / "none.levels") is None


@pytest.mark.parametrize("length", [0, 5, 40, 3000, -1])
def test_a_file_cut_short_is_damaged(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(LevelDamaged):
        open_levels(path)


def test_a_changed_head_is_damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    with pytest.raises(LevelDamaged):
        open_levels(path)


def test_a_changed_tile_is_damaged_and_the_others_are_not(path: Path) -> None:
    file = open_levels(path)
    assert file is not None
    data = bytearray(path.read_bytes())
    data[file.offsets[1][4] + 17] ^= 0x80
    path.write_bytes(data)
    with pytest.raises(LevelDamaged):
        file.read(1, Region(512, 512, 10, 10))
    np.testing.assert_array_equal(file.read(1, Region(0, 0, 512, 512)), LARGE[:512, :512])


def test_a_file_that_went_away_is_damaged(path: Path) -> None:
    file = open_levels(path)
    assert file is not None
    path.unlink()
    with pytest.raises(LevelDamaged):
        file.read(0, Region(0, 0, 1, 1))
