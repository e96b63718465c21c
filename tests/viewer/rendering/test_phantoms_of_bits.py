"""Every way in which pixels are stored, from a data set to grey levels and values: one phantom each.

The phantoms hold the same modality values, so that all must look and read the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.description import VoiFunction, Window
from tests.phantoms import image, native_bytes
from viewer.rendering.automatic import StackSample
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import reduce_frame, render_frame
from viewer.rendering.values import value_at

EXPLICIT = "1.2.840.10008.1.2.1"
VALUES = np.array([[0, 40, 80, 120], [160, 200, 240, 255]])
ASKED = RenderParameters(window=Window(128, 256), overlays=False)
"""W 256 L 128 shows a value from 0 to 255 as itself."""


def drawn(ds: Dataset, data: bytes, **parameters: Any) -> np.ndarray:  # type: ignore[type-arg]
    description = describe(ds)
    decoded = decode_frame(data, transfer_syntax_uid=EXPLICIT, description=description)
    return render_frame(decoded, description, 1, RenderParameters(**{"window": ASKED.window, **parameters}))


def text_at(ds: Dataset, data: bytes, row: int, column: int) -> str:
    description = describe(ds)
    decoded = decode_frame(data, transfer_syntax_uid=EXPLICIT, description=description)
    return value_at(decoded.values, description, 1, row, column).text


def stored(allocated: int, bits: int, high: int, *, signed: int = 0, junk: int = 0) -> tuple[Dataset, bytes]:
    """Values of so many bits up to a high bit, with junk in every other bit of the cell."""
    shift = high + 1 - bits
    mask = ((1 << bits) - 1) << shift
    # Signed phantoms are 100 lower and come back by their intercept.
    cells = ((VALUES - 100 * signed) << shift) & mask | (junk & ~mask & ((1 << allocated) - 1))
    ds = image(
        VALUES,
        BitsAllocated=allocated,
        BitsStored=bits,
        HighBit=high,
        PixelRepresentation=signed,
        RescaleIntercept=100 * signed,
        RescaleSlope=1,
    )
    return ds, native_bytes(cells, allocated)


@pytest.mark.parametrize(
    ("allocated", "bits", "high", "signed"),
    [
        (8, 8, 7, 0),
        (16, 8, 7, 0),
        (16, 8, 15, 0),
        (16, 9, 8, 1),
        (16, 12, 11, 0),
        (16, 12, 11, 1),
        (16, 12, 13, 1),
        (16, 12, 15, 0),
        (16, 16, 15, 1),
        (12, 12, 11, 0),
        (12, 9, 8, 1),
        (32, 32, 31, 0),
        (32, 32, 31, 1),
        (32, 20, 19, 1),
        (32, 24, 27, 0),
    ],
)
@pytest.mark.parametrize("junk", [0, 0xFFFFFFFF, 0xA5A5A5A5])
def test_stored_bits_alone_make_the_grey(allocated: int, bits: int, high: int, signed: int, junk: int) -> None:
    ds, data = stored(allocated, bits, high, signed=signed, junk=junk)
    assert drawn(ds, data).tolist() == VALUES.tolist()
    assert text_at(ds, data, 0, 1) == "40"


def test_one_bit_is_black_or_white() -> None:
    bits = np.array([[0, 1, 1, 0], [1, 0, 0, 1]])
    ds = image(bits, BitsAllocated=1, BitsStored=1, HighBit=0)
    assert drawn(ds, native_bytes(bits, 1), window=None).tolist() == (bits * 255).tolist()


def floating(values: Any, keyword: str = "FloatPixelData", **attributes: Any) -> tuple[Dataset, bytes]:
    """A parametric map: no Bits Stored, no Pixel Representation."""
    array = np.asarray(values, "<f4" if keyword == "FloatPixelData" else "<f8")
    ds = image(np.zeros(array.shape, int), **attributes)
    ds.BitsAllocated = array.itemsize * 8
    for absent in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        if absent in ds:
            del ds[absent]
    setattr(ds, keyword, array.tobytes())
    return ds, array.tobytes()


@pytest.mark.parametrize("keyword", ["FloatPixelData", "DoubleFloatPixelData"])
def test_floating_point_pixels_look_the_same(keyword: str) -> None:
    ds, data = floating(VALUES, keyword)
    assert drawn(ds, data).tolist() == VALUES.tolist()


def test_fractions_are_not_cut() -> None:
    ds, data = floating([[0.0, 0.25, 0.5, 1.0]])
    picture = drawn(ds, data, window=Window(0.5, 1.0, VoiFunction.LINEAR_EXACT))
    assert picture.tolist() == [[0, 63, 127, 255]]
    assert text_at(ds, data, 0, 1) == "0.25"


# --- Padding


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    ("signed", "padding", "limit", "black"),
    [
        (0, 80, None, [80]),
        (0, 80, 160, [80, 120, 160]),
        (0, 160, 80, [80, 120, 160]),
        (1, -100, None, [0]),
        (1, -100, -20, [0, 40, 80]),
        (1, -20, -100, [0, 40, 80]),
    ],
)
def test_padding_inside_the_window_is_black(
    signed: int, padding: int, limit: int | None, black: list[int], photometric: str, invert: bool
) -> None:
    # Padding is compared with stored values, which are 100 lower in the signed phantom.
    ds, data = stored(16, 16, 15, signed=signed)
    ds.PhotometricInterpretation = photometric
    for keyword, value in (("PixelPaddingValue", padding), ("PixelPaddingRangeLimit", limit)):
        if value is not None:
            ds.add_new(keyword, "SS" if signed else "US", value)

    picture = drawn(ds, data, invert=invert)

    falls = (photometric == "MONOCHROME1") != invert
    expected = np.where(np.isin(VALUES, black), 0, 255 - VALUES if falls else VALUES)
    assert picture.tolist() == expected.tolist()


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize(
    ("padding", "limit", "black"),
    [(80.0, None, [80]), (160.0, 80.0, [80, 120, 160]), (-1e9, None, []), (float("nan"), None, [])],
)
def test_padding_of_float_images(padding: float, limit: float | None, black: list[int], invert: bool) -> None:
    ds, data = floating(VALUES, FloatPixelPaddingValue=padding)
    if limit is not None:
        ds.FloatPixelPaddingRangeLimit = limit
    expected = np.where(np.isin(VALUES, black), 0, 255 - VALUES if invert else VALUES)
    assert drawn(ds, data, invert=invert).tolist() == expected.tolist()


@pytest.mark.parametrize("invert", [False, True])
def test_what_is_no_number_is_black_and_in_no_mean(invert: bool) -> None:
    ds, data = floating([[np.nan, 100.0], [100.0, 100.0]])
    assert drawn(ds, data, invert=invert)[0, 0] == 0
    wide = np.full((513, 513), 100.0)
    wide[0, :2] = np.nan
    wide[1, 0] = np.nan
    ds, data = floating(wide)
    description = describe(ds)
    decoded = decode_frame(data, transfer_syntax_uid=EXPLICIT, description=description)
    assert reduce_frame(decoded, description, 1, 0).values[0, 0] == 100.0


def test_padding_takes_no_part_in_the_range_of_a_stack() -> None:
    ds, data = stored(16, 16, 15, signed=1)
    ds.add_new("PixelPaddingValue", "SS", -100)
    ds.add_new("PixelPaddingRangeLimit", "SS", -20)
    description = describe(ds)
    sample = StackSample()
    sample.add(decode_frame(data, transfer_syntax_uid=EXPLICIT, description=description).values, description, 1)
    assert (sample.minimum, sample.maximum) == (120.0, 255.0)


def test_padding_stands_before_a_modality_lut() -> None:
    # The LUT sends stored 80 to 255 and everything else to itself: it is padding all the same.
    ds, data = stored(16, 16, 15)
    entries = list(range(256))
    entries[80] = 255
    lut = Dataset()
    lut.LUTDescriptor, lut.LUTData, lut.ModalityLUTType = [256, 0, 16], entries, "US"
    ds.ModalityLUTSequence = [lut]
    del ds.RescaleSlope, ds.RescaleIntercept
    ds.add_new("PixelPaddingValue", "US", 80)
    assert drawn(ds, data).tolist() == np.where(VALUES == 80, 0, VALUES).tolist()
    assert text_at(ds, data, 0, 2) == "—"
