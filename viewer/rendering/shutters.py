"""Display shutters: what lies outside their shapes is covered (PS3.3 C.7.6.11, C.7.6.15).

They come after the grey levels and before overlays: their value is a P-value (or a
color), so that no window and no inversion changes it. A pixel is covered where its
center lies outside any one of the shapes; edges belong to what is seen.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import OverlayPlane, Shutter
from viewer.rendering.cielab import grey_of, srgb_of
from viewer.rendering.outlines import inside_polygon
from viewer.rendering.overlays import lay, plane_bits
from viewer.rendering.tiles import Region

MASKS_KEPT = 64
"""Masks of tiles in memory for each process, 256 KiB each; a whole picture is not kept."""
KEPT_PIXELS = 1 << 18


def shutter_mask(
    shutter: Shutter,
    region: Region,
    *,
    scale: int = 1,
    aspect: tuple[float, float] = (1.0, 1.0),
    bitmap: OverlayPlane | None = None,
) -> NDArray[np.bool_]:
    """Mark the covered pixels of a region.

    Parameters
    ----------
    region
        In pixels of the level that is drawn.
    scale
        Image pixels that one pixel of the level covers, along each side.
    aspect
        Height and width of a pixel: the radius of a circle counts pixels along a row.
    bitmap
        The overlay that the shutter names (C.7.6.15); its ones are covered.

    Returns
    -------
    Shape (rows, columns) of the region, True where the picture is covered; read-only.
    """
    make = _kept_mask if region.rows * region.columns <= KEPT_PIXELS else _mask
    return make(shutter, region, scale, aspect, bitmap)


def _mask(
    shutter: Shutter, region: Region, scale: int, aspect: tuple[float, float], bitmap: OverlayPlane | None
) -> NDArray[np.bool_]:
    # Rows and columns of the standard count from 1, at the centers of pixels (C.7.6.11).
    rows = (region.row + np.arange(region.rows)) * scale + (scale + 1) / 2
    columns = (region.column + np.arange(region.columns)) * scale + (scale + 1) / 2
    seen = np.ones((region.rows, region.columns), np.bool_)
    if shutter.rectangle is not None:
        left, right, upper, lower = shutter.rectangle
        seen &= ((rows >= upper) & (rows <= lower))[:, None] & ((columns >= left) & (columns <= right))[None, :]
    if shutter.circle is not None:
        row, column, radius = shutter.circle
        down = (rows - row) * (aspect[0] / aspect[1])
        seen &= down[:, None] ** 2 + (columns - column)[None, :] ** 2 <= float(radius) ** 2
    if shutter.polygon:
        seen &= inside_polygon(np.array(shutter.polygon, np.float64)[:, ::-1], columns, rows)
    if bitmap is not None:
        seen &= ~_bitmap(bitmap, region, scale)
    seen = np.logical_not(seen, out=seen)
    seen.setflags(write=False)
    return seen


_kept_mask = lru_cache(maxsize=MASKS_KEPT)(_mask)


def _bitmap(plane: OverlayPlane, region: Region, scale: int) -> NDArray[np.bool_]:
    """Ones of the overlay in a region; one pixel of a lower level is that in the middle of what it covers."""
    bits = plane_bits(plane, 1, None)
    found = np.zeros((region.rows, region.columns), np.bool_)
    if bits is None:
        return found
    middle = scale // 2
    whole = np.zeros(((region.row + region.rows) * scale, (region.column + region.columns) * scale), np.bool_)
    lay(whole, bits, plane.origin_row - 1, plane.origin_column - 1)
    found[:] = whole[region.row * scale :, region.column * scale :][middle::scale, middle::scale]
    return found


def apply_shutter(image: NDArray[np.uint8], covered: NDArray[np.bool_], shutter: Shutter) -> NDArray[np.uint8]:
    """Cover pixels with the shutter's value: a copy of the picture, or itself where nothing is covered.

    A color shutter makes no grey picture colored: its color counts where the picture has colors.
    """
    if not covered.any():
        return image
    color = shutter.color if image.ndim == 3 else None
    result = image.copy()
    result[covered] = grey_of(shutter.presentation_value) if color is None else srgb_of(color)
    return result
