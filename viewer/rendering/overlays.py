"""Overlay planes 60xx, burnt white into the picture (PS3.3 C.9.2).

They are drawn last, on display values only: values, windows and statistics never
see them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription, OverlayPlane
from viewer.rendering.tiles import Region

OVERLAY_WHITE = 255


def overlay_mask(
    description: ImageDescription,
    frame_number: int,
    cells: NDArray[np.unsignedinteger] | None = None,
    *,
    planes: Sequence[OverlayPlane] | None = None,
) -> NDArray[np.bool_] | None:
    """Return the pixels that any overlay of a frame covers, shape (rows, columns); None where there are none.

    Parameters
    ----------
    cells
        Whole pixel cells of the frame, for overlays that lie in unused bits of the
        pixel data (retired, still found); without them these are left out.
    planes
        Only these; all of the image where None.
    """
    mask: NDArray[np.bool_] | None = None
    for plane in description.overlays if planes is None else planes:
        bits = plane_bits(plane, frame_number, cells, image_rows=description.rows)
        if bits is None or not bits.any():
            continue
        if mask is None:
            mask = np.zeros((description.rows, description.columns), np.bool_)
        lay(mask, bits, plane.origin_row - 1, plane.origin_column - 1)
    return mask


def plane_bits(
    plane: OverlayPlane,
    frame_number: int,
    cells: NDArray[np.unsignedinteger] | None,
    *,
    image_rows: int | None = None,
) -> NDArray[np.bool_] | None:
    """Bits of one plane for a frame, shape (rows, columns) of the plane; None where it has none there.

    With ``image_rows`` no more rows than an image of so many has below the plane's origin.
    """
    if plane.bits is None:
        return None if cells is None else (cells >> plane.bit_position & 1).astype(np.bool_)
    # PS3.3 C.9.2: one plane belongs to every frame, unless Image Frame Origin names the one that it applies to.
    index = frame_number - plane.first_frame if plane.frames > 1 or plane.is_bound else 0
    size = plane.rows * plane.columns
    if not 0 <= index < plane.frames or size <= 0 or len(plane.bits) * 8 < (index + 1) * size:
        return None
    # A plane may be larger than its image by any factor.
    rows = plane.rows if image_rows is None else min(plane.rows, max(image_rows + 1 - plane.origin_row, 0))
    first, size = index * size, rows * plane.columns
    packed = np.frombuffer(plane.bits, np.uint8)[first // 8 : -(-(first + size) // 8)]
    bits = np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + size]
    return bits.reshape(rows, plane.columns).view(np.bool_)


def lay(mask: NDArray[np.bool_], bits: NDArray[np.bool_], row: int, column: int) -> None:
    """Add bits whose upper left corner is at (row, column), cut at the edges of the image."""
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + bits.shape[0], mask.shape[0]), min(column + bits.shape[1], mask.shape[1])
    if top < bottom and left < right:
        mask[top:bottom, left:right] |= bits[top - row : bottom - row, left - column : right - column]


def reduce_mask(mask: NDArray[np.bool_], scale: int) -> NDArray[np.bool_]:
    """Make a mask smaller; a pixel is covered if anything in it was, so that thin lines stay."""
    if scale == 1:
        return mask
    rows, columns = -(-mask.shape[0] // scale), -(-mask.shape[1] // scale)
    padded = np.zeros((rows * scale, columns * scale), np.bool_)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    covered: NDArray[np.bool_] = np.logical_or.reduce(padded.reshape(rows, scale, columns, scale), axis=(1, 3))
    return covered


def burn_overlays(image: NDArray[np.uint8], mask: NDArray[np.bool_] | None, region: Region) -> NDArray[np.uint8]:
    """Make the covered pixels of a picture white; the picture shows ``region`` of the mask."""
    if mask is None:
        return image
    part = mask[region.row : region.row + region.rows, region.column : region.column + region.columns]
    if not part.any():
        return image
    burnt = image.copy()
    burnt[part] = OVERLAY_WHITE
    return burnt
