"""Whether a JPEG picture is whole. libjpeg fills what is missing and says nothing that reaches us.

Where the coded data ends early the rest is mid-grey, in lossless processes a
repetition. A picture that ends like that is decoded a second time with other
bytes in place of the missing ones: if they change it, they were read, and the
picture is half a picture.

Source: ISO/IEC 10918-1 F.2.2.5 (markers end the coded data), H.1.2 (predictors).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archive.errors import CannotDecode
from archive.pixels.codestreams import CodeStream

_START_OF_SCAN: Final = b"\xff\xda"
_END_OF_IMAGE: Final = b"\xff\xd9"
_OTHER_BYTES: Final = bytes(range(1, 250, 3)) + bytes(range(248, 0, -5))
"""Coded data of no meaning; without 255, which would begin a marker."""
_NEARLY: Final = 8
"""A sample within this part of its range of the middle counts as mid-grey: neighbours blend into its colour."""
_FROM_THE_LEFT: Final = 1
"""The lossless predictor that nearly every writer uses."""


def check_whole(data: bytes, stream: CodeStream, values: NDArray[Any], decode: Callable[[bytes], NDArray[Any]]) -> None:
    """Refuse a picture whose coded data ends before its last pixel.

    Parameters
    ----------
    values
        What ``decode`` made of ``data``.

    Raises
    ------
    CannotDecode
        Bytes are missing.
    """
    start = data.find(_START_OF_SCAN)
    if not _may_be_cut(data, start, stream, values):
        return
    end = data.find(_END_OF_IMAGE, start)
    if not np.array_equal(decode(data[:end] + _OTHER_BYTES + _END_OF_IMAGE), values):
        raise CannotDecode("The code stream is cut short: the end of the picture is missing.")


def _may_be_cut(data: bytes, start: int, stream: CodeStream, values: NDArray[Any]) -> bool:
    if stream.scans > 1:
        # What a later scan lacks leaves no mark.
        return True
    if not stream.is_lossless_jpeg:
        middle = 1 << (stream.precision - 1)
        last = values[-1, -1].astype(np.int64)
        return bool((np.abs(last - middle) <= (2 * middle) // _NEARLY).all())
    predictor_at = start + 5 + 2 * stream.components
    if data[predictor_at : predictor_at + 1] != bytes([_FROM_THE_LEFT]):
        return True
    return bool((values[-1] == values[-1, 0]).all())
