"""Damaged code streams: decoded or refused, never anything else, never the end of the process, and no memory lost."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import psutil
import pytest
from pydicom.data import get_testdata_file

from archive.dicom.transfer_syntaxes import (
    HTJ2K_LOSSLESS,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
)
from archive.errors import CannotDecode
from archive.pixels.child import children
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.description import ImageDescription
from archive.pixels.frames import read_frame
from archive.pixels.transcode import ImageFile
from tests.phantoms import color_image, image

ROUNDS = 300
HEADER_BYTES = 160
GROWTH_BYTES = 48 << 20
"""What a process may gain over all mutations of one stream; the C library keeps some of what was freed."""


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Change, remove, repeat or insert bytes, in the header more often than elsewhere.

    Half of the mutations only change bytes behind the header: these get past the checks, to the codec.
    """
    result = bytearray(data)
    past_the_checks = len(result) > 2 * HEADER_BYTES and dice.random() < 0.5
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        if past_the_checks:
            result[dice.randrange(HEADER_BYTES, len(result) - 2)] = dice.randrange(256)
            continue
        at = dice.randrange(min(len(result), HEADER_BYTES) if dice.random() < 0.5 else len(result))
        kind = dice.randrange(5)
        if kind == 0:
            result[at] = dice.randrange(256)
        elif kind == 1:
            result[at] ^= 1 << dice.randrange(8)
        elif kind == 2 and len(result) > 60:
            del result[at : at + dice.randrange(1, 30)]
        elif kind == 3:
            result[at:at] = dice.randbytes(dice.randrange(1, 30))
        else:
            result[at : at + 40] = result[at // 2 : at // 2 + 40]
    return bytes(result)


def resident_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


def bear(data: bytes, description: ImageDescription, transfer_syntax_uid: str) -> None:
    """Decode mutations; AssertionError where one is neither a picture of the right size nor refused."""
    arguments: dict[str, Any] = {"description": description, "transfer_syntax_uid": transfer_syntax_uid}
    plane = (description.rows, description.columns)
    shape = plane if description.samples_per_pixel == 1 else (*plane, description.samples_per_pixel)
    good = decode_frame(data, **arguments)
    before = resident_bytes()
    for seed in range(ROUNDS):
        try:
            decoded = decode_frame(mutate(data, random.Random(seed)), **arguments)
        except CannotDecode as error:
            assert str(error).endswith(".")
            continue
        assert decoded.values.shape == shape
        assert decoded.values.dtype == good.values.dtype

    assert resident_bytes() - before < GROWTH_BYTES
    assert all(psutil.Process(pid).memory_info().rss < 400 << 20 for pid in children.process_ids)
    # Whatever was decoded before, a good stream is what it was.
    assert np.array_equal(decode_frame(data, **arguments).values, good.values)


REAL_FILES = (
    "syntaxes/ctimage/JPEGProcess1_1.2.840.10008.1.2.4.50.dcm",
    "syntaxes/ctimage/JPEGProcess2_4_1.2.840.10008.1.2.4.51.dcm",
    "syntaxes/ctimage/JPEGProcess6_8_1.2.840.10008.1.2.4.53.dcm",
    "syntaxes/ctimage/JPEGProcess14SV1_1.2.840.10008.1.2.4.70.dcm",
    "syntaxes/HTJ2K_08_RGB.dcm",
    "syntaxes/MR1_JPH.dcm",
    "pydicom:SC_rgb_small_odd_jpeg.dcm",
    "pydicom:SC_rgb_jpeg_gdcm.dcm",
    "pydicom:MR_small_jpeg_ls_lossless.dcm",
    "pydicom:SC_rgb_jls_lossy_line.dcm",
    "pydicom:MR_small_jp2klossless.dcm",
    "pydicom:SC_rgb_gdcm_KY.dcm",
    "pydicom:MR_small_RLE.dcm",
    "pydicom:SC_rgb_rle_16bit.dcm",
)
"""Each codec, grey and colour where there is one of both."""


@pytest.mark.parametrize("name", REAL_FILES)
def test_mutations_of_real_streams_are_decoded_or_refused(name: str, data_dir: Path) -> None:
    path = data_dir / name
    if name.startswith("pydicom:"):
        path = Path(get_testdata_file(name.removeprefix("pydicom:"), download=False))
    with ImageFile(path) as file:
        data = read_frame(file.file.fileno(), file.index, 1)

    bear(data, file.description, file.meta.transfer_syntax_uid)


ENCODERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "JPEG": (JPEG_BASELINE, imagecodecs.jpeg8_encode),
    "JPEG lossless": (JPEG_LOSSLESS_SV1, lambda values: imagecodecs.jpeg8_encode(values, lossless=True)),
    "JPEG-LS": (JPEG_LS_LOSSLESS, imagecodecs.jpegls_encode),
    "JPEG 2000": (JPEG_2000_LOSSLESS, lambda values: imagecodecs.jpeg2k_encode(values, level=0, codecformat="J2K")),
    "HTJ2K": (HTJ2K_LOSSLESS, lambda values: imagecodecs.htj2k_encode(values, reversible=True)),
    "JPEG XL": ("1.2.840.10008.1.2.4.110", lambda values: imagecodecs.jpegxl_encode(values, lossless=True)),
}


@pytest.mark.parametrize("name", sorted(ENCODERS))
@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
def test_mutations_of_small_streams_are_decoded_or_refused(name: str, colour: bool) -> None:
    shape = (48, 40, 3) if colour else (48, 40)
    values = np.random.default_rng(6).integers(0, 256, shape).astype(np.uint8)
    ds = color_image(values) if colour else image(values, BitsAllocated=8)
    uid, encode = ENCODERS[name]

    bear(bytes(encode(values)), describe(ds), uid)
