"""Mask subtraction worked out by hand from PS3.3 C.7.6.10."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from archive.pixels.description import FrameAttributes, ImageDescription, MaskOperation, Window
from tests.viewer.rendering.images import Frame, describe_values
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import render_frame
from viewer.rendering.subtraction import (
    MaskPlan,
    mask_plan,
    subtract,
    subtracted_description,
    subtracted_frames,
    to_logarithm,
)


def angiogram(*masks: MaskOperation, frames: int = 6, **attributes: Any) -> ImageDescription:
    """An XA of 2 x 2 pixels and 10 stored bits."""
    known: dict[str, Any] = {"modality": "XA", "bits_stored": 10, "high_bit": 9, "frames": frames, "masks": masks}
    return describe_values(np.zeros((2, 2), np.uint16), **(known | attributes))


def stored(*values: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(values, np.uint16).reshape(2, 2)


# --- Which frame is subtracted from which


def test_an_averaged_mask_applies_to_its_ranges_only() -> None:
    description = angiogram(MaskOperation("AVG_SUB", ranges=((2, 3), (5, 5)), mask_frames=(1, 4)))
    assert subtracted_frames(description) == (2, 3, 5)
    assert mask_plan(description, 3) == MaskPlan((3,), (1, 4))


def test_without_a_range_an_averaged_mask_ends_where_the_contrast_frames_end() -> None:
    # "assumed to end at the last frame number minus Contrast Frame Averaging plus one": 6 - 3 + 1.
    description = angiogram(MaskOperation("AVG_SUB", mask_frames=(1,), contrast_frames=3))
    assert subtracted_frames(description) == (1, 2, 3, 4)
    assert mask_plan(description, 4) == MaskPlan((4, 5, 6), (1,))


def test_time_interval_differencing_takes_the_frame_an_offset_before() -> None:
    description = angiogram(MaskOperation("TID", tid_offset=2))
    assert subtracted_frames(description) == (3, 4, 5, 6)
    assert mask_plan(description, 5) == MaskPlan((5,), (3,))


def test_a_negative_offset_takes_a_later_frame() -> None:
    description = angiogram(MaskOperation("TID", tid_offset=-1))
    assert subtracted_frames(description) == (1, 2, 3, 4, 5)
    assert mask_plan(description, 2) == MaskPlan((2,), (3,))


def test_reversed_differencing_goes_back_two_more_each_time() -> None:
    # First frame of the range less the offset, second less the offset + 2, third less the offset + 4.
    description = angiogram(MaskOperation("REV_TID", ranges=((4, 6),), tid_offset=1))
    plans = [mask_plan(description, number) for number in (4, 5, 6)]
    assert plans == [MaskPlan((4,), (3,)), MaskPlan((5,), (2,)), MaskPlan((6,), (1,))]


def test_reversed_differencing_without_a_range_is_nothing() -> None:
    assert subtracted_frames(angiogram(MaskOperation("REV_TID"))) == ()


def test_the_first_item_that_has_the_frame_wins() -> None:
    description = angiogram(
        MaskOperation("AVG_SUB", ranges=((3, 4),), mask_frames=(1,)),
        MaskOperation("AVG_SUB", ranges=((4, 6),), mask_frames=(2,)),
    )
    assert [mask_plan(description, number).masks for number in (3, 4, 5, 6)] == [(1,), (1,), (2,), (2,)]  # type: ignore[union-attr]


def test_the_shift_of_a_frame_wins_over_that_of_its_item() -> None:
    operation = MaskOperation("AVG_SUB", mask_frames=(1,), shift=(0.5, 0.0), item_id=7)
    own = FrameAttributes(mask_shifts=((3, 9.0, 9.0), (7, 0.0, -1.5)))
    description = angiogram(operation, frames=2, per_frame=(FrameAttributes(), own))
    assert [mask_plan(description, number).shift for number in (1, 2)] == [(0.5, 0.0), (0.0, -1.5)]  # type: ignore[union-attr]


# --- What is left


def test_the_mean_of_the_contrast_less_the_mean_of_the_mask() -> None:
    description = angiogram(pixel_intensity_relationship="LOG")
    contrast = [stored(100, 200, 300, 0), stored(101, 200, 100, 0)]
    masks = [stored(50, 300, 200, 1023), stored(50, 300, 200, 1023), stored(50, 300, 203, 1023)]

    difference = subtract(contrast, masks, description)

    # 100.5 - 50 = 50.5, rounded up; 200 - 300; 200 - 201; 0 - 1023.
    assert difference.tolist() == [[51, -100], [-1, -1023]]
    assert difference.dtype == np.int16


def test_linear_values_are_subtracted_as_logarithms() -> None:
    # A vessel that takes half of the light leaves the same difference under thin and under thick tissue.
    description = angiogram(pixel_intensity_relationship="LIN")
    difference = subtract([stored(500, 50, 1023, 0)], [stored(1001, 101, 1023, 0)], description)

    scale = 1023 / math.log(1024)
    assert difference[0, 0] == math.floor(scale * math.log(501 / 1002) + 0.5) == -102
    assert difference[0, 1] == math.floor(scale * math.log(51 / 102) + 0.5) == -102
    assert difference[1].tolist() == [0, 0]


def test_the_curve_keeps_its_ends_from_either_side() -> None:
    values = np.array([0, 1023], np.uint16)
    for sign in (1, -1):
        description = angiogram(pixel_intensity_relationship="LIN", pixel_intensity_sign=sign)
        assert to_logarithm(values, description).tolist() == [0.0, 1023.0]
    falling = angiogram(pixel_intensity_relationship="LIN", pixel_intensity_sign=-1)
    rising = angiogram(pixel_intensity_relationship="LIN")
    assert to_logarithm(np.array([1023 - 200]), falling) == pytest.approx(1023 - to_logarithm(np.array([200]), rising))


@pytest.mark.parametrize(("shift", "expected"), [((0, 1), [0, 0, 10, 0]), ((0, 0.5), [0, 5, 5, 0])])
def test_the_mask_is_moved_towards_higher_columns(shift: tuple[float, float], expected: list[int]) -> None:
    mask = np.array([[0, 10, 0, 0]] * 3, np.uint16)
    description = describe_values(mask, modality="XA", bits_stored=10)
    difference = subtract([np.zeros_like(mask)], [mask], description, shift=shift)
    assert (-difference[1]).tolist() == expected


def test_padding_of_any_frame_is_padding_of_the_difference() -> None:
    description = angiogram(padding=(0.0, 0.0))
    difference = subtract([stored(0, 500, 500, 500)], [stored(500, 0, 400, 600)], description)
    seen = subtracted_description(description)

    picture = render_frame(Frame(difference), seen, 1, RenderParameters(window=Window(0.5, 201), invert=True))

    # 100 is the top of the window and black inverted, -100 its bottom and white; padding is black in any case.
    assert picture.tolist() == [[0, 0], [0, 255]]


def test_sixteen_bits_need_thirty_two_for_their_difference() -> None:
    values = np.zeros((1, 2), np.uint16)
    description = describe_values(values, modality="XA")
    difference = subtract([values], [values + 65535], description)
    assert difference.tolist() == [[-65535, -65535]]
    assert subtracted_description(description).bits_allocated == 32


def test_a_header_window_counts_only_where_it_is_for_differences() -> None:
    native, around_zero = Window(512, 1024), Window(0, 200)
    both = angiogram(windows=(replace(native, center=600), around_zero), recommended_viewing_mode="SUB")
    assert subtracted_description(both).shared.windows == (around_zero,)
    assert subtracted_description(replace(both, recommended_viewing_mode="NAT")).shared.windows == ()
