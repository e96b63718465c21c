"""PNG writer: what other decoders read back, and that nothing but pixels is in it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from viewer.rendering.png import encode_png


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Names and data of all chunks, checksums verified."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, place = [], 8
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", png, place + 8 + length)[0] == zlib.crc32(kind + data)
        found.append((kind, data))
        place += 12 + length
    return found


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (512, 512), (3, 511), (7, 1), (1, 1, 3), (5, 9, 3), (30, 1, 3)])
@pytest.mark.parametrize("filtered", [True, False])
def test_pixels_read_back_byte_for_byte(shape: tuple[int, ...], filtered: bool) -> None:
    image = noise(*shape)

    decoded = Image.open(io.BytesIO(encode_png(image, filtered=filtered)))

    assert decoded.mode == ("L" if image.ndim == 2 else "RGB")
    assert np.array_equal(np.asarray(decoded), image)


def test_views_that_are_not_contiguous_are_written_right() -> None:
    image = noise(40, 60)[3:37:2, 5::3]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(image)))), image)


def test_there_is_no_gamma_colour_or_text_in_it() -> None:
    for image in (noise(4, 4), noise(4, 4, 3)):
        assert [kind for kind, _ in chunks(encode_png(image))] == [b"IHDR", b"IDAT", b"IEND"]


def test_header_says_eight_bits_and_no_interlace() -> None:
    header = chunks(encode_png(noise(2, 3)))[0][1]
    assert struct.unpack(">IIBBBBB", header) == (3, 2, 8, 0, 0, 0, 0)


@pytest.mark.parametrize("image", [np.zeros((2, 2), np.uint16), np.zeros((2, 2, 4), np.uint8), np.zeros(4, np.uint8)])
def test_other_arrays_are_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="encode_png takes"):
        encode_png(image)
