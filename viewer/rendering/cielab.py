"""Colors that files recommend: CIELab as DICOM encodes it, to sRGB (PS3.3 C.10.7.1.1)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

Rgb = tuple[int, int, int]

_WHITE_D50 = np.array([0.9642, 1.0, 0.8249])
_LINEAR_SRGB = np.array(
    # XYZ under D50, the white of the profile connection space, to linear sRGB (Bradford adaptation to D65).
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)


@lru_cache(maxsize=256)
def srgb_of(encoded: tuple[int, int, int]) -> Rgb:
    """Return the nearest sRGB color of an encoded CIELab value.

    Parameters
    ----------
    encoded
        Words 0 to 65535: L* from 0 to 100, a* and b* from -128 to 127.

    >>> srgb_of((65535, 32896, 32896)), srgb_of((0, 32896, 32896))
    ((255, 255, 255), (0, 0, 0))
    """
    lightness = encoded[0] * 100 / 65535
    a, b = (word * 255 / 65535 - 128 for word in encoded[1:])
    y = (lightness + 16) / 116
    xyz = _WHITE_D50 * np.array([_inverse(value) for value in (y + a / 500, y, y - b / 200)])
    linear = np.clip(_LINEAR_SRGB @ xyz, 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (int(value) for value in np.floor(curved * 255 + 0.5))
    return red, green, blue


def _inverse(value: float) -> float:
    """CIE 15: from f(t) back to t."""
    return value**3 if value > 6 / 29 else 3 * (6 / 29) ** 2 * (value - 4 / 29)


def grey_of(p_value: int) -> int:
    """Display value of a 16-bit P-value (PS3.3 C.7.6.11, C.10.7): the high byte, as dcmtk does."""
    return min(max(p_value, 0), 0xFFFF) >> 8
