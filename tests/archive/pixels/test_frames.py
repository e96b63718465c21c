"""Where frames lie, and reading them by their places."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_dataset_from, read_file_meta
from archive.dicom.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE,
    RLE_LOSSLESS,
)
from archive.errors import CannotDecode, FrameMissing
from archive.pixels.describe import describe
from archive.pixels.frames import FrameIndex, index_frames, read_frame
from tests.phantoms import color_image, image, multi_frame, to_part10_bytes, with_encapsulated

H264 = "1.2.840.10008.1.2.4.102"


class Indexed:
    """A file on disk and its index."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            meta = read_file_meta(file)
            header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
            description = describe(read_dataset_from(file))
            self.index = index_frames(file, header, description, meta.transfer_syntax_uid)
        self.path = path

    def read(self, frame_number: int) -> bytes:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            return read_frame(descriptor, FrameIndex.from_bytes(self.index.to_bytes()), frame_number)
        finally:
            os.close(descriptor)

    def all(self) -> list[bytes]:
        return [self.read(number) for number in range(1, self.index.frames + 1)]


def indexed(folder: Path, ds: Dataset, transfer_syntax_uid: str = EXPLICIT_VR_LITTLE_ENDIAN) -> Indexed:
    path = folder / "image.dcm"
    path.write_bytes(to_part10_bytes(ds, transfer_syntax_uid))
    return Indexed(path)


# Native


@pytest.mark.parametrize(
    "uid", [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN]
)
def test_native_frames_follow_each_other(tmp_path: Path, uid: str) -> None:
    file = indexed(tmp_path, multi_frame(3), uid)

    assert file.all() == [bytes([number]) * 20 for number in (1, 2, 3)]


def test_index_of_native_frames_is_small_whatever_their_number(tmp_path: Path) -> None:
    assert len(indexed(tmp_path, multi_frame(200)).index.to_bytes()) < 40


def test_frames_of_single_bits_begin_at_any_bit(tmp_path: Path) -> None:
    # 3 x 3 pixels: the second frame begins at bit 9 (PS3.5 8.1.1).
    values = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 0, 1], [0, 1, 0], [1, 0, 0]], [[1, 1, 1]] * 3])
    file = indexed(tmp_path, image(values, BitsAllocated=1, NumberOfFrames=3))

    assert [
        np.unpackbits(np.frombuffer(data, np.uint8), count=9, bitorder="little").tolist() for data in file.all()
    ] == [frame.reshape(-1).tolist() for frame in values]


def test_frames_of_12_packed_bits_begin_at_any_nibble(tmp_path: Path) -> None:
    values = np.arange(2 * 3).reshape(2, 1, 3) + 0xABC
    file = indexed(tmp_path, image(values, BitsAllocated=12, NumberOfFrames=2))

    assert file.read(1) == bytes.fromhex("bcdaabbe0a")
    assert file.read(2) == bytes.fromhex("bf0aacc10a")


def test_bytes_in_big_endian_words_come_out_in_order(tmp_path: Path) -> None:
    ds = multi_frame(3, rows=1, columns=3)
    ds.add_new(0x7FE00010, "OW", bytes([2, 1, 1, 3, 3, 2, 5, 4, 0, 6]))
    ds.PixelData = bytes([2, 1, 4, 3, 6, 5, 8, 7, 0, 9])

    file = indexed(tmp_path, ds, EXPLICIT_VR_BIG_ENDIAN)

    assert file.all() == [bytes([1, 2, 3]), bytes([4, 5, 6]), bytes([7, 8, 9])]


def test_subsampled_frames_are_two_bytes_a_pixel_unless_every_sample_is_there(tmp_path: Path) -> None:
    values = np.zeros((2, 2, 4, 3))
    honest = color_image(values, PhotometricInterpretation="YBR_FULL_422", NumberOfFrames=2, PixelData=bytes(range(32)))
    wrong = color_image(values, PhotometricInterpretation="YBR_FULL_422", NumberOfFrames=2)

    assert indexed(tmp_path, honest).all() == [bytes(range(16)), bytes(range(16, 32))]
    assert [len(data) for data in indexed(tmp_path, wrong).all()] == [24, 24]


def test_a_file_with_fewer_frames_than_it_claims_gives_those_that_are_whole(tmp_path: Path) -> None:
    ds = multi_frame(3)
    ds.NumberOfFrames = 5

    file = indexed(tmp_path, ds)

    assert file.index.frames == 3
    with pytest.raises(FrameMissing, match=r"Frame 4 does not exist: the file holds 3 \(1 to 3\)"):
        file.read(4)


@pytest.mark.parametrize("frame_number", [0, -1, 4])
def test_a_frame_that_does_not_exist_is_missing(tmp_path: Path, frame_number: int) -> None:
    with pytest.raises(FrameMissing):
        indexed(tmp_path, multi_frame(3)).read(frame_number)


def test_a_file_that_lost_its_end_misses_the_frame(tmp_path: Path) -> None:
    file = indexed(tmp_path, multi_frame(3))
    os.truncate(file.path, file.path.stat().st_size - 5)

    assert file.read(2) == bytes([2]) * 20
    with pytest.raises(FrameMissing, match="cut short"):
        file.read(3)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"Rows": 17}, "needs 544 bytes, but the pixel data has 512"),
        ({"Rows": 65535, "Columns": 65535}, "at most 536870912 are drawn"),
        ({"Rows": 0}, "no rows"),
        ({"BitsAllocated": 7}, "7 allocated bits"),
        ({"BitsStored": 17}, "17 stored bits"),
        ({"HighBit": 16}, "High bit 16"),
        ({"SamplesPerPixel": 2}, "2 samples"),
        ({"PixelData": None}, "holds no pixel data"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_in_words(tmp_path: Path, attributes: dict[str, Any], words: str) -> None:
    ds = image()
    for keyword, value in attributes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)

    with pytest.raises(CannotDecode, match=words):
        indexed(tmp_path, ds)


def test_an_empty_index_misses_every_frame() -> None:
    assert FrameIndex.empty().frames == 0
    with pytest.raises(FrameMissing, match="none that can be read"):
        FrameIndex.from_bytes(b"").place(1)


# Encapsulated (PS3.5 A.4)

ONE, TWO, THREE = b"\xff\xd8\xff\xe0-one", b"\xff\xd8\xff\xe0-two2", b"\xff\xd8\xff\xe0-three!"


@pytest.mark.parametrize("offset_table", [True, False])
def test_one_fragment_a_frame(tmp_path: Path, offset_table: bool) -> None:
    ds = with_encapsulated(multi_frame(3), [[ONE], [TWO], [THREE]], offset_table=offset_table)

    file = indexed(tmp_path, ds, JPEG_BASELINE)

    assert [data.rstrip(b"\0") for data in file.all()] == [ONE, TWO, THREE]


@pytest.mark.parametrize("offset_table", [True, False])
def test_several_fragments_a_frame_are_joined(tmp_path: Path, offset_table: bool) -> None:
    frames = [[ONE[:4], ONE[4:]], [TWO + b"!"], [THREE[:4], b"ab", b"cd"]]
    ds = with_encapsulated(multi_frame(3), frames, offset_table=offset_table)

    file = indexed(tmp_path, ds, JPEG_BASELINE)

    assert [data.rstrip(b"\0") for data in file.all()] == [b"".join(fragments) for fragments in frames]


def test_all_fragments_of_a_single_frame_belong_to_it(tmp_path: Path) -> None:
    ds = with_encapsulated(image(), [[b"ab", b"cd", b"ef"]], offset_table=False)

    assert indexed(tmp_path, ds, RLE_LOSSLESS).all() == [b"abcdef"]


def test_extended_offset_table_says_where_frames_begin(tmp_path: Path) -> None:
    # Fragments without signatures, 2 and 1: the second frame begins 20 bytes after the first item.
    ds = with_encapsulated(multi_frame(2), [[b"ab", b"cd"], [b"ef"]], offset_table=False)
    ds.ExtendedOffsetTable = struct.pack("<QQ", 0, 20)
    ds.ExtendedOffsetTableLengths = struct.pack("<QQ", 4, 2)

    assert indexed(tmp_path, ds, RLE_LOSSLESS).all() == [b"abcd", b"ef"]


def test_an_offset_table_that_points_nowhere_is_not_believed(tmp_path: Path) -> None:
    ds = with_encapsulated(multi_frame(2), [[ONE[:4], ONE[4:]], [TWO + b"!"]], offset_table=False)
    ds.ExtendedOffsetTable = struct.pack("<QQ", 0, 3)

    assert [data.rstrip(b"\0") for data in indexed(tmp_path, ds, JPEG_BASELINE).all()] == [ONE, TWO + b"!"]


def test_rle_frames_are_told_apart_by_their_headers(tmp_path: Path) -> None:
    header = struct.pack("<16I", 1, 64, *[0] * 14)
    ds = with_encapsulated(multi_frame(2), [[header, b"ab"], [header + b"cd"]], offset_table=False)

    assert indexed(tmp_path, ds, RLE_LOSSLESS).all() == [header + b"ab", header + b"cd"]


def test_frames_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    ds = with_encapsulated(multi_frame(2), [[b"ab", b"cd"], [b"ef"]], offset_table=False)

    with pytest.raises(CannotDecode, match="3 fragments cannot be told apart into 2 frames"):
        indexed(tmp_path, ds, RLE_LOSSLESS)


def test_a_recording_that_stopped_early_gives_the_frames_it_has(tmp_path: Path) -> None:
    ds = with_encapsulated(multi_frame(3), [[ONE], [TWO]], offset_table=False)

    assert len(indexed(tmp_path, ds, JPEG_BASELINE).all()) == 2


@pytest.mark.parametrize(
    ("uid", "words"),
    [(H264, "Video"), ("1.2.3.4", "not drawn"), (EXPLICIT_VR_LITTLE_ENDIAN, "but its pixel data is encapsulated")],
)
def test_what_is_not_drawn_is_refused_in_words(tmp_path: Path, uid: str, words: str) -> None:
    with pytest.raises(CannotDecode, match=words):
        indexed(tmp_path, with_encapsulated(image(), [[b"ab"]]), uid)


def test_native_pixels_under_a_compressed_transfer_syntax_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotDecode, match="but its pixel data is not encapsulated"):
        indexed(tmp_path, image(), JPEG_BASELINE)


def test_empty_fragments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotDecode, match="empty"):
        indexed(tmp_path, with_encapsulated(image(), [[b""]]), JPEG_BASELINE)


def test_a_few_bytes_cannot_claim_a_huge_picture(tmp_path: Path) -> None:
    ds = with_encapsulated(image(), [[b"\xff\xd8\xff\xe0"]])
    ds.Rows = ds.Columns = 16000

    with pytest.raises(CannotDecode, match="cannot hold"):
        indexed(tmp_path, ds, JPEG_BASELINE)


# Real files

NOT_INDEXED = {
    "enhanced/mr_spectroscopy_BRSV001.dcm": "holds no pixel data",
    "odd/20-wrong-transfer-syntax.dcm": "but its pixel data is not encapsulated",
    "odd/2017-06-27-XSSInjection.dcm": "holds no pixel data",
    "odd/2026-05-26-oob-monochrome-65535.dcm": "at most 536870912 are drawn",
    "presentation/CR000000.dcm": "holds no pixel data",
    "video/derived_h264_us.dcm": "Video",
}
"""Files with rows and columns of which no frame can be read, and why."""


def test_every_real_image_is_indexed_or_refused_as_listed(data_dir: Path) -> None:
    frames = 0
    for path in sorted(data_dir.rglob("*.dcm")):
        name = path.relative_to(data_dir).as_posix()
        if name == "odd/truncated_3gb_bulk.dcm":
            continue
        with path.open("rb") as file:
            if not describe(read_dataset_from(file)).rows:
                continue
        if name in NOT_INDEXED:
            with pytest.raises(CannotDecode, match=NOT_INDEXED[name]):
                Indexed(path)
            continue
        found = Indexed(path)
        frames += len(found.all())
    assert frames > 700


def test_index_is_read_from_a_view() -> None:
    index = FrameIndex.encapsulated([[(10, 4)], [(22, 6), (36, 2)]])

    back = FrameIndex.from_bytes(memoryview(index.to_bytes()))

    assert back.frames == 2
    assert back.place(2).pieces == ((22, 6), (36, 2))
    assert io.BytesIO(back.to_bytes()).read(1) == b"\3"
