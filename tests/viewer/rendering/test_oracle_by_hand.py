"""Grey levels of real files worked out from the text of PS3.3, value by value in Python numbers.

Attributes are read by pydicom and not by the archive; the sums are those of the
standard and share nothing with the renderer.
"""

from __future__ import annotations

from math import exp
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from archive.pixels.describe import describe
from tests.phantoms import image
from tests.viewer.rendering.corpus import open_image
from tests.viewer.rendering.images import Frame
from viewer.rendering.parameters import RenderParameters, VoiLutNumber, WindowSource, parse_window
from viewer.rendering.pipeline import render_frame

BY_FILE = RenderParameters(window=WindowSource.FILE, overlays=False)


def linear(value: float, center: float, width: float) -> int:
    """PS3.3 C.11.2.1.2.1, cut to a whole number."""
    if value <= center - 0.5 - (width - 1) / 2:
        return 0
    if value > center - 0.5 + (width - 1) / 2:
        return 255
    # A sum that is whole by the text may be 1e-13 below it in floating point.
    return int(((value - (center - 0.5)) / (width - 1) + 0.5) * 255 + 1e-9)


def table_entry(item: Dataset, value: int) -> int:
    """PS3.3 C.11.1.1.1 and C.11.2.1.1: the first entry below the first value mapped, the last above the last."""
    count, first, _bits = item.LUTDescriptor
    data = item.LUTData
    entries = np.frombuffer(data, "<u2").tolist() if isinstance(data, bytes) else list(data)
    return int(entries[min(max(value - first, 0), count - 1)])


def assert_each_value(stored: np.ndarray, picture: np.ndarray, expected: dict[int, int]) -> None:  # type: ignore[type-arg]
    """Every pixel of a stored value has the display value expected of it."""
    for value in np.unique(stored).tolist():
        shown = set(picture[stored == value].tolist())
        assert shown == {expected[value]}, f"stored {value}"


@pytest.mark.parametrize("number", [1, 8, 15])
def test_each_frame_of_an_enhanced_mr_has_the_window_of_its_own(number: int, data_dir: Path) -> None:
    path = data_dir / "enhanced" / "BRTUM014.dcm"
    opened = open_image(path)
    frame = opened.frame(number)
    voi = dcmread(path).PerFrameFunctionalGroupsSequence[number - 1].FrameVOILUTSequence[0]
    center, width = float(voi.WindowCenter), float(voi.WindowWidth)

    picture = render_frame(frame, opened.description, number, BY_FILE)

    values = np.unique(frame.values).tolist()
    assert_each_value(frame.values, picture, {value: linear(value, center, width) for value in values})


@pytest.mark.parametrize(("number", "center", "width"), [(0, 2653, 900), (1, 2713, 750), (2, 2569, 1050)])
def test_the_sigmoid_of_a_mammogram(number: int, center: int, width: int, data_dir: Path) -> None:
    path = data_dir / "cr_dx_mg" / "mg_sigmoid_voilut.dcm"
    opened = open_image(path)
    ds = dcmread(path, stop_before_pixels=True)
    assert (ds.WindowCenter[number], ds.WindowWidth[number], ds.VOILUTFunction) == (center, width, "SIGMOID")
    stored = opened.frame().values[::8, ::8]
    first, last = sorted((int(ds.PixelPaddingValue), int(ds.PixelPaddingRangeLimit)))

    picture = render_frame(
        opened.frame(), opened.description, 1, RenderParameters(parse_window(f"{center},{width},sigmoid"))
    )[::8, ::8]

    def expected(value: int) -> int:
        # PS3.3 C.11.2.1.3.1; padding is black (C.7.5.1.1.2).
        return 0 if first <= value <= last else int(255 / (1 + exp(-4 * (value - center) / width)))

    assert_each_value(stored, picture, {value: expected(value) for value in np.unique(stored).tolist()})


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_voi_luts_of_a_mammogram(number: int, data_dir: Path) -> None:
    path = data_dir / "cr_dx_mg" / "mg_sigmoid_voilut.dcm"
    opened = open_image(path)
    item = dcmread(path, stop_before_pixels=True).VOILUTSequence[number - 1]
    stored = opened.frame().values[::8, ::8]

    picture = render_frame(opened.frame(), opened.description, 1, RenderParameters(VoiLutNumber(number)))[::8, ::8]

    expected = {value: 0 if value <= 30 else table_entry(item, value) * 256 // 4096 for value in range(4096)}
    assert_each_value(stored, picture, expected)


def test_the_modality_lut_of_a_cr_shown_inverted(data_dir: Path) -> None:
    path = data_dir / "cr_dx_mg" / "CR-ModalitySequenceLUT.dcm"
    opened = open_image(path)
    ds = dcmread(path, stop_before_pixels=True)
    assert ds.PhotometricInterpretation == "MONOCHROME1"
    item, (center, width) = ds.ModalityLUTSequence[0], (500, 901)
    stored = opened.frame().values

    picture = render_frame(opened.frame(), opened.description, 1, RenderParameters(parse_window(f"{center},{width}")))

    def expected(value: int) -> int:
        # MONOCHROME1: the ramp of C.11.2.1.2.1 falls instead of rising, and is cut as it falls.
        modality = table_entry(item, value)
        position = min(max((modality - 499.5) / 900 + 0.5, 0.0), 1.0)
        return int(255 * (1 - position) + 1e-9)

    assert_each_value(stored, picture, {value: expected(value) for value in range(1024)})


def test_the_header_window_of_a_veterinary_radiograph_is_the_complement(data_dir: Path) -> None:
    # W 256 L 128 over 8 bits is the identity (C.11.2.1.2.2, example 1), MONOCHROME1 its complement.
    opened = open_image(data_dir / "cr_dx_mg" / "dx_image.dcm")
    frame = opened.frame()
    assert np.array_equal(render_frame(frame, opened.description, 1, BY_FILE), 255 - frame.values)


def test_empty_tables_and_windows_are_none_at_all(data_dir: Path) -> None:
    # Every LUT, window, rescale and padding of this file stands there without a value: the stored bytes are shown.
    opened = open_image(data_dir / "luts_overlays" / "leadtools-flowers-8-mono2-rle.dcm")
    frame = opened.frame()
    assert np.array_equal(render_frame(frame, opened.description, 1, BY_FILE), frame.values)


def test_overlay_bits_above_the_stored_bits_take_no_part_in_the_grey(data_dir: Path) -> None:
    path = data_dir / "luts_overlays" / "ovly_p01.dcm"
    opened = open_image(path)
    ds = dcmread(path)
    cells = np.frombuffer(ds.PixelData, "<u2", ds.Rows * ds.Columns).reshape(ds.Rows, ds.Columns)
    stored = cells & ((1 << ds.BitsStored) - 1)
    assert (cells != stored).any() or (0x6000, 0x3000) in ds

    picture = render_frame(
        opened.frame(), opened.description, 1, RenderParameters(parse_window("2048,4096"), overlays=False)
    )

    assert_each_value(stored, picture, {value: linear(value, 2048, 4096) for value in range(4096)})


@pytest.mark.parametrize(("center", "width"), [(0.5, 1.0), (0.25, 0.125)])
def test_a_parametric_map_of_floats_is_cut_nowhere_before_its_window(
    center: float, width: float, data_dir: Path
) -> None:
    path = data_dir / "seg_rt" / "parametric_map_float.dcm"
    ds, opened = dcmread(path), open_image(path)
    values = np.frombuffer(ds.FloatPixelData, "<f4").reshape(-1, ds.Rows, ds.Columns)
    assert not np.array_equal(values, np.trunc(values))
    look = RenderParameters(window=parse_window(f"{center},{width},linear-exact"), overlays=False)

    picture = render_frame(opened.frame(1), opened.description, 1, look)

    # PS3.3 C.11.2.1.3.2 (LINEAR_EXACT), of the stored floats: the file has no rescale.
    exact = (values[0].astype(float) - center) / width + 0.5
    assert np.array_equal(picture, np.floor(np.clip(exact, 0, 1) * 255).astype(np.uint8))


def test_segments_of_a_palette_are_the_colors_of_the_picture() -> None:
    # PS3.3 C.7.9.2: red 0 and then in 4 steps to 0x8000; green discrete; blue two entries, twice.
    segments = {
        "Red": [0, 1, 0, 1, 4, 0x8000],
        "Green": [0, 5, 0x0100, 0x0200, 0x0300, 0x0400, 0xFFFF],
        "Blue": [0, 2, 0x1000, 0x2000, 2, 1, 0, 0, 0, 1, 0x3000],
    }
    ds = image(np.arange(5).reshape(1, 5), BitsAllocated=8, PhotometricInterpretation="PALETTE COLOR")
    for color, words in segments.items():
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [5, 0, 16])
        setattr(ds, f"Segmented{color}PaletteColorLookupTableData", np.array(words, "<u2").tobytes())

    picture = render_frame(Frame(np.arange(5, dtype=np.uint8).reshape(1, 5), "PALETTE COLOR"), describe(ds), 1)

    assert picture[0].tolist() == [[0, 1, 16], [32, 2, 32], [64, 3, 16], [96, 4, 32], [128, 255, 48]]
