"""Overlay planes 60xx."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.pixels.describe import describe, from_json, to_json
from archive.pixels.description import ImageDescription, OverlayPlane
from tests.phantoms import multi_frame
from tests.viewer.rendering.images import Frame, describe_values
from viewer.rendering.overlays import burn_overlays, overlay_mask, reduce_mask
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import reduce_frame, render_frame
from viewer.rendering.tiles import Region


def plane(bits: NDArray[Any], origin: tuple[int, int] = (1, 1), **attributes: Any) -> OverlayPlane:
    """A plane of these bits, (rows, columns) or (frames, rows, columns)."""
    packed = np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes()
    frames = bits.shape[0] if bits.ndim == 3 else 1
    return OverlayPlane(0x6000, *bits.shape[-2:], *origin, packed, frames=frames, **attributes)


def image_with(*planes: OverlayPlane, rows: int = 4, columns: int = 5, frames: int = 1) -> ImageDescription:
    return describe_values(np.zeros((rows, columns), np.uint8), overlays=planes, frames=frames)


def test_bits_are_least_significant_first() -> None:
    # 0b00000101: pixels 0 and 2 of the first row.
    description = image_with(OverlayPlane(0x6000, 1, 5, 2, 1, b"\x05"))
    mask = overlay_mask(description, 1)
    assert mask is not None
    assert np.argwhere(mask).tolist() == [[1, 0], [1, 2]]


def test_several_planes_are_laid_over_each_other() -> None:
    first, second = np.zeros((4, 5), bool), np.zeros((4, 5), bool)
    first[0, 0] = second[3, 4] = True
    mask = overlay_mask(image_with(plane(first), plane(second)), 1)
    assert mask is not None
    assert np.argwhere(mask).tolist() == [[0, 0], [3, 4]]


@pytest.mark.parametrize("origin", [(5, 1), (1, 6), (-9, 1), (1, -20), (32767, 32767), (-32768, -32768)])
def test_a_plane_outside_the_image_draws_nothing(origin: tuple[int, int]) -> None:
    mask = overlay_mask(image_with(plane(np.ones((2, 2)), origin)), 1)
    assert mask is None or not mask.any()


def test_a_frame_shows_its_own_overlay_frame() -> None:
    # Image Frame Origin 2: the overlay's three frames belong to image frames 2 to 4; 21 bits are no whole bytes.
    bits = np.zeros((3, 3, 7), bool)
    bits[0, 0, 0] = bits[1, 1, 1] = bits[2, 2, 6] = True
    description = image_with(plane(bits, first_frame=2), rows=3, columns=7, frames=5)

    masks = [overlay_mask(description, number) for number in range(1, 6)]

    assert [None if mask is None else np.argwhere(mask).tolist() for mask in masks] == [
        None, [[0, 0]], [[1, 1]], [[2, 6]], None,
    ]  # fmt: skip


def test_one_plane_belongs_to_every_frame() -> None:
    description = image_with(plane(np.ones((1, 1))), frames=3)
    assert all(overlay_mask(description, number) is not None for number in (1, 2, 3))


def test_one_plane_with_a_frame_origin_belongs_to_that_frame_alone() -> None:
    ds = multi_frame(3, rows=4, columns=4)
    for element, vr, value in (
        (0x0010, "US", 4), (0x0011, "US", 4), (0x0040, "CS", "G"), (0x0050, "SS", [1, 1]),
        (0x0051, "US", 2), (0x0100, "US", 1), (0x0102, "US", 0), (0x3000, "OW", b"\x01\x00"),
    ):  # fmt: skip
        ds.add_new(0x60000000 | element, vr, value)
    description = from_json(json.loads(json.dumps(to_json(describe(ds)))))
    masks = [overlay_mask(description, number) for number in (1, 2, 3)]
    assert [None if mask is None else np.argwhere(mask).tolist() for mask in masks] == [None, [[0, 0]], None]


def test_a_plane_that_is_too_short_is_left_out() -> None:
    assert overlay_mask(image_with(OverlayPlane(0x6000, 100, 100, 1, 1, b"\xff")), 1) is None


def test_bits_in_the_pixel_cells() -> None:
    cells = np.array([[0x8001, 0x0001], [0x4000, 0xC000]], np.uint16)
    planes = (
        OverlayPlane(0x6000, 2, 2, 1, 1, None, bit_position=15),
        OverlayPlane(0x6002, 2, 2, 1, 1, None, bit_position=14),
    )
    description = image_with(*planes, rows=2, columns=2)

    mask = overlay_mask(description, 1, cells)

    assert mask is not None
    assert mask.tolist() == [[True, False], [True, True]]
    assert overlay_mask(description, 1) is None


def test_covered_pixels_are_white_and_the_picture_given_is_not_changed() -> None:
    picture = np.zeros((2, 2), np.uint8)
    mask = np.eye(4, dtype=bool)

    burnt = burn_overlays(picture, mask, Region(2, 2, 2, 2))

    assert burnt.tolist() == [[255, 0], [0, 255]]
    assert not picture.any()
    assert burn_overlays(picture, None, Region(0, 0, 2, 2)) is picture


def test_covered_pixels_are_white_in_colour_and_inverted() -> None:
    values = np.zeros((4, 5, 3), np.uint8)
    description = describe_values(values, photometric_interpretation="RGB", overlays=(plane(np.eye(1)),))
    for invert in (False, True):
        picture = render_frame(Frame(values, "RGB"), description, 1, RenderParameters(invert=invert))
        assert picture[0, 0].tolist() == [255, 255, 255]


def test_a_thin_line_stays_at_lower_levels() -> None:
    mask = np.zeros((9, 9), bool)
    mask[4] = True
    reduced = reduce_mask(mask, 4)
    assert reduced.shape == (3, 3)
    assert np.argwhere(reduced).tolist() == [[1, 0], [1, 1], [1, 2]]
    assert reduce_mask(mask, 1) is mask


def test_overlays_in_pixel_cells_are_drawn_at_lower_levels() -> None:
    class WithCells(Frame):
        cells: NDArray[Any]

    values = np.zeros((1024, 600), np.uint16)
    frame = WithCells(values)
    frame.cells = np.zeros((1024, 600), np.uint16)
    frame.cells[9, 7] = 0x8000
    description = describe_values(values, overlays=(OverlayPlane(0x6000, 1024, 600, 1, 1, None, bit_position=15),))

    small = reduce_frame(frame, description, 1, 0)
    picture = render_frame(small, description, 1, level=0)

    assert np.argwhere(picture == 255).tolist() == [[4, 3]]


def test_a_plane_much_larger_than_its_image_costs_no_more_than_the_rows_of_the_image() -> None:
    large = OverlayPlane(0x6000, 8192, 4096, 1, -2, b"\xff" * (8192 * 4096 // 8))
    tracemalloc.start()
    try:
        mask = overlay_mask(image_with(large), 1)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert mask is not None and mask.all()
    assert most < 1 << 18


def test_rows_above_the_image_are_left_out_of_a_plane() -> None:
    bits = np.zeros((6, 5))
    bits[0] = bits[3] = 1

    mask = overlay_mask(image_with(plane(bits, origin=(-1, 1))), 1)

    assert mask is not None
    assert mask.any(axis=1).tolist() == [False, True, False, False]
