"""One colour in every encoding of it looks the same, from a data set to sRGB.

The colour is PS3.3 C.7.6.3.1.2 worked by hand: R 200, G 30, B 60 is
Y = 0.299 * 200 + 0.587 * 30 + 0.114 * 60 = 84.25, Cb = (60 - Y) / 1.772 + 128 = 114.3,
Cr = (200 - Y) / 1.402 + 128 = 210.6; in partial range Y * 219 / 255 + 16 = 88.4,
Cb and Cr * 224 / 255 around 128: 116.0 and 200.5.
"""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
import pytest

from archive.errors import CannotDecode
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from tests.phantoms import color_image, native_bytes
from viewer.rendering.pipeline import render_frame

RED = (200, 30, 60)
YBR = (84, 114, 211)
PARTIAL = (88, 116, 200)
NATIVE, RLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"
JPEG, JPEG_LOSSLESS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70"
JPEG_LS, J2K_LOSSLESS, J2K = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
HTJ2K_LOSSLESS, HTJ2K = "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.203"


def flat(color: tuple[int, int, int]) -> np.ndarray:  # type: ignore[type-arg]
    return np.full((16, 16, 3), color, np.uint8)


def halved(color: tuple[int, int, int]) -> bytes:
    """4:2:2: two lumas, then the chroma of both."""
    return bytes((color[0], color[0], color[1], color[2])) * (16 * 8)


def planes(color: tuple[int, int, int]) -> bytes:
    return b"".join(bytes([part]) * 256 for part in color)


def rle(color: tuple[int, int, int]) -> bytes:
    segments = [bytes(imagecodecs.packbits_encode(bytes([part]) * 256)) for part in color]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    starts = [64 + sum(map(len, segments[:number])) for number in range(3)]
    return np.array([3, *starts, *[0] * 12], "<u4").tobytes() + b"".join(segments)


def jpeg(color: tuple[int, int, int], space: str, **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(flat(color), level=100, colorspace=space, outcolorspace=space, **options))


def without_markers(data: bytes) -> bytes:
    """The stream without its JFIF segment (PS3.5 8.2.1 asks for none)."""
    assert data[2:4] == b"\xff\xe0"
    return data[:2] + data[4 + int.from_bytes(data[4:6], "big") :]


def with_adobe(data: bytes, transform: int) -> bytes:
    """An Adobe marker instead of every other."""
    segment = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    bare = without_markers(data)
    return bare[:2] + segment + bare[2:]


def j2k(color: tuple[int, int, int], **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(flat(color), codecformat="J2K", **options))


ENCODINGS: dict[str, tuple[str, str, bytes, dict[str, Any]]] = {
    # name: transfer syntax, photometric interpretation, bytes, more attributes
    "native RGB": (NATIVE, "RGB", native_bytes(flat(RED), 8), {}),
    "native RGB by plane": (NATIVE, "RGB", planes(RED), {"PlanarConfiguration": 1}),
    "native YBR_FULL": (NATIVE, "YBR_FULL", native_bytes(flat(YBR), 8), {}),
    "native YBR_FULL by plane": (NATIVE, "YBR_FULL", planes(YBR), {"PlanarConfiguration": 1}),
    "native YBR_FULL_422": (NATIVE, "YBR_FULL_422", halved(YBR), {}),
    "native YBR_PARTIAL_422": (NATIVE, "YBR_PARTIAL_422", halved(PARTIAL), {}),
    "RLE RGB": (RLE, "RGB", rle(RED), {}),
    "RLE YBR_FULL": (RLE, "YBR_FULL", rle(YBR), {}),
    "JPEG with JFIF": (JPEG, "YBR_FULL_422", jpeg(YBR, "YCBCR"), {}),
    "JPEG 4:4:4 with JFIF": (JPEG, "YBR_FULL", jpeg(YBR, "YCBCR", subsampling="444"), {}),
    "JPEG 4:2:0 with JFIF": (JPEG, "YBR_FULL_422", jpeg(YBR, "YCBCR", subsampling="420"), {}),
    "JPEG 4:2:2 without markers": (JPEG, "YBR_FULL_422", without_markers(jpeg(YBR, "YCBCR", subsampling="422")), {}),
    "JPEG 4:4:4 without markers": (JPEG, "YBR_FULL", without_markers(jpeg(YBR, "YCBCR", subsampling="444")), {}),
    "JPEG without markers, RGB": (JPEG, "RGB", without_markers(jpeg(RED, "YCBCR", subsampling="444")), {}),
    "JPEG with Adobe RGB": (JPEG, "RGB", with_adobe(jpeg(RED, "YCBCR", subsampling="444"), 0), {}),
    "JPEG with Adobe YCbCr": (JPEG, "YBR_FULL", with_adobe(jpeg(YBR, "YCBCR", subsampling="444"), 1), {}),
    "JPEG with Adobe RGB in a file that says YBR": (
        JPEG,
        "YBR_FULL",
        with_adobe(jpeg(RED, "YCBCR", subsampling="444"), 0),
        {},
    ),
    "lossless JPEG RGB": (JPEG_LOSSLESS, "RGB", jpeg(RED, "RGB", lossless=True), {}),
    "lossless JPEG YBR_FULL": (JPEG_LOSSLESS, "YBR_FULL", jpeg(YBR, "RGB", lossless=True), {}),
    "JPEG-LS RGB": (JPEG_LS, "RGB", bytes(imagecodecs.jpegls_encode(flat(RED))), {}),
    "JPEG-LS YBR_FULL": (JPEG_LS, "YBR_FULL", bytes(imagecodecs.jpegls_encode(flat(YBR))), {}),
    "JPEG 2000 YBR_RCT": (J2K_LOSSLESS, "YBR_RCT", j2k(RED, level=0, reversible=True, mct=True), {}),
    "JPEG 2000 YBR_ICT": (J2K, "YBR_ICT", j2k(RED, level=60, reversible=False, mct=True), {}),
    "JPEG 2000 RGB": (J2K_LOSSLESS, "RGB", j2k(RED, level=0, reversible=True, mct=False), {}),
    "JPEG 2000 YBR_FULL": (J2K_LOSSLESS, "YBR_FULL", j2k(YBR, level=0, reversible=True, mct=False), {}),
    "HTJ2K YBR_RCT": (HTJ2K_LOSSLESS, "YBR_RCT", bytes(imagecodecs.htj2k_encode(flat(RED), reversible=True)), {}),
    "HTJ2K YBR_ICT": (HTJ2K, "YBR_ICT", bytes(imagecodecs.htj2k_encode(flat(RED), reversible=False, level=0.001)), {}),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_one_colour_looks_the_same_in_every_encoding(name: str) -> None:
    syntax, photometric, data, attributes = ENCODINGS[name]
    ds = color_image(flat(RED), PhotometricInterpretation=photometric, **attributes)
    description = describe(ds)

    decoded = decode_frame(data, transfer_syntax_uid=syntax, description=description)
    picture = render_frame(decoded, description, 1)

    # YBR of whole numbers, and lossy streams, are within two steps of it.
    assert np.abs(picture.astype(int) - flat(RED)).max() <= 2


@pytest.mark.parametrize("photometric", ["YBR_PARTIAL_420", "YBR_FULL_422"])
def test_native_subsampling_that_the_standard_does_not_lay_out_is_refused(photometric: str) -> None:
    # 4:2:0 exists in video streams only (PS3.3 C.7.6.3.1.2); 4:2:2 of an odd width has no last pair.
    ds = color_image(np.full((16, 15, 3), RED, np.uint8), PhotometricInterpretation=photometric)
    half = b"\0" * (16 * 15 * (3 if photometric.endswith("420") else 4) // 2)
    with pytest.raises(CannotDecode, match=photometric):
        decode_frame(half, transfer_syntax_uid=NATIVE, description=describe(ds))


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_deeper_colours_keep_their_high_bits(bits: int) -> None:
    values = np.array([[[(1 << bits) - 1, 0, 1 << (bits - 1)]]])
    ds = color_image(values, BitsAllocated=16, BitsStored=bits)
    description = describe(ds)
    decoded = decode_frame(native_bytes(values, 16), transfer_syntax_uid=NATIVE, description=description)
    assert render_frame(decoded, description, 1).tolist() == [[[255, 0, 128]]]
