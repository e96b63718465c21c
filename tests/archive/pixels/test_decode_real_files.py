"""Real files against other decoders: pydicom for what it decodes alone, dcmtk and GDCM for the rest."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from archive.dicom.part10 import read_file_meta
from archive.dicom.transfer_syntaxes import Codec, transfer_syntax
from archive.errors import ArchiveError, CannotDecode
from archive.pixels.transcode import ImageFile

PYDICOM_FILES = Path(pydicom.__file__).parent / "data" / "test_files"

NOT_DECODED = {"JPEG2000-embedded-sequence-delimiter.dcm": "14540801 tiles"}
"""Indexed files whose frames cannot be decoded, and why."""


def images(folder: Path) -> list[Path]:
    """Files whose frames can be indexed."""
    found = []
    for path in sorted(folder.rglob("*.dcm")):
        try:
            with ImageFile(path) as image:
                if image.index.frames:
                    found.append(path)
        except ArchiveError:
            continue
    return found


def test_every_frame_of_every_real_image_is_decoded_or_refused_as_listed(data_dir: Path) -> None:
    frames = 0
    for path in (*images(data_dir), *images(PYDICOM_FILES)):
        with ImageFile(path) as image:
            if path.name in NOT_DECODED:
                with pytest.raises(CannotDecode, match=NOT_DECODED[path.name]):
                    image.frame(1)
                continue
            for number in range(1, image.index.frames + 1):
                decoded = image.frame(number)
                assert decoded.values.shape[:2] == (image.description.rows, image.description.columns), path.name
                frames += 1
    assert frames > 850


def test_native_and_rle_frames_equal_those_of_pydicom(data_dir: Path) -> None:
    from pydicom.pixels import pixel_array  # noqa: TID251 - the other decoder to compare with

    compared = 0
    for path in (*images(data_dir), *images(PYDICOM_FILES)):
        with path.open("rb") as file:
            codec = transfer_syntax(read_file_meta(file).transfer_syntax_uid).codec
        if codec not in (Codec.NONE, Codec.RLE) or path.name in {"GH340.dcm", "badVR.dcm"}:
            continue
        with ImageFile(path) as image:
            ds = pydicom.dcmread(path, force=True)
            if "TransferSyntaxUID" not in ds.file_meta:
                ds.file_meta.TransferSyntaxUID = image.meta.transfer_syntax_uid
            expected = pixel_array(ds, raw=True)
            frames = expected[np.newaxis] if image.description.frames == 1 else expected
            for number, frame in enumerate(frames, start=1):
                assert np.array_equal(image.frame(number).values, frame), (path.name, number)
                compared += 1
    assert compared > 350


DCMTK_JPEG = ["/usr/bin/dcmdjpeg"]
DCMTK_JPEG_LS = ["/usr/bin/dcmdjpls"]
GDCM = ["/usr/bin/gdcmconv", "--raw"]

ORACLES = {
    "color/TestPattern_JPEG-Baseline_YBR422.dcm": DCMTK_JPEG,
    "color/TestPattern_JPEG-Baseline_YBRFull.dcm": DCMTK_JPEG,
    "color/TestPattern_JPEG-Lossless_RGB.dcm": DCMTK_JPEG,
    "color/TestPattern_JPEG-LS-Lossless.dcm": DCMTK_JPEG_LS,
    "color/TestPattern_JPEG-LS-NearLossless.dcm": DCMTK_JPEG_LS,
    "color/VL1_J2KR.dcm": GDCM,
    "cr_dx_mg/CR-ModalitySequenceLUT.dcm": DCMTK_JPEG,
    "ct_series/head_5mm/0003.dcm": DCMTK_JPEG_LS,
    "enhanced/ct0012_51.dcm": DCMTK_JPEG,
    "enhanced/ct0012_70_fragmented.dcm": DCMTK_JPEG,
    "odd/JPEGLossless_1s_1f_i_16_16_bad.dcm": DCMTK_JPEG,
    "odd/slicethickness_empty_string.dcm": GDCM,
    "syntaxes/ctimage/JPEG2000LosslessOnly_1.2.840.10008.1.2.4.90.dcm": GDCM,
    "syntaxes/ctimage/JPEG2000_1.2.840.10008.1.2.4.91.dcm": GDCM,
    "syntaxes/ctimage/JPEGLSLossless_1.2.840.10008.1.2.4.80.dcm": DCMTK_JPEG_LS,
    "syntaxes/ctimage/JPEGLSLossy_1.2.840.10008.1.2.4.81.dcm": DCMTK_JPEG_LS,
    "syntaxes/ctimage/JPEGProcess10_12_1.2.840.10008.1.2.4.55.dcm": DCMTK_JPEG,
    "syntaxes/ctimage/JPEGProcess14SV1_1.2.840.10008.1.2.4.70.dcm": DCMTK_JPEG,
    "syntaxes/ctimage/JPEGProcess14_1.2.840.10008.1.2.4.57.dcm": DCMTK_JPEG,
    "syntaxes/ctimage/JPEGProcess1_1.2.840.10008.1.2.4.50.dcm": DCMTK_JPEG,
    "syntaxes/ctimage/JPEGProcess2_4_1.2.840.10008.1.2.4.51.dcm": DCMTK_JPEG,
    "syntaxes/ctimage/JPEGProcess6_8_1.2.840.10008.1.2.4.53.dcm": DCMTK_JPEG,
    "us/IM00001.fragmented_no_bot_jpeg_baseline.50.dcm": DCMTK_JPEG,
    "us/I_000007.dcm": DCMTK_JPEG,
    "pydicom:693_J2KI.dcm": GDCM,
    "pydicom:GDCMJ2K_TextGBR.dcm": GDCM,
    "pydicom:J2K_pixelrep_mismatch.dcm": GDCM,
    "pydicom:JPEGLSNearLossless_16.dcm": DCMTK_JPEG_LS,
    "pydicom:SC_rgb_dcmtk_+eb+cr.dcm": DCMTK_JPEG,
    "pydicom:SC_rgb_dcmtk_+eb+cy+s4.dcm": DCMTK_JPEG,
    "pydicom:SC_rgb_gdcm_KY.dcm": GDCM,
    "pydicom:SC_rgb_jpeg_app14_dcmd.dcm": DCMTK_JPEG,
    "pydicom:SC_jpeg_no_color_transform.dcm": DCMTK_JPEG,
    "pydicom:SC_jpeg_no_color_transform_2.dcm": DCMTK_JPEG,
}
"""File -> the command that writes it uncompressed."""


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_compressed_frames_equal_those_of_another_decoder(name: str, data_dir: Path, tmp_path: Path) -> None:
    if not Path(ORACLES[name][0]).exists():
        pytest.skip(f"{ORACLES[name][0]} is not installed")
    path = data_dir / name
    if name.startswith("pydicom:"):
        path = Path(get_testdata_file(name.removeprefix("pydicom:"), download=False))
    plain = tmp_path / "plain.dcm"
    subprocess.run([*ORACLES[name], path, plain], check=True, capture_output=True)

    with ImageFile(path) as ours, ImageFile(plain) as theirs:
        assert theirs.index.frames == ours.index.frames
        for number in range(1, ours.index.frames + 1):
            mine, expected = ours.frame(number), theirs.frame(number)
            assert mine.photometric_interpretation == expected.photometric_interpretation
            assert np.array_equal(mine.values, expected.values)


def test_one_image_in_every_lossless_transfer_syntax_has_the_same_pixels(data_dir: Path) -> None:
    folder = data_dir / "syntaxes" / "ctimage"
    with ImageFile(folder / "LittleEndianExplicit_1.2.840.10008.1.2.1.dcm") as image:
        expected = image.frame(1).values
    lossless = [path for path in sorted(folder.glob("*.dcm")) if not transfer_syntax(path.stem.split("_")[-1]).lossy]

    assert len(lossless) == 9
    for path in lossless:
        with ImageFile(path) as image:
            assert np.array_equal(image.frame(1).values, expected), path.name


def test_htj2k_equals_the_uncompressed_image(data_dir: Path) -> None:
    with ImageFile(data_dir / "syntaxes/MR1_JPH.dcm") as ht, ImageFile(data_dir / "syntaxes/MR1_UNC.dcm") as plain:
        assert np.array_equal(ht.frame(1).values, plain.frame(1).values)


def test_twelve_packed_bits_are_those_of_the_same_image_in_words(data_dir: Path) -> None:
    with ImageFile(data_dir / "odd/GH340.dcm") as image:
        values = image.frame(1).values

    raw = pydicom.dcmread(data_dir / "odd/GH340.dcm", force=True).PixelData
    assert values.shape == (256, 256)
    assert values[0, 0] == raw[0] | (raw[1] & 15) << 8
    assert values[0, 1] == raw[1] >> 4 | raw[2] << 4
    assert int(values.max()) < 4096


def test_a_deflated_frame_equals_the_same_image_uncompressed(data_dir: Path) -> None:
    with ImageFile(data_dir / "syntaxes/liver_deflate.dcm") as image:
        sums = [int(image.frame(number).values.sum()) for number in (1, 2, 3)]

    assert image.description.bits_allocated == 1
    assert all(total > 0 for total in sums)
