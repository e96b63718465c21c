"""Stored values out of bytes, against values worked out here and against pydicom."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset

from archive.dicom.transfer_syntaxes import (
    DEFLATED_IMAGE_FRAME,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    GE_PRIVATE_BIG_ENDIAN_PIXELS,
    HTJ2K_LOSSLESS,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
    RLE_LOSSLESS,
)
from archive.errors import CannotDecode
from archive.pixels.codestreams import read_jpeg
from archive.pixels.decode import DecodedFrame, decode_frame, is_jpeg_ybr, stored_values
from archive.pixels.describe import describe
from archive.pixels.description import ImageDescription, OverlayPlane
from tests.phantoms import color_image, image, ramp

JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"


def decode(data: bytes, ds: Dataset | ImageDescription, uid: str = EXPLICIT_VR_LITTLE_ENDIAN) -> DecodedFrame:
    description = ds if isinstance(ds, ImageDescription) else describe(ds)
    return decode_frame(data, transfer_syntax_uid=uid, description=description)


# Native (PS3.5 8.1, 8.2)


@pytest.mark.parametrize("bits", [8, 12, 16, 32])
@pytest.mark.parametrize("signed", [0, 1])
def test_native_cells_of_every_size(bits: int, signed: int) -> None:
    low = -(1 << bits - 1) if signed else 0
    values = np.array([[low, 0, 1], [5, low + 1, (1 << bits - signed) - 1]], np.int64)
    ds = image(values, BitsAllocated=bits, PixelRepresentation=signed)

    frame = decode(ds.PixelData, ds)

    assert frame.values.tolist() == values.tolist()
    assert frame.photometric_interpretation == "MONOCHROME2"
    assert frame.cells is None


def test_cells_of_one_bit_become_zeros_and_ones() -> None:
    values = np.array([[1, 0, 1], [0, 0, 1]])
    ds = image(values, BitsAllocated=1)

    assert decode(ds.PixelData, ds).values.tolist() == values.tolist()


def test_native_values_are_a_view_on_the_bytes() -> None:
    ds = image()
    data = ds.PixelData

    assert np.shares_memory(decode(data, ds).values, np.frombuffer(data, np.uint8))


@pytest.mark.parametrize("uid", [EXPLICIT_VR_BIG_ENDIAN, GE_PRIVATE_BIG_ENDIAN_PIXELS])
def test_big_endian_cells(uid: str) -> None:
    values = np.array([[1, 258], [65535, 0]])
    ds = image(values)

    frame = decode(values.astype(">u2").tobytes(), ds, uid)

    assert frame.values.tolist() == values.tolist()
    assert frame.values.dtype.isnative


def test_only_bits_stored_count_and_the_sign_stands_in_the_highest_of_them() -> None:
    cells = np.array([[0xF801, 0x07FF], [0x0800, 0x1FFF]], np.uint16)
    unsigned = image(cells, BitsStored=12)
    signed = image(cells, BitsStored=12, PixelRepresentation=1)

    assert decode(cells.tobytes(), unsigned).values.tolist() == [[0x801, 0x7FF], [0x800, 0xFFF]]
    assert decode(cells.tobytes(), signed).values.tolist() == [[-2047, 2047], [-2048, -1]]


def test_values_whose_high_bit_is_not_bits_stored_less_one_are_shifted() -> None:
    cells = np.array([[0xABC0, 0x7FF0]], np.uint16)
    ds = image(cells, BitsStored=12, HighBit=15)

    assert decode(cells.tobytes(), ds).values.tolist() == [[0xABC, 0x7FF]]
    assert stored_values(cells, 12, 15, signed=True).tolist() == [[0xABC - 0x1000, 0x7FF]]


def test_whole_cells_are_given_where_overlays_lie_in_them() -> None:
    cells = np.array([[0x8001, 0x0002]], np.uint16)
    plane = OverlayPlane(0x6000, 1, 2, 1, 1, bits=None, bit_position=15)
    description = replace(describe(image(cells, BitsStored=12)), overlays=(plane,))

    frame = decode(cells.tobytes(), description)

    assert frame.values.tolist() == [[1, 2]]
    assert frame.cells is not None
    assert frame.cells.tolist() == [[0x8001, 2]]


@pytest.mark.parametrize(("keyword", "kind"), [("FloatPixelData", "<f4"), ("DoubleFloatPixelData", "<f8")])
def test_floating_point_pixels(keyword: str, kind: str) -> None:
    values = np.array([[0.5, -1e30], [3.25, 7.0]], kind)
    bits = 8 * values.dtype.itemsize
    description = ImageDescription(
        2, 2, bits_allocated=bits, bits_stored=bits, high_bit=bits - 1, pixel_keyword=keyword
    )

    assert decode(values.tobytes(), description).values.tolist() == values.tolist()


def test_colour_by_pixel_and_by_plane_give_the_same() -> None:
    ds = color_image()
    by_pixel = decode(ds.PixelData, ds).values
    planes = np.moveaxis(by_pixel, -1, 0).tobytes()

    by_plane = decode(planes, color_image(PlanarConfiguration=1))

    assert by_plane.values.tolist() == by_pixel.tolist()
    assert by_plane.photometric_interpretation == "RGB"


def test_native_422_spreads_the_chroma_that_two_pixels_share() -> None:
    # PS3.3 C.7.6.3.1.2: Y1 Y2 Cb Cr
    ds = color_image(np.zeros((1, 4, 3)), PhotometricInterpretation="YBR_FULL_422")

    frame = decode(bytes([10, 20, 100, 200, 30, 40, 110, 210]), ds)

    assert frame.values.tolist() == [[[10, 100, 200], [20, 100, 200], [30, 110, 210], [40, 110, 210]]]
    assert frame.photometric_interpretation == "YBR_FULL"


def test_partial_range_keeps_its_name() -> None:
    ds = color_image(np.zeros((1, 2, 3)), PhotometricInterpretation="YBR_PARTIAL_422")

    assert decode(bytes([16, 235, 128, 128]), ds).photometric_interpretation == "YBR_PARTIAL_422"


def test_a_native_frame_that_is_too_short_is_refused() -> None:
    with pytest.raises(CannotDecode, match="needs 512 bytes, but has 500"):
        decode(bytes(500), image())


# Deflated frames, RLE


def test_a_deflated_frame_is_inflated() -> None:
    ds = image()
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = stream.compress(ds.PixelData) + stream.flush()

    assert decode(data, ds, DEFLATED_IMAGE_FRAME).values.tolist() == ramp().tolist()


def test_a_deflated_frame_is_inflated_no_further_than_it_is_large() -> None:
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = b"".join(stream.compress(bytes(1 << 20)) for _ in range(100)) + stream.flush()

    assert decode(bomb, image(), DEFLATED_IMAGE_FRAME).values.max() == 0


@pytest.mark.parametrize("data", [b"", b"\xff\xff\xff", zlib.compress(bytes(512))])
def test_a_damaged_deflated_frame_is_refused(data: bytes) -> None:
    with pytest.raises(CannotDecode):
        decode(data, image(), DEFLATED_IMAGE_FRAME)


def rle(*segments: bytes) -> bytes:
    """A frame of RLE segments (PS3.5 G.5), each padded to an even length with a byte that is no zero."""
    even = [segment + b"\x20" * (len(segment) % 2) for segment in segments]
    offsets = [64 + sum(map(len, even[:index])) for index in range(len(even))]
    return struct.pack("<16I", len(even), *offsets, *[0] * (15 - len(even))) + b"".join(even)


def literal(data: bytes) -> bytes:
    return bytes([len(data) - 1]) + data


def test_rle_segments_are_bytes_of_each_sample_the_highest_first() -> None:
    grey = decode(rle(literal(b"\1\2"), literal(b"\3\4")), image(np.zeros((1, 2))), RLE_LOSSLESS)
    colour = color_image(np.zeros((1, 2, 3)))
    red_green_blue = decode(rle(literal(b"\1\2"), b"\xff\3", literal(b"\5\6")), colour, RLE_LOSSLESS)

    assert grey.values.tolist() == [[0x0103, 0x0204]]
    assert red_green_blue.values.tolist() == [[[1, 3, 5], [2, 3, 6]]]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(64),
        rle(literal(b"\1\2")),
        rle(literal(b"\1"), literal(b"\3")),
        struct.pack("<16I", 2, 64, 60, *[0] * 13) + bytes(20),
        struct.pack("<16I", 2, 64, 6000, *[0] * 13) + bytes(20),
        rle(literal(b"\1\2"), b"\x7f\3"),
    ],
    ids=["empty", "no segments", "one of two", "too few pixels", "backwards", "beyond", "run cut short"],
)
def test_damaged_rle_is_refused(data: bytes) -> None:
    with pytest.raises(CannotDecode):
        decode(data, image(np.zeros((1, 2))), RLE_LOSSLESS)


# Codecs

LOSSLESS: dict[str, Any] = {
    JPEG_LOSSLESS_SV1: lambda values: imagecodecs.jpeg8_encode(
        values, lossless=True, predictor=1, bitspersample=8 * values.dtype.itemsize
    ),
    JPEG_LS_LOSSLESS: imagecodecs.jpegls_encode,
    JPEG_2000_LOSSLESS: lambda values: imagecodecs.jpeg2k_encode(values, level=0, reversible=True, codecformat="J2K"),
    HTJ2K_LOSSLESS: lambda values: imagecodecs.htj2k_encode(values, reversible=True),
    JPEG_XL_LOSSLESS: lambda values: imagecodecs.jpegxl_encode(values, lossless=True),
}


@pytest.mark.parametrize("uid", sorted(LOSSLESS))
@pytest.mark.parametrize("bits", [8, 16])
def test_lossless_codecs_give_every_value_back(uid: str, bits: int) -> None:
    values = np.random.default_rng(1).integers(0, 1 << bits, (40, 33)).astype(f"u{bits // 8}")
    ds = image(values, BitsAllocated=bits)

    frame = decode(bytes(LOSSLESS[uid](values)), ds, uid)

    assert np.array_equal(frame.values, values)
    assert frame.photometric_interpretation == "MONOCHROME2"


@pytest.mark.parametrize("uid", sorted(LOSSLESS))
def test_signed_values_that_were_written_as_unsigned_have_their_sign_again(uid: str) -> None:
    values = np.array([[-2000, -1], [0, 32767]], np.int16)
    ds = image(values, PixelRepresentation=1)

    assert decode(bytes(LOSSLESS[uid](values.view(np.uint16))), ds, uid).values.tolist() == values.tolist()


@pytest.mark.parametrize("uid", [JPEG_2000_LOSSLESS, HTJ2K_LOSSLESS])
def test_streams_that_know_signs_keep_them(uid: str) -> None:
    values = np.array([[-2000, -1], [0, 32767]], np.int16)
    ds = image(values, PixelRepresentation=1)

    assert decode(bytes(LOSSLESS[uid](values)), ds, uid).values.tolist() == values.tolist()


def test_sign_stands_where_the_precision_of_the_stream_says() -> None:
    values = np.array([[0x1FFF, 0x0FFF]], np.uint16)
    data = bytes(imagecodecs.jpeg2k_encode(values, level=0, bitspersample=13, codecformat="J2K"))
    ds = image(values, BitsStored=13, PixelRepresentation=1)

    assert decode(data, ds, JPEG_2000_LOSSLESS).values.tolist() == [[-1, 4095]]


def test_unused_bits_of_compressed_cells_do_not_count() -> None:
    cells = np.array([[0x8001, 0x0002]], np.uint16)

    frame = decode(bytes(imagecodecs.jpegls_encode(cells)), image(cells, BitsStored=12), JPEG_LS_LOSSLESS)

    assert frame.values.tolist() == [[1, 2]]


@pytest.mark.parametrize("uid", sorted(LOSSLESS))
def test_lossless_colour(uid: str) -> None:
    values = np.random.default_rng(2).integers(0, 256, (20, 30, 3)).astype(np.uint8)

    frame = decode(bytes(LOSSLESS[uid](values)), color_image(values), uid)

    assert np.array_equal(frame.values, values)
    assert frame.photometric_interpretation == "RGB"


def test_ybr_rct_of_jpeg_2000_comes_out_as_rgb() -> None:
    values = np.random.default_rng(3).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    data = bytes(imagecodecs.jpeg2k_encode(values, level=0, reversible=True, codecformat="J2K"))

    frame = decode(data, color_image(values, PhotometricInterpretation="YBR_RCT"), JPEG_2000_LOSSLESS)

    assert np.array_equal(frame.values, values)
    assert frame.photometric_interpretation == "RGB"


def test_jpeg_2000_without_transform_keeps_the_colours_that_the_data_set_names() -> None:
    values = np.random.default_rng(4).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    data = bytes(imagecodecs.jpeg2k_encode(values, level=0, reversible=True, mct=False, codecformat="J2K"))

    ybr = decode(data, color_image(values, PhotometricInterpretation="YBR_FULL"), JPEG_2000_LOSSLESS)
    wrong = decode(data, color_image(values, PhotometricInterpretation="YBR_RCT"), JPEG_2000_LOSSLESS)

    assert (ybr.photometric_interpretation, wrong.photometric_interpretation) == ("YBR_FULL", "RGB")
    assert np.array_equal(ybr.values, values)


def test_boxes_around_jpeg_2000_are_opened() -> None:
    values = ramp().astype(np.uint16)
    data = bytes(imagecodecs.jpeg2k_encode(values, level=0, reversible=True, codecformat="JP2"))

    assert data.startswith(b"\0\0\0\x0cjP  ")
    assert np.array_equal(decode(data, image(values), JPEG_2000_LOSSLESS).values, values)


# JPEG and its colours

FLAT = np.full((16, 16, 3), (200, 30, 60), np.uint8)


def jpeg(colorspace: str, **options: Any) -> bytes:
    """A baseline stream whose components are these, without any conversion."""
    return bytes(imagecodecs.jpeg8_encode(FLAT, level=100, colorspace=colorspace, outcolorspace=colorspace, **options))


def without_markers(data: bytes) -> bytes:
    """The stream without JFIF and Adobe segments, and with components 1, 2, 3."""
    result, position = data[:2], 2
    while data[position + 1] != 0xDA:
        length = 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if data[position + 1] not in (0xE0, 0xEE):
            result += data[position : position + length]
        position += length
    return result + data[position:]


def test_jpeg_whose_components_are_rgb_is_not_converted() -> None:
    frame = decode(jpeg("RGB"), color_image(FLAT), JPEG_BASELINE)

    assert frame.photometric_interpretation == "RGB"
    assert np.abs(frame.values.astype(int) - FLAT).max() <= 1


@pytest.mark.parametrize("name", ["YBR_FULL", "YBR_FULL_422", "RGB"])
def test_jpeg_that_says_ycbcr_in_its_markers_is_converted_whatever_the_data_set_says(name: str) -> None:
    # ITU-R BT.601: Y 83.35, Cb 114.8 and Cr 211.2 are (200, 30, 60).
    ybr = np.full((16, 16, 3), (84, 114, 211), np.uint8)
    data = bytes(imagecodecs.jpeg8_encode(ybr, level=100, colorspace="YCBCR", outcolorspace="YCBCR"))

    frame = decode(data, color_image(FLAT, PhotometricInterpretation=name), JPEG_BASELINE)

    assert frame.photometric_interpretation == "RGB"
    assert np.abs(frame.values.astype(int) - FLAT).max() <= 3


def test_without_markers_the_data_set_decides() -> None:
    bare = without_markers(jpeg("YCBCR", subsampling="444"))
    stream = read_jpeg(bare)

    assert not stream.has_jfif
    assert stream.adobe_transform is None
    assert is_jpeg_ybr(stream, "YBR_FULL")
    assert not is_jpeg_ybr(stream, "RGB")
    assert np.abs(decode(bare, color_image(FLAT), JPEG_BASELINE).values.astype(int) - FLAT).max() <= 1


def test_subsampled_components_without_markers_are_ybr() -> None:
    assert is_jpeg_ybr(read_jpeg(without_markers(jpeg("YCBCR", subsampling="420"))), "RGB")


# What is refused before a codec sees it


@pytest.mark.parametrize("uid", sorted({*LOSSLESS, JPEG_BASELINE, JPEG_2000}))
@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"\xff\xd8\xff\xd9", b"\xff\x4f\xff\x51" + b"\0" * 60, b"\xff\x0a" * 10]
)
def test_what_is_no_stream_is_refused(uid: str, data: bytes) -> None:
    with pytest.raises(CannotDecode):
        decode(data, image(), uid)


@pytest.mark.parametrize("uid", sorted(LOSSLESS))
def test_sizes_other_than_the_data_set_says_are_refused(uid: str) -> None:
    data = bytes(LOSSLESS[uid](ramp().astype(np.uint16)))

    with pytest.raises(CannotDecode, match=r"16 x 16 pixels .* the data set says 16 x 17"):
        decode(data, image(ramp(16, 17)), uid)


@pytest.mark.parametrize("uid", sorted(set(LOSSLESS) - {JPEG_XL_LOSSLESS}))
def test_more_bits_than_the_data_set_allocates_are_refused(uid: str) -> None:
    data = bytes(LOSSLESS[uid](ramp().astype(np.uint16)))

    with pytest.raises(CannotDecode, match="16 bits a sample, the data set 8"):
        decode(data, image(BitsAllocated=8), uid)


@pytest.mark.parametrize("uid", sorted(LOSSLESS))
@pytest.mark.parametrize("part", [0.5, 0.9, 0.99])
def test_a_stream_that_is_cut_short_is_never_drawn(uid: str, part: float) -> None:
    values = np.random.default_rng(5).integers(0, 4096, (64, 64)).astype(np.uint16)
    data = bytes(LOSSLESS[uid](values))

    with pytest.raises(CannotDecode):
        decode(data[: int(len(data) * part)], image(values), uid)


def test_a_jpeg_with_absurdly_many_scans_is_refused() -> None:
    data = bytes(imagecodecs.jpeg8_encode(ramp().astype(np.uint8)))

    with pytest.raises(CannotDecode, match="scans"):
        decode(data[:-2] + b"\xff\xda\0\6" * 200 + data[-2:], image(BitsAllocated=8), JPEG_BASELINE)


def test_video_and_unknown_transfer_syntaxes_are_refused_in_words() -> None:
    with pytest.raises(CannotDecode, match="not drawn"):
        decode(b"", image(), "1.2.840.10008.1.2.4.102")
    with pytest.raises(CannotDecode, match=r"Transfer syntax 1\.2\.3 is kept"):
        decode(b"", image(), "1.2.3")


def test_the_sentence_says_which_frame() -> None:
    data = bytearray(imagecodecs.jpegls_encode(ramp().astype(np.uint16)))
    del data[60:70]

    with pytest.raises(CannotDecode, match="Frame 12 cannot be decoded"):
        decode_frame(bytes(data), transfer_syntax_uid=JPEG_LS_LOSSLESS, description=describe(image()), frame_number=12)
