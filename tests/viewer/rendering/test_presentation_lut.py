"""Presentation LUT shape and sequence of images (PS3.3 C.11.6), after the window and before colors."""

from __future__ import annotations

import numpy as np
import pytest

from archive.pixels.description import Window
from tests.viewer.rendering.images import Frame, describe_values, table
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import render_frame

EVERY = np.arange(256, dtype=np.uint8).reshape(16, 16)
WINDOW = RenderParameters(window=Window(128, 256))


def test_inverse_shape_turns_the_ramp_around_once_also_with_monochrome1() -> None:
    inverse = describe_values(EVERY, presentation_lut_shape="INVERSE")
    both = describe_values(EVERY, presentation_lut_shape="INVERSE", photometric_interpretation="MONOCHROME1")

    assert np.array_equal(render_frame(Frame(EVERY), inverse, 1, WINDOW), 255 - EVERY)
    assert np.array_equal(render_frame(Frame(EVERY, "MONOCHROME1"), both, 1, WINDOW), 255 - EVERY)


def test_the_range_of_the_window_is_stretched_to_the_input_of_the_table() -> None:
    # Four entries: outputs 0 to 84 of the window (shares below 1/3) take the first, the highest alone takes the last.
    lut = table([0, 1000, 2000, 4095], bits=12)
    description = describe_values(EVERY, presentation_lut=lut)

    picture = render_frame(Frame(EVERY), description, 1, WINDOW).ravel()

    # P-values of 12 bits to 8: 1000 * 255 / 4095 = 62.27, 2000 * 255 / 4095 = 124.5, truncated.
    assert picture.tolist() == [0] * 85 + [62] * 85 + [124] * 85 + [255]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_the_table_alone_says_the_polarity(photometric: str) -> None:
    lut = table(list(range(255, -1, -1)), bits=8)
    description = describe_values(EVERY, presentation_lut=lut, photometric_interpretation=photometric)

    picture = render_frame(Frame(EVERY, photometric), description, 1, WINDOW)

    assert np.array_equal(picture, 255 - EVERY)


def test_a_reader_inverts_what_leaves_the_table() -> None:
    description = describe_values(EVERY, presentation_lut=table([0] * 255 + [255], bits=8))

    picture = render_frame(Frame(EVERY), description, 1, RenderParameters(window=Window(128, 256), invert=True))

    assert picture.ravel().tolist() == [255] * 255 + [0]


def test_entries_of_a_voi_lut_are_stretched_to_the_input_of_the_table() -> None:
    voi = table([0, 1023], bits=10)
    lut = table(list(range(256)), bits=8)
    description = describe_values(EVERY, voi_luts=(voi,), presentation_lut=lut)

    picture = render_frame(Frame(EVERY), description, 1).ravel()

    assert picture.tolist() == [0] + [255] * 255


def test_padded_pixels_stay_black_behind_a_table() -> None:
    description = describe_values(EVERY, presentation_lut=table([255] * 256, bits=8), padding=(7.0, 7.0))

    picture = render_frame(Frame(EVERY), description, 1, WINDOW).ravel()

    assert picture.tolist() == [255] * 7 + [0] + [255] * 248
