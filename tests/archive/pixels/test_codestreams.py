"""Headers of code streams."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import CannotDecode
from archive.pixels.codestreams import read_jpeg, read_jpeg_2000, read_jpeg_xl, read_rle_segments

GREY = np.arange(30 * 40, dtype=np.uint16).reshape(30, 40)
COLOUR = np.zeros((30, 40, 3), np.uint8)


def test_jpeg_frame_header() -> None:
    stream = read_jpeg(bytes(imagecodecs.jpeg8_encode(COLOUR, subsampling="420")))

    assert (stream.rows, stream.columns, stream.components, stream.precision) == (30, 40, 3, 8)
    assert stream.has_jfif
    assert stream.is_subsampled
    assert stream.is_complete
    assert not stream.is_lossless_jpeg


def test_lossless_jpeg_and_jpeg_ls_frame_headers() -> None:
    lossless = read_jpeg(bytes(imagecodecs.jpeg8_encode(GREY, lossless=True, bitspersample=16)))
    jpeg_ls = read_jpeg(bytes(imagecodecs.jpegls_encode(GREY)))

    assert (lossless.precision, lossless.is_lossless_jpeg, lossless.frame_type) == (16, True, 0xC3)
    assert (jpeg_ls.rows, jpeg_ls.columns, jpeg_ls.frame_type) == (30, 40, 0xF7)


def test_a_picture_in_an_application_segment_is_not_the_frame() -> None:
    thumbnail = bytes(imagecodecs.jpeg8_encode(COLOUR[:8, :8]))
    data = bytes(imagecodecs.jpeg8_encode(COLOUR))
    body = b"Exif" + thumbnail

    stream = read_jpeg(data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:])

    assert (stream.rows, stream.columns) == (30, 40)


@pytest.mark.parametrize("precision", [8, 12, 16])
def test_jpeg_2000_sizes_sign_and_transform(precision: int) -> None:
    values = (GREY.astype(int) % (1 << precision)).astype(np.uint8 if precision == 8 else np.uint16)
    grey = read_jpeg_2000(bytes(imagecodecs.jpeg2k_encode(values, level=0, bitspersample=precision, codecformat="J2K")))
    signed = read_jpeg_2000(bytes(imagecodecs.jpeg2k_encode(GREY.astype(np.int16), level=0, codecformat="J2K")))
    colour = read_jpeg_2000(bytes(imagecodecs.jpeg2k_encode(COLOUR, level=0, codecformat="J2K")))
    plain = read_jpeg_2000(bytes(imagecodecs.jpeg2k_encode(COLOUR, level=0, mct=False, codecformat="J2K")))

    assert (grey.rows, grey.columns, grey.components, grey.precision) == (30, 40, 1, precision)
    assert not grey.is_signed
    assert not grey.is_high_throughput
    assert signed.is_signed
    assert (colour.is_color_transformed, plain.is_color_transformed) == (True, False)


def test_htj2k_is_recognised() -> None:
    assert read_jpeg_2000(bytes(imagecodecs.htj2k_encode(GREY, reversible=True))).is_high_throughput


@pytest.mark.parametrize("shape", [(30, 40), (8, 8), (256, 256), (300, 400), (1000, 17), (64, 128), (3, 5000)])
def test_jpeg_xl_sizes(shape: tuple[int, int]) -> None:
    values = np.zeros(shape, np.uint8)

    for container in (False, True):
        stream = read_jpeg_xl(bytes(imagecodecs.jpegxl_encode(values, lossless=True, usecontainer=container)))
        assert (stream.rows, stream.columns) == shape


def test_too_many_tiles_are_refused() -> None:
    data = bytearray(imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="J2K"))
    struct.pack_into(">IIIIIIII", data, 8, 60000, 60000, 0, 0, 1, 1, 0, 0)

    with pytest.raises(CannotDecode, match="tiles"):
        read_jpeg_2000(bytes(data))


def test_rle_segments_follow_each_other() -> None:
    assert read_rle_segments(struct.pack("<16I", 2, 64, 70, *[0] * 13) + bytes(10)) == [(64, 6), (70, 4)]


@settings(max_examples=500, deadline=None)
@given(
    data=st.binary(max_size=120),
    prefix=st.sampled_from([b"", b"\xff\xd8", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ", b"\xff\x0a", b"\0\0\0\x0cJXL "]),
)
def test_any_bytes_have_a_header_or_are_refused(data: bytes, prefix: bytes) -> None:
    for read in (read_jpeg, read_jpeg_2000, read_jpeg_xl, read_rle_segments):
        try:
            read(prefix + data)
        except CannotDecode:
            continue
