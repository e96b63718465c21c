"""Mask subtraction as files say it (PS3.3 C.7.6.10), also where they say it badly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydicom import Dataset

from archive.pixels.describe import describe, from_json, to_json
from archive.pixels.description import MaskOperation
from tests.phantoms import color_image, image, ramp


def operation(**attributes: Any) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def masks_of(*operations: Dataset, frames: int = 6, **attributes: Any) -> tuple[MaskOperation, ...]:
    """What is read, packed and read back of an angiogram."""
    values = ramp(frames, 16).reshape(frames, 4, 4)
    ds = image(values, NumberOfFrames=frames, MaskSubtractionSequence=list(operations), **attributes)
    description = describe(ds)
    assert from_json(json.loads(json.dumps(to_json(description)))) == description
    return description.masks


def test_an_averaged_mask_with_all_it_can_say() -> None:
    found = masks_of(
        operation(
            MaskOperation="AVG_SUB",
            ApplicableFrameRange=[2, 3, 5, 6],
            MaskFrameNumbers=[1, 4],
            ContrastFrameAveraging=2,
            MaskSubPixelShift=[0.5, -1.25],
            SubtractionItemID=3,
        )
    )
    assert found == (
        MaskOperation("AVG_SUB", ((2, 3), (5, 6)), (1, 4), contrast_frames=2, shift=(0.5, -1.25), item_id=3),
    )


def test_differencing_by_an_offset_which_is_1_where_it_is_not_said() -> None:
    found = masks_of(operation(MaskOperation="TID", TIDOffset=-2), operation(MaskOperation="REV_TID"))
    assert [(one.kind, one.tid_offset) for one in found] == [("TID", -2), ("REV_TID", 1)]


@pytest.mark.parametrize(
    "nothing",
    [
        operation(MaskOperation="NONE"),
        operation(MaskOperation="SOMETHING", MaskFrameNumbers=[1]),
        operation(),
        operation(MaskOperation="AVG_SUB"),
        operation(MaskOperation="AVG_SUB", MaskFrameNumbers=[0, 7, 60000]),
    ],
)
def test_what_subtracts_nothing_is_left_out(nothing: Dataset) -> None:
    assert masks_of(nothing) == ()


@pytest.mark.parametrize("pairs", [[3], [4, 3], [0, 3], [3, 4, 5]])
def test_broken_pairs_of_frames_are_left_out(pairs: list[int]) -> None:
    (found,) = masks_of(operation(MaskOperation="TID", ApplicableFrameRange=pairs))
    assert found.ranges == (((3, 4),) if pairs == [3, 4, 5] else ())


def test_a_single_frame_and_colours_have_no_masks() -> None:
    item = operation(MaskOperation="TID")
    assert describe(image(MaskSubtractionSequence=[item])).masks == ()
    assert describe(color_image(MaskSubtractionSequence=[item], NumberOfFrames=2)).masks == ()
