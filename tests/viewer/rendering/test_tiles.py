"""Which levels and tiles an image has."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.errors import TileMissing
from viewer.rendering.tiles import Level, Region, find_level, levels, tile_region


def test_an_image_that_fits_one_tile_has_one_level() -> None:
    assert levels(512, 512) == (Level(0, 512, 512, 1, 1, 1),)
    assert levels(1, 1) == (Level(0, 1, 1, 1, 1, 1),)


def test_one_pixel_too_many_adds_a_level() -> None:
    assert levels(513, 512) == (Level(0, 257, 256, 1, 1, 2), Level(1, 513, 512, 2, 1, 1))


def test_a_radiograph_by_hand() -> None:
    # 4096 x 3328: 8 x 7 tiles at 1:1, then halves until one tile is enough.
    assert levels(4096, 3328) == (
        Level(0, 512, 416, 1, 1, 8),
        Level(1, 1024, 832, 2, 2, 4),
        Level(2, 2048, 1664, 4, 4, 2),
        Level(3, 4096, 3328, 8, 7, 1),
    )


@given(st.integers(1, 20000), st.integers(1, 20000))
def test_every_level_is_half_of_the_next_rounded_up(rows: int, columns: int) -> None:
    pyramid = levels(rows, columns)

    assert pyramid[0].tile_rows == pyramid[0].tile_columns == 1
    assert (pyramid[-1].rows, pyramid[-1].columns, pyramid[-1].scale) == (rows, columns, 1)
    for small, large in itertools.pairwise(pyramid):
        assert (small.rows, small.columns) == ((large.rows + 1) // 2, (large.columns + 1) // 2)
        assert max(large.rows, large.columns) > 512


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_tiles_cover_a_level_once(rows: int, columns: int) -> None:
    level = levels(rows, columns)[-1]
    regions = [
        tile_region(level, row, column) for row in range(level.tile_rows) for column in range(level.tile_columns)
    ]

    assert sum(region.rows * region.columns for region in regions) == rows * columns
    assert all(0 < region.rows <= 512 and 0 < region.columns <= 512 for region in regions)


def test_the_last_tile_is_cut_at_the_edge() -> None:
    assert tile_region(levels(3000, 4000)[-1], 5, 7) == Region(2560, 3584, 440, 416)


@pytest.mark.parametrize(("row", "column"), [(6, 0), (0, 8), (-1, 0), (0, -1)])
def test_tiles_beyond_the_edge_do_not_exist(row: int, column: int) -> None:
    with pytest.raises(TileMissing, match="6 x 8 tiles"):
        tile_region(levels(3000, 4000)[-1], row, column)


@pytest.mark.parametrize("level", [-1, 4, 99])
def test_levels_beyond_the_last_do_not_exist(level: int) -> None:
    with pytest.raises(TileMissing, match="0 to 3"):
        find_level(3000, 4000, level)


def test_an_image_without_pixels_has_no_levels() -> None:
    with pytest.raises(TileMissing):
        levels(0, 512)
