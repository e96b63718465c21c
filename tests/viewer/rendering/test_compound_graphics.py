"""Compound graphics of presentation states: where their lines lie (PS3.3 C.10.5.1.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset

from archive.pixels.description import Tiling, Window
from tests.phantoms import image as image_of
from tests.presentation_states import item, presentation_state
from tests.viewer.rendering.images import Frame, describe_values
from viewer.rendering.displayed_area import from_matrix
from viewer.rendering.graphic_objects import (
    CompoundObject,
    CompoundType,
    GraphicObject,
    GraphicType,
    Place,
    Tick,
    Units,
)
from viewer.rendering.pipeline import render_frame
from viewer.rendering.presentation_state import Annotation, FrameState, GraphicLayer, StateKind
from viewer.rendering.presentation_state_reading import read_presentation_state
from viewer.rendering.tiles import Region

ROWS, COLUMNS = 24, 32
LINE = 255
PLAIN = FrameState(kind=StateKind.GRAYSCALE, voi=Window(128, 256), layers=(GraphicLayer("ONE", 1),))


def compound(kind: CompoundType, *points: tuple[float, float], **more: Any) -> CompoundObject:
    return CompoundObject(kind, more.pop("units", Units.PIXEL), tuple(Place(*point) for point in points), **more)


def draw(*compounds: CompoundObject, state: FrameState = PLAIN, rows: int = ROWS, **options: Any) -> Any:
    values = np.full((rows, COLUMNS), 100, np.uint8)
    state = replace(state, annotations=(Annotation({}, "ONE", compounds=compounds),))
    return render_frame(Frame(values), describe_values(values), 1, state=state, **options)


def pixels(picture: NDArray[np.uint8]) -> set[tuple[int, int]]:
    """Row and column of what is drawn."""
    return {(int(row), int(column)) for row, column in zip(*np.nonzero(picture == LINE), strict=True)}


def test_a_multi_line_is_one_line_for_each_two_points() -> None:
    found = pixels(draw(compound(CompoundType.MULTILINE, (2.5, 3.5), (6.5, 3.5), (2.5, 9.5), (6.5, 9.5))))
    assert found == {(row, column) for row in (3, 9) for column in range(2, 7)}


def test_an_infinite_line_ends_at_the_border_and_leaves_its_gap() -> None:
    line = compound(CompoundType.INFINITELINE, (10.5, 5.5), (12.5, 5.5))
    assert pixels(draw(line)) == {(5, column) for column in range(COLUMNS)}
    # A quarter of 32 columns around column 16: nothing from 12 to 20.
    gap = replace(line, gap=0.25, rotation_point=Place(16.0, 5.5))
    assert pixels(draw(gap)) == {(5, column) for column in range(COLUMNS) if column <= 12 or column >= 20}


def test_a_gap_counts_the_displayed_area_and_not_the_image() -> None:
    gap = compound(
        CompoundType.INFINITELINE,
        (0.25, 0.5),
        (0.75, 0.5),
        units=Units.DISPLAY,
        gap=0.5,
        rotation_point=Place(0.5, 0.5),
    )
    assert pixels(draw(gap)) == {(12, column) for column in range(COLUMNS) if column <= 8 or column >= 24}


def test_a_cut_line_has_two_arrows_to_its_right() -> None:
    # From left to right: right of it is below. Halves end at 0, 16 and 32, so arrows point at 8 and 24.
    found = pixels(draw(compound(CompoundType.CUTLINE, (15.0, 10.5), (17.0, 10.5))))
    assert {column for row, column in found if row == 10} >= set(range(COLUMNS))
    assert {(11, 8), (12, 8), (11, 24), (12, 24)} <= found
    assert not {row for row, _ in found if row < 10}
    back = pixels(draw(compound(CompoundType.CUTLINE, (17.0, 10.5), (15.0, 10.5))))
    assert not {row for row, _ in back if row > 10}


def test_rotation_is_counterclockwise_around_its_point() -> None:
    line = compound(CompoundType.MULTILINE, (10.5, 12.5), (14.5, 12.5), rotation=90.0, rotation_point=Place(10.5, 12.5))
    assert pixels(draw(line)) == {(row, 10) for row in range(8, 13)}


def test_rotation_is_that_of_the_screen_where_the_display_is_counted() -> None:
    line = compound(
        CompoundType.MULTILINE,
        (0.5, 0.5),
        (0.75, 0.5),
        units=Units.DISPLAY,
        rotation=90.0,
        rotation_point=Place(0.5, 0.5),
    )
    # A quarter of 32 columns, upwards from the middle of the screen.
    assert {column for _, column in pixels(draw(line))} == {16}
    assert {row for row, _ in pixels(draw(line))} == set(range(4, 13))
    # The viewport mirrors this picture: upwards on the screen it still is.
    assert {row for row, _ in pixels(draw(line, state=replace(PLAIN, flipped=True)))} == set(range(4, 13))


def test_a_rectangle_and_an_ellipse_lie_in_their_box() -> None:
    rectangle = pixels(draw(compound(CompoundType.RECTANGLE, (4.5, 5.5), (10.5, 9.5))))
    assert rectangle == {
        (row, column) for row in range(5, 10) for column in range(4, 11) if row in (5, 9) or column in (4, 10)
    }
    ellipse = pixels(draw(compound(CompoundType.ELLIPSE, (4.5, 5.5), (10.5, 9.5))))
    assert {(7, 4), (7, 10), (5, 7), (9, 7)} <= ellipse
    assert not ellipse & {(5, 4), (9, 10), (7, 7)}


def test_a_filled_rectangle_lets_half_of_the_picture_through() -> None:
    picture = draw(compound(CompoundType.RECTANGLE, (4.5, 5.5), (14.5, 15.5), filled=True))
    assert picture[10, 10] == (100 + LINE) // 2


def test_a_crosshair_is_seen_within_its_diameter() -> None:
    found = pixels(draw(compound(CompoundType.CROSSHAIR, (16.5, 12.5), gap=2 / 32, visibility=8 / 32)))
    assert {column for row, column in found if row == 12} == {12, 13, 14, 15, 17, 18, 19, 20}
    assert {row for row, column in found if column == 16} == {8, 9, 10, 11, 13, 14, 15, 16}


def test_a_range_line_has_a_bar_across_each_end() -> None:
    # 120 rows: a bar is 2 pixels long, 1 to each side.
    found = pixels(draw(compound(CompoundType.RANGELINE, (4.5, 60.5), (20.5, 60.5)), rows=120))
    assert found == {(60, column) for column in range(4, 21)} | {(row, at) for at in (4, 20) for row in (59, 61)}


def test_an_arrow_has_its_head_at_its_first_point_and_ends_at_the_second() -> None:
    # C.10.5.1.3.11: anchor, then foot. 120 rows: the head is a third of 10 pixels long, half as wide to each side.
    found = pixels(draw(compound(CompoundType.ARROW, (4.5, 60.5), (24.5, 60.5)), rows=120))
    assert {column for row, column in found if row == 60} == set(range(4, 25))
    beside = {(row, column) for row, column in found if row != 60}
    assert {row for row, _ in beside} == {58, 59, 61, 62}
    assert {column for _, column in beside} <= set(range(4, 9))
    # A short one has a short head: a third of 3 pixels.
    short = pixels(draw(compound(CompoundType.ARROW, (4.5, 60.5), (7.5, 60.5)), rows=120))
    assert {row for row, _ in short} <= {59, 60, 61}


@pytest.mark.parametrize(
    ("alignment", "rows"), [("TOP", {100, 99}), ("BOTTOM", {100, 101}), ("CENTER", {99, 100, 101})]
)
def test_ticks_stand_where_the_axis_says(alignment: str, rows: set[int]) -> None:
    axis = compound(
        CompoundType.AXIS, (4.5, 100.5), (28.5, 100.5), ticks=(Tick(0.0), Tick(0.5)), tick_alignment=alignment
    )
    # 120 rows: a tick is 2 pixels long.
    found = pixels(draw(axis, rows=120))
    assert {row for row, column in found if column == 16} >= rows
    assert {column for row, column in found if row != 100} == {4, 16}


def test_a_label_stands_beyond_its_tick_and_upright() -> None:
    axis = compound(CompoundType.RULER, (4.5, 60.5), (28.5, 60.5), ticks=(Tick(0.5, "7"),), label_alignment="TOP")
    above = pixels(draw(axis, rows=120))
    assert {row for row, column in above if row < 58}
    below = pixels(draw(replace(axis, label_alignment="BOTTOM"), rows=120))
    assert not {row for row, column in below if row < 58}
    assert {row for row, column in below if row > 62}


@pytest.mark.parametrize("region", [Region(0, 0, 10, 13), Region(10, 13, 14, 19)])
def test_a_region_is_the_same_part_of_the_whole(region: Region) -> None:
    objects = (
        compound(CompoundType.CUTLINE, (3.0, 2.0), (17.0, 20.0), gap=0.2),
        compound(CompoundType.AXIS, (1.0, 20.0), (30.0, 3.0), ticks=(Tick(0.4, "40"),)),
    )
    whole = draw(*objects)[region.row : region.row + region.rows, region.column : region.column + region.columns]
    assert np.array_equal(draw(*objects, region=region), whole)


# --- Reading ----------------------------------------------------------------------------------------------------------


def stated(kind: str, data: list[float], *, simple: bool = True, **more: Any) -> Dataset:
    """A state with one compound graphic, its simple object, and another object that has nothing to do with it."""
    made = item(
        CompoundGraphicInstanceID=7,
        CompoundGraphicUnits="PIXEL",
        GraphicDimensions=2,
        NumberOfGraphicPoints=len(data) // 2,
        GraphicData=data,
        CompoundGraphicType=kind,
        **more,
    )
    line = {"GraphicAnnotationUnits": "PIXEL", "GraphicDimensions": 2, "GraphicType": "POLYLINE"}
    objects = [item(**line, GraphicData=[1, 1, 2, 2])]
    if simple:
        objects.append(item(**line, GraphicData=data * 2, CompoundGraphicInstanceID=7))
    annotation = item(GraphicLayer="ONE", GraphicObjectSequence=objects, CompoundGraphicSequence=[made])
    return presentation_state(image_of(), GraphicAnnotationSequence=[annotation])


def test_a_compound_graphic_takes_the_place_of_its_simple_objects() -> None:
    ticks = [item(TickPosition=0.25, TickLabel="30"), item(TickPosition=7.0, TickLabel="no")]
    state = read_presentation_state(
        stated("AXIS", [10, 10, 150, 10], MajorTicksSequence=ticks, TickAlignment="TOP", TickLabelAlignment="BOTTOM")
    )
    (found,) = state.annotations
    assert found.compounds == (
        CompoundObject(
            CompoundType.AXIS,
            Units.PIXEL,
            (Place(10, 10), Place(150, 10)),
            ticks=(Tick(0.25, "30"),),
            tick_alignment="TOP",
        ),
    )
    assert found.graphics == (GraphicObject(GraphicType.POLYLINE, Units.PIXEL, (Place(1, 1), Place(2, 2))),)
    assert state.notes == ()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        # A private type; a ruler that leaves its scale to its simple objects; numbers of points that are none.
        ("SPIRAL", [10, 10, 150, 10]),
        ("RULER", [10, 10, 150, 10]),
        ("ARROW", [10, 10]),
        ("RANGELINE", [10, 10, 150, 10, 20, 20]),
        ("CROSSHAIR", [10, 10, 150, 10]),
        ("MULTILINE", [10, 10, 150, 10, 20, 20]),
    ],
)
def test_what_is_not_drawn_as_such_is_drawn_by_its_simple_objects(kind: str, data: list[float]) -> None:
    state = read_presentation_state(stated(kind, data))
    assert (len(state.annotations[0].compounds), len(state.annotations[0].graphics)) == (0, 2)
    assert state.notes == ()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("MULTILINE", [1, 1, 2, 2, 3, 3, 4, 4]),
        ("INFINITELINE", [1, 1, 2, 2]),
        ("CUTLINE", [1, 1, 2, 2]),
        ("RANGELINE", [1, 1, 2, 2]),
        ("AXIS", [1, 1, 2, 2]),
        ("CROSSHAIR", [1, 1]),
        ("ARROW", [1, 1, 2, 2]),
        ("RECTANGLE", [1, 1, 2, 2]),
        ("ELLIPSE", [1, 1, 2, 2]),
    ],
)
def test_every_type_of_the_standard_is_drawn_itself(kind: str, data: list[float]) -> None:
    # Table C.10-5 and the numbers of points of C.10.5.1.3.3 to C.10.5.1.3.11.
    (found,) = read_presentation_state(stated(kind, data)).annotations
    assert [(one.kind.value, len(one.points)) for one in found.compounds] == [(kind, len(data) // 2)]


def test_what_has_neither_is_counted() -> None:
    state = read_presentation_state(stated("SPIRAL", [10, 10, 150, 10], simple=False))
    assert state.notes == ("1 annotation of this presentation state cannot be shown.",)


# --- Coordinates of a whole slide -------------------------------------------------------------------------------------


def test_coordinates_of_the_matrix_are_those_of_a_whole_slide_and_are_moved_on_a_tile() -> None:
    # Tiles of 24 rows and 32 columns, two across: the fourth begins at column 32 and row 24.
    tile = replace(describe_values(np.zeros((ROWS, COLUMNS), np.uint8)), frames=4, tiling=Tiling(48, 64))
    corner = np.array([[32.0, 24.0]])
    assert from_matrix(tile, 4).apply(corner).tolist() == [[0.0, 0.0]]
    assert from_matrix(tile, 1).apply(corner).tolist() == corner.tolist()
    assert from_matrix(replace(tile, tiling=None), 1).apply(corner).tolist() == corner.tolist()
    whole = compound(CompoundType.MULTILINE, (2.5, 3.5), (6.5, 3.5), units=Units.MATRIX)
    assert pixels(draw(whole)) == {(3, column) for column in range(2, 7)}
