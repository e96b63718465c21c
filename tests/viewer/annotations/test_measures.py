"""Millimetres, degrees and statistics, against analytic shapes and phantoms with known values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.pixels.describe import describe
from archive.pixels.description import ImageDescription, UltrasoundRegion
from tests import phantoms
from viewer.annotations.measures import measure, statistics
from viewer.annotations.shapes import Kind, Point, Shape
from viewer.errors import InvalidParameter


def shape(kind: str, *points: tuple[float, float]) -> Shape:
    return Shape(Kind(kind), tuple(Point(*point) for point in points))


def ct(values: NDArray[Any] | None = None, **attributes: Any) -> ImageDescription:
    return describe(phantoms.ct_image(values, **attributes))


ANISOTROPIC = {"PixelSpacing": [2.0, 0.5]}
"""Rows 2 mm apart, columns 0.5 mm."""


@pytest.mark.parametrize(
    ("one", "area"),
    [
        # 8 columns of 0.5 mm by 4 rows of 2 mm.
        (shape("rectangle", (1, 1), (9, 5)), 4 * 8),
        (shape("rectangle", (9, 5), (1, 1)), 4 * 8),
        (shape("ellipse", (1, 1), (9, 5)), math.pi * 2 * 4),
        # A rim point 4 columns away: 2 mm in every direction.
        (shape("circle", (8, 8), (12, 8)), math.pi * 2**2),
        (shape("circle", (8, 8), (8, 9)), math.pi * 2**2),
        (shape("polygon", (0, 0), (8, 0), (0, 4)), 4 * 8 / 2),
        (shape("freehand", (0, 0), (0, 4), (8, 0)), 4 * 8 / 2),
    ],
)
def test_areas_are_in_square_millimetres_of_pixels_that_are_not_square(one: Shape, area: float) -> None:
    found = measure(one, ct(**ANISOTROPIC), 1)
    assert found.area == pytest.approx(area)
    assert found.unit == "mm"


def test_lengths_are_in_millimetres_of_pixels_that_are_not_square() -> None:
    found = measure(shape("length", (0, 0), (6, 2)), ct(**ANISOTROPIC), 1)
    assert found.lengths == (5.0,)
    assert (found.unit, found.note) == ("mm", "")


def test_the_longer_axis_comes_first_however_it_was_drawn() -> None:
    found = measure(shape("bidirectional", (0, 0), (10, 0), (5, -5), (5, 5)), ct(**ANISOTROPIC), 1)
    assert found.lengths == (20.0, 5.0)


def test_angles_are_those_in_the_patient() -> None:
    # 4 columns are 2 mm, 1 row is 2 mm: 45 degrees, though 14 in pixels.
    found = measure(shape("angle", (4, 0), (0, 0), (4, 1)), ct(**ANISOTROPIC), 1)
    assert found.angle_degrees == pytest.approx(45)
    assert measure(shape("angle", (-4, 0), (0, 0), (4, 1)), ct(**ANISOTROPIC), 1).angle_degrees == pytest.approx(135)


@pytest.mark.parametrize("turned", [False, True])
def test_a_cobb_angle_does_not_depend_on_where_a_line_was_begun(turned: bool) -> None:
    tilted = [(0.0, 9.0), (10.0, 9.0 + 10 * math.tan(math.radians(30)))]
    other = tilted[::-1] if turned else tilted
    found = measure(shape("cobb", (0, 0), (10, 0), *other), ct(PixelSpacing=[1, 1]), 1)
    assert found.angle_degrees == pytest.approx(30)


def test_without_spacing_there_are_pixels_and_a_word_about_it() -> None:
    found = measure(shape("rectangle", (0, 0), (4, 2)), ct(PixelSpacing=None), 1)
    assert (found.area, found.unit, found.note) == (8, "px", "no scale in the file here")


def test_a_length_at_the_detector_says_so() -> None:
    ds = phantoms.ct_image(Modality="DX", PixelSpacing=None, ImagerPixelSpacing=[0.2, 0.2])
    found = measure(shape("length", (0, 0), (10, 0)), describe(ds), 1)
    assert found.lengths == (pytest.approx(2),)
    assert "detector" in found.note


def ultrasound() -> ImageDescription:
    """Two regions beside each other: 0.1 cm a pixel on the left, seconds against cm/s on the right."""
    from dataclasses import replace

    left = UltrasoundRegion(0, 0, 9, 19, 3, 3, 0.1, 0.1)
    right = UltrasoundRegion(10, 0, 19, 19, 4, 7, 0.01, 1.0)
    return replace(ct(PixelSpacing=None), ultrasound_regions=(left, right))


def test_ultrasound_measures_in_the_one_region_that_holds_the_whole_shape() -> None:
    inside = measure(shape("rectangle", (1, 1), (9.9, 3)), ultrasound(), 1)
    assert (inside.area, inside.unit) == (pytest.approx(8.9 * 2), "mm")
    across = measure(shape("rectangle", (1, 1), (12, 3)), ultrasound(), 1)
    assert (across.area, across.unit) == (pytest.approx(22), "px")
    seconds = measure(shape("length", (12, 1), (14, 1)), ultrasound(), 1)
    assert (seconds.lengths, seconds.unit) == ((2.0,), "px")
    # 0.01 s a pixel across, 1 cm/s down.
    spectrum = measure(shape("length", (12, 1), (14, 5)), ultrasound(), 1)
    assert spectrum.axes == (("s", pytest.approx(0.02)), ("cm/s", pytest.approx(4.0)))
    assert inside.axes == () and measure(shape("length", (1, 1), (12, 3)), ultrasound(), 1).axes == ()


def test_the_mean_of_a_ramp_in_a_rectangle_is_the_mean_of_its_corners() -> None:
    # Stored value row * 16 + column + 1000; HU = stored - 1024. Rows 2 to 5, columns 3 to 8.
    values = phantoms.ramp(start=1000)
    found = statistics(shape("rectangle", (3, 2), (9, 6)), values, ct(values), 1)
    assert found.count == 24
    assert found.mean == 1000 - 1024 + 3.5 * 16 + 5.5
    assert (found.minimum, found.maximum) == (1000 - 1024 + 2 * 16 + 3, 1000 - 1024 + 5 * 16 + 8)
    # Variances of 4 rows of step 16 and 6 columns of step 1: (n² - 1) / 12 each.
    assert found.sd == pytest.approx(math.sqrt(16**2 * 15 / 12 + 35 / 12))
    assert found.unit == "HU"


def test_padding_is_left_out() -> None:
    values = np.full((16, 16), 1064)
    values[:, 8:] = 0
    description = ct(values, PixelPaddingValue=0)
    found = statistics(shape("rectangle", (0, 0), (16, 16)), values, description, 1)
    assert (found.count, found.mean, found.sd) == (128, 40.0, 0.0)
    nothing = statistics(shape("rectangle", (9, 0), (16, 16)), values, description, 1)
    assert (nothing.count, nothing.mean, nothing.note) == (0, None, "no pixel with a value inside")


def test_hounsfield_units_only_where_they_are() -> None:
    values = phantoms.ramp()
    one = shape("rectangle", (3, 2), (9, 6))
    derived = ct(values, RescaleType=None, ImageType=["DERIVED", "SECONDARY"])
    assert statistics(one, values, derived, 1).unit == ""
    assert statistics(one, values, ct(values, RescaleType="US"), 1).unit == ""


def test_a_shape_beside_the_image_counts_nothing() -> None:
    values = phantoms.ramp()
    assert statistics(shape("ellipse", (40, 40), (60, 60)), values, ct(values), 1).count == 0


def test_a_shape_over_the_edge_counts_what_is_on_the_image() -> None:
    values = phantoms.ramp()
    assert statistics(shape("rectangle", (-4, -4), (2, 3)), values, ct(values), 1).count == 6


def test_a_colour_image_has_no_mean() -> None:
    ds = phantoms.color_image()
    found = statistics(shape("rectangle", (0, 0), (4, 4)), np.zeros((4, 6, 3), np.uint8), describe(ds), 1)
    assert (found.count, found.mean) == (0, None)
    assert "colour" in found.note


def test_a_line_has_no_inside() -> None:
    with pytest.raises(InvalidParameter):
        statistics(shape("length", (0, 0), (4, 4)), phantoms.ramp(), ct(), 1)


@pytest.mark.parametrize(
    ("one", "length"),
    [
        # 3 mm across, 4 mm down, 5 mm back.
        (shape("polyline", (0, 0), (6, 0), (6, 2), (0, 0)), 12.0),
        # Four rows of 2 mm below the line, beyond its end.
        (shape("line_distance", (0, 0), (10, 0), (25, 4)), 8.0),
        # On the slanting line (3 mm, 4 mm): the place (6 mm, 0) is 6 * 4 / 5 away.
        (shape("line_distance", (0, 0), (6, 2), (12, 0)), 4.8),
    ],
)
def test_lengths_that_points_make_together(one: Shape, length: float) -> None:
    assert measure(one, ct(**ANISOTROPIC), 1).lengths == (pytest.approx(length),)


def test_the_cardiothoracic_ratio_is_that_of_millimetres() -> None:
    # Heart 3 mm across and 4 mm down, chest 10 mm across.
    found = measure(shape("cardiothoracic", (0, 0), (6, 2), (0, 8), (20, 8)), ct(**ANISOTROPIC), 1)
    assert found.lengths == (5.0, 10.0)
    assert found.ratio == 0.5


def calibration(known_mm: float, *points: tuple[float, float]) -> Shape:
    return Shape(Kind.CALIBRATION, tuple(Point(*point) for point in points), known_mm)


def test_a_calibration_by_hand_gives_a_scale_where_the_file_has_none_and_says_so() -> None:
    by_hand = calibration(20.0, (0, 0), (40, 0))
    bare = describe(phantoms.image(np.zeros((64, 64), np.uint8)))
    found = measure(shape("rectangle", (0, 0), (10, 20)), bare, 1, by_hand)
    assert (found.area, found.unit) == (pytest.approx(10 * 20 * 0.25), "mm")
    assert found.note == "Calibrated by hand on this image."
    assert measure(shape("length", (0, 0), (0, 10)), bare, 1).unit == "px"


def test_a_calibration_by_hand_never_overrules_the_scale_of_the_patient() -> None:
    by_hand = calibration(20.0, (0, 0), (40, 0))
    found = measure(shape("length", (0, 0), (6, 2)), ct(**ANISOTROPIC), 1, by_hand)
    assert (found.lengths, found.note) == ((5.0,), "")


def test_a_histogram_counts_every_value_once() -> None:
    values = np.repeat(np.arange(10, dtype=np.uint16), 10).reshape(10, 10) + 1024
    found = statistics(shape("rectangle", (0, 0), (10, 10)), values, ct(values), 1).histogram
    assert found is not None
    # Whole numbers in a small range have one step each: ten of every value from 0 HU to 9 HU.
    assert (found.first, found.step, found.counts) == (-0.5, 1.0, (10,) * 10)


def test_a_histogram_of_a_wide_range_holds_numpy_s_counts() -> None:
    values = np.random.default_rng(5).integers(0, 4000, (40, 40), dtype=np.uint16)
    found = statistics(shape("rectangle", (0, 0), (40, 40)), values, ct(values), 1).histogram
    assert found is not None
    counts, edges = np.histogram(values.astype(float) - 1024, 64)
    assert found.counts == tuple(counts)
    assert found.first == edges[0]
    assert sum(found.counts) == 1600
