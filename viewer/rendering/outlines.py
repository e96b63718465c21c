"""Graphic objects of a presentation state as lines in a mask of pixels (PS3.3 C.10.5.1.2).

Coordinates are those of a picture, x first: a point lies in the pixel whose area
holds it, ``floor`` of its coordinates. What a line covers does not depend on the
region that is drawn, so that neighbouring tiles fit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.presentation_state import GraphicType
from viewer.rendering.tiles import Region

Points = NDArray[np.float64]
"""Shape (n, 2), x before y."""

CURVE_STEPS = 16
"""Straight pieces between two points of an interpolated curve."""
MARKER_ARM_PX = 3
"""Arms of the cross that marks a point."""
MOST_PIECES = 2048
"""Straight pieces of a circle or an ellipse."""


def outline_of(kind: GraphicType, points: Points) -> Points:
    """Corners of the line that shows an object; closed where the last corner is the first."""
    if kind is GraphicType.CIRCLE:
        center, edge = points[0], points[1]
        radius = float(np.hypot(*(edge - center)))
        return _ellipse(center, np.array([radius, 0.0]), np.array([0.0, radius]))
    if kind is GraphicType.ELLIPSE:
        center = (points[0] + points[1]) / 2
        return _ellipse(center, (points[1] - points[0]) / 2, (points[3] - points[2]) / 2)
    if kind is GraphicType.INTERPOLATED and len(points) > 2:
        return _curve(points)
    return points


def _ellipse(center: Points, major: Points, minor: Points) -> Points:
    longest = max(float(np.hypot(*major)), float(np.hypot(*minor)))
    pieces = min(max(16, math.ceil(2 * math.pi * longest / 2)), MOST_PIECES)
    # A multiple of 4, so that the four ends of the axes are corners.
    angles = np.linspace(0.0, 2 * math.pi, 4 * math.ceil(pieces / 4) + 1)[:, None]
    around: Points = center + major * np.cos(angles) + minor * np.sin(angles)
    around[-1] = around[0]
    return around


def _curve(points: Points) -> Points:
    """Catmull-Rom: a smooth line through every point; the standard leaves the manner open (C.10.5.1.2)."""
    closed = bool(np.array_equal(points[0], points[-1]))
    before = points[-2] if closed else points[0]
    behind = points[1] if closed else points[-1]
    padded = np.vstack([before, points, behind])
    p0, p1, p2, p3 = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = (np.arange(CURVE_STEPS) / CURVE_STEPS)[None, :, None]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return np.vstack([curve.reshape(-1, 2), points[-1:]])


def draw_lines(mask: NDArray[np.bool_], region: Region, corners: Points) -> None:
    """Mark the pixels of the straight lines between corners; ``mask`` shows ``region`` of the picture."""
    low = np.minimum(corners[:-1], corners[1:])
    high = np.maximum(corners[:-1], corners[1:])
    near = (high[:, 0] >= region.column) & (low[:, 0] <= region.column + region.columns)
    near &= (high[:, 1] >= region.row) & (low[:, 1] <= region.row + region.rows)
    for index in np.flatnonzero(near):
        _draw_line(mask, region, corners[index], corners[index + 1])


def _draw_line(mask: NDArray[np.bool_], region: Region, start: Points, end: Points) -> None:
    """Sample the line at most a pixel apart, only where it crosses the region."""
    step = end - start
    samples = max(1, math.ceil(float(np.abs(step).max())))
    first, last = 0.0, 1.0
    sides = ((region.column, region.column + region.columns), (region.row, region.row + region.rows))
    for axis, (low, high) in enumerate(sides):
        if step[axis] != 0:
            ends = sorted(((low - start[axis]) / step[axis], (high - start[axis]) / step[axis]))
            first, last = max(first, ends[0]), min(last, ends[1])
    if first > last:
        return
    numbers = np.arange(max(0, math.floor(first * samples) - 1), min(samples, math.ceil(last * samples) + 1) + 1)
    set_pixels(mask, region, start + step * (numbers / samples)[:, None])


def set_pixels(mask: NDArray[np.bool_], region: Region, points: NDArray[np.floating]) -> None:
    """Mark the pixels that hold these points, where they lie in the region."""
    places = np.floor(points).astype(np.int64) - (region.column, region.row)
    inside = (places >= 0).all(axis=1) & (places[:, 0] < region.columns) & (places[:, 1] < region.rows)
    mask[places[inside, 1], places[inside, 0]] = True


def draw_marker(mask: NDArray[np.bool_], region: Region, points: Points) -> None:
    """Mark points with crosses whose middle is the pixel of the point."""
    arm = np.arange(-MARKER_ARM_PX, MARKER_ARM_PX + 1)
    none = np.zeros_like(arm)
    cross = np.vstack([np.stack([arm, none], axis=1), np.stack([none, arm], axis=1)])
    set_pixels(mask, region, (np.floor(points)[:, None] + cross[None] + 0.5).reshape(-1, 2))


def inside_polygon(
    vertices: Points, x_centers: NDArray[np.floating], y_centers: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Mark the places of a grid inside a polygon or on its outline, shape (y, x).

    Even-odd rule along each row, closed from the last vertex to the first.
    """
    start, end = vertices, np.roll(vertices, -1, axis=0)
    seen = np.zeros((len(y_centers), len(x_centers)), np.bool_)
    for index, y in enumerate(y_centers):
        # Either way of counting a vertex leaves out one horizontal edge; together they have all.
        for above, below in ((start[:, 1] <= y, end[:, 1] <= y), (start[:, 1] < y, end[:, 1] < y)):
            crossed = above != below
            if not crossed.any():
                continue
            first, last = start[crossed], end[crossed]
            share = (y - first[:, 1]) / (last[:, 1] - first[:, 1])
            crossings = np.sort(first[:, 0] + share * (last[:, 0] - first[:, 0]))
            for left, right in zip(crossings[::2], crossings[1::2], strict=False):
                low = np.searchsorted(x_centers, left - _ON_THE_LINE, "left")
                seen[index, low : np.searchsorted(x_centers, right + _ON_THE_LINE, "right")] = True
    return seen


_ON_THE_LINE = 1e-9
"""A place so near to an outline is on it; only rounding moves it away."""
