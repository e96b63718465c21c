"""The same image in another encoding is a duplicate; anything else is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from archive.indexing.sameness import is_same_instance
from tests.phantoms import ct_image, ramp, to_part10_bytes


def wheel(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


@pytest.mark.parametrize("name", ["RLE", "bigendian", "expb", "implicit", "jp2klossless", "jpeg_ls_lossless", "padded"])
def test_every_lossless_encoding_is_the_same(name: str) -> None:
    assert is_same_instance(wheel("MR_small.dcm"), wheel(f"MR_small_{name}.dcm"))
    assert is_same_instance(wheel(f"MR_small_{name}.dcm"), wheel("MR_small.dcm"))


@pytest.mark.parametrize(
    "name",
    [
        "BigEndianExplicit_1.2.840.10008.1.2.2",
        "DeflatedExplicitVRLittleEndian_1.2.840.10008.1.2.1.99",
        "JPEG2000LosslessOnly_1.2.840.10008.1.2.4.90",
        "JPEGLSLossless_1.2.840.10008.1.2.4.80",
        "JPEGProcess14SV1_1.2.840.10008.1.2.4.70",
        "JPEGProcess14_1.2.840.10008.1.2.4.57",
        "LittleEndianImplicit_1.2.840.10008.1.2",
        "RLELossless_1.2.840.10008.1.2.5",
    ],
)
def test_private_numbers_and_the_note_of_a_recompression_do_not_make_it_another(data_dir: Path, name: str) -> None:
    folder = data_dir / "syntaxes/ctimage"
    assert is_same_instance(folder / "LittleEndianExplicit_1.2.840.10008.1.2.1.dcm", folder / f"{name}.dcm")


def test_objects_without_pixels_are_compared_by_their_elements() -> None:
    assert is_same_instance(wheel("ExplVR_BigEndNoMeta.dcm"), wheel("ExplVR_LitEndNoMeta.dcm"))
    assert not is_same_instance(wheel("reportsi.dcm"), wheel("reportsi_with_empty_number_tags.dcm"))


def test_a_lost_history_of_compression_is_a_difference() -> None:
    assert not is_same_instance(wheel("SC_rgb_jpeg.dcm"), wheel("SC_rgb_jpeg_dcmd.dcm"))


@pytest.mark.parametrize(
    "change",
    [
        {"ImageComments": "other"},
        {"PatientID": "OTHER"},
        {"RescaleIntercept": -1023},
        {"PixelPaddingValue": 0},
        {"WindowCenter": 41},
    ],
)
def test_another_element_is_another_image(tmp_path: Path, change: dict[str, object]) -> None:
    one = ct_image()
    other = ct_image(SOPInstanceUID=one.SOPInstanceUID, **change)
    assert not is_same_instance(*written(tmp_path, to_part10_bytes(one), to_part10_bytes(other)))


def test_one_pixel_of_difference_is_another_image(tmp_path: Path) -> None:
    values = ramp()
    one = ct_image(values)
    values[7, 7] += 1
    other = ct_image(values, SOPInstanceUID=one.SOPInstanceUID)
    implicit = "1.2.840.10008.1.2"
    assert not is_same_instance(*written(tmp_path, to_part10_bytes(one), to_part10_bytes(other, implicit)))
    assert is_same_instance(*written(tmp_path, to_part10_bytes(one), to_part10_bytes(one, implicit)))


def test_what_cannot_be_read_is_the_same_as_nothing(tmp_path: Path) -> None:
    whole = to_part10_bytes(ct_image())
    assert not is_same_instance(*written(tmp_path, whole, whole[:-50]))
    assert not is_same_instance(tmp_path / "one", tmp_path / "absent")


def test_an_element_behind_the_pixels_counts(tmp_path: Path) -> None:
    one = ct_image()
    plain = to_part10_bytes(one)
    one.add_new(0xFFFCFFFC, "OB", bytes(8))
    padded = to_part10_bytes(one)
    one.add_new(0x7FE10010, "LO", "A CREATOR")
    private = to_part10_bytes(one)
    assert is_same_instance(*written(tmp_path, plain, padded))
    assert not is_same_instance(*written(tmp_path, plain, private))


def written(folder: Path, one: bytes, other: bytes) -> tuple[Path, Path]:
    (folder / "one").write_bytes(one)
    (folder / "other").write_bytes(other)
    return folder / "one", folder / "other"
