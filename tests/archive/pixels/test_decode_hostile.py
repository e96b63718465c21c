"""Damaged code streams: decoded or refused, never anything else, and never the end of the process."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
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
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.frames import read_frame
from archive.pixels.transcode import ImageFile
from tests.phantoms import color_image, image

ROUNDS = 400
HEADER_BYTES = 160


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Change, remove, repeat or insert bytes, in the header more often than elsewhere."""
    result = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
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


def bear(data: bytes, **arguments: Any) -> None:
    for seed in range(ROUNDS):
        try:
            decode_frame(mutate(data, random.Random(seed)), **arguments)
        except CannotDecode:
            continue


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
def test_mutated_streams_are_decoded_or_refused(name: str, colour: bool) -> None:
    shape = (48, 40, 3) if colour else (48, 40)
    values = np.random.default_rng(6).integers(0, 256, shape).astype(np.uint8)
    ds = color_image(values) if colour else image(values, BitsAllocated=8)
    uid, encode = ENCODERS[name]

    bear(bytes(encode(values)), transfer_syntax_uid=uid, description=describe(ds))


def test_mutated_rle_is_decoded_or_refused() -> None:
    with ImageFile(Path(get_testdata_file("MR_small_RLE.dcm", download=False))) as file:
        data = read_frame(file.file.fileno(), file.index, 1)

    bear(data, transfer_syntax_uid=file.meta.transfer_syntax_uid, description=file.description)


def test_lossy_high_throughput_colour_is_decoded_or_refused(data_dir: Path) -> None:
    # OpenJPH ended the process on these.
    with ImageFile(data_dir / "syntaxes/HTJ2K_08_RGB.dcm") as file:
        data = read_frame(file.file.fileno(), file.index, 1)

    bear(data, transfer_syntax_uid=file.meta.transfer_syntax_uid, description=file.description)
