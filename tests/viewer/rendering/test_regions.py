"""A region of a picture in tiles: which tiles it touches, and where each part goes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.rendering.regions import RegionValues, overlaps
from viewer.rendering.tiles import Region

WHOLE = np.arange(23 * 31).reshape(23, 31)


class Cut(RegionValues):
    def read(self, region: Region) -> NDArray[Any]:
        return WHOLE[region.row : region.row + region.rows, region.column : region.column + region.columns]


@pytest.mark.parametrize(
    "region", [Region(0, 0, 23, 31), Region(3, 9, 1, 1), Region(4, 0, 5, 31), Region(22, 30, 1, 1)]
)
def test_parts_of_tiles_make_the_region(region: Region) -> None:
    found = np.full((region.rows, region.columns), -1)
    for place in overlaps(region, 4, 10):
        tile = WHOLE[place.row * 4 : place.row * 4 + 4, place.column * 10 : place.column * 10 + 10]
        found[place.in_region] = tile[place.in_tile]
    np.testing.assert_array_equal(
        found, WHOLE[region.row : region.row + region.rows, region.column : region.column + region.columns]
    )


def test_no_more_tiles_are_touched_than_have_a_pixel_of_the_region() -> None:
    assert [(one.row, one.column) for one in overlaps(Region(4, 10, 4, 10), 4, 10)] == [(1, 1)]
    assert list(overlaps(Region(5, 5, 0, 3), 4, 10)) == []


def test_slices_beyond_the_edge_end_there_as_those_of_an_array_do() -> None:
    values = Cut(WHOLE.shape, WHOLE.dtype)
    np.testing.assert_array_equal(values[20:40, 25:99], WHOLE[20:40, 25:99])
    assert values[30:40, 0:5].shape == (0, 5)
    np.testing.assert_array_equal(np.asarray(values), WHOLE)
    assert (values.ndim, values.nbytes) == (2, 0)
