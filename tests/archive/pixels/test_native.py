"""Objects written without compression: every pixel, overlay bit and element as it was, compared with dcmtk."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from archive.errors import CannotDecode
from archive.pixels.native import write_native
from archive.pixels.transcode import ImageFile

BOTH = pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=["explicit", "implicit"])


def written(source: Path, syntax: str) -> Dataset:
    buffer = io.BytesIO()
    write_native(source, buffer, transfer_syntax_uid=syntax)
    ds = pydicom.dcmread(io.BytesIO(buffer.getvalue()))
    assert ds.file_meta.TransferSyntaxUID == syntax
    return ds


def by_dcmtk(tool: str, source: Path, target: Path, *options: str) -> Dataset:
    subprocess.run([f"/usr/bin/{tool}", *options, str(source), str(target)], check=True, capture_output=True)
    return pydicom.dcmread(target)


def bundled(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


@BOTH
@pytest.mark.parametrize(
    ("tool", "file"),
    [
        ("dcmdjpls", "syntaxes/ctimage/JPEGLSLossless_1.2.840.10008.1.2.4.80.dcm"),
        ("dcmdrle", "syntaxes/ctimage/RLELossless_1.2.840.10008.1.2.5.dcm"),
        ("dcmdjpeg", "syntaxes/ctimage/JPEGProcess14SV1_1.2.840.10008.1.2.4.70.dcm"),
        ("dcmconv", "syntaxes/ctimage/BigEndianExplicit_1.2.840.10008.1.2.2.dcm"),
        ("dcmconv", "syntaxes/ctimage/DeflatedExplicitVRLittleEndian_1.2.840.10008.1.2.1.99.dcm"),
        ("dcmconv", "syntaxes/ctimage/LittleEndianImplicit_1.2.840.10008.1.2.dcm"),
        ("dcmdrle", "color/VL1_RLE.dcm"),
        ("dcmdjpls", "color/TestPattern_JPEG-LS-Lossless.dcm"),
        ("dcmdjpeg", "color/TestPattern_JPEG-Lossless_RGB.dcm"),
    ],
)
def test_pixels_are_those_of_dcmtk(data_dir: Path, tmp_path: Path, tool: str, file: str, syntax: str) -> None:
    expected = by_dcmtk(tool, data_dir / file, tmp_path / "dcmtk.dcm", "+te")

    ours = written(data_dir / file, syntax)

    assert ours.PhotometricInterpretation == expected.PhotometricInterpretation
    assert ours.get("PlanarConfiguration", 0) == 0
    np.testing.assert_array_equal(ours.pixel_array, expected.pixel_array)


@BOTH
@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_rle_2frame.dcm",
        "JPEG2000.dcm",
        "JPEG-lossy.dcm",
        "SC_rgb_small_odd_jpeg.dcm",
        "color3d_jpeg_baseline.dcm",
    ],
)
def test_every_frame_has_the_values_that_are_drawn(name: str, syntax: str, tmp_path: Path) -> None:
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"{name} is not installed")
    source, target = Path(str(found)), tmp_path / "written.dcm"
    with target.open("w+b") as file:
        write_native(source, file, transfer_syntax_uid=syntax)

    with ImageFile(source) as one, ImageFile(target) as other:
        for frame in range(1, one.description.frames + 1):
            first, second = one.frame(frame), other.frame(frame)
            assert first.photometric_interpretation == second.photometric_interpretation
            np.testing.assert_array_equal(first.values, second.values)


@BOTH
def test_lossy_streams_stay_marked(syntax: str) -> None:
    source = bundled("JPEG-lossy.dcm")
    before = pydicom.dcmread(source)

    ds = written(source, syntax)

    assert ds.LossyImageCompression == "01"
    assert ds.get("LossyImageCompressionRatio") == before.get("LossyImageCompressionRatio")
    assert ds.get("DerivationDescription") == before.get("DerivationDescription")


@BOTH
def test_an_overlay_in_the_unused_bits_of_cells_is_kept(syntax: str, tmp_path: Path) -> None:
    ds = pydicom.dcmread(bundled("CT_small.dcm"))
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 11, 0
    cells = np.arange(128 * 128, dtype="<u2").reshape(128, 128) % 4096
    cells[::3, ::5] |= 0x8000
    ds.PixelData = cells.tobytes()
    ds.add_new(0x60000010, "US", 128)
    ds.add_new(0x60000011, "US", 128)
    ds.add_new(0x60000040, "CS", "G")
    ds.add_new(0x60000050, "SS", [1, 1])
    ds.add_new(0x60000100, "US", 16)
    ds.add_new(0x60000102, "US", 15)
    ds.compress(RLELossless, encoding_plugin="pydicom")
    source = tmp_path / "rle.dcm"
    ds.save_as(source)

    assert written(source, syntax).PixelData == cells.tobytes()


def test_words_of_a_big_endian_file_are_swapped(tmp_path: Path) -> None:
    source = bundled("MR_small_bigendian.dcm")
    big = pydicom.dcmread(source)

    ds = written(source, ExplicitVRLittleEndian)

    assert big.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    np.testing.assert_array_equal(ds.pixel_array, big.pixel_array)
    assert (ds.Rows, ds.RepetitionTime, ds.PatientName) == (big.Rows, big.RepetitionTime, big.PatientName)


def test_a_deflated_data_set_is_inflated_byte_for_byte(tmp_path: Path) -> None:
    plain = pydicom.dcmread(bundled("CT_small.dcm"))
    source, plain_file = tmp_path / "deflated.dcm", tmp_path / "plain.dcm"
    plain.save_as(plain_file)
    plain.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    plain.save_as(source)
    buffer = io.BytesIO()

    write_native(source, buffer, transfer_syntax_uid=ExplicitVRLittleEndian)

    data = plain_file.read_bytes()
    assert buffer.getvalue().endswith(data[data.index(b"\x08\x00\x05\x00CS") :])


@BOTH
@pytest.mark.parametrize(
    "name", ["reportsi.dcm", "rtplan.dcm", "waveform_ecg.dcm", "liver_1frame.dcm", "UN_sequence.dcm"]
)
def test_objects_that_are_no_pictures_keep_every_element(name: str, syntax: str) -> None:
    source = bundled(name)
    before = pydicom.dcmread(source)

    after = written(source, syntax)

    assert [element.tag for element in after.iterall()] == [
        element.tag for element in before.iterall() if element.tag.element != 0
    ]
    assert after.get("ContentSequence") == before.get("ContentSequence")
    assert after.get("PixelData") == before.get("PixelData")


def test_single_bits_go_on_within_a_byte(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "syntaxes" / "liver_deflate.dcm"

    ds = written(source, ExplicitVRLittleEndian)

    assert len(ds.PixelData) == 512 * 512 * 3 // 8
    with ImageFile(source) as image:
        bits = np.concatenate([image.frame(number).values.reshape(-1) for number in (1, 2, 3)])
    np.testing.assert_array_equal(np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder="little"), bits)


def test_video_is_not_taken_apart(data_dir: Path) -> None:
    (source, *_) = sorted((data_dir / "video").glob("*.dcm"))

    with pytest.raises(CannotDecode):
        write_native(source, io.BytesIO(), transfer_syntax_uid=ExplicitVRLittleEndian)


def test_only_plain_transfer_syntaxes_are_written() -> None:
    with pytest.raises(CannotDecode, match="JPEG"):
        write_native(bundled("CT_small.dcm"), io.BytesIO(), transfer_syntax_uid="1.2.840.10008.1.2.4.80")
