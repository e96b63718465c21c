"""Display shutters: which pixels they cover, to the pixel, and with what (PS3.3 C.7.6.11, C.7.6.15)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.pixels.description import FrameAttributes, OverlayPlane, Shutter
from tests.viewer.rendering.images import Frame, describe_values, table
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import has_value_tiles, render_frame
from viewer.rendering.shutters import shutter_mask
from viewer.rendering.tiles import Region

WHOLE = Region(0, 0, 6, 8)
SQUARE = Region(0, 0, 7, 7)


def seen(shutter: Shutter, region: Region = WHOLE, **options: Any) -> list[str]:
    """What stays visible, drawn with dots."""
    covered = shutter_mask(shutter, region, **options)
    return ["".join("#" if pixel else "." for pixel in row) for row in covered]


def test_edges_of_a_rectangle_belong_to_what_is_seen() -> None:
    shutter = Shutter(rectangle=(3, 6, 2, 4))

    assert seen(shutter) == ["########", "##....##", "##....##", "##....##", "########", "########"]


def test_a_rectangle_of_the_whole_image_covers_nothing() -> None:
    assert not shutter_mask(Shutter(rectangle=(1, 8, 1, 6)), WHOLE).any()
    assert not shutter_mask(Shutter(rectangle=(0, 9, 0, 7)), WHOLE).any()


def test_a_circle_holds_pixels_whose_center_is_not_farther_than_its_radius() -> None:
    # (row - 4)^2 + (column - 4)^2 <= 9
    assert seen(Shutter(circle=(4, 4, 3)), SQUARE) == [
        "###.###",
        "#.....#",
        "#.....#",
        ".......",
        "#.....#",
        "#.....#",
        "###.###",
    ]


def test_a_circle_is_round_where_pixels_are_not_square() -> None:
    # Pixels twice as high as wide (the radius counts pixels along a row): one row away, 2^2 + 2^2 <= 9 < 2^2 + 3^2.
    assert seen(Shutter(circle=(4, 4, 3)), SQUARE, aspect=(2.0, 1.0)) == [
        "#######",
        "#######",
        "#.....#",
        ".......",
        "#.....#",
        "#######",
        "#######",
    ]


def test_a_polygon_is_closed_by_itself_and_its_outline_is_seen() -> None:
    triangle = Shutter(polygon=((1, 1), (1, 7), (7, 1)))

    assert seen(triangle, SQUARE) == [
        ".......",
        "......#",
        ".....##",
        "....###",
        "...####",
        "..#####",
        ".######",
    ]


def test_a_hollow_polygon_hides_its_hollow() -> None:
    u_shape = Shutter(polygon=((1, 1), (1, 2), (5, 2), (5, 6), (1, 6), (1, 7), (7, 7), (7, 1)))

    assert seen(u_shape, SQUARE) == [
        "..###..",
        "..###..",
        "..###..",
        "..###..",
        ".......",
        ".......",
        ".......",
    ]


def test_of_several_shapes_the_least_is_left() -> None:
    both = Shutter(rectangle=(1, 7, 4, 7), circle=(4, 4, 3))

    assert seen(both, SQUARE) == ["#######", "#######", "#######", ".......", "#.....#", "#.....#", "###.###"]


def test_ones_of_a_bitmap_are_covered() -> None:
    ones = np.zeros((6, 8), np.uint8)
    ones[0], ones[2, 3] = 1, 1
    bits = np.packbits(ones.ravel(), bitorder="little").tobytes()
    plane = OverlayPlane(0x6002, 6, 8, 1, 1, bits)

    covered = shutter_mask(Shutter(overlay_group=0x6002), WHOLE, bitmap=plane)

    assert np.array_equal(covered, ones)


@pytest.mark.parametrize("region", [Region(0, 0, 3, 4), Region(2, 3, 4, 5), Region(5, 7, 1, 1)])
def test_a_region_is_the_same_part_of_the_whole(region: Region) -> None:
    shutter = Shutter(rectangle=(2, 7, 2, 5), circle=(3, 4, 3), polygon=((1, 1), (1, 8), (6, 8), (4, 1)))
    whole = shutter_mask(shutter, WHOLE)

    part = shutter_mask(shutter, region)

    rows, columns = slice(region.row, region.row + region.rows), slice(region.column, region.column + region.columns)
    assert np.array_equal(part, whole[rows, columns])


def test_a_smaller_level_is_covered_where_the_middle_of_its_pixel_is() -> None:
    # Pixels of the level stand at 1.5, 3.5, 5.5 and 7.5; the rectangle ends at 4 and begins at 3.
    assert seen(Shutter(rectangle=(3, 8, 1, 4)), Region(0, 0, 3, 4), scale=2) == ["#...", "#...", "####"]


# --- In the picture ---------------------------------------------------------------------------------------------------


def draw(values: NDArray[Any], shutter: Shutter | None, **more: Any) -> NDArray[np.uint8]:
    parameters = more.pop("parameters", RenderParameters())
    description = describe_values(values, shutter=shutter, **more)
    photometric = more.get("photometric_interpretation", "MONOCHROME2")
    return render_frame(Frame(values, photometric), description, 1, parameters)


VALUES = np.full((6, 8), 100, np.uint8)
LEFT_HALF = Shutter(rectangle=(1, 4, 1, 6), presentation_value=0x8000)


def test_the_value_of_a_shutter_is_a_p_value_of_16_bits() -> None:
    picture = draw(VALUES, LEFT_HALF)

    assert picture[0].tolist() == [100] * 4 + [128] * 4


def test_no_inversion_and_no_window_changes_what_covers() -> None:
    inverted = draw(VALUES, LEFT_HALF, parameters=RenderParameters(invert=True))
    monochrome1 = draw(VALUES, LEFT_HALF, photometric_interpretation="MONOCHROME1")

    assert inverted[0].tolist() == [155] * 4 + [128] * 4
    assert monochrome1[0].tolist() == [155] * 4 + [128] * 4


def test_a_shutter_without_a_value_is_black_and_without_a_shutter_nothing_is_covered() -> None:
    assert draw(VALUES, Shutter(rectangle=(1, 4, 1, 6)))[0].tolist() == [100] * 4 + [0] * 4
    assert (draw(VALUES, None) == 100).all()


def test_a_colored_picture_is_covered_with_the_color() -> None:
    values = np.full((6, 8, 3), 10, np.uint8)
    # CIELab of sRGB (255, 0, 0) under D50: 54.29, 80.81, 69.89 (PS3.3 C.10.7.1.1 for the words).
    words = (round(54.29 / 100 * 65535), round((80.81 + 128) / 255 * 65535), round((69.89 + 128) / 255 * 65535))
    shutter = Shutter(rectangle=(1, 4, 1, 6), color=words)

    picture = draw(values, shutter, photometric_interpretation="RGB")

    assert picture[0, 0].tolist() == [10, 10, 10]
    assert picture[0, 7].tolist() == [255, 0, 0]


def test_overlays_lie_over_the_shutter_and_its_own_bitmap_is_none() -> None:
    ones = np.zeros((6, 8), np.uint8)
    ones[0, 0], ones[0, 7] = 1, 1
    bits = np.packbits(ones.ravel(), bitorder="little").tobytes()
    planes = (OverlayPlane(0x6000, 6, 8, 1, 1, bits), OverlayPlane(0x6002, 6, 8, 1, 1, bytes([255] * 6)))
    shutter = Shutter(overlay_group=0x6002, presentation_value=0x4000)

    picture = draw(VALUES, shutter, overlays=planes)

    assert picture[0].tolist() == [255, *[64] * 6, 255]
    assert (picture[1:] == 64).all()


def test_tiles_of_values_exist_only_where_nothing_but_the_window_comes_after_them() -> None:
    assert has_value_tiles(describe_values(VALUES))
    assert not has_value_tiles(describe_values(VALUES, shutter=LEFT_HALF))
    assert not has_value_tiles(describe_values(VALUES, presentation_lut=table([0, 255])))


def test_each_frame_may_have_a_shutter_of_its_own() -> None:
    values = np.full((6, 8), 100, np.uint8)
    frames = (FrameAttributes(), FrameAttributes(shutter=LEFT_HALF))
    description = describe_values(values, frames=2, per_frame=frames)

    first, second = (render_frame(Frame(values), description, number) for number in (1, 2))

    assert (first == 100).all()
    assert second[0].tolist() == [100] * 4 + [128] * 4
