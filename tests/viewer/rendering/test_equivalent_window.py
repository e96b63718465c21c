"""The window from which a drag on a VOI LUT begins looks like the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archive.pixels.description import VoiFunction, Window
from tests.viewer.rendering.corpus import open_image
from tests.viewer.rendering.images import table
from viewer.rendering.equivalent_window import equivalent_window
from viewer.rendering.voi_lut import apply_voi_lut, apply_window


@pytest.mark.parametrize(
    "window",
    [
        Window(128, 256),
        Window(2048, 4096),
        Window(600.5, 901),
        Window(1000, 300),
        Window(2653, 900, VoiFunction.SIGMOID),
        Window(1800, 2000, VoiFunction.SIGMOID),
    ],
)
def test_the_table_of_a_window_gives_that_window_back(window: Window) -> None:
    inputs = np.arange(4096.0)
    entries = (apply_window(inputs, window).astype(int) * 257).tolist()

    found = equivalent_window(table(entries))

    assert found is not None
    assert found.function is window.function
    assert (found.center, found.width) == pytest.approx((window.center, window.width), rel=0.02)
    assert np.abs(apply_window(inputs, found).astype(int) - apply_window(inputs, window)).max() <= 3


def test_a_table_that_begins_below_zero_gives_a_window_below_zero() -> None:
    entries = (apply_window(np.arange(-1000.0, 1000.0), Window(-600, 700)).astype(int) * 257).tolist()
    found = equivalent_window(table(entries, first_mapped=-1000))
    assert found is not None
    assert (found.center, found.width) == pytest.approx((-600, 700), abs=8)


@pytest.mark.parametrize("entries", [[5, 5, 5, 5], [4095, 2000, 0], [7]])
def test_nothing_looks_like_a_flat_or_a_falling_table(entries: list[int]) -> None:
    assert equivalent_window(table(entries, bits=12)) is None


def test_a_step_is_found_within_a_value() -> None:
    found = equivalent_window(table([0] * 100 + [65535] * 100))
    assert found is not None
    display = apply_window(np.arange(200.0), found)
    assert display[:99].max() == 0
    assert display[101:].min() == 255


def test_the_explanation_goes_with_it() -> None:
    found = equivalent_window(table(list(range(0, 65536, 256)), explanation="SOFT"))
    assert found is not None
    assert found.explanation == "SOFT"


def test_the_tables_of_a_real_mammogram_look_like_its_own_sigmoids(data_dir: Path) -> None:
    # The file offers each table as a SIGMOID window as well: 2653/900, 2713/750, 2569/1050.
    frame = open_image(data_dir / "cr_dx_mg" / "mg_sigmoid_voilut.dcm").description.frame(1)
    inputs = np.arange(4096.0)
    for lut, header in zip(frame.voi_luts, frame.windows, strict=True):
        found = equivalent_window(lut)
        assert found is not None
        assert found.function is VoiFunction.SIGMOID
        assert (found.center, found.width) == pytest.approx((header.center, header.width), rel=0.015)
        assert np.abs(apply_window(inputs, found).astype(int) - apply_voi_lut(inputs, lut)).max() <= 2
