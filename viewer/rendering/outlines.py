"""Graphic objects of a presentation state as lines in a mask of pixels (PS3.3 C.10.5.1.2).

Coordinates are those of a picture, x first: a point lies in the pixel whose area
holds it, ``floor`` of its coordinates. What a line covers does not depend on the
region that is drawn, so that neighbouring tiles fit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.graphic_objects import GraphicType
from viewer.rendering.tiles import Region

Points = NDArray[np.float64]
"""Shape (n, 2), x before y."""

CURVE_STEPS = 16
"""Straight pieces between two points of an interpolated curve; fewer where there are very many points."""
MOST_CURVE_PIECES = 1 << 15
SAMPLES_AT_ONCE = 1 << 20
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
    steps = max(1, min(CURVE_STEPS, MOST_CURVE_PIECES // len(points)))
    t = (np.arange(steps) / steps)[None, :, None]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return np.vstack([curve.reshape(-1, 2), points[-1:]])


def draw_lines(mask: NDArray[np.bool_], region: Region, corners: Points) -> None:
    """Mark the pixels of the straight lines between corners; ``mask`` shows ``region`` of the picture.

    A line is sampled at most a pixel apart, only where it crosses the region.
    """
    start, step = corners[:-1], np.diff(corners, axis=0)
    samples = np.maximum(1, np.ceil(np.abs(step).max(axis=1)))
    first, last = _crossing(start, step, region)
    begin = np.maximum(0, np.floor(first * samples) - 1)
    counts = np.where(first <= last, np.minimum(samples, np.ceil(last * samples) + 1) - begin + 1, 0).astype(np.int64)
    ends = np.cumsum(counts)
    for part in range(0, int(ends[-1]), SAMPLES_AT_ONCE):
        numbers = np.arange(part, min(part + SAMPLES_AT_ONCE, int(ends[-1])))
        line = np.searchsorted(ends, numbers, "right")
        share = (begin[line] + numbers - (ends[line] - counts[line])) / samples[line]
        # A sample on the edge of two pixels is in the second; rounding must not put it back into the first.
        set_pixels(mask, region, start[line] + step[line] * share[:, None] + _ON_THE_LINE)


def _crossing(start: Points, step: Points, region: Region) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Between which shares of its length each line is in the region; the first is above the last where it is not."""
    low = np.array([region.column, region.row], np.float64)
    high = low + np.array([region.columns, region.rows])
    flat = step == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (low - start) / step, (high - start) / step
    inside = (start >= low) & (start <= high)
    first = np.where(flat, np.where(inside, 0.0, 2.0), np.minimum(one, other))
    last = np.where(flat, np.where(inside, 1.0, -1.0), np.maximum(one, other))
    return np.maximum(0.0, first.max(axis=1)), np.minimum(1.0, last.min(axis=1))


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
        seen[index] = _odd(start, end, start[:, 1] <= y, end[:, 1] <= y, y, x_centers)
        if (start[:, 1] == y).any():
            # Either way of counting a vertex leaves out one horizontal edge; together they have all.
            seen[index] |= _odd(start, end, start[:, 1] < y, end[:, 1] < y, y, x_centers)
    return seen


def _odd(
    start: Points,
    end: Points,
    starts_above: NDArray[np.bool_],
    ends_above: NDArray[np.bool_],
    y: float,
    x_centers: NDArray[np.floating],
) -> NDArray[np.bool_]:
    """Which places of a row have an odd number of edges to their left, or lie on an edge."""
    crossed = starts_above != ends_above
    first, last = start[crossed], end[crossed]
    share = (y - first[:, 1]) / (last[:, 1] - first[:, 1])
    crossings = np.sort(first[:, 0] + share * (last[:, 0] - first[:, 0]))
    after = np.searchsorted(crossings, x_centers + _ON_THE_LINE, "right")
    before = np.searchsorted(crossings, x_centers - _ON_THE_LINE, "left")
    odd: NDArray[np.bool_] = (before % 2 == 1) | (after != before)
    return odd


_ON_THE_LINE = 1e-9
"""A place so near to an outline is on it; only rounding moves it away."""
