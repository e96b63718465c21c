"""A presentation state as a picture of its own: area, turn, size, overlays and annotations (PS3.4 N.2, PS3.18 9.5.2.3).

``render_frame`` draws the grey levels and the shutter in the geometry of the image;
here the displayed area is cut out, turned and scaled, and what lies over it is drawn
in pixels of the result, so that lines and text are sharp at every size.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription
from viewer.errors import NothingToDraw
from viewer.rendering.annotations import Canvas, draw_annotations
from viewer.rendering.displayed_area import (
    Affine,
    Box,
    area_box,
    from_matrix,
    pixel_shape,
    scaling,
    shown_aspect_ratio,
    turning,
)
from viewer.rendering.overlays import overlay_mask
from viewer.rendering.parameters import RenderParameters
from viewer.rendering.pipeline import DEFAULT, Decoded, render_frame, scale_image
from viewer.rendering.presentation_state import FrameState, SizeMode
from viewer.rendering.stated import active_planes
from viewer.rendering.tiles import Region

MAXIMUM_PIXELS = 1 << 26
"""Of a picture that is made; a state that asks for more is refused."""


class Size(NamedTuple):
    """Rows and columns that a picture must fit."""

    rows: int
    columns: int


def render_presentation_state(
    decoded: Decoded,
    description: ImageDescription,
    frame_number: int,
    state: FrameState,
    *,
    viewport: Size | None = None,
    parameters: RenderParameters = DEFAULT,
) -> NDArray[np.uint8]:
    """Draw one frame wholly as a presentation state says.

    Parameters
    ----------
    decoded
        Stored values of the whole frame.
    frame_number
        From 1.
    state
        ``PresentationState.for_frame`` of this frame.
    viewport
        What the picture must fit. SCALE TO FIT and TRUE SIZE areas are scaled to it in their
        proportions, MAGNIFY areas are magnified and then cut to it around their middle
        (PS3.18 9.5.2.3). None: one pixel of the picture for one of the image, or as many as MAGNIFY says.

    Returns
    -------
    uint8, (rows, columns) grey or (rows, columns, 3) sRGB; black beyond the edges of the image.

    Raises
    ------
    NothingToDraw
        The area lies wholly beside the image, or the picture would be too large.
    """
    image = render_frame(decoded, description, frame_number, replace(parameters, overlays=False), state=state)
    cells = getattr(decoded, "cells", None)
    return present(
        image, description, frame_number, state, viewport=viewport, cells=cells, overlays=parameters.overlays
    )


def present(
    image: NDArray[np.uint8],
    description: ImageDescription,
    frame_number: int,
    state: FrameState,
    *,
    viewport: Size | None,
    cells: NDArray[Any] | None = None,
    overlays: bool = True,
) -> NDArray[np.uint8]:
    """Cut, turn, scale and annotate display values that lie as the image does."""
    area = area_box(state.area, description.rows, description.columns)
    shown, size, cut = _extent(area, description, frame_number, state, viewport)
    turned = turning(shown, state.rotation, flipped=state.flipped)
    across, down = _turned(shown.width, shown.height, state.rotation)
    from_image = scaling(size.columns / across, size.rows / down).after(turned)
    picture = _picture(image, shown, size, from_image, state)
    if overlays:
        whole = turning(area, state.rotation, flipped=state.flipped).inverse()
        canvas = Canvas(
            rows=size.rows,
            columns=size.columns,
            region=Region(0, 0, size.rows, size.columns),
            from_image=from_image,
            from_matrix=from_image.after(from_matrix(description, frame_number)),
            from_display=from_image.after(whole).after(scaling(*_turned(area.width, area.height, state.rotation))),
        )
        picture = draw_annotations(
            picture,
            state,
            canvas,
            lambda one: _moved(
                overlay_mask(description, frame_number, cells, planes=active_planes(one, description)), from_image, size
            ),
        )
    top, left = (size.rows - cut.rows) // 2, (size.columns - cut.columns) // 2
    return picture[top : top + cut.rows, left : left + cut.columns]


def _turned(width: float, height: float, rotation: int) -> tuple[float, float]:
    """Extent across and down after a turn."""
    return (height, width) if rotation % 180 else (width, height)


def _extent(
    area: Box, description: ImageDescription, frame_number: int, state: FrameState, viewport: Size | None
) -> tuple[Box, Size, Size]:
    """What part of the area is drawn, how large, and what of that is kept.

    Raises
    ------
    NothingToDraw
        The picture would be too large.
    """
    tall, wide = pixel_shape(shown_aspect_ratio(state.area, description, frame_number))
    across, down = _turned(area.width * wide, area.height * tall, state.rotation)
    magnifies = state.area is not None and state.area.mode is SizeMode.MAGNIFY
    if magnifies and state.area is not None:
        scale = state.area.magnification
    else:
        scale = 1.0 if viewport is None else min(viewport.columns / across, viewport.rows / down)
    shown = _middle(area, viewport, (tall * scale, wide * scale), state.rotation) if magnifies and viewport else area
    across, down = _turned(shown.width * wide * scale, shown.height * tall * scale, state.rotation)
    if across * down > MAXIMUM_PIXELS:
        raise NothingToDraw("The presentation state asks for a picture that is too large to be drawn.")
    size = Size(max(1, round(down)), max(1, round(across)))
    if viewport is None:
        return shown, size, size
    return shown, size, Size(min(size.rows, viewport.rows), min(size.columns, viewport.columns))


def _middle(area: Box, viewport: Size, side: tuple[float, float], rotation: int) -> Box:
    """The whole pixels around the middle of an area that a viewport has room for; ``side`` is a pixel's height and width."""
    columns, rows = _turned(viewport.columns, viewport.rows, rotation)
    width = min(area.width, math.ceil(columns / side[1]))
    height = min(area.height, math.ceil(rows / side[0]))
    left, top = area.left + (area.width - width) // 2, area.top + (area.height - height) // 2
    return Box(left, top, left + width, top + height)


def _picture(
    image: NDArray[np.uint8], shown: Box, size: Size, from_image: Affine, state: FrameState
) -> NDArray[np.uint8]:
    """The shown part of an image, turned and scaled; black where it reaches beyond the image."""
    rows, columns = image.shape[:2]
    left, right = max(int(shown.left), 0), min(int(shown.right), columns)
    top, bottom = max(int(shown.top), 0), min(int(shown.bottom), rows)
    if left >= right or top >= bottom:
        raise NothingToDraw("The displayed area of the presentation state lies beside the image.")
    part = np.rot90(image[top:bottom, left:right], -(state.rotation // 90))
    part = np.ascontiguousarray(np.fliplr(part) if state.flipped else part)
    corners = from_image.apply(np.array([[left, top], [right, bottom]], np.float64))
    (first_x, first_y), (last_x, last_y) = np.round(np.sort(corners, axis=0)).astype(int)
    last_x, last_y = max(last_x, first_x + 1), max(last_y, first_y + 1)
    scaled = scale_image(part, int(last_y - first_y), int(last_x - first_x))
    if scaled.shape[:2] == size:
        return scaled
    picture = np.zeros((size.rows, size.columns, *image.shape[2:]), np.uint8)
    place = picture[first_y:last_y, first_x:last_x]
    place[:] = scaled[: place.shape[0], : place.shape[1]]
    return picture


def _moved(mask: NDArray[np.bool_] | None, from_image: Affine, size: Size) -> NDArray[np.bool_] | None:
    """A mask of image pixels as one of the picture: nothing that is set is lost, whether it grows or shrinks."""
    if mask is None:
        return None
    rows, columns = np.nonzero(mask)
    moved = np.zeros(size, np.bool_)
    places = np.floor(from_image.apply(np.stack([columns + 0.5, rows + 0.5], axis=1))).astype(int)
    inside = ((places >= 0) & (places < (size.columns, size.rows))).all(axis=1)
    moved[places[inside, 1], places[inside, 0]] = True
    y, x = np.meshgrid(np.arange(size.rows) + 0.5, np.arange(size.columns) + 0.5, indexing="ij")
    back = np.floor(from_image.inverse().apply(np.stack([x.ravel(), y.ravel()], axis=1))).astype(int)
    inside = ((back >= 0) & (back < (mask.shape[1], mask.shape[0]))).all(axis=1)
    covered = np.zeros(len(back), np.bool_)
    covered[inside] = mask[back[inside, 1], back[inside, 0]]
    return moved | covered.reshape(size)
