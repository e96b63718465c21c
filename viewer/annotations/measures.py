"""What a shape measures: millimetres, degrees, and statistics of the modality values inside.

Lengths and areas follow one rule: millimetres only where the file states a source for them,
for ultrasound only inside the one region that holds the whole shape; pixels everywhere else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription
from viewer.annotations.shapes import AREAS, Kind, Point, Shape, box_of, circle_radii, corners_of, inside
from viewer.errors import InvalidParameter
from viewer.rendering import geometry
from viewer.rendering.color import is_color
from viewer.rendering.display_table import padding_mask, supplement_of
from viewer.rendering.quantities import Quantity, apply_quantity, quantity_of
from viewer.rendering.regions import RegionValues

MOST_PIXELS = 1 << 24
"""Pixels of the box around a shape that statistics are made of."""
CALIBRATED_BY_HAND = "Calibrated by hand on this image."
HISTOGRAM_BINS = 64


class Scale(NamedTuple):
    """Size of a pixel under a shape."""

    row_mm: float
    column_mm: float
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values lie in each of many equal steps; the last step holds its upper end."""

    first: float
    step: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Values of the pixels inside a shape; numbers are None where there is no pixel with a value."""

    count: int
    mean: float | None = None
    sd: float | None = None
    """Of these pixels themselves: the sum of squares is divided by their count."""
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    note: str = ""
    histogram: Histogram | None = None
    source: str = ""
    """The object beside the image that gives the unit; empty for the image's own file."""
    unit_code: str = ""
    """UCUM code of a unit that a Real World Value Mapping gives."""


@dataclass(frozen=True, slots=True)
class Measures:
    """All that a shape measures; what it has none of is None."""

    lengths: tuple[float, ...] = ()
    """One; of a bidirectional the longer axis first, of a cardiothoracic ratio the heart."""
    angle_degrees: float | None = None
    ratio: float | None = None
    """Width of the heart as a part of that of the chest."""
    area: float | None = None
    unit: str = "px"
    """Of the lengths, and squared of the area: mm or px."""
    note: str = ""
    """What a reader must know before trusting a length."""
    axes: tuple[tuple[str, float], ...] = ()
    """Of a length across a spectrum or an M-mode: unit (s, cm/s, mm) and difference along each direction that has one."""


def scale_under(description: ImageDescription, frame_number: int, points: Sequence[Point]) -> Scale | None:
    """Size of a pixel under all of the points, or None where lengths can only be given in pixels."""
    if description.ultrasound_regions:
        places = [geometry.Point(math.floor(point.y), math.floor(point.x)) for point in points]
        scales = {geometry.ultrasound_scale(description, places[0], place) for place in places}
        scale = scales.pop() if len(scales) == 1 else None
        if scale is None or not scale.is_length:
            return None
        return Scale(scale.row_size, scale.column_size, "ultrasound region")
    spacing = geometry.pixel_spacing(description, frame_number)
    return Scale(spacing.row_mm, spacing.column_mm, spacing.source, spacing.note) if spacing else None


def scale_by_hand(
    description: ImageDescription, frame_number: int, points: Sequence[Point], calibration: Shape
) -> Scale | None:
    """Size of a pixel as somebody's calibration of the frame says; None where it does not count.

    It counts where the file says nothing, and where it says no more than what a detector
    or a film measures. What a file says of the patient's own plane, and of an ultrasound
    region, stands: a spectrum has no millimetres.
    """
    if calibration.known_mm is None or description.ultrasound_regions:
        return None
    stated = scale_under(description, frame_number, points)
    if stated is not None and not stated.note:
        return None
    height, width = geometry.pixel_aspect_ratio(description, frame_number)
    start, end = calibration.points
    factor = calibration.known_mm / distance(start, end, (height, width))
    return Scale(height * factor, width * factor, "manual calibration", CALIBRATED_BY_HAND)


def measure(
    shape: Shape, description: ImageDescription, frame_number: int, calibration: Shape | None = None
) -> Measures:
    """Lengths, angle and area of a shape on one frame, in the calibration of the file, or by hand where it has none."""
    if not shape.points:
        return Measures()
    aspect = geometry.pixel_aspect_ratio(description, frame_number)
    corners = corners_of(shape, aspect)
    by_hand = scale_by_hand(description, frame_number, corners, calibration) if calibration else None
    scale = by_hand or scale_under(description, frame_number, corners)
    size = (scale.row_mm, scale.column_mm) if scale else (1.0, 1.0)
    unit, note = ("mm", scale.note) if scale else ("px", "no scale in the file here")
    if shape.kind in (Kind.ANGLE, Kind.COBB):
        return Measures(angle_degrees=angle(shape, size if scale else aspect))
    if shape.kind in AREAS:
        return Measures(area=area(shape, aspect) * size[0] * size[1], unit=unit, note=note)
    if shape.kind is Kind.CARDIOTHORACIC:
        widths = lengths_of(shape, size if scale else aspect)
        ratio = widths[0] / widths[1] if widths[1] > 0 else None
        return Measures(lengths=lengths_of(shape, size), ratio=ratio, unit=unit, note=note)
    axes = axis_differences(description, *shape.points) if shape.kind is Kind.LENGTH else ()
    return Measures(lengths=lengths_of(shape, size), unit=unit, note="" if axes else note, axes=axes)


def axis_differences(description: ImageDescription, start: Point, end: Point) -> tuple[tuple[str, float], ...]:
    """Unit and difference along each direction that has a unit, in a region of a spectrum or an M-mode; else none."""
    places = [geometry.Point(math.floor(point.y), math.floor(point.x)) for point in (start, end)]
    scale = geometry.ultrasound_scale(description, *places) if description.ultrasound_regions else None
    if scale is None or scale.is_length:
        return ()
    across = (scale.column_unit, abs(end.x - start.x) * scale.column_size)
    down = (scale.row_unit, abs(end.y - start.y) * scale.row_size)
    return tuple((str(unit), value) for unit, value in (across, down) if unit is not None)


def lengths_of(shape: Shape, size: tuple[float, float]) -> tuple[float, ...]:
    """Lengths of what a shape measures, where a pixel is ``size`` high and wide; none of arrows and words."""
    points = shape.points
    if shape.kind in (Kind.LENGTH, Kind.BIDIRECTIONAL, Kind.CARDIOTHORACIC, Kind.CALIBRATION):
        pairs = zip(points[::2], points[1::2], strict=True)
        found = [distance(one, other, size) for one, other in pairs]
        return tuple(sorted(found, reverse=True) if shape.kind is Kind.BIDIRECTIONAL else found)
    if shape.kind is Kind.POLYLINE:
        return (sum(distance(one, other, size) for one, other in pairwise(points)),)
    if shape.kind is Kind.LINE_DISTANCE:
        start, end, place = points
        return (distance_from_line(start, end, place, size),)
    return ()


def distance_from_line(start: Point, end: Point, place: Point, size: tuple[float, float]) -> float:
    """Distance of a place from the whole line through two points, where a pixel is ``size`` high and wide.

    >>> distance_from_line(Point(0, 0), Point(10, 0), Point(25, 4), (0.5, 1.0))
    2.0
    """
    along, beside = _direction(start, end, size), _direction(start, place, size)
    length = math.hypot(*along)
    return abs(along[0] * beside[1] - along[1] * beside[0]) / length if length else math.hypot(*beside)


def distance(start: Point, end: Point, size: tuple[float, float]) -> float:
    """Distance of two points where a pixel is ``size`` high and wide.

    >>> distance(Point(0, 0), Point(3, 4), (2.0, 1.0))
    8.54400374531753
    """
    return math.hypot((end.x - start.x) * size[1], (end.y - start.y) * size[0])


def angle(shape: Shape, size: tuple[float, float]) -> float:
    """Degrees at the vertex, 0 to 180; of a Cobb between the two lines, 0 to 90, however each was drawn."""
    if shape.kind is Kind.ANGLE:
        end, vertex, other = shape.points
        return _between(_direction(vertex, end, size), _direction(vertex, other, size))
    a, b, c, d = shape.points
    found = _between(_direction(a, b, size), _direction(c, d, size))
    return min(found, 180 - found)


def _direction(start: Point, end: Point, size: tuple[float, float]) -> tuple[float, float]:
    return (end.x - start.x) * size[1], (end.y - start.y) * size[0]


def _between(one: tuple[float, float], other: tuple[float, float]) -> float:
    cross = one[0] * other[1] - one[1] * other[0]
    dot = one[0] * other[0] + one[1] * other[1]
    return abs(math.degrees(math.atan2(cross, dot)))


def area(shape: Shape, aspect: tuple[float, float]) -> float:
    """Area in square pixels; of an outline by its corners, not by counting pixels."""
    if shape.kind is Kind.CIRCLE:
        return math.pi * math.prod(circle_radii(shape, aspect))
    if shape.kind in (Kind.ELLIPSE, Kind.RECTANGLE):
        (x0, y0), (x1, y1) = shape.points
        return abs((x1 - x0) * (y1 - y0)) * (math.pi / 4 if shape.kind is Kind.ELLIPSE else 1)
    pairs = zip(shape.points, (*shape.points[1:], shape.points[0]), strict=True)
    return abs(sum(one.x * other.y - other.x * one.y for one, other in pairs)) / 2


def statistics(
    shape: Shape,
    values: NDArray[Any] | RegionValues,
    description: ImageDescription,
    frame_number: int,
    *,
    photometric_interpretation: str = "",
    quantity: Quantity | None = None,
) -> Statistics:
    """Statistics of the values whose pixels' middles lie inside a shape.

    Parameters
    ----------
    values
        Stored values of the frame at full resolution, (rows, columns) or (rows, columns, samples).
    quantity
        What they are read in; None: what the image's own file says.

    Returns
    -------
    Padding, values that are no numbers and supplemental colours are left out (PS3.3 C.7.5.1.1.2, C.7.6.19).

    Raises
    ------
    InvalidParameter
        The shape has no inside, or is larger than statistics are made of.
    """
    if shape.kind not in AREAS:
        raise InvalidParameter("kind", shape.kind, ", ".join(sorted(AREAS)))
    if values.ndim > 2 or is_color(photometric_interpretation or description.photometric_interpretation):
        return Statistics(0, note="A colour image has no values to average.")
    aspect = geometry.pixel_aspect_ratio(description, frame_number)
    box = box_of(corners_of(shape, aspect), *values.shape[:2])
    if box.rows * box.columns > MOST_PIXELS:
        raise InvalidParameter("geometry", f"{box.rows} x {box.columns} pixels", f"at most {MOST_PIXELS} pixels")
    stored = np.asarray(values[box.row : box.row + box.rows, box.column : box.column + box.columns])
    counted = inside(shape, box, aspect)
    padded = padding_mask(stored, description.padding)
    if padded is not None:
        counted &= ~padded
    if (supplement := supplement_of(description, frame_number)) is not None:
        counted &= stored < supplement.first
    read_in = quantity or quantity_of(description, frame_number)
    return _summed_up(apply_quantity(stored[counted], description, frame_number, read_in), read_in)


def histogram_of(values: NDArray[np.float64]) -> Histogram:
    """Equal steps from the least to the greatest; whole numbers in so small a range have one step each."""
    low, high = float(values.min()), float(values.max())
    are_whole = bool(np.all(values == np.round(values)))
    if are_whole and high - low < HISTOGRAM_BINS:
        counts, edges = np.histogram(values, int(high - low) + 1, (low - 0.5, high + 0.5))
    else:
        counts, edges = np.histogram(values, HISTOGRAM_BINS, (low, high) if high > low else (low - 0.5, high + 0.5))
    return Histogram(float(edges[0]), float(edges[1] - edges[0]), tuple(int(count) for count in counts))


def _summed_up(found: NDArray[np.float64], quantity: Quantity) -> Statistics:
    values = found[np.isfinite(found)]
    unit, source = quantity.unit, quantity.source
    if not values.size:
        return Statistics(0, unit=unit, note="no pixel with a value inside", source=source, unit_code=quantity.code)
    left_out = found.size - values.size if quantity.mapping is not None else 0
    return Statistics(
        count=int(values.size),
        mean=float(values.mean()),
        sd=float(values.std()),
        minimum=float(values.min()),
        maximum=float(values.max()),
        unit=unit,
        note=f"{left_out} pixels have no value in {unit}" if left_out else "",
        histogram=histogram_of(values),
        source=source,
        unit_code=quantity.code,
    )
