"""Recompression: every pixel and every element stay."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_file_meta
from archive.dicom.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    HTJ2K_LOSSLESS,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE,
    JPEG_LS_LOSSLESS,
)
from archive.errors import CannotDecode
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.encode import LOSSLESS_TARGETS, encode_frame
from archive.pixels.transcode import ImageFile, transcode_file, verify_same_pixels
from tests.phantoms import color_image, ct_image, image, mr_image, multi_frame, ramp, to_part10_bytes, with_encapsulated

PIXEL_DATA = 0x7FE00010
TARGETS = sorted(LOSSLESS_TARGETS)


def written(folder: Path, ds: Dataset, uid: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Path:
    path = folder / "source.dcm"
    path.write_bytes(to_part10_bytes(ds, uid))
    return path


def recompressed(source: Path, uid: str) -> Path:
    target = source.with_name("target.dcm")
    with target.open("w+b") as file:
        transcode_file(source, file, transfer_syntax_uid=uid)
    return target


def elements(path: Path) -> dict[int, object]:
    return {int(element.tag): element.value for element in pydicom.dcmread(path) if element.tag != PIXEL_DATA}


@pytest.mark.parametrize("uid", TARGETS)
@pytest.mark.parametrize(
    "values",
    [
        np.array([[-2000, 0], [1, 32767]], np.int16),
        np.array([[0, 65535], [1, 2]], np.uint16),
        np.array([[0, 255], [1, 2]], np.uint8),
        np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3),
    ],
    ids=["signed", "unsigned", "8 bits", "colour"],
)
def test_an_encoded_frame_decodes_to_the_same_values(uid: str, values: np.ndarray) -> None:
    bits = 8 * values.dtype.itemsize
    make = color_image if values.ndim == 3 else image
    ds = make(values, BitsAllocated=bits, PixelRepresentation=int(values.dtype.kind == "i"))

    data = encode_frame(values, transfer_syntax_uid=uid)

    frame = decode_frame(data, transfer_syntax_uid=uid, description=describe(ds))
    assert np.array_equal(frame.values, values)


def test_native_frames_are_little_endian() -> None:
    assert encode_frame(np.array([[1, 258]], ">u2"), transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN) == b"\1\0\2\1"


def test_what_cannot_be_written_without_loss_is_refused() -> None:
    with pytest.raises(CannotDecode):
        encode_frame(np.zeros((2, 2), np.float32), transfer_syntax_uid=HTJ2K_LOSSLESS)
    with pytest.raises(CannotDecode):
        encode_frame(np.zeros((2, 2), np.uint8), transfer_syntax_uid=JPEG_BASELINE)


@pytest.mark.parametrize("uid", TARGETS)
@pytest.mark.parametrize("ds", [ct_image(), mr_image(ramp(start=-100)), color_image(), multi_frame(5)])
def test_pixels_and_elements_stay(tmp_path: Path, uid: str, ds: Dataset) -> None:
    source = written(tmp_path, ds)

    target = recompressed(source, uid)

    assert verify_same_pixels(source, target)
    assert elements(target) == elements(source)
    assert pydicom.dcmread(target).file_meta.TransferSyntaxUID == uid


@pytest.mark.parametrize("uid", TARGETS)
def test_bytes_around_the_pixel_data_are_copied_as_they_are(tmp_path: Path, uid: str) -> None:
    ds = ct_image()
    ds.add_new(0xFFFCFFFC, "OB", b"padding!")
    source = written(tmp_path, ds)

    target = recompressed(source, uid)

    parts = []
    for path in (source, target):
        data = path.read_bytes()
        with path.open("rb") as file:
            meta = read_file_meta(file)
            header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
        assert header.pixel_data is not None
        end = header.pixel_data.offset + header.pixel_data.length
        parts.append((data[meta.data_set_offset : header.pixel_data.offset - 12], data[end:]))
    assert parts[0] == parts[1]


@pytest.mark.parametrize("uid", [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN])
def test_other_encodings_of_the_data_set_become_explicit(tmp_path: Path, uid: str) -> None:
    source = written(tmp_path, ct_image(), uid)

    target = recompressed(source, JPEG_LS_LOSSLESS)

    assert verify_same_pixels(source, target)
    assert elements(target) == elements(source)


def test_colour_by_plane_becomes_colour_by_pixel(tmp_path: Path) -> None:
    ds = color_image()
    planes = np.moveaxis(np.frombuffer(ds.PixelData, np.uint8).reshape(4, 6, 3), -1, 0)
    source = written(tmp_path, color_image(PlanarConfiguration=1, PixelData=planes.tobytes()))

    target = recompressed(source, HTJ2K_LOSSLESS)

    assert verify_same_pixels(source, target)
    assert elements(target)[0x00280006] == 0


def test_overlay_bits_in_the_cells_stay(tmp_path: Path) -> None:
    cells = ramp() | 0x8000 * (ramp() % 2)
    ds = ct_image(cells)
    ds.add_new(0x60000010, "US", 16)
    ds.add_new(0x60000011, "US", 16)
    ds.add_new(0x60000102, "US", 15)
    source = written(tmp_path, ds)

    target = recompressed(source, HTJ2K_LOSSLESS)

    with ImageFile(target) as file:
        kept = file.frame(1).cells
    assert kept is not None
    assert np.array_equal(kept, cells)
    assert verify_same_pixels(source, target)


def test_old_offset_tables_and_group_lengths_go(tmp_path: Path) -> None:
    ds = multi_frame(2)
    ds.add_new(0x7FE00001, "OV", bytes(16))
    source = written(tmp_path, ds)

    assert 0x7FE00001 not in elements(recompressed(source, HTJ2K_LOSSLESS))


def test_private_information_of_the_archive_stays(tmp_path: Path) -> None:
    from archive.dicom.part10 import write_file_meta
    from tests.phantoms import data_set_bytes

    ds = ct_image()
    source = tmp_path / "source.dcm"
    head = write_file_meta(
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
        sop_class_uid=ds.SOPClassUID,
        sop_instance_uid="1.2",
        private=b"{}",
    )
    source.write_bytes(head + data_set_bytes(ds))

    with recompressed(source, HTJ2K_LOSSLESS).open("rb") as file:
        assert read_file_meta(file).private == b"{}"


def test_progress_counts_frames(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    with (tmp_path / "target.dcm").open("w+b") as file:
        transcode_file(
            written(tmp_path, multi_frame(3)),
            file,
            transfer_syntax_uid=JPEG_LS_LOSSLESS,
            progress=lambda done, every: seen.append((done, every)),
        )

    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("ds", "uid", "words"),
    [
        (with_encapsulated(image(BitsAllocated=8), [[b"\xff\xd8\xff\xe0"]]), JPEG_BASELINE, "would only grow"),
        (image(BitsAllocated=32), EXPLICIT_VR_LITTLE_ENDIAN, "8 or 16 bits"),
        (color_image(PhotometricInterpretation="YBR_FULL_422"), EXPLICIT_VR_LITTLE_ENDIAN, "subsampled"),
    ],
)
def test_what_recompression_would_spoil_is_refused(tmp_path: Path, ds: Dataset, uid: str, words: str) -> None:
    with pytest.raises(CannotDecode, match=words):
        recompressed(written(tmp_path, ds, uid), HTJ2K_LOSSLESS)


def test_a_changed_pixel_is_noticed(tmp_path: Path) -> None:
    one, other = ramp(), ramp()
    other[3, 4] += 1
    first, second = tmp_path / "one.dcm", tmp_path / "other.dcm"
    first.write_bytes(to_part10_bytes(ct_image(one)))
    second.write_bytes(to_part10_bytes(ct_image(other)))

    assert verify_same_pixels(first, first)
    assert not verify_same_pixels(first, second)


@pytest.mark.parametrize(
    "name",
    [
        "ct_series/crlm_1004/0055.dcm",
        "enhanced/BRTUM014.dcm",
        "petct/sts_001/ct/0000.dcm",
        "luts_overlays/ovly_p01.dcm",
        "color/VL1_RLE.dcm",
        "syntaxes/ctimage/BigEndianExplicit_1.2.840.10008.1.2.2.dcm",
    ],
)
def test_dcmtk_reads_what_is_written_and_finds_the_same_pixels(name: str, data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.dcm"
    with target.open("w+b") as file:
        transcode_file(data_dir / name, file, transfer_syntax_uid=JPEG_LS_LOSSLESS)
    plain = tmp_path / "plain.dcm"

    subprocess.run(["/usr/bin/dcmdjpls", target, plain], check=True, capture_output=True)

    assert verify_same_pixels(data_dir / name, plain)
    assert verify_same_pixels(data_dir / name, target)
