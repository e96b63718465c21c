"""Values along a line, between the middles of pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription
from viewer.annotations.measures import distance, measure
from viewer.annotations.shapes import Kind, Point, Shape, box_of
from viewer.errors import InvalidParameter
from viewer.rendering.color import is_color
from viewer.rendering.display_table import padding_mask
from viewer.rendering.quantities import Quantity, apply_quantity, quantity_of
from viewer.rendering.regions import RegionValues

MOST_SAMPLES = 2000
LINES = frozenset({Kind.LENGTH, Kind.POLYLINE})


@dataclass(frozen=True, slots=True)
class Profile:
    """Values at equal steps along a line."""

    distances: tuple[float, ...]
    """From the beginning of the line, in ``distance_unit``."""
    values: tuple[float | None, ...]
    """None beside the image and on padding."""
    unit: str
    distance_unit: str
    note: str = ""


def profile_of(
    shape: Shape,
    values: NDArray[Any] | RegionValues,
    description: ImageDescription,
    frame_number: int,
    *,
    photometric_interpretation: str = "",
    calibration: Shape | None = None,
    quantity: Quantity | None = None,
) -> Profile:
    """Values along a length or a polyline, one a pixel of its length.

    Parameters
    ----------
    values
        Stored values of the frame at full resolution, (rows, columns).
    quantity
        What they are read in; None: what the image's own file says.

    Returns
    -------
    Values, interpolated linearly between the four nearest middles of pixels; at the
    outermost half pixel the value of the edge.

    Raises
    ------
    InvalidParameter
        The shape is no line, or the image is one of colours.
    """
    if shape.kind not in LINES:
        raise InvalidParameter("kind", shape.kind, ", ".join(sorted(LINES)))
    if values.ndim > 2 or is_color(photometric_interpretation or description.photometric_interpretation):
        raise InvalidParameter("kind", "a line on a colour image", "a line on an image of one value a pixel")
    x, y, shares = places_along(shape.points)
    measured = measure(Shape(Kind.POLYLINE, shape.points), description, frame_number, calibration)
    read_in = quantity or quantity_of(description, frame_number)
    sampled = _sampled(
        x, y, values, lambda stored: apply_quantity(stored, description, frame_number, read_in), description
    )
    return Profile(
        distances=tuple(float(share) * measured.lengths[0] for share in shares),
        values=tuple(None if math.isnan(value) else float(value) for value in sampled),
        unit=read_in.unit,
        distance_unit=measured.unit,
        note=measured.note if measured.unit == "mm" else "",
    )


def places_along(points: Sequence[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Columns, rows and shares of the whole length of places along a line, its corners among the first and last.

    >>> x, y, shares = places_along([Point(0, 0), Point(4, 0)])
    >>> x.tolist(), shares.tolist()
    ([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 0.25, 0.5, 0.75, 1.0])
    """
    parts = [distance(one, other, (1.0, 1.0)) for one, other in pairwise(points)]
    corners = np.concatenate([[0.0], np.cumsum(parts)])
    count = min(MOST_SAMPLES, max(2, round(float(corners[-1])) + 1))
    at = np.linspace(0.0, corners[-1], count)
    x = np.interp(at, corners, [point.x for point in points])
    y = np.interp(at, corners, [point.y for point in points])
    return x, y, at / corners[-1] if corners[-1] else at


def _sampled(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    values: NDArray[Any] | RegionValues,
    apply: Callable[[NDArray[Any]], NDArray[np.float64]],
    description: ImageDescription,
) -> NDArray[np.float64]:
    rows, columns = values.shape[:2]
    is_on = (x >= 0) & (x <= columns) & (y >= 0) & (y <= rows)
    found = np.full(len(x), np.nan)
    if not is_on.any():
        return found
    ends = [Point(float(x[is_on].min()) - 1, float(y[is_on].min()) - 1)]
    box = box_of([*ends, Point(float(x[is_on].max()) + 1, float(y[is_on].max()) + 1)], rows, columns)
    stored = np.asarray(values[box.row : box.row + box.rows, box.column : box.column + box.columns])
    padded = padding_mask(stored, description.padding)
    read = apply(stored)
    if padded is not None:
        read[padded] = np.nan
    found[is_on] = between_middles(read, x[is_on] - box.column, y[is_on] - box.row)
    return found


def between_middles(values: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bilinear interpolation; the middle of pixel (row, column) is at (column + 0.5, row + 0.5)."""
    column = np.clip(x - 0.5, 0, values.shape[1] - 1)
    row = np.clip(y - 0.5, 0, values.shape[0] - 1)
    left, upper = np.floor(column).astype(int), np.floor(row).astype(int)
    right, lower = np.minimum(left + 1, values.shape[1] - 1), np.minimum(upper + 1, values.shape[0] - 1)
    across, down = column - left, row - upper
    # A neighbour of no weight must not spoil the sum where it has no value.
    above = _mixed(values[upper, left], values[upper, right], across)
    below = _mixed(values[lower, left], values[lower, right], across)
    return _mixed(above, below, down)


def _mixed(one: NDArray[np.float64], other: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(share > 0, one * (1 - share) + other * share, one)
