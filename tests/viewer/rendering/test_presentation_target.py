"""A state as a picture of its own: area, turn, flip, size, annotations (PS3.3 C.10.4, C.10.6, PS3.18 9.5.2.3)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.dicom.part10 import read_dataset
from archive.pixels.description import OverlayPlane, Window
from tests.viewer.rendering.images import Frame, describe_values
from viewer.errors import NothingToDraw
from viewer.rendering.displayed_area import Box, area_box, turning, viewport_turn
from viewer.rendering.graphic_objects import GraphicObject, GraphicType, Place, TextObject, Units
from viewer.rendering.presentation_state import (
    ActiveOverlay,
    Annotation,
    DisplayedArea,
    FrameState,
    GraphicLayer,
    SizeMode,
    StateKind,
)
from viewer.rendering.presentation_state_reading import read_presentation_state
from viewer.rendering.presentation_target import Size, render_presentation_state

ROWS, COLUMNS = 3, 4
VALUES = np.arange(1, 13, dtype=np.uint8).reshape(ROWS, COLUMNS)
PLAIN = FrameState(kind=StateKind.GRAYSCALE, voi=Window(128, 256), layers=(GraphicLayer("ONE", 1),))


def draw(state: FrameState, values: NDArray[np.uint8] = VALUES, viewport: Size | None = None, **image: Any) -> Any:
    return render_presentation_state(Frame(values), describe_values(values, **image), 1, state, viewport=viewport)


def area(left: int, top: int, right: int, bottom: int, **more: Any) -> DisplayedArea:
    return DisplayedArea({}, (left, top), (right, bottom), more.pop("mode", SizeMode.SCALE_TO_FIT), **more)


# --- Turned and cut ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rotation", "flipped", "expected"),
    [
        (0, False, [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]),
        (90, False, [[9, 5, 1], [10, 6, 2], [11, 7, 3], [12, 8, 4]]),
        (180, False, [[12, 11, 10, 9], [8, 7, 6, 5], [4, 3, 2, 1]]),
        (270, False, [[4, 8, 12], [3, 7, 11], [2, 6, 10], [1, 5, 9]]),
        (0, True, [[4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]]),
        # First turned clockwise, then mirrored left-right (C.10.6).
        (90, True, [[1, 5, 9], [2, 6, 10], [3, 7, 11], [4, 8, 12]]),
    ],
)
def test_the_image_is_turned_and_then_mirrored(rotation: int, flipped: bool, expected: list[list[int]]) -> None:
    assert draw(replace(PLAIN, rotation=rotation, flipped=flipped)).tolist() == expected


def test_an_area_is_cut_out_with_its_corner_pixels() -> None:
    assert draw(replace(PLAIN, area=area(2, 1, 3, 2))).tolist() == [[2, 3], [6, 7]]


def test_the_corners_of_a_turned_area_are_those_of_what_is_shown() -> None:
    # Turned by 180: the upper left corner on the screen is the lower right one of the image.
    turned = replace(PLAIN, area=area(3, 2, 2, 1), rotation=180)

    assert draw(turned).tolist() == [[7, 6], [3, 2]]


def test_an_area_beyond_the_image_is_black_there() -> None:
    assert draw(replace(PLAIN, area=area(0, 0, 5, 2))).tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, 1, 2, 3, 4, 0],
        [0, 5, 6, 7, 8, 0],
    ]
    assert draw(replace(PLAIN, area=area(0, 2, 1, 3), rotation=90)).tolist() == [[0, 0], [9, 5]]


def test_an_area_beside_the_image_shows_nothing_in_words() -> None:
    with pytest.raises(NothingToDraw, match="beside the image"):
        draw(replace(PLAIN, area=area(100, 1, 200, 3)))


# --- How large --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [SizeMode.SCALE_TO_FIT, SizeMode.TRUE_SIZE])
def test_an_area_is_scaled_into_the_viewport_in_its_proportions(mode: SizeMode) -> None:
    state = replace(PLAIN, area=area(1, 1, 4, 3, mode=mode))

    assert draw(state, viewport=Size(30, 80)).shape == (30, 40)
    assert draw(state, viewport=Size(300, 80)).shape == (60, 80)
    assert draw(replace(state, rotation=90), viewport=Size(40, 40)).shape == (40, 30)


def test_magnify_says_itself_how_large() -> None:
    state = replace(PLAIN, area=area(1, 1, 4, 3, mode=SizeMode.MAGNIFY, magnification=10.0))

    assert draw(state).shape == (30, 40)
    assert draw(state, viewport=Size(100, 100)).shape == (30, 40)


def test_a_magnified_picture_is_cut_to_the_viewport_around_its_middle() -> None:
    values = np.arange(100, dtype=np.uint8).reshape(10, 10)
    state = replace(PLAIN, area=area(1, 1, 10, 10, mode=SizeMode.MAGNIFY, magnification=1.0))

    picture = draw(state, values, viewport=Size(2, 4))

    assert picture.tolist() == values[4:6, 3:7].tolist()


def test_pixels_that_are_not_square_are_made_so() -> None:
    wide = replace(PLAIN, area=area(1, 1, 4, 3, pixel_aspect_ratio=(1, 2)))
    tall = replace(PLAIN, area=area(1, 1, 4, 3, pixel_spacing=(0.6, 0.2)))

    assert draw(wide).shape == (3, 8)
    assert draw(tall).shape == (9, 4)
    assert draw(replace(tall, rotation=90)).shape == (4, 9)


def test_a_picture_beyond_reason_is_refused() -> None:
    huge = area(-500_000, -500_000, 500_000, 500_000)
    magnified = area(-5000, -5000, 5000, 5000, mode=SizeMode.MAGNIFY, magnification=64.0)

    for one in (huge, magnified):
        with pytest.raises(NothingToDraw, match="too large"):
            draw(replace(PLAIN, area=one))
    assert draw(replace(PLAIN, area=huge), viewport=Size(50, 50)).shape == (50, 50)


# --- What lies over it ------------------------------------------------------------------------------------------------


BIG = np.full((20, 40), 100, np.uint8)


def with_line(state: FrameState, units: Units, *points: tuple[float, float]) -> FrameState:
    line = GraphicObject(GraphicType.POLYLINE, units, tuple(Place(*point) for point in points))
    return replace(state, annotations=(Annotation({}, "ONE", (line,)),))


def lit(picture: NDArray[np.uint8]) -> set[tuple[int, int]]:
    return {(int(row), int(column)) for row, column in zip(*np.nonzero(picture == 255), strict=True)}


def test_lines_go_where_the_image_goes_and_stay_thin() -> None:
    # Columns 11 to 20, rows 6 to 15, three times as large: x = 12 is 2 from the left edge, so column 6.
    state = with_line(replace(PLAIN, area=area(11, 6, 20, 15)), Units.PIXEL, (12.0, 7.0), (12.0, 9.0))

    assert lit(draw(state, BIG, viewport=Size(30, 30))) == {(row, 6) for row in range(6, 13)}


def test_lines_of_the_image_are_turned_with_it() -> None:
    # Turned by 90: what was row r from the top is column 19 - r.
    state = with_line(replace(PLAIN, rotation=90), Units.PIXEL, (5.5, 3.5), (9.5, 3.5))

    assert lit(draw(state, BIG)) == {(row, 16) for row in range(5, 10)}


def test_lines_of_the_display_stay_where_they_are_on_the_screen() -> None:
    for rotation, flipped in ((0, False), (90, True), (180, False)):
        state = replace(PLAIN, rotation=rotation, flipped=flipped)
        picture = draw(with_line(state, Units.DISPLAY, (0.5, 0.0), (0.5, 1.0)), BIG, viewport=Size(40, 40))
        assert {column for _, column in lit(picture)} == {picture.shape[1] // 2}


def test_the_display_is_the_whole_area_also_where_a_magnified_picture_is_cut() -> None:
    state = replace(PLAIN, area=area(1, 1, 40, 20, mode=SizeMode.MAGNIFY, magnification=1.0))

    picture = draw(with_line(state, Units.DISPLAY, (0.5, 0.0), (0.5, 1.0)), BIG, viewport=Size(20, 10))

    # Columns 15 to 24 are left; the middle of the area is between columns 19 and 20.
    assert lit(picture) == {(row, 5) for row in range(20)}


def test_text_stays_upright_while_the_image_turns() -> None:
    text = TextObject("F", anchor=Place(0.1, 0.1), anchor_units=Units.DISPLAY)
    pictures = [
        draw(
            replace(PLAIN, annotations=(Annotation({}, "ONE", (), (text,)),), rotation=rotation),
            np.full((40, 40), 100, np.uint8),
        )
        for rotation in (0, 90, 270)
    ]

    assert lit(pictures[0])
    assert lit(pictures[0]) == lit(pictures[1]) == lit(pictures[2])


@pytest.mark.parametrize(
    ("viewport", "places"),
    [(None, {(2, 3)}), (Size(40, 80), {(4, 6), (4, 7), (5, 6), (5, 7)}), (Size(10, 20), {(1, 1)})],
)
def test_overlays_grow_and_shrink_and_are_not_lost(viewport: Size | None, places: set[tuple[int, int]]) -> None:
    ones = np.zeros((20, 40), np.uint8)
    ones[2, 3] = 1
    plane = OverlayPlane(0x6000, 20, 40, 1, 1, np.packbits(ones.ravel(), bitorder="little").tobytes())
    state = replace(PLAIN, overlays=(ActiveOverlay("ONE", 0x6000, plane),))

    assert lit(draw(state, BIG, viewport=viewport)) == places


# --- Geometry by itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_turning_moves_places_as_the_pixels_move(rotation: int, flipped: bool) -> None:
    values = np.arange(200, dtype=np.uint8).reshape(10, 20)
    picture = draw(replace(PLAIN, rotation=rotation, flipped=flipped), values)

    corner = turning(Box(0, 0, 20, 10), rotation, flipped=flipped)

    for row, column in ((0, 0), (9, 19), (3, 7)):
        x, y = corner.apply(np.array([[column + 0.5, row + 0.5]]))[0]
        assert picture[int(y), int(x)] == values[row, column]
        assert np.allclose(corner.inverse().apply(np.array([[x, y]])), [[column + 0.5, row + 0.5]])


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_viewport_that_mirrors_first_shows_the_same(rotation: int, flipped: bool) -> None:
    state = replace(PLAIN, rotation=rotation, flipped=flipped)
    degrees, mirrored = viewport_turn(state)

    first = np.fliplr(VALUES) if mirrored else VALUES

    assert np.rot90(first, -(degrees // 90)).tolist() == draw(state).tolist()


def test_without_an_area_the_whole_image_is_meant() -> None:
    assert area_box(None, 3, 4) == Box(0, 0, 4, 3)


def test_a_real_state_fits_its_viewport(data_dir: Path) -> None:
    state = read_presentation_state(read_dataset(data_dir / "presentation/gsps_issue168.dcm"))
    values = np.full((3023, 2516), 1000, np.uint16)
    stated = state.for_frame(next(iter(state.images)), 1)
    assert stated is not None

    picture = render_presentation_state(
        Frame(values), describe_values(values, bits_stored=12), 1, stated, viewport=Size(600, 600)
    )

    # The area begins at 0\0, one pixel beside the image, which is legal: 2517 x 3024.
    assert picture.shape == (600, round(2517 * 600 / 3024), 3) or picture.shape == (600, round(2517 * 600 / 3024))
    assert 1000 >> 4 in picture
    assert 255 in picture
