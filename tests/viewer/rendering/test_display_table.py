"""One table for the whole grey-scale path; equal to the path walked value by value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.pixels.description import Palette, VoiFunction, Window
from tests.viewer.rendering.images import table
from viewer.rendering.display_table import (
    DisplayTransform,
    Supplement,
    apply_display,
    compute_display,
    display_table,
    padding_mask,
    straight_ramp,
)
from viewer.rendering.modality_lut import ModalityTransform

TYPES = ["|u1", "|i1", "<u2", "<i2"]

COLORS = Palette(*(table([100 * color, 256 * color, 60000], first_mapped=40) for color in (1, 2, 3)))

transforms = st.builds(
    DisplayTransform,
    modality=st.builds(
        ModalityTransform,
        st.sampled_from([1.0, -1.0, 2.5, 0.001, 1.92224, 1e-9, 1e6]),
        st.sampled_from([0.0, -1024.0, 0.5, 1e6]),
        st.one_of(st.none(), st.just(table([0, 900, 5, 60000], first_mapped=-2))),
    ),
    voi=st.builds(
        Window,
        st.one_of(st.integers(-70000, 70000), st.floats(-2000, 2000)),
        st.sampled_from([1.0, 2.0, 80.5, 400.0, 4096.0, 1e6, 1e12]),
        st.sampled_from(VoiFunction),
    ),
    padding=st.sampled_from([None, (0.0, 0.0), (-2000.0, -2000.0), (0.0, 30.0), (-3.5, 4.5), (60000.0, 70000.0)]),
    image_inverted=st.booleans(),
    reader_inverted=st.booleans(),
    map=st.sampled_from(["grey", "hot-iron"]),
    presentation_lut=st.one_of(st.none(), st.just(table([0, 9, 4095, 700, 70], bits=12))),
    palette=st.one_of(st.none(), st.just(Palette(*[table([0, 65535, 300 * part], bits=16) for part in (1, 2, 3)]))),
    icc_profile=st.none(),
    supplement=st.sampled_from([None, Supplement(-3, COLORS), Supplement(40, COLORS)]),
)


@settings(max_examples=60, deadline=None)
@given(transforms, st.sampled_from(TYPES))
def test_table_equals_the_path_for_every_stored_value(transform: DisplayTransform, dtype: str) -> None:
    stored = np.dtype(dtype)
    every = np.arange(1 << (8 * stored.itemsize), dtype=f"u{stored.itemsize}").view(stored)

    assert np.array_equal(display_table(transform, dtype), compute_display(every, transform))


def every_value(dtype: str) -> np.ndarray:
    stored = np.dtype(dtype)
    return np.arange(1 << (8 * stored.itemsize), dtype=f"u{stored.itemsize}").view(stored)[np.newaxis]


@settings(max_examples=150, deadline=None)
@given(
    transforms.map(lambda one: DisplayTransform(one.modality._replace(table=None), one.voi, one.padding)),
    st.booleans(),
    st.sampled_from(TYPES),
)
def test_a_line_that_is_found_equals_the_path_for_every_stored_value(
    plain: DisplayTransform, inverted: bool, dtype: str
) -> None:
    transform = plain._replace(image_inverted=inverted)
    ramp = straight_ramp(transform, dtype)

    every = every_value(dtype)
    assert ramp is None or np.array_equal(ramp.shown(every), compute_display(every, transform))


CT_LINE, PLAIN_LINE = ModalityTransform(1.0, -1024.0), ModalityTransform()


@pytest.mark.parametrize(
    ("transform", "dtype"),
    [
        (DisplayTransform(CT_LINE, Window(40, 400), padding=(-2000.0, -2000.0)), "<i2"),
        (DisplayTransform(CT_LINE, Window(-600, 1500), padding=(-2000.0, -2000.0)), "<u2"),
        (DisplayTransform(CT_LINE, Window(40.3, 80.7)), "<i2"),
        (DisplayTransform(PLAIN_LINE, Window(8192, 16384)), "<u2"),
        (DisplayTransform(PLAIN_LINE, Window(8192, 16384), padding=(65535.0, 65535.0), image_inverted=True), "<u2"),
        (DisplayTransform(PLAIN_LINE, Window(128, 256)), "|u1"),
        (DisplayTransform(ModalityTransform(-2.5, 7.0), Window(0, 900, VoiFunction.LINEAR_EXACT)), "<i2"),
    ],
)
def test_usual_windows_are_lines(transform: DisplayTransform, dtype: str) -> None:
    ramp = straight_ramp(transform, dtype)

    assert ramp is not None
    assert np.array_equal(ramp.shown(every_value(dtype)), compute_display(every_value(dtype), transform))


@pytest.mark.parametrize(
    "transform",
    [
        DisplayTransform(CT_LINE, Window(40, 400), padding=(1000.0, 1100.0)),
        DisplayTransform(CT_LINE, Window(40, 400), padding=(-2000.0, -2000.0), image_inverted=True),
        DisplayTransform(CT_LINE, Window(40, 400), reader_inverted=True),
        DisplayTransform(CT_LINE, Window(40, 400), map="hot-iron"),
        DisplayTransform(CT_LINE, Window(40, 400, VoiFunction.SIGMOID)),
        DisplayTransform(CT_LINE, Window(40, 1)),
        DisplayTransform(ModalityTransform(1e300, 0.0), Window(40, 400)),
    ],
)
def test_what_is_no_line_is_looked_up(transform: DisplayTransform) -> None:
    assert straight_ramp(transform, "<i2") is None


@pytest.mark.parametrize("dtype", TYPES)
def test_picture_equals_the_path(dtype: str) -> None:
    limits = np.iinfo(dtype)
    values = np.linspace(limits.min, limits.max, 35).astype(dtype).reshape(5, 7)
    transform = DisplayTransform(voi=Window(10, 100), padding=(0, 0), reader_inverted=True)

    assert np.array_equal(apply_display(values, transform), compute_display(values, transform))
    assert np.array_equal(apply_display(values[1:4, ::2], transform), compute_display(values[1:4, ::2], transform))


def test_big_endian_values_are_read_as_numbers() -> None:
    values = np.array([[1, 256]], ">u2")
    assert apply_display(values, DisplayTransform(voi=Window(128, 256))).tolist() == [[1, 255]]


def test_wide_and_floating_values_are_computed_directly() -> None:
    window = Window(0, 2, VoiFunction.LINEAR_EXACT)
    transform = DisplayTransform(voi=window, padding=(7.0, 7.0))
    for dtype in (np.float32, np.float64, np.int32):
        assert apply_display(np.array([[-9, -1, 0, 1, 7]], dtype), transform).tolist() == [[0, 0, 127, 255, 0]]


def test_what_is_no_number_is_black_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 1e300]])
    transform = DisplayTransform(voi=Window(40, 400))
    assert apply_display(values, transform).tolist() == [[0, 255, 0, 255]]
    assert not recwarn.list


@pytest.mark.parametrize("reader_inverted", [False, True])
@pytest.mark.parametrize("image_inverted", [False, True])
@pytest.mark.parametrize("map_name", ["grey", "hot-iron"])
def test_padding_is_black_whatever_is_inverted(map_name: str, image_inverted: bool, reader_inverted: bool) -> None:
    values = np.array([[-2000, -1999, 40]], np.int16)
    transform = DisplayTransform(
        voi=Window(40, 400),
        padding=(-2000, -2000),
        image_inverted=image_inverted,
        reader_inverted=reader_inverted,
        map=map_name,
    )

    picture = apply_display(values, transform)

    assert not picture[0, 0].any()
    assert bool(picture[0, 1].any()) == (image_inverted != reader_inverted)


def test_padding_is_found_on_stored_values() -> None:
    # PS3.3 C.7.5.1.1.2: both ends belong to the range.
    values = np.array([0, 1, 30, 31])
    assert padding_mask(values, (0, 30)).tolist() == [True, True, True, False]
    assert padding_mask(values, (31, 31)).tolist() == [False, False, False, True]
    assert padding_mask(values, None) is None


def test_voi_lut_is_inverted_by_the_image() -> None:
    transform = DisplayTransform(voi=table([0, 4095], bits=12), image_inverted=True)
    assert apply_display(np.array([[0, 1]], np.uint16), transform).tolist() == [[255, 0]]


def test_reader_sees_the_complement() -> None:
    values = np.arange(-200, 300, dtype=np.int16).reshape(1, -1)
    for image_inverted in (False, True):
        plain = DisplayTransform(voi=Window(40, 400), image_inverted=image_inverted)
        inverted = apply_display(values, plain._replace(reader_inverted=True))
        assert np.array_equal(inverted, 255 - apply_display(values, plain))


def test_tables_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        display_table(DisplayTransform(), "|u1")[0] = 1
