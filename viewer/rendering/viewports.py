"""A part of an image at the size that was asked for (PS3.18 8.3.5.1.3).

The picture is drawn at the lowest level of the pyramid that has as many pixels as
the answer, and resized only where the sizes differ. So the answer for a viewport
that lies on the grid of a tile is the tile itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription
from viewer.errors import InvalidParameter, TooLarge
from viewer.rendering.parameters import RenderParameters, number_text
from viewer.rendering.pipeline import Decoded, check_drawable, render_frame, scale_image
from viewer.rendering.rendered_parameters import Viewport
from viewer.rendering.resample import Part
from viewer.rendering.stack_window import StackWindow
from viewer.rendering.tiles import Level, Region, levels

MOST_PIXELS = 1 << 25
"""Pixels of one picture that was enlarged or reduced; 1:1 there is no such limit."""
_TINY = 1e-6
"""Of a pixel: what rounding of decimal numbers may add to an edge."""


class Placement(NamedTuple):
    """Which part of an image goes into how many pixels."""

    part: Part
    """In pixels of the image at 1:1."""
    rows: int
    columns: int
    flip_rows: bool = False
    flip_columns: bool = False


def place(viewport: Viewport | None, *, rows: int, columns: int, aspect: tuple[float, float] = (1.0, 1.0)) -> Placement:
    """Find what a viewport shows of an image of this size, and how large.

    Parameters
    ----------
    viewport
        None: all of the image, pixel for pixel.
    aspect
        Height and width of one pixel. PS3.18 counts in pixels, so that square ones
        are the rule; thumbnails are in true proportions.

    Returns
    -------
    The largest size that fits into the viewport and keeps the proportions of the part; a last pixel that is
    covered in part counts whole.

    Raises
    ------
    InvalidParameter
        The part reaches beyond the image.
    TooLarge
        The answer has more than ``MOST_PIXELS``.
    """
    if viewport is None:
        return Placement(Part(0.0, 0.0, float(rows), float(columns)), rows, columns)
    part = _part(viewport, rows, columns)
    height, width = part.height * aspect[0], part.width * aspect[1]
    factor = min(viewport.rows / height, viewport.columns / width)
    size = _fitting(height * factor, viewport.rows), _fitting(width * factor, viewport.columns)
    if size[0] * size[1] > MOST_PIXELS:
        raise TooLarge(f"A picture of {size[1]} x {size[0]} pixels is larger than {MOST_PIXELS} pixels.")
    return Placement(part, *size, viewport.flip_rows, viewport.flip_columns)


def _part(viewport: Viewport, rows: int, columns: int) -> Part:
    width = columns - viewport.left if viewport.width is None else viewport.width
    height = rows - viewport.top if viewport.height is None else viewport.height
    right, bottom = viewport.left + width, viewport.top + height
    if width < _TINY or height < _TINY or right > columns + _TINY or bottom > rows + _TINY:
        numbers = (viewport.left, viewport.top, width, height)
        found = ",".join(number_text(number) for number in numbers)
        raise InvalidParameter("viewport", found, f"a region inside of the image of {columns} x {rows} pixels")
    return Part(viewport.top, viewport.left, min(height, rows - viewport.top), min(width, columns - viewport.left))


def _fitting(length: float, most: int) -> int:
    return max(1, min(most, math.ceil(length - _TINY)))


def level_for(placement: Placement, *, rows: int, columns: int) -> Level:
    """The lowest level whose pixels are at least as many as those of the answer; 1:1 where none has enough."""
    storeys = levels(rows, columns)
    for storey in storeys:
        part = _at_level(placement.part, storey)
        covered = _covering(part, storey)
        if covered.rows >= placement.rows and covered.columns >= placement.columns:
            return storey
    return storeys[-1]


def _at_level(part: Part, storey: Level) -> Part:
    return Part(*(value / storey.scale for value in part))


def _covering(part: Part, storey: Level) -> Region:
    """Whole pixels of a level that a part touches."""
    top, left = math.floor(part.top + _TINY), math.floor(part.left + _TINY)
    bottom = min(storey.rows, math.ceil(part.top + part.height - _TINY))
    right = min(storey.columns, math.ceil(part.left + part.width - _TINY))
    return Region(top, left, max(1, bottom - top), max(1, right - left))


def render_viewport(
    frame_at_level: Callable[[int], Decoded],
    description: ImageDescription,
    frame_number: int,
    parameters: RenderParameters,
    placement: Placement,
    *,
    stack_window: StackWindow | None = None,
) -> NDArray[np.uint8]:
    """Draw a part of a frame at a size.

    Parameters
    ----------
    frame_at_level
        Gives the frame's stored values at a level of its pyramid; called once.

    Returns
    -------
    uint8, (rows, columns) grey or (rows, columns, 3) sRGB, of the placement's size.

    Raises
    ------
    What ``render_frame`` raises.
    """
    check_drawable(description, frame_number)
    storey = level_for(placement, rows=description.rows, columns=description.columns)
    part = _at_level(placement.part, storey)
    region = _covering(part, storey)
    image = render_frame(
        frame_at_level(storey.level),
        description,
        frame_number,
        parameters,
        stack_window=stack_window,
        region=region,
        level=storey.level,
    )
    if image.shape[:2] != (placement.rows, placement.columns) or not _is_aligned(part):
        inner = Part(part.top - region.row, part.left - region.column, part.height, part.width)
        image = scale_image(image, placement.rows, placement.columns, inner)
    if placement.flip_rows:
        image = image[::-1]
    return image[:, ::-1] if placement.flip_columns else image


def _is_aligned(part: Part) -> bool:
    """Whether a part begins at whole pixels of its level."""
    return all(abs(start - round(start)) < _TINY for start in (part.top, part.left))
