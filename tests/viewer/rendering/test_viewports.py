"""Which part of an image goes into how many pixels, and from which level it is drawn (PS3.18 8.3.5.1.3)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viewer.rendering.images import describe_values
from viewer.errors import InvalidParameter, TooLarge
from viewer.rendering.parameters import RenderParameters, parse_window
from viewer.rendering.pipeline import ReducedFrame, reduce_frame, scale_image
from viewer.rendering.rendered_parameters import Viewport
from viewer.rendering.resample import Part
from viewer.rendering.tiles import levels
from viewer.rendering.viewports import level_for, place, render_viewport


@pytest.mark.parametrize(
    ("viewport", "size", "expected"),
    [
        (None, (30, 40), (30, 40)),
        (Viewport(40, 30), (30, 40), (30, 40)),
        (Viewport(80, 30), (30, 40), (30, 40)),
        (Viewport(80, 60), (30, 40), (60, 80)),
        (Viewport(20, 100), (30, 40), (15, 20)),
        (Viewport(100, 1), (1000, 10), (1, 1)),
        (Viewport(100, 100, 0, 0, 20, 10), (30, 40), (50, 100)),
        (Viewport(100, 100, 39, 29), (30, 40), (100, 100)),
    ],
)
def test_a_part_becomes_as_large_as_fits_without_distortion(
    viewport: Viewport | None, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    placement = place(viewport, rows=size[0], columns=size[1])
    assert (placement.rows, placement.columns) == expected


@given(
    st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 4000), st.integers(1, 4000)
)  # fmt: skip
def test_the_size_never_leaves_the_viewport_and_fills_one_side(rows: int, columns: int, high: int, wide: int) -> None:
    placement = place(Viewport(wide, high), rows=rows, columns=columns)
    assert 1 <= placement.rows <= high and 1 <= placement.columns <= wide
    assert placement.rows == high or placement.columns == wide


@pytest.mark.parametrize(
    "viewport",
    [
        Viewport(10, 10, 40, 0),
        Viewport(10, 10, 0, 30),
        Viewport(10, 10, 0, 0, 41, 30),
        Viewport(10, 10, 10.5, 0, 30, 30),
        Viewport(10, 10, 0, 1, 40, 30),
        Viewport(10, 10, 1e300, 0, 1, 1),
    ],
)
def test_a_part_beyond_the_image_is_refused(viewport: Viewport) -> None:
    with pytest.raises(InvalidParameter) as refused:
        place(viewport, rows=30, columns=40)
    assert refused.value.parameter == "viewport"


def test_too_many_pixels_are_refused() -> None:
    with pytest.raises(TooLarge):
        place(Viewport(8192, 8192), rows=10, columns=10)


@pytest.mark.parametrize(
    ("wanted", "level"), [((8192, 8192), 3), ((4000, 3000), 3), ((2000, 1500), 2), ((2001, 1501), 3), ((64, 64), 0)]
)
def test_the_lowest_level_with_enough_pixels_is_drawn(wanted: tuple[int, int], level: int) -> None:
    # 4000 x 3000: levels of 500 x 375, 1000 x 750, 2000 x 1500, 4000 x 3000.
    placement = place(Viewport(min(wanted[0], 5000), min(wanted[1], 5000)), rows=3000, columns=4000)
    assert level_for(placement, rows=3000, columns=4000).level == level


def test_only_the_level_that_is_needed_is_asked_for_once() -> None:
    values = np.arange(1100 * 700, dtype=np.uint16).reshape(1100, 700) % 4096
    description = describe_values(values)
    asked: list[int] = []

    def frame(level: int) -> ReducedFrame:
        asked.append(level)
        return reduce_frame(ReducedFrame(values, "MONOCHROME2", len(levels(1100, 700)) - 1), description, 1, level)

    look = RenderParameters(window=parse_window("2048,4096"))
    drawn = render_viewport(frame, description, 1, look, place(Viewport(175, 275), rows=1100, columns=700))
    assert asked == [0]
    assert drawn.shape == (275, 175)


def test_a_part_is_scaled_as_the_whole_around_it_would_be() -> None:
    # A ramp along the columns: bilinear and area filters keep straight lines straight.
    ramp = np.repeat(np.arange(0, 200, 10, dtype=np.uint8)[None], 6, axis=0)
    larger = scale_image(ramp, 6, 20, Part(0, 5, 6, 10))
    # Ten columns from 5 on become twenty: centers at 5.25, 5.75 ... less half a pixel.
    expected = np.floor((5 + (np.arange(20) + 0.5) / 2 - 0.5) * 10 + 0.5)
    assert np.array_equal(larger[0], expected)
    smaller = scale_image(ramp, 6, 5, Part(0, 4, 6, 10))
    # Pairs of columns: (40 + 50) / 2 and so on, halves up.
    assert smaller[0].tolist() == [45, 65, 85, 105, 125]


def test_a_part_that_begins_between_pixels_is_averaged_by_its_shares() -> None:
    pixels = np.array([[0, 100, 200, 100]], np.uint8)
    # From 0.5 to 2.5 in one pixel: half of 0, all of 100, half of 200.
    assert scale_image(pixels, 1, 1, Part(0, 0.5, 1, 2)).tolist() == [[100]]
