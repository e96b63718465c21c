"""Pseudo-color and blending states: palette after the VOI, one set over another (PS3.4 N.2.3, N.2.4)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.pixels.description import FrameAttributes, ImageDescription, Palette, Window
from tests.viewer.rendering.images import Frame, describe_values, table
from viewer.errors import NothingToDraw
from viewer.rendering.blending import PlacedFrame, frames_needed, render_blending
from viewer.rendering.modality_lut import ModalityTransform
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import render_frame
from viewer.rendering.presentation_state import (
    BlendedSet,
    Blending,
    FrameState,
    GreyScale,
    PresentationState,
    SoftcopyVoi,
    StateKind,
)
from viewer.rendering.presentation_target import Size

EVERY = np.arange(256, dtype=np.uint8).reshape(16, 16)
RED_GREEN_BLUE = Palette(table([0xFF00, 0, 0]), table([0, 0xFF00, 0]), table([0, 0, 0xFF00]))
IDENTITY = Window(128, 256)


def pseudo(palette: Palette, **more: object) -> FrameState:
    return FrameState(kind=StateKind.PSEUDO_COLOR, voi=IDENTITY, palette=palette, **more)  # type: ignore[arg-type]


# --- Pseudo-color -----------------------------------------------------------------------------------------------------


def test_the_range_of_the_voi_is_stretched_over_the_palette() -> None:
    picture = render_frame(Frame(EVERY), describe_values(EVERY), 1, state=pseudo(RED_GREEN_BLUE)).reshape(256, 3)

    # Three entries: shares below 1/2 take the first, below 1 the second, the highest the last.
    assert picture[[0, 127, 128, 254, 255]].tolist() == [
        [255, 0, 0],
        [255, 0, 0],
        [0, 255, 0],
        [0, 255, 0],
        [0, 0, 255],
    ]


def test_a_palette_of_8_bits_that_begins_anywhere_is_the_same() -> None:
    palette = Palette(*(table(part, first_mapped=77, bits=8) for part in ([255, 0, 0], [0, 255, 0], [0, 0, 255])))

    one, other = (
        render_frame(Frame(EVERY), describe_values(EVERY), 1, state=pseudo(each)) for each in (palette, RED_GREEN_BLUE)
    )

    assert np.array_equal(one, other)


def test_neither_polarity_nor_windows_of_the_image_reach_the_palette_but_the_readers_do() -> None:
    description = describe_values(
        EVERY, photometric_interpretation="MONOCHROME1", windows=(Window(10, 5),), presentation_lut_shape="INVERSE"
    )
    frame = Frame(EVERY, "MONOCHROME1")

    plain = render_frame(frame, description, 1, state=pseudo(RED_GREEN_BLUE))
    asked = render_frame(frame, description, 1, RenderParameters(window=Window(0, 2)), state=pseudo(RED_GREEN_BLUE))

    assert plain.reshape(256, 3)[0].tolist() == [255, 0, 0]
    assert asked.reshape(256, 3)[1].tolist() == [0, 0, 255]


def test_padded_pixels_are_black_and_not_the_color_of_their_value() -> None:
    description = describe_values(EVERY, padding=(0.0, 0.0))

    picture = render_frame(Frame(EVERY), description, 1, state=pseudo(RED_GREEN_BLUE)).reshape(256, 3)

    assert picture[:2].tolist() == [[0, 0, 0], [255, 0, 0]]


# --- Blending ---------------------------------------------------------------------------------------------------------


GREEN_RAMP = Palette(table([0] * 256, bits=8), table(list(range(256)), bits=8), table([0] * 256, bits=8))
GREEN = Palette(table([0, 0]), table([0, 0xFFFF]), table([0, 0]))


def placed(
    uid: str, values: NDArray[np.uint8], z: float, *, spacing: float = 1.0, corner: float = 0.0, **more: object
) -> PlacedFrame:
    """An axial frame whose first pixel is at (corner, corner, z)."""
    attributes = FrameAttributes(
        image_position_patient=(corner, corner, z),
        image_orientation_patient=(1, 0, 0, 0, 1, 0),
        pixel_spacing=(spacing, spacing),
    )
    description: ImageDescription = describe_values(values, **more)
    return PlacedFrame(uid, 1, replace(description, shared=attributes))


def blending(opacity: float, above: tuple[str, ...] = ("1.2",)) -> PresentationState:
    """Grey of 1.1 below, green above; both as they are stored."""

    def side(*uids: str) -> BlendedSet:
        images: dict[str, frozenset[int]] = {uid: frozenset() for uid in uids}
        return BlendedSet(images, GreyScale(ModalityTransform(), (SoftcopyVoi({}, IDENTITY),)))

    below, upper = side("1.1"), side(*above)
    return PresentationState(
        sop_instance_uid="1.9",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.11.4",
        kind=StateKind.BLENDING,
        images={**below.images, **upper.images},
        palette=GREEN,
        blending=Blending(below, upper, opacity),
    )


def test_color_covers_grey_by_its_opacity() -> None:
    below, above = np.full((4, 4), 100, np.uint8), np.full((4, 4), 255, np.uint8)

    picture = render_blending(
        blending(0.25), placed("1.1", below, 0), Frame(below), [placed("1.2", above, 0)], {0: Frame(above)}
    )

    # Red and blue 0 x 0.25 + 100 x 0.75, green 255 x 0.25 + 75 = 138.75 (N.2.4.3).
    assert picture[0, 0].tolist() == [75, 139, 75]
    assert (picture == picture[0, 0]).all()


def test_no_opacity_is_the_grey_and_full_opacity_the_color_alone() -> None:
    below = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    above = np.full((4, 4), 255, np.uint8)
    frames = (placed("1.1", below, 0), Frame(below), [placed("1.2", above, 0)], {0: Frame(above)})

    none, full = render_blending(blending(0.0), *frames), render_blending(blending(1.0), *frames)

    assert np.array_equal(none, np.repeat(below[:, :, None], 3, axis=2))
    assert full[0, 0].tolist() == [0, 255, 0]


def test_each_pixel_takes_the_value_at_its_place_in_the_patient() -> None:
    # Two pixels of 2 mm over four of 1 mm, both from -0.5 to 3.5: centers 0.5 and 2.5 mm, so that 1 and 2 lie between.
    below = np.zeros((4, 4), np.uint8)
    above = np.array([[0, 255], [0, 255]], np.uint8)
    coarse = placed("1.2", above, 0, spacing=2.0, corner=0.5)
    state = replace(blending(1.0), palette=GREEN_RAMP)

    picture = render_blending(state, placed("1.1", below, 0), Frame(below), [coarse], {0: Frame(above)})

    # Bilinear: 1 mm is a quarter of the way, 63.75, 2 mm three quarters, 191.25; VOI truncates.
    assert picture[1, :, 1].tolist() == [0, 63, 191, 255]


def test_what_lies_beside_the_superimposed_image_is_grey() -> None:
    below, above = np.full((1, 6), 80, np.uint8), np.full((1, 2), 255, np.uint8)
    beside = placed("1.2", above, 0, corner=2.0)
    attributes = replace(beside.description.shared, image_position_patient=(2.0, 0.0, 0.0))
    beside = beside._replace(description=replace(beside.description, shared=attributes))

    picture = render_blending(blending(1.0), placed("1.1", below, 0), Frame(below), [beside], {0: Frame(above)})

    assert picture[0, :, 1].tolist() == [80, 80, 255, 255, 80, 80]
    assert picture[0, :, 0].tolist() == [80, 80, 0, 0, 80, 80]


def test_padded_pixels_have_no_color() -> None:
    below, above = np.full((2, 2), 80, np.uint8), np.array([[7, 255], [255, 7]], np.uint8)
    padded = placed("1.2", above, 0, padding=(7.0, 7.0))

    picture = render_blending(blending(1.0), placed("1.1", below, 0), Frame(below), [padded], {0: Frame(above)})

    assert picture[:, :, 1].tolist() == [[80, 255], [255, 80]]


@pytest.mark.parametrize(
    ("z", "needed"), [(0.0, [0]), (4.9, [1]), (7.6, [2]), (12.4, [2]), (12.6, []), (-2.4, [0]), (-3.0, [])]
)
def test_the_nearest_plane_is_taken_within_half_a_slice(z: float, needed: list[int]) -> None:
    values = np.zeros((2, 2), np.uint8)
    planes = [placed(f"1.2.{number}", values, 5.0 * number) for number in range(3)]

    assert frames_needed(placed("1.1", values, z), planes) == needed


def test_a_plane_that_crosses_others_takes_from_each() -> None:
    # A coronal image (rows along -z) through three axial ones, 5 mm apart.
    values = np.zeros((15, 2), np.uint8)
    attributes = FrameAttributes(
        image_position_patient=(0.0, 0.0, 12.0),
        image_orientation_patient=(1, 0, 0, 0, 0, -1),
        pixel_spacing=(1.0, 1.0),
    )
    coronal = PlacedFrame("1.1", 1, replace(describe_values(values), shared=attributes))
    axial = [np.full((2, 2), level, np.uint8) for level in (10, 100, 200)]
    planes = [placed(f"1.2.{number}", one, 5.0 * number) for number, one in enumerate(axial)]
    state = replace(
        blending(1.0, ("1.2.0", "1.2.1", "1.2.2")),
        palette=GREEN_RAMP,
    )

    picture = render_blending(
        state, coronal, Frame(values), planes, {index: Frame(axial[index]) for index in frames_needed(coronal, planes)}
    )

    # z from 12 down to -2: nearest to 10 above 7.5, to 5 above 2.5, then 0.
    assert picture[:, 0, 1].tolist() == [200] * 5 + [100] * 5 + [10] * 5


def test_images_without_a_place_are_refused_in_words() -> None:
    values = np.zeros((2, 2), np.uint8)
    nowhere = PlacedFrame("1.1", 1, describe_values(values))

    with pytest.raises(NothingToDraw, match="where they are"):
        frames_needed(nowhere, [placed("1.2", values, 0)])


def test_the_blended_picture_is_scaled_into_the_viewport() -> None:
    below, above = np.full((4, 8), 100, np.uint8), np.full((4, 8), 255, np.uint8)

    picture = render_blending(
        blending(0.5),
        placed("1.1", below, 0),
        Frame(below),
        [placed("1.2", above, 0)],
        {0: Frame(above)},
        viewport=Size(20, 20),
    )

    assert picture.shape == (10, 20, 3)
