"""Compound graphics of a presentation state as simple lines and labels (PS3.3 C.10.5.1.3).

A compound graphic always comes with simple objects that look like it, for software that
does not know it. Here it is drawn itself where that says more than they can: a line
that ends at the border of whatever is shown, a gap that does not grow with the zoom.
The standard gives points, sides and rotation; how long a tick, an end or the head of an
arrow is it leaves to who draws (PS3.17 YY).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.graphic_objects import CompoundObject, CompoundType, GraphicType
from viewer.rendering.outlines import outline_of

Points = NDArray[np.float64]

TICK_SHARE: Final = 1 / 60
"""Length of a tick, and of the bar at an end of a range line, of the longer side of what is shown."""
ARROW_SHARE: Final = 1 / 12
"""Length of an arrow of a cut line, of the same side."""
HEAD_SHARE: Final = 1 / 3
"""Of the arrow; no head is larger than that of a cut line's."""


POINTS_NEEDED: Final = {
    # C.10.5.1.3.3 to C.10.5.1.3.11; a multi-line has two, start and end, for each of its lines (C.10.5.1.3.5).
    CompoundType.INFINITELINE: 2,
    CompoundType.CUTLINE: 2,
    CompoundType.RANGELINE: 2,
    CompoundType.RULER: 2,
    CompoundType.AXIS: 2,
    CompoundType.CROSSHAIR: 1,
    CompoundType.ARROW: 2,
    CompoundType.RECTANGLE: 2,
    CompoundType.ELLIPSE: 2,
}


class Label(NamedTuple):
    """A text of a tick."""

    text: str
    place: Points
    """Where the tick ends on the side of the text, shape (2,)."""
    outward: Points
    """From the line to the text, length 1."""


class Drawing(NamedTuple):
    """A compound graphic as what can be drawn."""

    lines: list[Points]
    """Each with shape (n, 2)."""
    labels: list[Label]


class Shown(NamedTuple):
    """What is shown, in the coordinates that a graphic is worked out in: edges, and the width of the displayed area."""

    left: float
    top: float
    right: float
    bottom: float
    display_width: float

    @property
    def longer(self) -> float:
        return max(self.right - self.left, self.bottom - self.top)


def drawing_of(graphic: CompoundObject, points: Points, pivot: Points | None, shown: Shown) -> Drawing:
    """Work out the lines of a graphic.

    Parameters
    ----------
    points, pivot
        Its points and its rotation point, shape (n, 2) and (2,), x before y, in square coordinates with y downwards.
    shown
        In the same coordinates.
    """
    center = (points.min(axis=0) + points.max(axis=0)) / 2 if pivot is None else pivot
    turned = _turned(points, center, graphic.rotation)
    match graphic.kind:
        case CompoundType.MULTILINE:
            return Drawing([turned[at : at + 2] for at in range(0, len(turned) - 1, 2)], [])
        case CompoundType.RECTANGLE:
            (left, top), (right, bottom) = points
            corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]])
            return Drawing([_turned(corners, center, graphic.rotation)], [])
        case CompoundType.ELLIPSE:
            return Drawing([_turned(_ellipse(points), center, graphic.rotation)], [])
        case CompoundType.RULER | CompoundType.AXIS:
            return _scale(graphic, turned, shown)
        case CompoundType.RANGELINE:
            return Drawing(_range_line(turned, shown), [])
        case CompoundType.ARROW:
            # C.10.5.1.3.11: the first point is the anchor, where the head is, the second the foot.
            return Drawing(_arrow(turned[0], turned[1], shown), [])
        case CompoundType.CROSSHAIR:
            return Drawing(_crosshair(graphic, points[0], center, shown), [])
    return Drawing(_border_to_border(graphic, turned, center, shown), [])


def _turned(points: Points, center: Points, degrees: float) -> Points:
    """Counterclockwise as it is seen: y points downwards."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned: Points = (points - center) @ np.array([[cosine, -sine], [sine, cosine]]) + center
    return turned


def _ellipse(box: Points) -> Points:
    middle = box.mean(axis=0)
    (left, top), (right, bottom) = box
    axes = [[left, middle[1]], [right, middle[1]], [middle[0], top], [middle[0], bottom]]
    return outline_of(GraphicType.ELLIPSE, np.array(axes))


def _scale(graphic: CompoundObject, ends: Points, shown: Shown) -> Drawing:
    """A line with ticks and their labels (C.10.5.1.3.8, C.10.5.1.3.9)."""
    along = _unit(ends[1] - ends[0])
    upper = np.array([along[1], -along[0]])
    length = shown.longer * TICK_SHARE
    above = {"TOP": length, "CENTER": length / 2}.get(graphic.tick_alignment, 0.0)
    below = {"BOTTOM": length, "CENTER": length / 2}.get(graphic.tick_alignment, 0.0)
    lines, labels = [ends], []
    for tick in graphic.ticks:
        foot = ends[0] + tick.position * (ends[1] - ends[0])
        lines.append(np.array([foot + upper * above, foot - upper * below]))
        if tick.label:
            is_above = graphic.label_alignment == "TOP"
            side = upper if is_above else -upper
            labels.append(Label(tick.label, foot + side * (above if is_above else below), side))
    return Drawing(lines, labels)


def _range_line(ends: Points, shown: Shown) -> list[Points]:
    """A line from a start to an end, with a bar across each."""
    along = _unit(ends[1] - ends[0])
    half = np.array([along[1], -along[0]]) * shown.longer * TICK_SHARE / 2
    return [ends, *(np.array([end + half, end - half]) for end in ends)]


def _crosshair(graphic: CompoundObject, at: Points, center: Points, shown: Shown) -> list[Points]:
    """Two lines through a point, as far as they are seen."""
    reach = graphic.visibility * shown.display_width / 2
    lines = []
    for way in ([1.0, 0.0], [0.0, 1.0]):
        direction = _turned(np.array([way]), np.zeros(2), graphic.rotation)[0]
        start = _turned(at[None], center, graphic.rotation)[0]
        ends = _to_the_border(start, direction, shown)
        if ends is not None and reach > 0:
            ends = np.clip(ends, -reach, reach)
        lines += _with_gap(graphic, start, direction, ends, start, shown)
    return lines


def _border_to_border(graphic: CompoundObject, two: Points, center: Points, shown: Shown) -> list[Points]:
    """A line through two points up to the borders; a cut line with its two arrows (C.10.5.1.3.6)."""
    direction = _unit(two[1] - two[0])
    ends = _to_the_border(two[0], direction, shown)
    lines = _with_gap(graphic, two[0], direction, ends, center, shown)
    if ends is None or graphic.kind is not CompoundType.CUTLINE:
        return lines
    middle = min(max(float((center - two[0]) @ direction), ends[0]), ends[1])
    # Right of the line as one goes along it; y points downwards.
    right = np.array([-direction[1], direction[0]])
    for end in ends:
        tip = two[0] + direction * (end + middle) / 2
        lines += _arrow(tip, tip + right * shown.longer * ARROW_SHARE, shown)
    return lines


def _arrow(tip: Points, tail: Points, shown: Shown) -> list[Points]:
    length = min(float(np.hypot(*(tail - tip))), shown.longer * ARROW_SHARE)
    back = _unit(tail - tip) * length * HEAD_SHARE
    side = np.array([-back[1], back[0]]) / 2
    return [np.array([tail, tip]), np.array([tip + back + side, tip, tip + back - side])]


def _with_gap(
    graphic: CompoundObject, start: Points, direction: Points, ends: Points | None, center: Points, shown: Shown
) -> list[Points]:
    """A line between two distances from its start, without what lies in the gap around a center."""
    if ends is None or ends[0] >= ends[1]:
        return []
    foot = float((center - start) @ direction)
    beside = float(np.hypot(*(start + direction * foot - center)))
    radius = graphic.gap * shown.display_width / 2
    half = math.sqrt(radius**2 - beside**2) if radius > beside else 0.0
    parts = [(ends[0], min(ends[1], foot - half)), (max(ends[0], foot + half), ends[1])] if half else [tuple(ends)]
    return [start + np.array([[first], [last]]) * direction for first, last in parts if first < last]


def _to_the_border(start: Points, direction: Points, shown: Shown) -> Points | None:
    """Distances from a point, along a direction, at which a line enters and leaves what is shown; None beside it."""
    low, high = np.array([shown.left, shown.top]), np.array([shown.right, shown.bottom])
    first, last = -math.inf, math.inf
    for axis in (0, 1):
        if abs(direction[axis]) < 1e-12:
            if not low[axis] <= start[axis] <= high[axis]:
                return None
            continue
        one, other = sorted((edge[axis] - start[axis]) / direction[axis] for edge in (low, high))
        first, last = max(first, one), min(last, other)
    return np.array([first, last]) if first < last else None


def _unit(vector: Points) -> Points:
    length = float(np.hypot(*vector))
    return vector / length if length else np.array([1.0, 0.0])
