"""Real files, read and decoded as the archive does it, against dcmtk's drawing of the same files."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.pixels import convert_color_space, pixel_array  # noqa: TID251 - an oracle

from archive.errors import CannotDecode
from archive.pixels.description import ImageDescription, VoiFunction, Window
from tests.viewer.rendering.corpus import Opened, open_image, readable_by_dcmtk
from tests.viewer.rendering.images import dcmtk_picture
from viewer.rendering.geometry import Point, edges, pixel_spacing, ultrasound_scale
from viewer.rendering.parameters import RenderParameters, VoiLutNumber
from viewer.rendering.pipeline import render_frame, render_thumbnail, render_tile
from viewer.rendering.png import encode_png
from viewer.rendering.stack_window import StackFrame, WindowOrigin, stack_window
from viewer.rendering.tiles import levels
from viewer.rendering.values import value_at
from viewer.rendering.voi_lut import usable_voi_luts, usable_windows


def without_padding(opened: Opened) -> ImageDescription:
    """dcmtk draws padding through the window; ours is black on purpose, which has its own test."""
    return replace(opened.description, padding=None)


GREY = [
    "cr_dx_mg/CR-ModalitySequenceLUT.dcm",
    "cr_dx_mg/dx_image.dcm",
    "cr_dx_mg/mg_sigmoid_voilut.dcm",
    "ct_series/crlm_1004/0055.dcm",
    "ct_series/gantry_tilt_4/0001.dcm",
    "ct_series/head_5mm/0003.dcm",
    "ct_series/liver_3slice/0001.dcm",
    "luts_overlays/leadtools-flowers-8-mono2-rle.dcm",
    "luts_overlays/ovly_p01.dcm",
    "mr_series/adc_cmb1/0041.dcm",
    "mr_series/mister_mr/cor_t1/0001.dcm",
    "mr_series/mosaic/siemens_mosaic.dcm",
    "mr_series/prone_hfp/0016.dcm",
    "nm/NM-MONO2-16-13x-heart.dcm",
    "odd/no_preamble_CR-MONO1-10-chest.dcm",
    "petct/acrin_042/ct/0057.dcm",
    "petct/sts_001/ct/0000.dcm",
    "xa/philips_cath_75frames.dcm",
]


@pytest.mark.parametrize("name", GREY)
def test_explicit_windows_are_equal_in_every_pixel(name: str, data_dir: Path, tmp_path: Path) -> None:
    opened = open_image(data_dir / name)
    theirs = readable_by_dcmtk(opened, tmp_path)
    frame = opened.frame()
    for center, width in ((40, 400), (50, 350.5), (600, 1600)):
        parameters = RenderParameters(window=Window(center, width), overlays=False)
        ours = render_frame(frame, without_padding(opened), 1, parameters)
        assert np.array_equal(ours, dcmtk_picture(theirs, "+Ww", center, width, "+Wfl"))


@pytest.mark.parametrize("name", GREY)
def test_windows_and_luts_of_the_header_are_equal_in_every_pixel(name: str, data_dir: Path, tmp_path: Path) -> None:
    opened = open_image(data_dir / name)
    theirs = readable_by_dcmtk(opened, tmp_path)
    frame = opened.frame()
    attributes = opened.description.frame(1)
    choices = [(window, "+Wi", number) for number, window in enumerate(usable_windows(attributes), 1)]
    tables = [(VoiLutNumber(number), "+Wl", number) for number, _ in enumerate(usable_voi_luts(attributes), 1)]
    for window, option, number in [*choices, *tables]:
        ours = render_frame(frame, without_padding(opened), 1, RenderParameters(window=window, overlays=False))
        assert np.array_equal(ours, dcmtk_picture(theirs, option, number))


def test_a_mammogram_offers_all_that_its_header_says(data_dir: Path) -> None:
    opened = open_image(data_dir / "cr_dx_mg" / "mg_sigmoid_voilut.dcm")
    attributes = opened.description.frame(1)

    assert [window.explanation for window in usable_windows(attributes)] == ["NORMAL", "HARDER", "SOFTER"]
    assert {window.function for window in usable_windows(attributes)} == {VoiFunction.SIGMOID}
    first = stack_window([StackFrame(opened.description)])
    assert (first.origin, first.voi_lut, first.name) == (WindowOrigin.VOI_LUT, VoiLutNumber(1), "NORMAL")


def test_air_of_a_mammogram_is_black_also_when_inverted(data_dir: Path) -> None:
    opened = open_image(data_dir / "cr_dx_mg" / "mg_sigmoid_voilut.dcm")
    frame = opened.frame()
    air = frame.values <= 30
    assert opened.description.padding == (0.0, 30.0)
    for invert in (False, True):
        picture = render_frame(frame, opened.description, 1, RenderParameters(invert=invert))
        assert not picture[air].any()
        assert picture[~air].any()


def test_overlays_in_unused_bits_are_equal_in_every_pixel(data_dir: Path) -> None:
    opened = open_image(data_dir / "luts_overlays" / "ovly_p01.dcm")
    frame = opened.frame()

    ours = render_frame(frame, opened.description, 1, RenderParameters(window=Window(2048, 4096)))

    assert np.array_equal(ours, dcmtk_picture(opened.path, "+O", 0, "+Ww", 2048, 4096))
    without = RenderParameters(window=Window(2048, 4096), overlays=False)
    assert not np.array_equal(ours, render_frame(frame, opened.description, 1, without))


@pytest.mark.parametrize("number", [1, 7, 13])
def test_each_frame_of_a_cine_is_equal(number: int, data_dir: Path) -> None:
    opened = open_image(data_dir / "nm" / "NM-MONO2-16-13x-heart.dcm")
    ours = render_frame(opened.frame(number), opened.description, number, RenderParameters(window=Window(100, 200)))
    assert np.array_equal(ours, dcmtk_picture(opened.path, "+F", number, "+Ww", 100, 200))


PATTERNS = [
    "TestPattern_JPEG-Baseline_YBR422.dcm",
    "TestPattern_JPEG-Baseline_YBRFull.dcm",
    "TestPattern_JPEG-LS-Lossless.dcm",
    "TestPattern_JPEG-LS-NearLossless.dcm",
    "TestPattern_JPEG-Lossless_RGB.dcm",
    "TestPattern_Palette_16.dcm",
]


@pytest.mark.parametrize("name", PATTERNS)
def test_one_pattern_in_many_encodings_looks_the_same(name: str, data_dir: Path) -> None:
    reference, other = open_image(data_dir / "color" / "TestPattern_RGB.dcm"), open_image(data_dir / "color" / name)

    expected = render_frame(reference.frame(), reference.description, 1).astype(int)
    found = render_frame(other.frame(), other.description, 1).astype(int)

    # Lossless ones are equal; lossy ones and the palette differ by what their encoding lost.
    lossless = name in ("TestPattern_JPEG-LS-Lossless.dcm", "TestPattern_JPEG-Lossless_RGB.dcm")
    assert np.abs(found - expected).mean() <= (0 if lossless else 4)


def test_one_picture_in_two_encodings_looks_the_same(data_dir: Path) -> None:
    pictures = []
    for name in ("VL1_RLE.dcm", "VL1_J2KR.dcm"):
        opened = open_image(data_dir / "color" / name)
        pictures.append(render_frame(opened.frame(), opened.description, 1))
    assert np.array_equal(*pictures)


@pytest.mark.parametrize("name", ["us/Issue19.dcm", "us/US-YBR_FULL_422-EVRLE.dcm"])
def test_uncompressed_chroma_equals_pydicom_and_nearly_dcmtk(name: str, data_dir: Path, tmp_path: Path) -> None:
    opened = open_image(data_dir / name)
    target = tmp_path / "picture.ppm"
    subprocess.run(
        ["/usr/bin/dcmj2pnm", "+op", str(opened.path), str(target)], check=True, capture_output=True, timeout=60
    )

    ours = render_frame(opened.frame(), opened.description, 1)

    assert np.array_equal(ours, pydicom_rgb(opened.path))
    # dcmtk centers chroma at 127.5 and cuts each term: two grey levels is the most that may differ.
    assert np.abs(ours.astype(int) - np.asarray(Image.open(target))).max() <= 2


def pydicom_rgb(path: Path) -> NDArray[np.uint8]:
    ds = dcmread(path)
    samples = pixel_array(ds, raw=True)
    rgb: NDArray[np.uint8] = convert_color_space(samples, "YBR_FULL", "RGB")
    return rgb


def test_an_uncalibrated_region_never_gives_millimetres(data_dir: Path) -> None:
    description = open_image(data_dir / "us" / "I_000007.dcm").description
    scale = ultrasound_scale(description, Point(100, 100), Point(200, 200))
    assert scale is not None
    assert scale.row_size == pytest.approx(0.3628, abs=1e-4)

    description = open_image(data_dir / "us" / "I_000001.dcm").description
    in_picture = ultrasound_scale(description, Point(50, 100), Point(300, 200))
    in_trace = ultrasound_scale(description, Point(380, 100), Point(400, 200))
    assert in_picture is not None
    assert in_trace is not None
    assert in_picture.is_length
    assert in_picture.row_size == pytest.approx(0.22857, abs=1e-5)
    assert not in_trace.is_length
    assert ultrasound_scale(description, Point(50, 100), Point(400, 200)) is None


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("ct_series/crlm_1004/0055.dcm", ("R", "L", "A", "P")),
        ("mr_series/mister_mr/cor_t1/0001.dcm", ("R", "L", "H", "F")),
        ("ct_series/gantry_tilt_4/0001.dcm", ("R", "L", "A", "P")),
    ],
)
def test_letters_of_real_planes(name: str, letters: tuple[str, ...], data_dir: Path) -> None:
    found = edges(open_image(data_dir / name).description, 1)
    assert found is not None
    assert tuple(edge[0] for edge in found) == letters


def test_values_of_a_real_ct(data_dir: Path) -> None:
    opened = open_image(data_dir / "ct_series" / "crlm_1004" / "0055.dcm")
    frame = opened.frame()
    middle = value_at(frame.values, opened.description, 1, 256, 256)
    assert middle.unit == "HU"
    assert middle.value == frame.values[256, 256] - 1024
    spacing = pixel_spacing(opened.description, 1)
    assert spacing is not None
    assert spacing.row_mm == pytest.approx(0.797, abs=1e-3)


def drawable_files(data_dir: Path) -> list[Path]:
    left_out = {"odd", "video", "sr", "presentation"}
    return [path for path in sorted(data_dir.rglob("*.dcm")) if path.relative_to(data_dir).parts[0] not in left_out]


def test_every_level_of_every_kind_of_image_is_drawn(data_dir: Path) -> None:
    # One image of each folder: its first tile at every level, its thumbnail, and its PNG read back.
    seen: set[Path] = set()
    drawn = 0
    for path in drawable_files(data_dir):
        folder = path.parent
        if folder in seen and len(list(folder.iterdir())) > 12:
            continue
        seen.add(folder)
        try:
            opened = open_image(path)
        except CannotDecode:  # objects without pixels
            continue
        frame, description = opened.frame(), opened.description
        window = stack_window([StackFrame(description)])
        for level in levels(description.rows, description.columns):
            tile = render_tile(frame, description, 1, level=level.level, row=0, column=0, stack_window=window)
            assert tile.shape[:2] == (min(level.rows, 512), min(level.columns, 512))
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(tile)))), tile)
        assert max(render_thumbnail(frame, description, 1, stack_window=window).shape[:2]) == 128
        drawn += 1
    assert drawn > 40
