"""Overlays, graphics and text of a presentation state over a picture, layer by layer (PS3.3 C.10.5, C.10.7, C.11.7).

Lines are one pixel wide in every picture, with a rim that sets them off; filled
objects let half of the picture through, so that nothing is hidden; overlays have no rim.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.cielab import Rgb
from viewer.rendering.displayed_area import Affine
from viewer.rendering.outlines import Points, draw_lines, draw_marker, inside_polygon, outline_of
from viewer.rendering.presentation_state import (
    ActiveOverlay,
    FrameState,
    GraphicLayer,
    GraphicObject,
    GraphicType,
    Place,
    TextObject,
    Units,
)
from viewer.rendering.text_stamp import font_size, quarter_turns, text_stamp
from viewer.rendering.tiles import Region

RIM_PX = 1
ANCHORED_TEXT_OFFSET_PX = 4
"""Between an anchor and its text where no box says where the text is; the standard leaves it open."""
ANCHORED_TEXT_SHARE = 1 / 40
"""Height of such a text, of the picture's."""


class Canvas(NamedTuple):
    """Where a picture is, among the coordinates of annotations."""

    rows: int
    """Of the whole picture."""
    columns: int
    region: Region
    """What is drawn of it."""
    from_image: Affine
    """From image coordinates to those of the picture."""
    from_display: Affine
    """From fractions of the displayed area."""
    rotation: int = 0
    """A turn that the picture has still before it, as a state says it: text is made for what comes out."""
    flipped: bool = False


OverlayMask = Callable[[ActiveOverlay], "NDArray[np.bool_] | None"]
"""Pixels of the region that an overlay covers."""


def draw_annotations(
    image: NDArray[np.uint8], state: FrameState, canvas: Canvas, overlay_mask: OverlayMask
) -> NDArray[np.uint8]:
    """Draw what a state lays over a picture; the lowest layer first.

    Returns
    -------
    A new picture, in color where a layer or an object has one; the given one where there is nothing to draw.
    """
    if not (state.overlays or state.annotations):
        return image
    becomes_colored = state.is_colored and image.ndim == 2
    image = np.repeat(image[:, :, None], 3, axis=2) if becomes_colored else image.copy()
    for layer in _layers(state):
        for overlay in (one for one in state.overlays if one.layer == layer.name):
            covered = overlay_mask(overlay)
            if covered is not None:
                image[covered] = _value(image, layer.paint)
        for annotation in (one for one in state.annotations if one.layer == layer.name):
            for graphic in annotation.graphics:
                _draw_graphic(image, graphic, graphic.color or layer.paint, canvas)
            for text in annotation.texts:
                _draw_text(image, text, text.color or layer.paint, canvas)
    return image


def _layers(state: FrameState) -> list[GraphicLayer]:
    """Layers in their order, and above them those that are used and nowhere described."""
    known = {layer.name for layer in state.layers}
    used = [overlay.layer for overlay in state.overlays] + [one.layer for one in state.annotations]
    return [*state.layers, *(GraphicLayer(name, 0) for name in dict.fromkeys(used) if name not in known)]


def _draw_graphic(image: NDArray[np.uint8], graphic: GraphicObject, paint: Rgb, canvas: Canvas) -> None:
    corners = outline_of(graphic.kind, _points(graphic.points, graphic.units, canvas))
    region, mask = _margin(canvas.region)
    if graphic.kind is GraphicType.POINT:
        draw_marker(mask, region, corners)
    else:
        if graphic.filled:
            _fill(image, corners, paint, canvas.region)
        draw_lines(mask, region, _on_the_picture(corners, canvas))
    _paint(image, mask, paint)


def _points(places: tuple[Place, ...], units: Units, canvas: Canvas) -> Points:
    points = np.array(places, np.float64)
    return (canvas.from_image if units is Units.PIXEL else canvas.from_display).apply(points)


def _on_the_picture(points: Points, canvas: Canvas) -> Points:
    """Columns\\Rows is a legal corner (C.10.5); it is drawn in the last pixel, not beside it."""
    size = np.array([canvas.columns, canvas.rows], np.float64)
    return np.where(np.abs(points - size) < 1e-6, size - 0.5, points)


def _fill(image: NDArray[np.uint8], corners: Points, paint: Rgb, region: Region) -> None:
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    left, right = max(int(low[0]), region.column), min(int(high[0]) + 1, region.column + region.columns)
    top, bottom = max(int(low[1]), region.row), min(int(high[1]) + 1, region.row + region.rows)
    if left >= right or top >= bottom:
        return
    inside = inside_polygon(corners, np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    part = image[top - region.row : bottom - region.row, left - region.column : right - region.column]
    half = (part[inside].astype(np.uint16) + np.asarray(_value(image, paint), np.uint16)) // 2
    part[inside] = half.astype(np.uint8)


def _draw_text(image: NDArray[np.uint8], text: TextObject, paint: Rgb, canvas: Canvas) -> None:
    region, mask = _margin(canvas.region)
    anchor = None if text.anchor is None else _points((text.anchor,), text.anchor_units, canvas)
    box = None if text.box is None else _points(text.box, text.box_units, canvas)
    if anchor is not None and text.anchor_visible:
        draw_marker(mask, region, anchor)
        if box is not None:
            nearest = np.clip(anchor[0], box.min(axis=0), box.max(axis=0))
            draw_lines(mask, region, _on_the_picture(np.vstack([anchor, nearest]), canvas))
    if box is not None:
        _stamp_in_box(mask, region, text, box, canvas)
    elif anchor is not None:
        _stamp_at_anchor(mask, region, text, anchor[0], canvas)
    _paint(image, mask, paint)


def _to_screen(canvas: Canvas) -> Affine:
    """The turn that the picture has still before it, without translation."""
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[canvas.rotation]
    mirror = -1 if canvas.flipped else 1
    return Affine(mirror * cosine, mirror * -sine, 0, sine, cosine, 0)


def _turned_stamp(stamp: NDArray[np.bool_], turns: int, canvas: Canvas) -> NDArray[np.bool_]:
    """Turn a text clockwise as it shall stand on the screen, then back by what the picture has before it."""
    on_screen = np.rot90(stamp, -turns)
    back = np.fliplr(on_screen) if canvas.flipped else on_screen
    return np.rot90(back, canvas.rotation // 90)


def _stamp_in_box(mask: NDArray[np.bool_], region: Region, text: TextObject, box: Points, canvas: Canvas) -> None:
    way = box[1] - box[0]
    across, down = _to_screen(canvas).apply(way[None])[0]
    turns = quarter_turns(across, down)
    side = abs(across) if turns % 2 else abs(down)
    stamp = _turned_stamp(text_stamp(text.text, font_size(side, text.text)), turns, canvas)
    size = np.array([stamp.shape[1], stamp.shape[0]])
    # Along the line the text is justified; across it begins at the first corner.
    reading = 1 if (turns + canvas.rotation // 90) % 2 else 0
    spare = np.zeros(2)
    spare[reading] = max(0.0, abs(way[reading]) - size[reading])
    spare *= {"LEFT": 0.0, "CENTER": 0.5, "RIGHT": 1.0}[text.justification]
    forward = way >= 0
    start = np.where(forward, box[0] + spare, box[0] - spare - size)
    _lay_stamp(mask, region, stamp, start)


def _stamp_at_anchor(mask: NDArray[np.bool_], region: Region, text: TextObject, anchor: Points, canvas: Canvas) -> None:
    height = ANCHORED_TEXT_SHARE * max(canvas.rows, canvas.columns) / 0.8
    stamp = _turned_stamp(text_stamp(text.text, font_size(height * (text.text.count("\n") + 1), text.text)), 0, canvas)
    size = np.array([stamp.shape[1], stamp.shape[0]])
    way = _to_screen(canvas).inverse().apply(np.array([[1.0, 1.0]]))[0]
    beside = anchor + way * ANCHORED_TEXT_OFFSET_PX
    _lay_stamp(mask, region, stamp, np.where(way > 0, beside, beside - size))


def _lay_stamp(mask: NDArray[np.bool_], region: Region, stamp: NDArray[np.bool_], start: Points) -> None:
    column, row = (int(value) for value in np.floor(start) - (region.column, region.row))
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + stamp.shape[0], mask.shape[0]), min(column + stamp.shape[1], mask.shape[1])
    if top < bottom and left < right:
        mask[top:bottom, left:right] |= stamp[top - row : bottom - row, left - column : right - column]


def _margin(region: Region) -> tuple[Region, NDArray[np.bool_]]:
    """The region with a rim around it: lines of the neighbour have theirs here."""
    wide = Region(region.row - RIM_PX, region.column - RIM_PX, region.rows + 2 * RIM_PX, region.columns + 2 * RIM_PX)
    return wide, np.zeros((wide.rows, wide.columns), np.bool_)


def _paint(image: NDArray[np.uint8], mask: NDArray[np.bool_], paint: Rgb) -> None:
    """Paint the pixels of a mask, which is wider by the rim, and a rim of the opposite around them."""
    if not mask.any():
        return
    tall = mask[:-2] | mask[1:-1] | mask[2:]
    rim = tall[:, :-2] | tall[:, 1:-1] | tall[:, 2:]
    line = mask[1:-1, 1:-1]
    light = 0.299 * paint[0] + 0.587 * paint[1] + 0.114 * paint[2] >= 128
    image[rim & ~line] = 0 if light else 255
    image[line] = _value(image, paint)


def _value(image: NDArray[np.uint8], paint: Rgb) -> int | Rgb:
    """A color as the pixels of this picture hold it."""
    return paint if image.ndim == 3 else paint[0]
