"""Shapes from JSON, and which pixels lie inside them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from viewer.annotations.shapes import Kind, Point, Shape, box_of, geometry_of, inside, read_shape
from viewer.errors import InvalidParameter
from viewer.rendering.tiles import Region

SQUARE = (1.0, 1.0)


def shape(kind: str, *points: tuple[float, float]) -> Shape:
    return Shape(Kind(kind), tuple(Point(*point) for point in points))


def pixels(one: Shape, rows: int = 8, columns: int = 8, aspect: tuple[float, float] = SQUARE) -> set[tuple[int, int]]:
    found = inside(one, Region(0, 0, rows, columns), aspect)
    return {(int(row), int(column)) for row, column in np.argwhere(found)}


def test_a_shape_goes_to_json_and_back() -> None:
    one = shape("angle", (0, 1.5), (2, 3), (4, -5))
    assert read_shape("angle", geometry_of(one)) == one


@pytest.mark.parametrize(
    ("kind", "geometry"),
    [
        ("spiral", {"points": [[0, 0], [1, 1]]}),
        (None, {"points": []}),
        (["length"], {"points": [[0, 0], [1, 1]]}),
        ("length", {"points": [[0, 0]]}),
        ("length", {"points": [[0, 0], [1, 1], [2, 2]]}),
        ("length", {"points": [[0, 0], [1, math.nan]]}),
        ("length", {"points": [[0, 0], [1, math.inf]]}),
        ("length", {"points": [[0, 0], [1, True]]}),
        ("length", {"points": [[0, 0], [1, "2"]]}),
        ("length", {"points": [[0, 0], [1, 10**400]]}),
        ("length", {"points": [[0, 0], [1, 2, 3]]}),
        ("polygon", {"points": [[0, 0], [1, 1]]}),
        ("freehand", {"points": [[0, 0]] * 4001}),
        ("length", [[0, 0], [1, 1]]),
        ("length", None),
    ],
)
def test_what_is_no_shape_is_refused(kind: Any, geometry: Any) -> None:
    with pytest.raises(InvalidParameter):
        read_shape(kind, geometry)


def test_a_rectangle_holds_the_pixels_whose_middles_it_covers() -> None:
    # The middle of column 2 is at 2.5: an edge at 2.4 takes it, one at 2.6 does not.
    found = pixels(shape("rectangle", (5.4, 1), (2.4, 3)))
    assert found == {(row, column) for row in (1, 2) for column in (2, 3, 4)}


def test_shapes_side_by_side_share_no_pixel() -> None:
    left, right = shape("rectangle", (0, 0), (2.5, 8)), shape("rectangle", (2.5, 0), (8, 8))
    assert not pixels(left) & pixels(right)
    assert len(pixels(left) | pixels(right)) == 64


def test_an_ellipse_holds_what_its_equation_says() -> None:
    # Half axes 3 and 2 around (4, 4).
    found = pixels(shape("ellipse", (1, 2), (7, 6)))
    wanted = {
        (row, column)
        for row in range(8)
        for column in range(8)
        if ((column + 0.5 - 4) / 3) ** 2 + ((row + 0.5 - 4) / 2) ** 2 <= 1
    }
    assert found == wanted
    # 6 in each of the two rows at 0.5 from the middle, 4 in those at 1.5.
    assert len(wanted) == 2 * 6 + 2 * 4


def test_a_circle_is_round_in_the_patient_where_pixels_are_not_square() -> None:
    # Pixels twice as high as wide: a radius of 4 pixels across is one of 2 down.
    found = pixels(shape("circle", (4, 4), (8, 4)), aspect=(2.0, 1.0))
    assert found == pixels(shape("ellipse", (0, 2), (8, 6)))


def test_an_outline_holds_what_a_triangle_holds() -> None:
    found = pixels(shape("polygon", (0, 0), (8, 0), (0, 8)))
    # Middles below the diagonal, which runs through the middles of row + column = 7.
    assert found == {(row, column) for row in range(8) for column in range(8) if row + column < 7}


def test_an_outline_that_is_not_convex_leaves_its_notch_out() -> None:
    notched = shape("freehand", (0, 0), (8, 0), (8, 8), (5, 8), (5, 3), (3, 3), (3, 8), (0, 8))
    found = pixels(notched)
    assert found == {(row, column) for row in range(8) for column in range(8) if row < 3 or column not in (3, 4)}


def test_the_direction_of_drawing_does_not_matter() -> None:
    points = [(1, 1), (6.3, 2), (5, 7.1), (2, 6)]
    assert pixels(shape("polygon", *points)) == pixels(shape("polygon", *reversed(points)))


@pytest.mark.parametrize(
    ("points", "box"),
    [
        ([(1.2, 2.7), (3.1, 4.0)], Region(2, 1, 2, 3)),
        ([(-5, -5), (100, 100)], Region(0, 0, 8, 10)),
        ([(50, 50), (60, 60)], Region(8, 10, 0, 0)),
        ([(-9, -9), (-2, -2)], Region(0, 0, 0, 0)),
    ],
)
def test_the_box_of_a_shape_ends_at_the_image(points: list[tuple[float, float]], box: Region) -> None:
    assert box_of([Point(*point) for point in points], 8, 10) == box
