"""Graphics, text and overlays of a state over a picture: which pixels, in which order (PS3.3 C.10.5, C.10.7, C.11.7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.pixels.description import OverlayPlane, Window
from tests.viewer.rendering.images import Frame, describe_values
from viewer.rendering.graphic_objects import GraphicObject, GraphicType, Place, TextObject, Units
from viewer.rendering.outlines import MOST_CURVE_PIECES, MOST_PIECES, draw_lines, outline_of
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import render_frame
from viewer.rendering.presentation_state import (
    ActiveOverlay,
    Annotation,
    DisplayedArea,
    FrameState,
    GraphicLayer,
    SizeMode,
    StateKind,
)
from viewer.rendering.text_stamp import text_stamp
from viewer.rendering.tiles import Region

GREY = 100
LINE, RIM = 255, 0
ROWS, COLUMNS = 24, 32
PLAIN = FrameState(kind=StateKind.GRAYSCALE, voi=Window(128, 256), layers=(GraphicLayer("ONE", 1),))


def draw(
    *graphics: GraphicObject, texts: tuple[TextObject, ...] = (), state: FrameState = PLAIN, **options: Any
) -> Any:
    values = np.full((ROWS, COLUMNS), GREY, np.uint8)
    state = replace(state, annotations=(*state.annotations, Annotation({}, "ONE", graphics, texts)))
    return render_frame(Frame(values), describe_values(values), 1, state=state, **options)


def pixels(picture: NDArray[np.uint8], value: int = LINE) -> set[tuple[int, int]]:
    """Row and column of the pixels of a value."""
    return {(int(row), int(column)) for row, column in zip(*np.nonzero(picture == value), strict=True)}


def graphic(kind: GraphicType, *points: tuple[float, float], **more: Any) -> GraphicObject:
    return GraphicObject(kind, more.pop("units", Units.PIXEL), tuple(Place(*point) for point in points), **more)


def line(*points: tuple[float, float], **more: Any) -> GraphicObject:
    return graphic(GraphicType.POLYLINE, *points, **more)


# --- Where ------------------------------------------------------------------------------------------------------------


def test_a_place_lies_in_the_pixel_that_holds_it() -> None:
    # C.10.5: 0\0 is the outer corner of the first pixel, 1\1 the opposite one of the same pixel; x is the column.
    picture = draw(line((3.5, 7.5), (8.5, 7.5)))

    assert pixels(picture) == {(7, column) for column in range(3, 9)}


def test_the_first_and_the_last_corner_are_in_the_first_and_the_last_pixel() -> None:
    picture = draw(line((0, 0), (0, ROWS), (COLUMNS, ROWS), (COLUMNS, 0), (0, 0)))

    around = {
        (row, column)
        for row in range(ROWS)
        for column in range(COLUMNS)
        if row in (0, ROWS - 1) or column in (0, COLUMNS - 1)
    }
    assert pixels(picture) == around


def test_a_line_has_a_rim_of_one_pixel_and_touches_nothing_else() -> None:
    picture = draw(line((10.5, 5.5), (12.5, 5.5)))

    rim = {(row, column) for row in (4, 5, 6) for column in range(9, 14)} - pixels(picture)
    assert pixels(picture, RIM) == rim
    assert len(pixels(picture, GREY)) == ROWS * COLUMNS - 15


def test_a_slanting_line_has_no_gap() -> None:
    drawn = sorted(pixels(draw(line((2.5, 2.5), (20.5, 9.5)))))

    assert [column for _, column in sorted(drawn, key=lambda place: place[1])] == list(range(2, 21))
    assert {row for row, _ in drawn} == set(range(2, 10))


def test_a_line_between_edges_of_pixels_has_no_gap() -> None:
    # Sampled at whole numbers, some of which rounding makes a little smaller.
    mask = np.zeros((3, 200), np.bool_)
    draw_lines(mask, Region(0, 0, 3, 200), np.array([[10.0, 1.0], [150.0, 1.0]]))
    assert np.flatnonzero(mask[1]).tolist() == list(range(10, 151))


def test_a_point_is_the_middle_of_a_cross() -> None:
    picture = draw(graphic(GraphicType.POINT, (10.2, 8.9)))

    assert pixels(picture) == {(8, column) for column in range(7, 14)} | {(row, 10) for row in range(5, 12)}


def test_a_circle_goes_through_its_point_around_its_center() -> None:
    picture = draw(graphic(GraphicType.CIRCLE, (16.5, 12.5), (22.5, 12.5)))

    drawn = pixels(picture)
    assert {(12, 22), (12, 10), (6, 16), (18, 16)} <= drawn
    distances = [((row - 12) ** 2 + (column - 16) ** 2) ** 0.5 for row, column in drawn]
    # Floor of both coordinates moves a place by less than half a diagonal from the center of its pixel.
    assert all(abs(distance - 6) < 0.75 for distance in distances)


def test_an_ellipse_has_its_axes_where_they_end() -> None:
    ellipse = graphic(GraphicType.ELLIPSE, (6.5, 12.5), (26.5, 12.5), (16.5, 8.5), (16.5, 16.5))

    drawn = pixels(draw(ellipse))

    assert {(12, 6), (12, 26), (8, 16), (16, 16)} <= drawn
    assert (min(row for row, _ in drawn), max(row for row, _ in drawn)) == (8, 16)


def test_a_curve_goes_through_all_its_points_and_a_closed_one_comes_back() -> None:
    points = ((4.5, 12.5), (12.5, 4.5), (20.5, 12.5), (12.5, 20.5), (4.5, 12.5))

    drawn = pixels(draw(graphic(GraphicType.INTERPOLATED, *points)))

    assert {(12, 4), (4, 12), (12, 20), (20, 12)} <= drawn
    # Rounder than the straight lines between them.
    assert drawn.isdisjoint({(8, 8), (8, 16), (16, 8), (16, 16)})


def test_a_filled_object_lets_half_of_the_picture_through() -> None:
    square = line((4.5, 4.5), (12.5, 4.5), (12.5, 12.5), (4.5, 12.5), (4.5, 4.5), filled=True)

    picture = draw(square)

    assert picture[8, 8] == (GREY + LINE) // 2
    assert picture[8, 4] == LINE
    assert picture[8, 20] == GREY


def test_what_counts_the_display_lies_in_the_displayed_area() -> None:
    # Columns 9 to 16, rows 5 to 8: from x = 8, y = 4, eight wide and four high. Its middle is 12\6.
    area = DisplayedArea({}, (9, 5), (16, 8), SizeMode.SCALE_TO_FIT)
    display = line((0.0, 0.5), (1.0, 0.5), units=Units.DISPLAY)

    assert pixels(draw(display, state=replace(PLAIN, area=area))) == {(6, column) for column in range(8, 17)}


def test_what_counts_the_display_is_turned_with_it() -> None:
    # Turned by 90 the left edge of the display is the lower edge of the image.
    left_edge = line((0.01, 0.0), (0.01, 1.0), units=Units.DISPLAY)

    picture = draw(left_edge, state=replace(PLAIN, rotation=90))

    assert {row for row, _ in pixels(picture)} == {ROWS - 1}


# --- Tiles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", [Region(0, 0, 10, 13), Region(10, 13, 14, 19), Region(5, 6, 1, 1)])
def test_a_region_is_the_same_part_of_the_whole(region: Region) -> None:
    objects = (
        graphic(GraphicType.CIRCLE, (13.2, 10.1), (19.7, 12.5), filled=True),
        line((-50.0, -31.0), (77.3, 60.2)),
        graphic(GraphicType.POINT, (12.9, 9.9)),
    )
    texts = (TextObject("Wide", anchor=Place(9.0, 3.0), anchor_visible=True),)
    whole = draw(*objects, texts=texts)

    part = draw(*objects, texts=texts, region=region)

    assert np.array_equal(
        part, whole[region.row : region.row + region.rows, region.column : region.column + region.columns]
    )


def test_a_lower_level_has_lines_of_one_pixel_too() -> None:
    values = np.full((1024, 600), GREY, np.uint8)
    annotation = Annotation({}, "ONE", (line((100.0, 201.0), (300.0, 201.0)),))
    state = replace(PLAIN, annotations=(annotation,))

    picture = render_frame(Frame(values), describe_values(values), 1, state=state, level=0)

    assert picture.shape == (512, 300)
    assert pixels(picture) == {(100, column) for column in range(50, 151)}


def test_without_overlays_nothing_is_drawn() -> None:
    picture = draw(line((1.5, 1.5), (9.5, 1.5)), parameters=RenderParameters(overlays=False))

    assert (picture == GREY).all()


# --- Layers and colors ------------------------------------------------------------------------------------------------


def test_higher_layers_lie_over_lower_ones() -> None:
    layers = (
        GraphicLayer("UNDER", 1, presentation_value=0x4000),
        GraphicLayer("OVER", 2, presentation_value=0xC000),
    )
    cross = (line((4.5, 10.5), (20.5, 10.5)),)
    annotations = (Annotation({}, "OVER", (line((12.5, 4.5), (12.5, 16.5)),)), Annotation({}, "UNDER", cross))

    picture = draw(state=replace(PLAIN, layers=layers, annotations=annotations))

    assert (picture[10, 12], picture[10, 6]) == (0xC0, 0x40)


def test_a_dark_line_has_a_light_rim() -> None:
    picture = draw(
        line((4.5, 4.5), (9.5, 4.5)), state=replace(PLAIN, layers=(GraphicLayer("ONE", 1, presentation_value=0),))
    )

    assert (picture[4, 6], picture[5, 6], picture[3, 6]) == (0, 255, 255)


def test_a_colored_layer_makes_the_picture_colored_and_leaves_its_greys() -> None:
    state = replace(PLAIN, layers=(GraphicLayer("ONE", 1, color=(255, 128, 0)),))

    picture = draw(line((4.5, 4.5), (9.5, 4.5)), state=state)

    assert picture.shape == (ROWS, COLUMNS, 3)
    assert picture[4, 6].tolist() == [255, 128, 0]
    assert picture[20, 20].tolist() == [GREY] * 3


def test_an_object_has_its_own_color_over_the_layers() -> None:
    picture = draw(line((4.5, 4.5), (9.5, 4.5), color=(0, 255, 0)))

    assert picture[4, 6].tolist() == [0, 255, 0]


def plane(group: int, *places: tuple[int, int]) -> OverlayPlane:
    ones = np.zeros((ROWS, COLUMNS), np.uint8)
    for row, column in places:
        ones[row, column] = 1
    return OverlayPlane(group, ROWS, COLUMNS, 1, 1, np.packbits(ones.ravel(), bitorder="little").tobytes())


def test_only_overlays_that_the_state_switches_on_are_shown() -> None:
    values = np.full((ROWS, COLUMNS), GREY, np.uint8)
    description = describe_values(values, overlays=(plane(0x6000, (1, 1)), plane(0x6002, (2, 2))))
    overlays = (ActiveOverlay("ONE", 0x6002, None), ActiveOverlay("ONE", 0x6004, plane(0x6004, (3, 3))))

    silent = render_frame(Frame(values), description, 1, state=PLAIN)
    active = render_frame(Frame(values), description, 1, state=replace(PLAIN, overlays=overlays))

    assert (silent == GREY).all()
    assert pixels(active) == {(2, 2), (3, 3)}
    assert len(pixels(active, GREY)) == ROWS * COLUMNS - 2


# --- Text -------------------------------------------------------------------------------------------------------------


def box(*corners: tuple[float, float], **more: Any) -> TextObject:
    return TextObject("F", box=(Place(*corners[0]), Place(*corners[1])), **more)


STAMP = text_stamp("F", 11)
TALL, WIDE = STAMP.shape


def stamp_at(picture: NDArray[np.uint8], row: int, column: int, stamp: NDArray[np.bool_]) -> bool:
    """Whether exactly this pattern is written there, and nothing else in the picture."""
    expected = np.zeros(picture.shape, np.bool_)
    expected[row : row + stamp.shape[0], column : column + stamp.shape[1]] = stamp
    return bool(np.array_equal(picture == LINE, expected))


def test_text_begins_at_the_first_corner_of_its_box() -> None:
    assert stamp_at(draw(texts=(box((5, 3), (25, 16)),)), 3, 5, STAMP)


def test_text_is_justified_along_its_line() -> None:
    right = draw(texts=(box((5, 3), (25, 16), justification="RIGHT"),))
    center = draw(texts=(box((5, 3), (25, 16), justification="CENTER"),))

    assert stamp_at(right, 3, 25 - WIDE, STAMP)
    assert stamp_at(center, 3, 5 + (20 - WIDE) // 2, STAMP)


@pytest.mark.parametrize(
    ("first", "second", "turns"), [((18, 3), (5, 20), 1), ((25, 16), (5, 3), 2), ((5, 20), (18, 3), 3)]
)
def test_text_runs_from_the_first_corner_to_the_second(
    first: tuple[float, float], second: tuple[float, float], turns: int
) -> None:
    # C.10.5.1.1: also where the corners were turned.
    turned = np.rot90(STAMP, -turns)
    column = first[0] if second[0] > first[0] else first[0] - turned.shape[1]
    row = first[1] if second[1] > first[1] else first[1] - turned.shape[0]

    assert stamp_at(draw(texts=(box(first, second),)), int(row), int(column), turned)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_text_at_an_anchor_is_upright_once_the_viewport_has_turned_the_picture(rotation: int, flipped: bool) -> None:
    anchored = TextObject("F", anchor=Place(16, 12))

    picture = draw(texts=(anchored,), state=replace(PLAIN, rotation=rotation, flipped=flipped))

    on_screen = np.rot90(picture, -(rotation // 90))
    on_screen = np.fliplr(on_screen) if flipped else on_screen
    written = np.argwhere(on_screen == LINE)
    (top, left), (bottom, right) = written.min(axis=0), written.max(axis=0) + 1
    assert np.array_equal(on_screen[top:bottom, left:right] == LINE, STAMP)


def test_text_in_a_box_is_never_mirrored() -> None:
    # The box of a mirrored picture is written so that its first corner is at the upper left on the screen.
    picture = draw(texts=(box((25, 3), (5, 16)),), state=replace(PLAIN, flipped=True))

    on_screen = np.fliplr(picture)
    assert stamp_at(on_screen, 3, COLUMNS - 25, STAMP)


def test_a_visible_anchor_is_tied_to_its_text() -> None:
    tied = draw(texts=(box((12, 3), (25, 14), anchor=Place(4.5, 20.5), anchor_visible=True),))
    loose = draw(texts=(box((12, 3), (25, 14), anchor=Place(4.5, 20.5)),))

    assert {(20, 4), (14, 12), (17, 8)} <= pixels(tied)
    assert stamp_at(loose, 3, 12, STAMP)


def test_signs_that_the_font_lacks_are_spelled_out() -> None:
    assert np.array_equal(text_stamp("12 cm²", 14), text_stamp("12 cm2", 14))
    assert np.array_equal(text_stamp("µ", 14), text_stamp("u", 14))


def test_a_curve_of_very_many_points_has_a_bounded_number_of_pieces() -> None:
    points = np.random.default_rng(1).random((1 << 14, 2)) * 500

    assert len(outline_of(GraphicType.INTERPOLATED, points)) <= MOST_CURVE_PIECES + 1


def test_an_ellipse_of_any_size_has_a_bounded_number_of_pieces_with_its_axes_among_them() -> None:
    axes = np.array([[-1e5, 0.0], [1e5, 0.0], [0.0, -10.0], [0.0, 10.0]])

    corners = outline_of(GraphicType.ELLIPSE, axes)

    assert len(corners) <= MOST_PIECES + 1
    assert all(np.isclose(corners, end, atol=1e-6).all(axis=1).any() for end in axes)
