"""Every grey level against dcmj2pnm of dcmtk, an independent renderer.

Equal means in every pixel. Where we differ it is on purpose, and the test says so.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from archive.pixels.description import OverlayPlane, VoiFunction, Window
from tests.viewer.rendering.images import Frame, dcmtk_picture, describe_values, table, write_image
from viewer.rendering.parameters import RenderParameters, VoiLutNumber, WindowSource
from viewer.rendering.pipeline import render_frame

WINDOWS = [(40, 400), (-600, 1500), (50, 350.5), (128, 256), (300, 1), (0.5, 2), (30000, 65536)]


def gradient(dtype: str) -> NDArray[Any]:
    """Every value of 8 bits, or every fourth of 16 bits, each once."""
    limits = np.iinfo(dtype)
    step = 4 if np.dtype(dtype).itemsize == 2 else 1
    return np.arange(limits.min, limits.max + 1, step).astype(dtype).reshape(-1, 16)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("dtype", ["|u1", "<u2", "<i2"])
@pytest.mark.parametrize(("center", "width"), WINDOWS)
def test_explicit_windows_are_equal(tmp_path: Path, dtype: str, center: float, width: float, photometric: str) -> None:
    values = gradient(dtype)
    file = write_image(tmp_path / "image.dcm", values, PhotometricInterpretation=photometric)
    description = describe_values(values, photometric_interpretation=photometric)

    ours = render_frame(Frame(values, photometric), description, 1, RenderParameters(window=Window(center, width)))

    assert np.array_equal(ours, dcmtk_picture(file, "+Ww", center, width))


@pytest.mark.parametrize(("slope", "intercept"), [(1, -1024), (2, 0), (-1, 100), (3, -5)])
def test_rescaled_values_are_equal(tmp_path: Path, slope: int, intercept: int) -> None:
    values = gradient("<i2") // 8
    file = write_image(tmp_path / "image.dcm", values, RescaleSlope=slope, RescaleIntercept=intercept)
    description = describe_values(values, rescale_slope=float(slope), rescale_intercept=float(intercept))

    ours = render_frame(Frame(values), description, 1, RenderParameters(window=Window(40, 400)))

    assert np.array_equal(ours, dcmtk_picture(file, "+Ww", 40, 400))


def test_header_window_and_its_sigmoid_are_equal(tmp_path: Path) -> None:
    values = gradient("<u2") // 16
    file = write_image(tmp_path / "image.dcm", values, WindowCenter=2653, WindowWidth=900, VOILUTFunction="SIGMOID")
    description = describe_values(values, windows=(Window(2653, 900, VoiFunction.SIGMOID),))

    ours = render_frame(Frame(values), description, 1, RenderParameters(window=WindowSource.FILE))

    assert np.array_equal(ours, dcmtk_picture(file, "+Wi", 1))


def lut_item(entries: NDArray[Any], first_mapped: int, bits: int) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first_mapped, bits]
    item.LUTData = entries.astype("<u2").tobytes()
    item["LUTData"].VR = "OW"
    return item


@pytest.mark.parametrize(
    ("bits", "first_mapped", "length"), [(12, 0, 4096), (12, 700, 1000), (16, 100, 3000), (8, 0, 256), (10, 3, 7)]
)
def test_voi_luts_are_equal(tmp_path: Path, bits: int, first_mapped: int, length: int) -> None:
    values = gradient("<u2") // 16
    entries = np.rint((1 - np.cos(np.linspace(0, np.pi, length))) / 2 * ((1 << bits) - 1)).astype(np.uint16)
    file = write_image(tmp_path / "image.dcm", values, VOILUTSequence=Sequence([lut_item(entries, first_mapped, bits)]))
    lut = table(entries.tolist(), first_mapped=first_mapped, bits=bits)
    description = describe_values(values, voi_luts=(lut,))

    ours = render_frame(Frame(values), description, 1, RenderParameters(window=VoiLutNumber(1)))

    assert np.array_equal(ours, dcmtk_picture(file, "+Wl", 1))


def test_modality_lut_is_equal(tmp_path: Path) -> None:
    values = gradient("<u2") // 16
    entries = np.rint(4095 * np.sqrt(np.arange(3000) / 2999)).astype(np.uint16)
    item = lut_item(entries, 500, 12)
    item.ModalityLUTType = "US"
    file = write_image(tmp_path / "image.dcm", values, ModalityLUTSequence=Sequence([item]))
    description = describe_values(values, modality_lut=table(entries.tolist(), first_mapped=500, bits=12))

    ours = render_frame(Frame(values), description, 1, RenderParameters(window=Window(2000, 3000)))

    assert np.array_equal(ours, dcmtk_picture(file, "+Ww", 2000, 3000))


@pytest.mark.parametrize(("origin_row", "origin_column"), [(1, 1), (5, 9), (-3, -2)])
def test_overlays_are_equal(tmp_path: Path, origin_row: int, origin_column: int) -> None:
    values = gradient("<u2")[:64, :] // 256
    bits = np.random.default_rng(3).integers(0, 2, (20, 13)).astype(np.uint8)
    packed = np.packbits(bits, bitorder="little").tobytes()
    file = write_image(tmp_path / "image.dcm", values)
    write_overlay(file, values, packed, (20, 13), (origin_row, origin_column))
    plane = OverlayPlane(0x6000, 20, 13, origin_row, origin_column, packed)
    description = describe_values(values, overlays=(plane,))
    window = Window(10, 30)

    ours = render_frame(Frame(values), description, 1, RenderParameters(window=window))
    without = render_frame(Frame(values), description, 1, RenderParameters(window=window, overlays=False))

    assert np.array_equal(ours, dcmtk_picture(file, "+O", 0, "+Ww", 10, 30))
    assert np.array_equal(without, dcmtk_picture(file, "+Ww", 10, 30))
    assert not np.array_equal(ours, without)


def write_overlay(
    file: Path, values: NDArray[Any], packed: bytes, size: tuple[int, int], origin: tuple[int, int]
) -> None:
    elements = Dataset()
    elements.add_new(0x60000010, "US", size[0])
    elements.add_new(0x60000011, "US", size[1])
    elements.add_new(0x60000040, "CS", "G")
    elements.add_new(0x60000050, "SS", list(origin))
    elements.add_new(0x60000100, "US", 1)
    elements.add_new(0x60000102, "US", 0)
    elements.add_new(0x60003000, "OW", packed + b"\0" * (len(packed) % 2))
    ds = dcmread(file)
    ds.update(elements)
    ds.save_as(file)


def test_padded_pixels_are_black_here_and_not_there(tmp_path: Path) -> None:
    # On purpose: dcmtk draws padding through the window, where inversion makes it white.
    values = gradient("<i2")
    file = write_image(
        tmp_path / "image.dcm", values, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=-32768
    )
    description = describe_values(values, photometric_interpretation="MONOCHROME1", padding=(-32768.0, -32768.0))
    parameters = RenderParameters(window=Window(40, 400))

    ours = render_frame(Frame(values, "MONOCHROME1"), description, 1, parameters)
    theirs = dcmtk_picture(file, "+Ww", 40, 400)

    assert (ours[0, 0], theirs[0, 0]) == (0, 255)
    assert np.array_equal(ours.ravel()[1:], theirs.ravel()[1:])
    unpadded = replace(description, padding=None)
    assert np.array_equal(render_frame(Frame(values, "MONOCHROME1"), unpadded, 1, parameters), theirs)


def test_fractions_of_modality_values_are_kept_here_and_cut_there(tmp_path: Path) -> None:
    # On purpose: dcmtk cuts modality values to whole numbers, which would make a PET in SUV seven greys.
    values = np.arange(256, dtype=np.uint16).reshape(16, 16)
    file = write_image(tmp_path / "image.dcm", values, RescaleSlope="0.027", RescaleIntercept="0")
    description = describe_values(values, rescale_slope=0.027)

    ours = render_frame(Frame(values), description, 1, RenderParameters(window=Window(4, 8)))
    theirs = dcmtk_picture(file, "+Ww", 4, 8)

    assert len(np.unique(theirs)) <= 8
    assert len(np.unique(ours)) > 200


def test_inverted_voi_lut_reaches_black_here_and_not_there(tmp_path: Path) -> None:
    # On purpose: dcmtk's inverted table ends at 1 and not at 0. Ours is the complement of the plain one.
    values = np.arange(256, dtype=np.uint16).reshape(16, 16)
    entries = np.arange(256, dtype=np.uint16) * 257
    file = write_image(
        tmp_path / "image.dcm",
        values,
        PhotometricInterpretation="MONOCHROME1",
        VOILUTSequence=Sequence([lut_item(entries, 0, 16)]),
    )
    lut = table(entries.tolist())
    description = describe_values(values, photometric_interpretation="MONOCHROME1", voi_luts=(lut,))

    ours = render_frame(Frame(values, "MONOCHROME1"), description, 1, RenderParameters(window=VoiLutNumber(1)))
    theirs = dcmtk_picture(file, "+Wl", 1)

    assert ours.ravel().tolist() == list(range(255, -1, -1))
    assert int(np.abs(ours.astype(int) - theirs).max()) <= 2
