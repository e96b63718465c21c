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
from viewer.rendering.compound_graphics import Label, Shown, drawing_of
from viewer.rendering.displayed_area import Affine, scaling
from viewer.rendering.graphic_objects import (
    CompoundObject,
    CompoundType,
    GraphicObject,
    GraphicType,
    Place,
    TextObject,
    Units,
)
from viewer.rendering.outlines import MARKER_ARM_PX, Points, draw_lines, draw_marker, inside_polygon, outline_of
from viewer.rendering.presentation_state import ActiveOverlay, FrameState, GraphicLayer
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
    from_matrix: Affine
    """From coordinates of the total pixel matrix; those of the image where it is not tiled."""
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
            for compound in annotation.compounds:
                _draw_compound(image, compound, compound.color or layer.paint, canvas)
    return image


def _layers(state: FrameState) -> list[GraphicLayer]:
    """Layers in their order, and above them those that are used and nowhere described."""
    known = {layer.name for layer in state.layers}
    used = [overlay.layer for overlay in state.overlays] + [one.layer for one in state.annotations]
    return [*state.layers, *(GraphicLayer(name, 0) for name in dict.fromkeys(used) if name not in known)]


def _draw_graphic(image: NDArray[np.uint8], graphic: GraphicObject, paint: Rgb, canvas: Canvas) -> None:
    corners = outline_of(graphic.kind, _points(graphic.points, graphic.units, canvas))
    is_point = graphic.kind is GraphicType.POINT
    part = _around(corners, canvas.region, MARKER_ARM_PX if is_point else 0)
    if part is None:
        return
    mask = np.zeros((part.rows, part.columns), np.bool_)
    if is_point:
        draw_marker(mask, part, corners)
    else:
        if graphic.filled:
            _fill(image, corners, paint, canvas.region)
        draw_lines(mask, part, _on_the_picture(corners, canvas))
    _paint(image, canvas.region, part, mask, paint)


def _around(points: Points, region: Region, reach: int) -> Region | None:
    """What of a region and a rim around it these points need; None where they are beside it."""
    low = np.floor(points.min(axis=0)).astype(int) - reach - RIM_PX
    high = np.ceil(points.max(axis=0)).astype(int) + reach + RIM_PX + 1
    left, right = max(low[0], region.column - RIM_PX), min(high[0], region.column + region.columns + RIM_PX)
    top, bottom = max(low[1], region.row - RIM_PX), min(high[1], region.row + region.rows + RIM_PX)
    return Region(int(top), int(left), int(bottom - top), int(right - left)) if top < bottom and left < right else None


def _points(places: tuple[Place, ...], units: Units, canvas: Canvas) -> Points:
    points = np.array(places, np.float64)
    return _from_units(units, canvas).apply(points)


def _from_units(units: Units, canvas: Canvas) -> Affine:
    return {Units.PIXEL: canvas.from_image, Units.MATRIX: canvas.from_matrix, Units.DISPLAY: canvas.from_display}[units]


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


def _draw_compound(image: NDArray[np.uint8], compound: CompoundObject, paint: Rgb, canvas: Canvas) -> None:
    """Draw a compound graphic; it is worked out upright, so that its angles and sides are those of the screen."""
    to_canvas, plane = _upright(compound.units, canvas)
    places = (*compound.points, *([] if compound.rotation_point is None else [compound.rotation_point]))
    points = plane.apply(np.array(places, np.float64))
    pivot = None if compound.rotation_point is None else points[-1]
    drawing = drawing_of(compound, points[: len(compound.points)], pivot, _shown(to_canvas, canvas))
    lines = [to_canvas.apply(line) for line in drawing.lines]
    part = _around(np.vstack(lines), canvas.region, 0) if lines else None
    if part is not None:
        if compound.filled and compound.kind in (CompoundType.RECTANGLE, CompoundType.ELLIPSE):
            _fill(image, lines[0], paint, canvas.region)
        # All in one mask: the rim of one line must not cover another.
        mask = np.zeros((part.rows, part.columns), np.bool_)
        for line in lines:
            draw_lines(mask, part, _on_the_picture(line, canvas))
        _paint(image, canvas.region, part, mask, paint)
    for label in drawing.labels:
        _draw_label(image, label, to_canvas, paint, canvas)


def _upright(units: Units, canvas: Canvas) -> tuple[Affine, Affine]:
    """From square coordinates to the canvas, and from the units of a graphic to those coordinates."""
    if units is not Units.DISPLAY:
        return _from_units(units, canvas), scaling(1.0, 1.0)
    back = _to_screen(canvas).inverse()
    plane = _to_screen(canvas).after(canvas.from_display)
    return back, plane


def _shown(to_canvas: Affine, canvas: Canvas) -> Shown:
    """The whole picture, and the width of the displayed area, in the coordinates that a graphic is worked out in."""
    back = to_canvas.inverse()
    corners = back.apply(np.array([[0.0, 0.0], [canvas.columns, canvas.rows]]))
    area = back.after(canvas.from_display).apply(np.array([[0.0, 0.0], [1.0, 0.0]]))
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return Shown(left, top, right, bottom, float(np.hypot(*(area[1] - area[0]))))


def _draw_label(image: NDArray[np.uint8], label: Label, to_canvas: Affine, paint: Rgb, canvas: Canvas) -> None:
    """Write the text of a tick upright, beyond the end of the tick."""
    height = ANCHORED_TEXT_SHARE * max(canvas.rows, canvas.columns) / 0.8
    stamp = _turned_stamp(text_stamp(label.text, font_size(height, label.text)), 0, canvas)
    size = np.array([stamp.shape[1], stamp.shape[0]], np.float64)
    foot, beyond = to_canvas.apply(np.array([label.place, label.place + label.outward]))
    way = (beyond - foot) / max(float(np.hypot(*(beyond - foot))), 1e-9)
    start = foot + way * (ANCHORED_TEXT_OFFSET_PX + np.abs(way) @ size / 2) - size / 2
    part = _around(np.vstack([start, start + size]), canvas.region, 0)
    if part is not None:
        mask = np.zeros((part.rows, part.columns), np.bool_)
        _lay_stamp(mask, part, stamp, start)
        _paint(image, canvas.region, part, mask, paint)


def _draw_text(image: NDArray[np.uint8], text: TextObject, paint: Rgb, canvas: Canvas) -> None:
    anchor = None if text.anchor is None else _points((text.anchor,), text.anchor_units, canvas)
    box = None if text.box is None else _points(text.box, text.box_units, canvas)
    if box is not None:
        stamp, start = _stamp_in_box(text, box, canvas)
    elif anchor is not None:
        stamp, start = _stamp_at_anchor(text, anchor[0], canvas)
    else:
        return
    needed = [start[None], start[None] + (stamp.shape[1], stamp.shape[0])]
    is_tied = anchor is not None and text.anchor_visible
    part = _around(
        np.vstack([*needed, anchor] if is_tied and anchor is not None else needed), canvas.region, MARKER_ARM_PX
    )
    if part is None:
        return
    mask = np.zeros((part.rows, part.columns), np.bool_)
    if is_tied and anchor is not None:
        draw_marker(mask, part, anchor)
        if box is not None:
            nearest = np.clip(anchor[0], box.min(axis=0), box.max(axis=0))
            draw_lines(mask, part, _on_the_picture(np.vstack([anchor, nearest]), canvas))
    _lay_stamp(mask, part, stamp, start)
    _paint(image, canvas.region, part, mask, paint)


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


def _stamp_in_box(text: TextObject, box: Points, canvas: Canvas) -> tuple[NDArray[np.bool_], Points]:
    """The pixels of a text and where their upper left corner is."""
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
    return stamp, np.where(forward, box[0] + spare, box[0] - spare - size)


def _stamp_at_anchor(text: TextObject, anchor: Points, canvas: Canvas) -> tuple[NDArray[np.bool_], Points]:
    """The same beside an anchor, below it and to its right on the screen."""
    height = ANCHORED_TEXT_SHARE * max(canvas.rows, canvas.columns) / 0.8
    stamp = _turned_stamp(text_stamp(text.text, font_size(height * (text.text.count("\n") + 1), text.text)), 0, canvas)
    size = np.array([stamp.shape[1], stamp.shape[0]])
    way = _to_screen(canvas).inverse().apply(np.array([[1.0, 1.0]]))[0]
    beside = anchor + way * ANCHORED_TEXT_OFFSET_PX
    return stamp, np.where(way > 0, beside, beside - size)


def _lay_stamp(mask: NDArray[np.bool_], region: Region, stamp: NDArray[np.bool_], start: Points) -> None:
    column, row = (int(value) for value in np.floor(start) - (region.column, region.row))
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + stamp.shape[0], mask.shape[0]), min(column + stamp.shape[1], mask.shape[1])
    if top < bottom and left < right:
        mask[top:bottom, left:right] |= stamp[top - row : bottom - row, left - column : right - column]


def _paint(image: NDArray[np.uint8], region: Region, part: Region, mask: NDArray[np.bool_], paint: Rgb) -> None:
    """Paint the pixels of a mask and a rim of the opposite around them; ``mask`` shows ``part``, ``image`` the region."""
    top, left = max(part.row, region.row), max(part.column, region.column)
    bottom = min(part.row + part.rows, region.row + region.rows)
    right = min(part.column + part.columns, region.column + region.columns)
    if top >= bottom or left >= right:
        return
    wide = np.pad(mask, RIM_PX)
    tall = wide[:-2] | wide[1:-1] | wide[2:]
    rim = (tall[:, :-2] | tall[:, 1:-1] | tall[:, 2:]) & ~mask
    inside = np.s_[top - part.row : bottom - part.row, left - part.column : right - part.column]
    place = image[top - region.row : bottom - region.row, left - region.column : right - region.column]
    light = 0.299 * paint[0] + 0.587 * paint[1] + 0.114 * paint[2] >= 128
    place[rim[inside]] = 0 if light else 255
    place[mask[inside]] = _value(image, paint)


def _value(image: NDArray[np.uint8], paint: Rgb) -> int | Rgb:
    """A color as the pixels of this picture hold it."""
    return paint if image.ndim == 3 else paint[0]
