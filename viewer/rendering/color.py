"""Colour images to 8-bit sRGB (PS3.3 C.7.6.3.1.2, C.11.15).

Input is what the decoder gives: three samples a pixel at full resolution (chroma
of 4:2:2 and 4:2:0 already spread), or the stored values of a PALETTE COLOR image.
Windows have no part in it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from archive.pixels.description import ImageDescription, LookupTable, Palette
from viewer.errors import NothingToDraw
from viewer.rendering.modality_lut import entries_of, has_entries

logger = logging.getLogger(__name__)

PALETTE_COLOR = "PALETTE COLOR"
RGB = "RGB"

# The reversible and irreversible transforms of JPEG 2000 are undone inside the codec.
_ALREADY_RGB = frozenset({RGB, "YBR_RCT", "YBR_ICT"})
BAND_PIXELS = 1 << 18
"""Pixels that are converted at a time."""

_FULL_RANGE = frozenset({"YBR_FULL", "YBR_FULL_422"})
_PARTIAL_RANGE = frozenset({"YBR_PARTIAL_422", "YBR_PARTIAL_420"})


def is_color(photometric_interpretation: str) -> bool:
    """Whether frames of this kind are shown in colour."""
    return not photometric_interpretation.startswith("MONOCHROME")


def to_rgb(values: NDArray[Any], photometric_interpretation: str, description: ImageDescription) -> NDArray[np.uint8]:
    """Convert decoded samples to 8-bit RGB, in the image's own colour space.

    Parameters
    ----------
    values
        (rows, columns, 3), or (rows, columns) for PALETTE COLOR.
    photometric_interpretation
        Of the decoded samples, which a codec may have changed.

    Raises
    ------
    NothingToDraw
        The photometric interpretation is not known (ARGB, CMYK, HSV are retired), or the palette is missing.
    """
    if photometric_interpretation == PALETTE_COLOR:
        return apply_palette(values, description.palette)
    if values.ndim != 3 or values.shape[2] < 3:
        raise NothingToDraw(f"Colour image ({photometric_interpretation}) without three samples a pixel.")
    samples = _eight_bits(values[:, :, :3], description.bits_stored)
    if photometric_interpretation in _ALREADY_RGB:
        return samples
    if photometric_interpretation in _FULL_RANGE:
        return _in_bands(full_range_to_rgb, samples)
    if photometric_interpretation in _PARTIAL_RANGE:
        return _in_bands(partial_range_to_rgb, samples)
    raise NothingToDraw(f"Photometric interpretation {photometric_interpretation} cannot be shown.")


def _eight_bits(values: NDArray[Any], bits_stored: int) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    return (values >> max(bits_stored - 8, 0)).astype(np.uint8)


def _in_bands(
    convert: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], samples: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Convert some rows at a time: in between a pixel takes up to 100 bytes, which a large image must not."""
    rows = max(1, BAND_PIXELS // max(1, samples.shape[1]))
    if samples.shape[0] <= rows:
        return convert(samples)
    result = np.empty(samples.shape, np.uint8)
    for top in range(0, samples.shape[0], rows):
        result[top : top + rows] = convert(samples[top : top + rows])
    return result


def full_range_to_rgb(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """YBR_FULL to RGB (PS3.3 C.7.6.3.1.2, after ITU-R BT.601), rounded to the nearest.

    >>> full_range_to_rgb(np.array([[[76, 85, 255]]], np.uint8)).tolist()
    [[[254, 0, 0]]]
    """
    red, green, blue = _full_range_tables()
    luma, chroma_blue, chroma_red = (samples[:, :, index].astype(np.int16) for index in range(3))
    both = (chroma_blue << 8 | chroma_red).view(np.uint16)
    # Every index is in its table: "wrap" only saves numpy the check.
    added = (
        red.take(chroma_red, mode="wrap"),
        green.take(both, mode="wrap"),
        blue.take(chroma_blue, mode="wrap"),
    )
    result = np.empty(samples.shape, np.uint8)
    for index, addend in enumerate(added):
        np.clip(luma + addend, 0, 255, out=result[:, :, index], casting="unsafe")
    return result


@lru_cache(maxsize=1)
def _full_range_tables() -> tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]]:
    """What each chroma value adds to luma; luma is whole, so rounding the addend rounds the sum."""
    chroma = np.arange(256, dtype=np.float64) - 128
    green = -0.114 * 1.772 / 0.587 * chroma[:, None] - 0.299 * 1.402 / 0.587 * chroma[None, :]
    return _nearest(1.402 * chroma), _nearest(green.ravel()), _nearest(1.772 * chroma)


def _nearest(values: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.floor(values + 0.5).astype(np.int16)


def partial_range_to_rgb(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """YBR_PARTIAL to RGB: luma 16 to 235, chroma 16 to 240 (PS3.3 C.7.6.3.1.2)."""
    luma = 255 / 219 * (samples[:, :, 0].astype(np.float64) - 16)
    blue, red = (255 / 224 * (samples[:, :, index].astype(np.float64) - 128) for index in (1, 2))
    green = -0.114 * 1.772 / 0.587 * blue - 0.299 * 1.402 / 0.587 * red
    rgb = np.stack([luma + 1.402 * red, luma + green, luma + 1.772 * blue], axis=2)
    return np.clip(np.floor(rgb + 0.5), 0, 255).astype(np.uint8)


def apply_palette(values: NDArray[Any], palette: Palette | None) -> NDArray[np.uint8]:
    """Look up the colours of PALETTE COLOR stored values (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6).

    Values before the first and after the last entry take that entry.

    Raises
    ------
    NothingToDraw
        A palette table is missing or empty.
    """
    if palette is None or not all(has_entries(part) for part in (palette.red, palette.green, palette.blue)):
        raise NothingToDraw("The colour palette of the image is missing.")
    if values.dtype.kind not in "iu" or values.dtype.itemsize > 2:
        raise NothingToDraw("Palette indices of more than 16 bits cannot be shown.")
    table = _palette_table(palette, values.dtype.newbyteorder("=").str)
    indices = values.astype(values.dtype.newbyteorder("="), copy=False).view(f"u{values.dtype.itemsize}")
    return np.take(table, indices, axis=0, mode="wrap")


@lru_cache(maxsize=16)
def _palette_table(palette: Palette, dtype: str) -> NDArray[np.uint8]:
    """Colour of every stored value that the type can hold, indexed by its unsigned bit pattern."""
    stored = np.dtype(dtype)
    table = palette_colors(np.arange(1 << (8 * stored.itemsize), dtype=f"u{stored.itemsize}").view(stored), palette)
    table.setflags(write=False)
    return table


def palette_colors(values: NDArray[Any], palette: Palette) -> NDArray[np.uint8]:
    """Colours of stored values, with one axis more; values before the first and after the last entry take that entry."""
    places = values.astype(np.int64)
    parts = (palette.red, palette.green, palette.blue)
    shift = 8 if max(_entry_bits(part) for part in parts) > 8 else 0
    columns = []
    for part in parts:
        entries = entries_of(part)
        index = np.clip(places - part.first_mapped, 0, len(entries) - 1)
        columns.append((entries[index] >> shift).astype(np.uint8))
    return np.stack(columns, axis=-1)


def _entry_bits(table: LookupTable) -> int:
    """8 or 16. Tables that claim 16 bits and hold no entry above 255 exist: they are 8-bit tables."""
    return 16 if table.bits > 8 and int(entries_of(table).max(initial=0)) > 255 else 8


def to_srgb(image: NDArray[np.uint8], icc_profile: bytes | None) -> NDArray[np.uint8]:
    """Convert RGB through the embedded ICC profile (PS3.3 C.11.15), if there is one that differs from sRGB.

    A profile that cannot be used leaves the colours as they are.
    """
    convert = _conversion(icc_profile) if icc_profile else None
    return image if convert is None else convert(image)


@lru_cache(maxsize=16)
def _conversion(icc_profile: bytes) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        if profile.profile.xcolor_space.strip() != RGB:
            return None
        # Profiles with a viewing flare of their own would otherwise show black as grey 29.
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            RGB,
            RGB,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        # Damaged profiles exist; uncorrected colours are better than no picture.
        logger.warning("An embedded ICC profile of %d bytes cannot be used.", len(icc_profile))
        return None
    if _is_srgb(transform):
        return None
    return lambda image: np.asarray(ImageCms.applyTransform(Image.fromarray(image), transform))


def _is_srgb(transform: ImageCms.ImageCmsTransform) -> bool:
    """True where no colour of a coarse grid moves by more than one grey level."""
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    return int(np.abs(moved.astype(int) - grid).max()) <= 1
