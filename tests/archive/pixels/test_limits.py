"""Sizes are compared with the bytes that are there before memory is taken."""

from __future__ import annotations

import io
import struct
import tracemalloc

import imagecodecs
import numpy as np
import pytest

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_dataset_from, read_file_meta
from archive.dicom.transfer_syntaxes import DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, JPEG_BASELINE, RLE_LOSSLESS
from archive.errors import CannotDecode
from archive.pixels import decode, frames
from archive.pixels.codestreams import read_jpeg, read_jpeg_2000
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.description import ImageDescription
from archive.pixels.frames import index_frames
from archive.pixels.limits import check_bits, frames_shown
from tests.abuse import jpeg_2000
from tests.phantoms import image, multi_frame, to_part10_bytes


@pytest.mark.parametrize(
    ("claimed", "held", "shown"),
    [(75, 75, 75), (75, 74, 75), (1 << 20, 1, 1025), (1 << 20, 5000, 10000), (1 << 20, 0, 1024), (3, 0, 3)],
)
def test_missing_frames_are_shown_within_reason(claimed: int, held: int, shown: int) -> None:
    assert frames_shown(claimed, held) == shown


def test_a_stream_may_be_exactly_as_long_as_it_must() -> None:
    check_bits(800, 100)
    with pytest.raises(CannotDecode, match="needs at least 101 bytes"):
        check_bits(801, 100)


def test_an_image_of_one_grey_passes_the_least_that_a_jpeg_needs() -> None:
    values = np.full((4000, 4000), 90, np.uint8)
    data = bytes(imagecodecs.jpeg8_encode(values, level=50, optimize=True))
    ds = image(values, BitsAllocated=8)

    decoded = decode_frame(data, transfer_syntax_uid=JPEG_BASELINE, description=describe(ds))

    # Two bits a block: nothing is shorter.
    assert 62_500 <= len(data) < 63_500
    assert (decoded.values == 90).all()


def large(rows: int = 4000, columns: int = 4000) -> ImageDescription:
    ds = image(np.zeros((4, 4)), BitsAllocated=8)
    ds.Rows, ds.Columns = rows, columns
    return describe(ds)


@pytest.mark.parametrize("uid", [JPEG_BASELINE, RLE_LOSSLESS])
def test_no_memory_is_taken_for_a_picture_that_cannot_be_there(uid: str) -> None:
    jpeg = bytearray(imagecodecs.jpeg8_encode(np.zeros((16, 16), np.uint8)))
    struct.pack_into(">HH", jpeg, jpeg.index(b"\xff\xc0") + 5, 4000, 4000)
    rle = struct.pack("<16I", 1, 64, *[0] * 14) + bytes(200)
    tracemalloc.start()
    try:
        with pytest.raises(CannotDecode, match="needs at least"):
            decode_frame(bytes(jpeg) if uid == JPEG_BASELINE else rle, transfer_syntax_uid=uid, description=large())
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 1 << 20


def test_a_codec_writes_into_zeros() -> None:
    stream = read_jpeg(bytes(imagecodecs.jpeg8_encode(np.ones((64, 64), np.uint8))))
    for _ in range(20):
        used = np.full((64, 64), 77, np.uint8)
        del used
        assert not decode._out(stream).any()


def test_a_deflated_data_set_that_is_too_large_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO(to_part10_bytes(multi_frame(3), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN))
    meta = read_file_meta(file)
    header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
    description = describe(read_dataset_from(file))
    assert index_frames(file, header, description, meta.transfer_syntax_uid).frames == 3

    monkeypatch.setattr(frames, "MAXIMUM_INFLATED_BYTES", 100)
    with pytest.raises(CannotDecode, match="deflated data set of more than 100 bytes"):
        index_frames(file, header, description, meta.transfer_syntax_uid)


def test_a_tile_part_that_is_longer_than_the_stream_makes_it_incomplete() -> None:
    data = bytearray(imagecodecs.jpeg2k_encode(np.zeros((64, 64), np.uint8), level=0, codecformat="J2K"))
    assert read_jpeg_2000(bytes(data)).is_complete
    # SOT: marker, length, tile, then the length of the part (ISO/IEC 15444-1 A.4.2).
    at = data.index(b"\xff\x90") + 6
    length = struct.unpack_from(">I", data, at)[0]

    struct.pack_into(">I", data, at, length + 3)
    assert not read_jpeg_2000(bytes(data)).is_complete
    struct.pack_into(">I", data, at, 0)
    assert read_jpeg_2000(bytes(data)).is_complete
    struct.pack_into(">I", data, at, 13)
    assert not read_jpeg_2000(bytes(data)).is_complete


def test_a_tile_without_a_part_makes_a_stream_incomplete() -> None:
    # 64 x 64 pixels in tiles of 64 x 64 are one tile, in tiles of 64 x 32 they are two.
    assert read_jpeg_2000(jpeg_2000()).is_complete
    assert not read_jpeg_2000(jpeg_2000(tile_width=32)).is_complete
