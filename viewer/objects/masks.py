"""Masks of segments: as runs for a browser, on the pixels of another grid, and what the values under them are. No Django."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.annotations.shapes import Kind, Point, Shape, inside
from viewer.objects.placing import Plane
from viewer.rendering.tiles import Region

PARALLEL = 1e-3
"""Largest sine of the angle between the normals of two planes that count as parallel."""

Affine = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f as a canvas takes it: x' = a x + c y + e, y' = b x + d y + f."""


def are_parallel(one: Plane, other: Plane) -> bool:
    return float(np.linalg.norm(np.cross(one.normal, other.normal))) <= PARALLEL


def affine_between(mask: Plane, image: Plane) -> Affine:
    """From pixels of a mask's plane to pixels of an image's, both counted from the outer corner of the first pixel."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    across, down = (
        (corners[:, :1] - 0.5) * mask.spacing[1] * mask.row,
        (corners[:, 1:] - 0.5) * mask.spacing[0] * mask.column,
    )
    origin, right, below = image.to_pixels(mask.position + across + down)
    (a, b), (c, d) = right - origin, below - origin
    return float(a), float(b), float(c), float(d), float(origin[0]), float(origin[1])


def runs_of(mask: NDArray[np.integer]) -> list[int]:
    """Runs of equal values that are not 0, row after row: start, length, value, start, ...

    >>> runs_of(np.array([[0, 1, 1], [1, 0, 2]]))
    [1, 3, 1, 5, 1, 2]
    """
    flat = np.asarray(mask).ravel()
    if not flat.size:
        return []
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat.astype(np.int64))) + 1])
    lengths = np.diff(np.concatenate([starts, [flat.size]]))
    runs = np.stack([starts, lengths, flat[starts]], axis=1)
    return [int(part) for part in runs[runs[:, 2] != 0].ravel()]


def on_grid(mask: NDArray[np.integer], affine: Affine, rows: int, columns: int) -> NDArray[np.integer]:
    """Value of the mask under the middle of every pixel of an image; 0 beside it."""
    a, b, c, d, e, f = affine
    determinant = a * d - b * c
    y, x = np.mgrid[0:rows, 0:columns] + 0.5
    column = np.floor((d * (x - e) - c * (y - f)) / determinant + 1e-9).astype(np.int64)
    row = np.floor((a * (y - f) - b * (x - e)) / determinant + 1e-9).astype(np.int64)
    is_on = (row >= 0) & (row < mask.shape[0]) & (column >= 0) & (column < mask.shape[1])
    found = np.zeros((rows, columns), mask.dtype)
    found[is_on] = mask[row[is_on], column[is_on]]
    return found


def inside_contours(contours: Sequence[NDArray[np.float64]], rows: int, columns: int) -> NDArray[np.bool_]:
    """Pixels whose middles lie in an odd number of the outlines, (n, 2) in pixels: a hole is an outline in another."""
    found = np.zeros((rows, columns), bool)
    for points in contours:
        shape = Shape(Kind.POLYGON, tuple(Point(x, y) for x, y in points.tolist()))
        found ^= inside(shape, Region(0, 0, rows, columns), (1.0, 1.0))
    return found


def area_of(contours: Sequence[NDArray[np.float64]]) -> float:
    """Area in square pixels of outlines of one plane, those that lie in another taken off.

    Outlines that do not cross each other: each counts positive where an even number of the others holds it.
    """
    total = 0.0
    for index, points in enumerate(contours):
        x, y = points[:, 0], points[:, 1]
        size = abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2
        depth = sum(_holds(other, points[0]) for place, other in enumerate(contours) if place != index)
        total += size if depth % 2 == 0 else -size
    return max(total, 0.0)


def _holds(outline: NDArray[np.float64], point: NDArray[np.float64]) -> bool:
    x, y = outline[:, 0], outline[:, 1]
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    crosses = (y > point[1]) != (next_y > point[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x + (point[1] - y) * (next_x - x) / (next_y - y)
    return bool(np.count_nonzero(crosses & (point[0] < at)) % 2)


@dataclass
class Tally:
    """Statistics of values that come frame by frame."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    volume_ml: float = 0.0
    shift: float | None = None

    def add(self, found: NDArray[np.float64]) -> None:
        found = found[np.isfinite(found)]
        if not found.size:
            return
        if self.shift is None:
            # Sums of squares around a value of the region lose no digits.
            self.shift = float(found[0])
        away = found - self.shift
        self.count += int(found.size)
        self.total += float(away.sum())
        self.squares += float((away**2).sum())
        self.minimum, self.maximum = min(self.minimum, float(found.min())), max(self.maximum, float(found.max()))

    @property
    def mean(self) -> float | None:
        return (self.shift or 0.0) + self.total / self.count if self.count else None

    @property
    def sd(self) -> float | None:
        """Of these values themselves: the sum of squares is divided by their count."""
        if not self.count:
            return None
        return math.sqrt(max(self.squares / self.count - (self.total / self.count) ** 2, 0.0))
