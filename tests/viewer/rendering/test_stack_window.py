"""The first window of a stack, and the windows to choose from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archive.pixels.description import VoiFunction, Window
from tests.viewer.rendering.images import describe_values, table
from viewer.rendering.automatic import StackSample
from viewer.rendering.parameters import VoiLutNumber, parse_window
from viewer.rendering.stack_window import (
    StackFrame,
    WindowOrigin,
    named_windows,
    needs_values,
    stack_window,
    windows_differ,
)
from viewer.rendering.window_presets import PRESETS, describe_window

CT = {"modality": "CT", "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"), "rescale_intercept": -1024.0}
VALUES = np.arange(16, dtype=np.uint16).reshape(4, 4)


def frame(**attributes: Any) -> StackFrame:
    return StackFrame(describe_values(VALUES, **attributes))


def sample(frames: list[StackFrame]) -> StackSample:
    result = StackSample()
    for one in frames:
        result.add(VALUES, one.description, one.frame_number)
    return result


def test_windows_that_differ_give_that_of_the_middle_frame() -> None:
    frames = [frame(windows=(Window(level, 100 + level),), **CT) for level in (10, 20, 30, 40)]

    first = stack_window(frames)

    assert (first.origin, first.window) == (WindowOrigin.HEADER, Window(30, 130))
    assert windows_differ(frames)
    assert not windows_differ(frames[:1] * 3)
    assert "file" in [choice.key for choice in named_windows(frames, first)]
    assert "file" not in [choice.key for choice in named_windows(frames[:1], first)]


def test_the_nearest_frame_with_a_window_stands_in_for_the_middle_one() -> None:
    frames = [frame(windows=(Window(10, 100),)), frame(), frame(), frame(), frame(windows=(Window(20, 200),)), frame()]
    assert stack_window(frames).window == Window(20, 200)


@pytest.mark.parametrize(
    ("body_part", "window"),
    [
        ("HEAD", (40, 80)),
        ("BRAIN", (40, 80)),
        ("CHEST", (40, 400)),
        ("LUNG", (-600, 1500)),
        ("ABDOMEN", (50, 400)),
        ("liver", (80, 150)),
        ("C-SPINE", (400, 2000)),
        ("", (40, 400)),
        ("SOMETHING", (40, 400)),
    ],
)
def test_ct_without_a_header_window_goes_by_body_part(body_part: str, window: tuple[float, float]) -> None:
    first = stack_window([frame(body_part_examined=body_part, **CT)])
    assert first.origin is WindowOrigin.BODY_PART
    assert first.window is not None
    assert (first.window.center, first.window.width) == window


def test_ct_that_is_not_in_hounsfield_units_has_no_window_of_a_body_part() -> None:
    frames = [frame(modality="CT", image_type=("DERIVED", "SECONDARY"), rescale_type="US", body_part_examined="HEAD")]
    assert needs_values(frames)
    assert stack_window(frames).origin is WindowOrigin.UNKNOWN
    assert stack_window(frames, sample=sample(frames)).origin is WindowOrigin.COMPUTED


def test_voi_lut_comes_before_a_header_window() -> None:
    frames = [frame(modality="DX", voi_luts=(table([0, 9], explanation="NORMAL"),), windows=(Window(40, 400),))]

    first = stack_window(frames)

    assert (first.origin, first.voi_lut, first.window, first.name) == (
        WindowOrigin.VOI_LUT,
        VoiLutNumber(1),
        None,
        "NORMAL",
    )
    assert not needs_values(frames)


def test_colour_has_no_window() -> None:
    for photometric in ("RGB", "YBR_FULL_422", "PALETTE COLOR"):
        frames = [frame(modality="US", photometric_interpretation=photometric, windows=(Window(40, 400),))]
        first = stack_window(frames)
        assert (first.origin, first.window) == (WindowOrigin.COLOR, None)
        assert named_windows(frames, first) == []
        assert not needs_values(frames)


def test_pet_is_shown_black_on_white_from_suv_0_to_7() -> None:
    frames = [frame(modality="PT", units="GML", rescale_slope=0.001)]

    assert needs_values(frames)
    first = stack_window(frames, sample=sample(frames))

    assert first.inverted
    assert first.window == Window(3.5, 7.0, VoiFunction.LINEAR_EXACT, "Automatic")


def test_pet_in_becquerels_uses_the_factor_that_is_given() -> None:
    frames = [frame(modality="PT", units="BQML")]
    first = stack_window(frames, sample=sample(frames), suv_factor=0.001)
    assert first.window is not None
    assert first.window.width == pytest.approx(7000)
    assert first.inverted


def test_captures_of_eight_bits_are_shown_as_they_are() -> None:
    description = describe_values(np.zeros((2, 2), np.uint8), modality="OT")
    first = stack_window([StackFrame(description)])
    assert (first.origin, first.window) == (WindowOrigin.FULL_RANGE, Window(128, 256, explanation="Full range"))


def test_a_segmentation_of_one_bit_is_black_and_white() -> None:
    description = describe_values(np.zeros((2, 2), np.uint8), modality="SEG", bits_allocated=1, bits_stored=1)
    assert stack_window([StackFrame(description)]).window == Window(1, 2, explanation="Full range")


def test_magnetic_resonance_is_computed_even_of_eight_bits() -> None:
    description = describe_values(np.zeros((2, 2), np.uint8), modality="MR")
    assert needs_values([StackFrame(description)])


def test_only_pet_is_inverted_at_first() -> None:
    assert not stack_window([frame(windows=(Window(1, 2),), **CT)]).inverted
    assert stack_window([frame(modality="PT", windows=(Window(1, 2),))]).inverted


def test_choices_are_named_and_their_keys_can_be_asked_for() -> None:
    windows = (Window(40, 400, explanation="ABDOMEN"), Window(2653, 900, VoiFunction.SIGMOID))
    frames = [frame(windows=windows, voi_luts=(table([1], explanation="SOFTER"), table([2])), **CT)]

    choices = named_windows(frames, stack_window(frames))

    assert [(choice.name, choice.key) for choice in choices[:5]] == [
        ("SOFTER", "lut-1"),
        ("VOI LUT 2", "lut-2"),
        ("ABDOMEN", "40,400,linear"),
        ("Header 2", "2653,900,sigmoid"),
        ("Automatic", "auto"),
    ]
    assert [choice.name for choice in choices[5:]] == [preset.name for preset in PRESETS]
    assert all(parse_window(choice.key) is not None for choice in choices)


def test_presets_are_for_hounsfield_units_only() -> None:
    frames = [frame(modality="MR", windows=(Window(40, 400),))]
    assert [choice.name for choice in named_windows(frames, stack_window(frames))] == ["Header 1", "Automatic"]


def test_windows_are_written_as_readers_write_them() -> None:
    assert describe_window(Window(40, 400)) == "W 400 L 40"
    assert describe_window(Window(-600.5, 1500)) == "W 1500 L -600.5"


def test_a_stack_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="without frames"):
        stack_window([])
