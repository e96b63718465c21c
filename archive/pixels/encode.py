"""Stored values of one frame into bytes, without loss: HTJ2K, JPEG-LS or native.

Source: PS3.5 8.2.3 (JPEG-LS), 8.2.15 (HTJ2K). The component transform of HTJ2K is
not used, so that RGB stays RGB and no attribute of the data set needs to change.
"""

from __future__ import annotations

from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from archive.dicom.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    HTJ2K_LOSSLESS,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_LS_LOSSLESS,
)
from archive.errors import CannotDecode

LOSSLESS_TARGETS: Final = frozenset({HTJ2K_LOSSLESS, JPEG_LS_LOSSLESS})
"""Transfer syntaxes that images are recompressed to."""
NATIVE_TARGETS: Final = frozenset({EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN})


def encode_frame(values: NDArray[Any], *, transfer_syntax_uid: str) -> bytes:
    """Encode one frame so that decoding gives the same values.

    Parameters
    ----------
    values
        (rows, columns) or (rows, columns, 3); integers of 8 or 16 bits, for native frames of any size.

    Raises
    ------
    CannotDecode
        The transfer syntax or the kind of values is none that can be written.
    """
    if transfer_syntax_uid in NATIVE_TARGETS:
        return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()
    if transfer_syntax_uid not in LOSSLESS_TARGETS:
        raise CannotDecode(f"Pixels are not written in transfer syntax {transfer_syntax_uid}.")
    is_image = values.ndim == 2 or (values.ndim == 3 and values.shape[2] == 3)
    if values.dtype.kind not in "iu" or values.dtype.itemsize > 2 or not is_image:
        raise CannotDecode("Only whole numbers of 8 or 16 bits in one or three samples are recompressed.")
    native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    if transfer_syntax_uid == HTJ2K_LOSSLESS:
        return bytes(imagecodecs.htj2k_encode(native, reversible=True, rgb=False, planar=False))
    # JPEG-LS knows no signs: two's complement goes in as it is, and Pixel Representation says what it means.
    return bytes(imagecodecs.jpegls_encode(native.view(f"u{native.dtype.itemsize}"), level=0))
