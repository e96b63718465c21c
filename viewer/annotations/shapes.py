"""The shapes that can be drawn, each a row of points in image pixels, and which pixels lie inside.

A point counts from the upper left corner of the image: pixel (row, column) reaches from
(column, row) to (column + 1, row + 1), and its middle is half a pixel further.
Nothing here depends on how a viewport is zoomed, turned or mirrored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from viewer.errors import InvalidParameter
from viewer.rendering.tiles import Region

MOST_POINTS = 4000
"""Points of a drawn outline."""
FARTHEST_PX = 1_000_000.0
"""A point further out than this is no place on an image."""


class Kind(StrEnum):
    """What can be drawn; the comment says what its points are."""

    LENGTH = "length"  # both ends
    BIDIRECTIONAL = "bidirectional"  # ends of the long, then of the short axis (RECIST)
    ANGLE = "angle"  # end, vertex, end
    COBB = "cobb"  # both ends of one line, then of the other
    POLYLINE = "polyline"  # corners in order, open
    LINE_DISTANCE = "line_distance"  # both ends of a line, then a place beside it
    CARDIOTHORACIC = "cardiothoracic"  # both ends of the heart's width, then of the chest's
    ELLIPSE = "ellipse"  # opposite corners of the box around it
    RECTANGLE = "rectangle"  # opposite corners
    CIRCLE = "circle"  # middle, a point of the rim
    POLYGON = "polygon"  # corners in order, closed
    FREEHAND = "freehand"  # an outline as it was drawn, closed
    ARROW = "arrow"  # tail, tip
    TEXT = "text"  # where it stands
    SPINE = "spine"  # the middle of a vertebra, whose name is the label
    CALIBRATION = "calibration"  # both ends of something whose length is known
    KEY_IMAGE = "key_image"  # the whole frame, no point


POINTS: dict[Kind, tuple[int, int]] = {
    Kind.LENGTH: (2, 2),
    Kind.BIDIRECTIONAL: (4, 4),
    Kind.ANGLE: (3, 3),
    Kind.COBB: (4, 4),
    Kind.POLYLINE: (2, MOST_POINTS),
    Kind.LINE_DISTANCE: (3, 3),
    Kind.CARDIOTHORACIC: (4, 4),
    Kind.ELLIPSE: (2, 2),
    Kind.RECTANGLE: (2, 2),
    Kind.CIRCLE: (2, 2),
    Kind.POLYGON: (3, MOST_POINTS),
    Kind.FREEHAND: (3, MOST_POINTS),
    Kind.ARROW: (2, 2),
    Kind.TEXT: (1, 1),
    Kind.SPINE: (1, 1),
    Kind.CALIBRATION: (2, 2),
    Kind.KEY_IMAGE: (0, 0),
}
"""Fewest and most points of each kind."""

AREAS = frozenset({Kind.ELLIPSE, Kind.RECTANGLE, Kind.CIRCLE, Kind.POLYGON, Kind.FREEHAND})
"""Kinds with an inside."""

LONGEST_KNOWN_MM = 10_000.0
"""A length that somebody says to know is shorter."""


class Point(NamedTuple):
    """A place in image pixels."""

    x: float
    """Across, along a row."""
    y: float
    """Down, along a column."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Something drawn on one frame."""

    kind: Kind
    points: tuple[Point, ...]
    known_mm: float | None = None
    """Of a calibration: how long it is."""


def read_shape(kind: object, geometry: object) -> Shape:
    """A shape from JSON: ``{"points": [[x, y], ...]}``, of a calibration with its ``known_mm``.

    Raises
    ------
    InvalidParameter
        The kind is unknown, or has not so many points, or a point is no place.
    """
    if not isinstance(kind, str) or kind not in set(Kind):
        raise InvalidParameter("kind", kind, ", ".join(Kind))
    known = Kind(kind)
    fewest, most = POINTS[known]
    points = geometry.get("points") if isinstance(geometry, dict) else None
    if not isinstance(points, list) or not fewest <= len(points) <= most:
        count = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise InvalidParameter("geometry", geometry, f'{{"points": …}} with {count} points for {known}')
    places = tuple(_read_point(point) for point in points)
    return Shape(known, places, _read_known_mm(geometry, places) if known is Kind.CALIBRATION else None)


def _read_known_mm(geometry: Any, ends: Sequence[Point]) -> float:
    known_mm = geometry.get("known_mm")
    is_number = isinstance(known_mm, int | float) and not isinstance(known_mm, bool)
    if not (is_number and 0 < known_mm <= LONGEST_KNOWN_MM):
        raise InvalidParameter("geometry", known_mm, f"known_mm: above 0, at most {LONGEST_KNOWN_MM:.0f}")
    if ends[0] == ends[1]:
        raise InvalidParameter("geometry", geometry, "two ends that are not the same")
    return float(known_mm)


def _read_point(point: Any) -> Point:
    if isinstance(point, list) and len(point) == 2 and all(_is_place(part) for part in point):
        return Point(float(point[0]), float(point[1]))
    raise InvalidParameter("geometry", point, "points as [x, y] in image pixels")


def _is_place(part: object) -> bool:
    return isinstance(part, int | float) and not isinstance(part, bool) and abs(part) <= FARTHEST_PX


def geometry_of(shape: Shape) -> dict[str, Any]:
    """The shape as JSON, the reverse of ``read_shape``."""
    points = {"points": [list(point) for point in shape.points]}
    return points if shape.known_mm is None else points | {"known_mm": shape.known_mm}


def corners_of(shape: Shape, aspect: tuple[float, float]) -> tuple[Point, ...]:
    """Points that the shape does not reach beyond; those of its calibration.

    ``aspect`` is height and width of a pixel: a circle is round in the patient, not in pixels.
    """
    if shape.kind is Kind.CIRCLE:
        (x, y), (radius_x, radius_y) = shape.points[0], circle_radii(shape, aspect)
        return (Point(x - radius_x, y - radius_y), Point(x + radius_x, y + radius_y))
    if shape.kind in (Kind.ELLIPSE, Kind.RECTANGLE):
        (x0, y0), (x1, y1) = shape.points
        return (Point(min(x0, x1), min(y0, y1)), Point(max(x0, x1), max(y0, y1)))
    return shape.points


def circle_radii(shape: Shape, aspect: tuple[float, float]) -> tuple[float, float]:
    """Radius across and down in pixels, equal where pixels are square."""
    middle, rim = shape.points
    height, width = aspect
    radius = math.hypot((rim.x - middle.x) * width, (rim.y - middle.y) * height)
    return radius / width, radius / height


def box_of(points: Sequence[Point], rows: int, columns: int) -> Region:
    """Smallest region of an image that holds the points; empty where they are beside it."""
    left = min(max(math.floor(min(point.x for point in points)), 0), columns)
    top = min(max(math.floor(min(point.y for point in points)), 0), rows)
    right = min(max(math.ceil(max(point.x for point in points)), left), columns)
    bottom = min(max(math.ceil(max(point.y for point in points)), top), rows)
    return Region(top, left, bottom - top, right - left)


def inside(shape: Shape, region: Region, aspect: tuple[float, float]) -> NDArray[np.bool_]:
    """Pixels of a region whose middles lie in the shape, (rows, columns) of the region.

    Outlines that cross themselves count by the even-odd rule; a middle exactly on the left or upper
    edge is inside, one on the right or lower edge is not, so that shapes side by side share no pixel.
    """
    x = region.column + np.arange(region.columns) + 0.5
    y = region.row + np.arange(region.rows) + 0.5
    if shape.kind is Kind.RECTANGLE:
        (left, top), (right, bottom) = corners_of(shape, aspect)
        return ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None, :]
    if shape.kind in (Kind.ELLIPSE, Kind.CIRCLE):
        (left, top), (right, bottom) = corners_of(shape, aspect)
        half_width, half_height = (right - left) / 2, (bottom - top) / 2
        if not (half_width > 0 and half_height > 0):
            return np.zeros((region.rows, region.columns), bool)
        across = ((x - (left + right) / 2) / half_width) ** 2
        down = ((y - (top + bottom) / 2) / half_height) ** 2
        return down[:, None] + across[None, :] <= 1
    return _inside_outline(shape.points, x, y)


def _inside_outline(points: Sequence[Point], x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
    """Even-odd rule, row by row: each edge that a row's middle crosses turns all that is right of it."""
    found = np.zeros((len(y), len(x)), bool)
    for start, end in zip(points, (*points[1:], points[0]), strict=True):
        if start.y == end.y:
            continue
        upper, lower = (start, end) if start.y < end.y else (end, start)
        first, last = np.searchsorted(y, [upper.y, lower.y])
        crossing = upper.x + (y[first:last] - upper.y) * (lower.x - upper.x) / (lower.y - upper.y)
        found[first:last] ^= x[None, :] >= crossing[:, None]
    return found
