"""Files: what stands before the data set, and reading them with pydicom behind the guard."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.tag import BaseTag

from archive.dicom.part10 import read_dataset, read_dataset_from, read_file_meta, write_file_meta
from archive.dicom.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from archive.dicom.uids import IMPLEMENTATION_CLASS_UID
from archive.errors import CannotUnderstand
from tests.phantoms import ct_image, data_set_bytes, enhanced_ct, image, to_part10_bytes

CT = "1.2.840.10008.5.1.4.1.1.2"


def test_what_is_written_is_what_pydicom_and_we_read() -> None:
    head = write_file_meta(
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN, sop_class_uid=CT, sop_instance_uid="1.2.3", private=b'{"a": 1}x'
    )

    meta = read_file_meta(io.BytesIO(head + data_set_bytes(ct_image())))
    theirs = pydicom.dcmread(io.BytesIO(head)).file_meta

    assert (meta.transfer_syntax_uid, meta.sop_class_uid, meta.sop_instance_uid) == (
        EXPLICIT_VR_LITTLE_ENDIAN,
        CT,
        "1.2.3",
    )
    assert meta.data_set_offset == len(head)
    assert meta.private == b'{"a": 1}x'
    assert not meta.is_guessed
    assert head[:128] == bytes(128)
    assert theirs.FileMetaInformationGroupLength == len(head) - 128 - 4 - 12
    assert theirs.MediaStorageSOPInstanceUID == "1.2.3"
    assert theirs.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert theirs.PrivateInformationCreatorUID == IMPLEMENTATION_CLASS_UID


def test_private_information_of_another_maker_is_not_ours() -> None:
    head = write_file_meta(
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN, sop_class_uid=CT, sop_instance_uid="1.2.3", private=b"{}"
    )
    forged = head.replace(IMPLEMENTATION_CLASS_UID.encode(), b"1.2.3".ljust(len(IMPLEMENTATION_CLASS_UID), b"\0"))

    assert read_file_meta(io.BytesIO(forged + data_set_bytes(ct_image()))).private == b""


@pytest.mark.parametrize("uid", [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN])
def test_bare_data_set_without_preamble_is_guessed(uid: str) -> None:
    ds = ct_image()

    meta = read_file_meta(io.BytesIO(data_set_bytes(ds, uid)))

    assert meta.transfer_syntax_uid == uid
    assert (meta.sop_class_uid, meta.sop_instance_uid) == (ds.SOPClassUID, ds.SOPInstanceUID)
    assert meta.data_set_offset == 0
    assert meta.is_guessed


@pytest.mark.parametrize("uid", [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN])
def test_bare_data_set_is_read(uid: str) -> None:
    ds = ct_image()

    read = read_dataset_from(io.BytesIO(data_set_bytes(ds, uid)))

    assert read.SOPInstanceUID == ds.SOPInstanceUID
    assert read.Rows == 16
    assert read.file_meta.TransferSyntaxUID == uid


@pytest.mark.parametrize(
    ("name", "transfer_syntax_uid"),
    [
        ("no_meta_group_length.dcm", IMPLICIT_VR_LITTLE_ENDIAN),
        ("ExplVR_LitEndNoMeta.dcm", EXPLICIT_VR_LITTLE_ENDIAN),
        ("ExplVR_BigEndNoMeta.dcm", EXPLICIT_VR_BIG_ENDIAN),
        ("rtstruct.dcm", IMPLICIT_VR_LITTLE_ENDIAN),
        ("CT_small.dcm", EXPLICIT_VR_LITTLE_ENDIAN),
    ],
)
def test_files_that_lack_parts_of_their_header_are_understood(name: str, transfer_syntax_uid: str) -> None:
    path = get_testdata_file(name, download=False)
    expected = pydicom.dcmread(path, force=True)

    with Path(path).open("rb") as file:
        meta = read_file_meta(file)

    assert meta.transfer_syntax_uid == transfer_syntax_uid
    in_data_set = expected.get("SOPInstanceUID") or expected.file_meta.MediaStorageSOPInstanceUID
    assert meta.sop_instance_uid == in_data_set


@pytest.mark.parametrize(
    "data",
    [b"", b"DICM", b"%PDF-1.7\n" + bytes(200), b"PK\3\4" + bytes(300), b"x" * 5000, bytes(5000)],
    ids=["empty", "prefix", "pdf", "zip", "text", "zeros"],
)
def test_what_is_no_dicom_file_is_refused(data: bytes) -> None:
    with pytest.raises(CannotUnderstand):
        read_file_meta(io.BytesIO(data))


def test_group_0002_that_never_ends_is_refused() -> None:
    head = bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 1, b"OB", 0, 0x7FFFFFFF) + bytes(5000)

    with pytest.raises(CannotUnderstand, match="cut short or far too long"):
        read_file_meta(io.BytesIO(head))


def test_large_group_0002_is_read() -> None:
    head = write_file_meta(
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN, sop_class_uid=CT, sop_instance_uid="1.2.3", private=b"x" * 9000
    )

    meta = read_file_meta(io.BytesIO(head + data_set_bytes(ct_image())))

    assert meta.private == b"x" * 9000
    assert meta.data_set_offset == len(head)


def test_data_set_of_a_deflated_file_is_read_without_its_pixels(tmp_path: Path) -> None:
    path = tmp_path / "deflated.dcm"
    path.write_bytes(to_part10_bytes(enhanced_ct(3), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN))

    ds = read_dataset(path)

    assert "PixelData" not in ds
    assert len(ds.PerFrameFunctionalGroupsSequence) == 3
    assert ds.file_meta.TransferSyntaxUID == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
    assert len(read_dataset(path, stop_before_pixels=False).PixelData) == 3 * 16 * 2


def test_large_values_stay_in_the_file_until_asked_for(tmp_path: Path) -> None:
    ds = image()
    ds.add_new(0x00420011, "OB", bytes(range(256)) * (20 << 10))
    path = tmp_path / "large.dcm"
    path.write_bytes(to_part10_bytes(ds))

    read = read_dataset(path)

    assert read._dict[BaseTag(0x00420011)].value is None
    assert read.EncapsulatedDocument == bytes(range(256)) * (20 << 10)


def test_a_bomb_is_refused_before_pydicom_sees_it(tmp_path: Path) -> None:
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    data = stream.compress(data_set_bytes(ct_image(PixelData=None)))
    data += stream.compress(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 300 << 20))
    data += b"".join(stream.compress(bytes(1 << 20)) for _ in range(300)) + stream.flush()
    head = write_file_meta(
        transfer_syntax_uid=DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, sop_class_uid=CT, sop_instance_uid="1.2.3"
    )
    path = tmp_path / "bomb.dcm"
    path.write_bytes(head + data)

    with pytest.raises(CannotUnderstand, match="grows beyond"):
        read_dataset(path)


def test_a_file_that_is_cut_short_is_refused() -> None:
    path = get_testdata_file("MR_truncated.dcm", download=False)

    with pytest.raises(CannotUnderstand, match="the pixel data claims 8192 bytes and 8130 are left"):
        read_dataset(path)


def test_messages_of_refusals_carry_no_values(tmp_path: Path) -> None:
    data = to_part10_bytes(ct_image(PatientName="SECRET^NAME"))
    path = tmp_path / "cut.dcm"
    path.write_bytes(data[:-9])

    with pytest.raises(CannotUnderstand) as caught:
        read_dataset(path)

    assert "SECRET" not in str(caught.value)
