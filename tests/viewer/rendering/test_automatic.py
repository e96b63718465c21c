"""Windows computed from values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.pixels.description import VoiFunction, Window
from tests.viewer.rendering.images import describe_values
from viewer.rendering.automatic import PIXELS_PER_FRAME, StackSample, automatic_window, window_between
from viewer.rendering.voi_lut import apply_window


def sample_of(values: NDArray[Any], **attributes: Any) -> StackSample:
    sample = StackSample()
    sample.add(values, describe_values(values, **attributes), 1)
    return sample


def shown(window: Window | None, *values: float) -> list[int]:
    assert window is not None
    return apply_window(np.array(values), window).tolist()


def test_ends_of_a_window_are_black_and_white() -> None:
    for low, high in ((0, 255), (-1000, 3000), (7, 8)):
        assert shown(window_between(low, high, whole=True), low - 1, low, high, high + 1) == [0, 0, 255, 255]
        assert shown(window_between(low, high), low, (low + high) / 2, high) == [0, 127, 255]


def test_a_window_of_one_value_is_legal() -> None:
    assert window_between(5, 5, whole=True).width == 1
    assert window_between(0.0, 0.0).width == 1


def test_nuclear_medicine_goes_from_zero_to_the_maximum() -> None:
    window = automatic_window(sample_of(np.array([[3, 900]], np.uint16)), "NM")
    assert shown(window, 0, 900, 901) == [0, 255, 255]
    assert shown(window, 899) == [254]


def test_pet_in_suv_goes_from_zero_to_seven() -> None:
    sample = sample_of(np.array([[0, 30000]], np.uint16), rescale_slope=0.001)
    assert automatic_window(sample, "PT", suv_factor=1.0) == Window(3.5, 7.0, VoiFunction.LINEAR_EXACT, "Automatic")


def test_pet_in_becquerels_is_turned_into_suv_by_its_factor() -> None:
    # 7 / 0.00042111 = 16622.73 Bq/ml.
    window = automatic_window(sample_of(np.array([[0, 30000]], np.uint16)), "PT", suv_factor=0.00042111)
    assert window is not None
    assert window.width == pytest.approx(16622.73, abs=0.01)
    assert window.center == pytest.approx(8311.37, abs=0.01)


def test_pet_without_a_factor_goes_from_zero_to_the_maximum() -> None:
    window = automatic_window(sample_of(np.array([[100, 30000]], np.uint16)), "PT")
    assert shown(window, 0, 30000) == [0, 255]


def test_magnetic_resonance_leaves_background_and_extremes_out() -> None:
    # 60 % air at 0 to 9, signal 100 to 1099 evenly, and two burnt-out pixels.
    air = np.tile(np.arange(10), 1500)
    signal = np.tile(np.arange(100, 1100), 10)
    values = np.concatenate([air, signal, [65535, 65535]]).astype(np.uint16).reshape(1, -1)

    window = automatic_window(sample_of(values), "MR")

    assert window is not None
    low, high = window.center - 0.5 - (window.width - 1) / 2, window.center - 0.5 + (window.width - 1) / 2
    assert low == pytest.approx(110, abs=15)
    assert high == pytest.approx(1090, abs=15)


def test_other_modalities_leave_only_dead_pixels_out() -> None:
    values = np.concatenate([np.arange(10_000), [65535]]).astype(np.uint16).reshape(1, -1)
    window = automatic_window(sample_of(values), "DX")
    assert window is not None
    assert window.width == pytest.approx(9980, abs=15)


def test_padding_takes_no_part() -> None:
    values = np.array([[-2000] * 1000 + list(range(101))], np.int16)
    window = automatic_window(sample_of(values, padding=(-2000.0, -2000.0)), "OT")
    assert shown(window, -2000, 0, 101) == [0, 0, 255]


def test_nothing_but_padding_has_no_window() -> None:
    sample = sample_of(np.zeros((4, 4), np.uint16), padding=(0.0, 0.0))
    assert automatic_window(sample, "OT") is None
    assert automatic_window(StackSample(), "MR") is None
    assert not sample.values.size


def test_fractions_get_an_exact_window() -> None:
    window = automatic_window(sample_of(np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)), "MR")
    assert window is not None
    assert window.function is VoiFunction.LINEAR_EXACT
    assert window.width == pytest.approx(0.88, abs=0.02)


def test_what_is_no_number_takes_no_part() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 1.0, 3.0]])
    sample = sample_of(values)
    assert (sample.minimum, sample.maximum) == (1.0, 3.0)


def test_a_stack_is_one_sample_and_each_frame_has_its_own_slope() -> None:
    sample = StackSample()
    values = np.array([[0, 100]], np.uint16)
    for slope in (1.0, 2.5, -1.0):
        sample.add(values, describe_values(values, rescale_slope=slope), 1)
    assert (sample.minimum, sample.maximum, sample.whole) == (-100.0, 250.0, False)
    assert sorted(sample.values.tolist()) == [-100, 0, 0, 0, 100, 250]


def test_memory_of_a_sample_is_bounded_and_its_maximum_exact() -> None:
    values = np.zeros((2000, 2000), np.uint16)
    values[1234, 567] = 4321
    sample = sample_of(values)
    assert sample.maximum == 4321
    assert sample.values.size <= 2 * PIXELS_PER_FRAME
