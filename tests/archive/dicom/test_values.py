"""Values are read or absent; nothing raises."""

from __future__ import annotations

import io
import struct

import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword

from archive.dicom.part10 import read_dataset_from
from archive.dicom.values import first_item, integer, items, number, numbers, text, texts, value_of, values_of
from tests.phantoms import ct_image, to_part10_bytes


def read_back(raw: dict[str, bytes]) -> Dataset:
    """A data set read from a file in which elements have these bytes."""
    ds = ct_image(PixelSpacing=None, WindowCenter=None, Rows=None, PixelData=None)
    data = to_part10_bytes(ds)
    for keyword, value in raw.items():
        tag = tag_for_keyword(keyword)
        assert tag is not None
        vr = dictionary_VR(tag).encode()
        length = struct.pack("<HI", 0, len(value)) if vr == b"SQ" else struct.pack("<H", len(value))
        data += struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr + length + value
    return read_dataset_from(io.BytesIO(data))


@pytest.mark.parametrize("junk", [b"abc ", b"1\\x\\", b"\xff\xfe", b"NaN ", b"1e999 ", b""])
def test_junk_where_a_number_belongs_is_no_number(junk: bytes) -> None:
    ds = read_back({"WindowCenter": junk})

    assert numbers(ds, "WindowCenter") == ()


def test_first_number_of_several() -> None:
    ds = read_back({"WindowCenter": b"40\\ 80 "})

    assert number(ds, "WindowCenter") == 40.0
    assert numbers(ds, "WindowCenter") == (40.0, 80.0)
    assert numbers(ds, "WindowCenter", 3) == ()


def test_short_binary_numbers_are_absent() -> None:
    ds = read_back({"Rows": b"\1"})

    assert integer(ds, "Rows") == 0
    assert integer(ds, "Rows", 7) == 7


def test_absent_values_have_their_defaults() -> None:
    ds = Dataset()

    assert value_of(ds, "Rows") is None
    assert values_of(ds, "Rows") == []
    assert number(ds, "SliceThickness") is None
    assert text(ds, "Modality") == ""
    assert items(ds, "ModalityLUTSequence") == []
    assert first_item(ds, "ModalityLUTSequence") is None


def test_text_is_without_padding_and_zeros() -> None:
    ds = Dataset()
    ds.ImageType = ["ORIGINAL", " PRIMARY ", ""]
    ds.Modality = "CT\0"

    assert texts(ds, "ImageType") == ("ORIGINAL", "PRIMARY", "")
    assert text(ds, "Modality") == "CT"


def test_something_else_where_a_sequence_belongs_is_no_sequence() -> None:
    ds = read_back({"ModalityLUTSequence": b"junk"})

    assert items(ds, "ModalityLUTSequence") == []


def test_elements_of_repeating_groups_are_read_by_tag() -> None:
    ds = Dataset()
    ds.add_new(0x60020010, "US", 12)

    assert integer(ds, 0x60020010) == 12
    assert integer(ds, 0x60040010) == 0
