"""Values along lines, against ramps whose value at every place is known."""

from __future__ import annotations

import numpy as np
import pytest

from archive.pixels.describe import describe
from tests import phantoms
from viewer.annotations.profiles import places_along, profile_of
from viewer.annotations.shapes import Kind, Point, Shape
from viewer.errors import InvalidParameter

ROWS, COLUMNS = np.mgrid[0:40, 0:60]
RAMP = (1024 + 10 * COLUMNS + 3 * ROWS).astype(np.uint16)
"""HU of 10 a column and 3 a row; the middle of the first pixel has 0."""


def line(*points: tuple[float, float], kind: Kind = Kind.LENGTH) -> Shape:
    return Shape(kind, tuple(Point(*point) for point in points))


def test_a_ramp_is_read_exactly_between_the_middles_of_pixels() -> None:
    start, end = (5.25, 7.5), (35.25, 27.5)
    found = profile_of(line(start, end), RAMP, describe(phantoms.ct_image(RAMP, PixelSpacing=[2.0, 0.5])), 1)
    x, y, _ = places_along([Point(*start), Point(*end)])
    assert found.values == pytest.approx(10 * (x - 0.5) + 3 * (y - 0.5))
    # 30 columns of 0.5 mm, 20 rows of 2 mm.
    assert found.distances[-1] == pytest.approx(np.hypot(15, 40))
    assert (found.unit, found.distance_unit) == ("HU", "mm")


def test_a_polyline_goes_through_its_corners() -> None:
    shape = line((0.5, 0.5), (10.5, 0.5), (10.5, 20.5), kind=Kind.POLYLINE)
    found = profile_of(shape, RAMP, describe(phantoms.ct_image(RAMP, PixelSpacing=[1.0, 1.0])), 1)
    assert len(found.values) == 31
    assert [found.values[at] for at in (0, 10, 30)] == pytest.approx([0, 100, 160])
    assert found.distances[10] == pytest.approx(10)


def test_beside_the_image_there_is_no_value() -> None:
    found = profile_of(line((-5, 1), (5, 1)), RAMP, describe(phantoms.ct_image(RAMP)), 1)
    assert found.values[:5] == (None,) * 5
    assert found.values[6] is not None


def test_padding_has_no_value() -> None:
    values = RAMP.copy()
    values[:, 20:30] = 0
    image = phantoms.ct_image(values, PixelPaddingValue=0)
    found = profile_of(line((0.5, 5.5), (49.5, 5.5)), values, describe(image), 1)
    assert [at for at, value in enumerate(found.values) if value is None] == list(range(20, 30))


def test_a_shape_with_an_inside_has_no_profile() -> None:
    with pytest.raises(InvalidParameter):
        profile_of(line((0, 0), (5, 5), kind=Kind.ELLIPSE), RAMP, describe(phantoms.ct_image(RAMP)), 1)
