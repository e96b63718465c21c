"""Stored values to modality values."""

from __future__ import annotations

import numpy as np

from archive.pixels.description import FrameAttributes
from tests.viewer.rendering.images import describe_values, table
from viewer.rendering.modality_lut import IDENTITY, ModalityTransform, apply_modality, modality_transform


def test_rescale_is_computed_in_float64() -> None:
    values = np.array([[0, 1, 32767]], np.int16)
    # 32767 * 0.1 + 0.2 in float32 would be off in the seventh digit.
    assert apply_modality(values, ModalityTransform(0.1, 0.2)).tolist() == [[0.2, 1 * 0.1 + 0.2, 32767 * 0.1 + 0.2]]


def test_table_wins_over_rescale_and_keeps_its_ends() -> None:
    lut = table([5, 7, 300], first_mapped=10)
    description = describe_values(np.zeros((1, 1), np.uint16), rescale_slope=2.0, modality_lut=lut)

    transform = modality_transform(description, 1)

    assert transform.table is lut
    assert apply_modality(np.array([0, 10, 11, 12, 65535], np.uint16), transform).tolist() == [5, 5, 7, 300, 300]


def test_table_with_a_negative_first_value() -> None:
    lut = table([1, 2, 3], first_mapped=-1)
    assert apply_modality(np.array([-5, -1, 0, 1], np.int16), ModalityTransform(table=lut)).tolist() == [1, 1, 2, 3]


def test_slope_of_zero_and_numbers_that_are_none_are_left_out() -> None:
    values = np.zeros((1, 1), np.uint16)
    assert modality_transform(describe_values(values, modality_lut=table([])), 1) == IDENTITY
    for slope, intercept in ((0.0, 5.0), (float("nan"), 0.0), (1.0, float("inf"))):
        description = describe_values(values, rescale_slope=slope, rescale_intercept=intercept)
        assert modality_transform(description, 1) == IDENTITY


def test_each_frame_has_its_own_slope() -> None:
    frames = (FrameAttributes(rescale_slope=1.5), FrameAttributes(rescale_slope=2.5))
    description = describe_values(np.zeros((1, 1), np.uint16), frames=2, per_frame=frames)

    assert [modality_transform(description, number).slope for number in (1, 2)] == [1.5, 2.5]


def test_angiography_is_shown_without_its_modality_lut() -> None:
    # PS3.3 C.8.7.1.1.2: that table leads back to X-ray intensity.
    description = describe_values(np.zeros((1, 1), np.uint8), modality="XA", modality_lut=table([9]))
    assert modality_transform(description, 1).is_identity
