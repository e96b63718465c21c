"""Windows and VOI LUTs against numbers worked out from PS3.3 C.11.2."""

from __future__ import annotations

from fractions import Fraction
from math import exp, floor, trunc

import numpy as np
import pytest

from archive.pixels.description import FrameAttributes, VoiFunction, Window
from tests.viewer.rendering.images import table
from viewer.errors import InvalidWindow
from viewer.rendering.voi_lut import apply_voi_lut, apply_window, entry_bits, usable_voi_luts, usable_windows


def exact_linear(value: int, center: Fraction, width: Fraction, low: int, high: int) -> int:
    """PS3.3 C.11.2.1.2.1 in whole fractions, truncated."""
    if value <= center - Fraction(1, 2) - (width - 1) / 2:
        return low
    if value > center - Fraction(1, 2) + (width - 1) / 2:
        return high
    return trunc(((value - (center - Fraction(1, 2))) / (width - 1) + Fraction(1, 2)) * (high - low) + low)


def test_abdomen_window_by_hand() -> None:
    # (40 - 39.5) / 399 + 0.5 = 0.50125..., times 255 = 127.8: truncated, not rounded.
    # -160 is the left border, 239 the right one: (239 - 39.5) / 399 + 0.5 = 1.
    values = np.array([-1000.0, -160.0, -159.0, 40.0, 238.0, 239.0, 240.0, 3000.0])

    display = apply_window(values, Window(40, 400))

    # -159: (1 / 399) * 255 = 0.64. 238: (398 / 399) * 255 = 254.36.
    assert display.tolist() == [0, 0, 0, 127, 254, 255, 255, 255]
    assert display.dtype == np.uint8


@pytest.mark.parametrize(
    ("center", "width"),
    [
        ("40", "80"),
        ("40", "400"),
        ("-600", "1500"),
        ("400", "2000"),
        ("128", "256"),
        ("2048", "4096"),
        ("50.5", "350.5"),
        ("300", "2"),
    ],
)
@pytest.mark.parametrize(("low", "high"), [(0, 255), (255, 0)])
def test_linear_equals_exact_arithmetic(center: str, width: str, low: int, high: int) -> None:
    values = np.arange(floor(float(center) - float(width)), floor(float(center) + float(width)))

    display = apply_window(values.astype(float), Window(float(center), float(width)), low=low, high=high)

    expected = [exact_linear(int(value), Fraction(center), Fraction(width), low, high) for value in values]
    assert display.tolist() == expected


def test_full_range_of_eight_bits_is_the_identity() -> None:
    values = np.arange(256.0)
    assert apply_window(values, Window(128, 256)).tolist() == list(range(256))
    assert apply_window(values, Window(128, 256), low=255, high=0).tolist() == list(range(255, -1, -1))


def test_width_of_one_is_a_step() -> None:
    # C.11.2.1.2.1: at or below c - 0.5 is black, above it white.
    values = np.array([99.0, 99.5, 99.6, 100.0, 101.0])
    assert apply_window(values, Window(100, 1)).tolist() == [0, 0, 255, 255, 255]
    assert apply_window(values, Window(100, 1), low=255, high=0).tolist() == [255, 255, 0, 0, 0]


def test_linear_exact_by_hand() -> None:
    # C.11.2.1.3.2: 0 at or below c - w/2, 255 above c + w/2, ((x - c) / w + 0.5) * 255 between.
    values = np.array([0.0, 0.0001, 1.75, 3.5, 5.25, 7.0, 7.1])

    display = apply_window(values, Window(3.5, 7, VoiFunction.LINEAR_EXACT))

    assert display.tolist() == [0, 0, 63, 127, 191, 255, 255]


def test_narrow_linear_exact_window() -> None:
    display = apply_window(np.array([0.0, 0.0005, 0.001, 1.0]), Window(0.0005, 0.001, VoiFunction.LINEAR_EXACT))
    assert display.tolist() == [0, 127, 255, 255]


def test_sigmoid_by_hand() -> None:
    # C.11.2.1.3.1: 255 / (1 + exp(-4 (x - c) / w)).
    window = Window(2653, 900, VoiFunction.SIGMOID)
    values = np.array([2653.0, 2653 + 225, 2653 - 225, -1e9, 1e9])

    display = apply_window(values, window)

    assert display.tolist() == [127, int(255 / (1 + exp(-1))), int(255 / (1 + exp(1))), 0, 255]
    assert display.tolist()[1:3] == [186, 68]


@pytest.mark.parametrize(
    "window",
    [
        Window(40, 0.99),
        Window(40, 0),
        Window(40, -5),
        Window(40, 0, VoiFunction.LINEAR_EXACT),
        Window(40, 0, VoiFunction.SIGMOID),
        Window(float("nan"), 400),
        Window(40, float("inf")),
    ],
)
def test_a_window_that_cannot_be_applied_is_refused(window: Window) -> None:
    with pytest.raises(InvalidWindow):
        apply_window(np.zeros(1), window)


def test_extreme_windows_stay_within_grey() -> None:
    values = np.linspace(-1e9, 1e9, 1001)
    for window in (
        Window(1e12, 1e12),
        Window(-1e12, 3.7),
        Window(1 / 3, 1e9 / 7),
        Window(0, 1e-12, VoiFunction.LINEAR_EXACT),
    ):
        display = apply_window(values, window).astype(int)
        assert (np.diff(display) >= 0).all()


def test_voi_lut_drops_low_bits_and_keeps_its_ends() -> None:
    # C.11.2.1.1: below the first value mapped the first entry, above the last the last entry.
    lut = table([0, 16, 2047, 4095], first_mapped=-1, bits=12)
    display = apply_voi_lut(np.array([-50.0, -1.0, 0.0, 1.0, 2.0, 900.0]), lut)
    assert display.tolist() == [0, 0, 1, 127, 255, 255]


def test_voi_lut_of_eight_bits_is_taken_as_it_is() -> None:
    assert apply_voi_lut(np.arange(4.0), table([0, 100, 200, 255], bits=8)).tolist() == [0, 100, 200, 255]


def test_voi_lut_whose_entries_need_more_bits_than_it_says() -> None:
    lut = table([0, 65535], bits=12)
    assert entry_bits(lut) == 16
    assert apply_voi_lut(np.array([0.0, 1.0]), lut).tolist() == [0, 255]


def test_header_windows_that_mean_nothing_are_left_out() -> None:
    windows = (Window(40, 0), Window(float("nan"), 400), Window(0.25, 0.5), Window(40, 400), Window(1, -1))

    usable = usable_windows(FrameAttributes(windows=windows))

    assert usable == (Window(0.25, 0.5, VoiFunction.LINEAR_EXACT), Window(40, 400))


def test_empty_voi_luts_are_left_out() -> None:
    assert usable_voi_luts(FrameAttributes(voi_luts=(table([]), table([1])))) == (table([1]),)
