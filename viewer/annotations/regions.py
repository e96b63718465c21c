"""Measurements as graphics of DICOM objects: in the pixels of the image, or in the patient.

Structured reports (PS3.3 C.18.6) and presentation states in PIXEL units (C.10.5) share coordinates with
``shapes``: 0\\0 is the outer corner of the first pixel, column before row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription
from viewer.annotations.shapes import Kind, Point, Shape, circle_radii, corners_of
from viewer.rendering.geometry import pixel_aspect_ratio

RIM_POINTS = 72
"""Corners that stand for a circle or ellipse that reaches beyond the image."""


@dataclass(frozen=True, slots=True)
class Graphic:
    """One graphic: its type and points, (n, 2), column first; closed ones repeat their first point."""

    type: str
    points: NDArray[np.float64]


def graphics_of(shape: Shape, description: ImageDescription, frame_number: int) -> list[Graphic]:
    """What is drawn for a shape, every point on the image as objects demand it; none for text and key images."""
    if shape.kind in (Kind.TEXT, Kind.KEY_IMAGE):
        return []
    limits = np.array([description.columns, description.rows], float)
    aspect = pixel_aspect_ratio(description, frame_number)
    if shape.kind in (Kind.CIRCLE, Kind.ELLIPSE):
        return [_round(shape, aspect, limits)]
    if shape.kind is Kind.RECTANGLE:
        (left, top), (right, bottom) = corners_of(shape, aspect)
        return [_line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], limits)]
    if shape.kind in (Kind.POLYGON, Kind.FREEHAND):
        return [_line([*shape.points, shape.points[0]], limits)]
    if shape.kind in (Kind.BIDIRECTIONAL, Kind.COBB, Kind.CARDIOTHORACIC):
        return [_line(shape.points[:2], limits), _line(shape.points[2:], limits)]
    if shape.kind is Kind.LINE_DISTANCE:
        return [_line(shape.points[:2], limits), _line([_foot(shape.points, aspect), shape.points[2]], limits)]
    return [_line(shape.points, limits)]


def _line(points: list[tuple[float, float]] | tuple[Point, ...] | list[Point], limits: NDArray[np.float64]) -> Graphic:
    return Graphic("POLYLINE", np.clip(np.array(points, float), 0.0, limits))


def _foot(points: tuple[Point, ...], aspect: tuple[float, float]) -> tuple[float, float]:
    """Where the perpendicular from a place meets the line through two points, pixels being ``aspect`` high and wide."""
    start, end, place = (np.array([point.x * aspect[1], point.y * aspect[0]]) for point in points)
    along = end - start
    square = float(along @ along)
    foot = start + along * (float((place - start) @ along) / square if square else 0.0)
    return float(foot[0] / aspect[1]), float(foot[1] / aspect[0])


def _round(shape: Shape, aspect: tuple[float, float], limits: NDArray[np.float64]) -> Graphic:
    """A circle, an ellipse by the ends of its longer and then its shorter axis, or its rim where it leaves the image."""
    (left, top), (right, bottom) = corners_of(shape, aspect)
    x, y, half_width, half_height = (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2
    if left < 0 or top < 0 or right > limits[0] or bottom > limits[1]:
        turns = [2 * math.pi * n / RIM_POINTS for n in range(RIM_POINTS)]
        rim = [(x + half_width * math.cos(turn), y + half_height * math.sin(turn)) for turn in turns]
        return _line([*rim, rim[0]], limits)
    if shape.kind is Kind.CIRCLE and math.isclose(*circle_radii(shape, aspect), rel_tol=1e-6):
        return Graphic("CIRCLE", np.array([(x, y), (x + half_width, y)]))
    across, down = [(left, y), (right, y)], [(x, top), (x, bottom)]
    return Graphic("ELLIPSE", np.array(across + down if half_width >= half_height else down + across))


def in_patient(
    points: NDArray[np.float64], description: ImageDescription, frame_number: int
) -> NDArray[np.float64] | None:
    """Points of an image in the patient, (n, 3) in mm (PS3.3 C.7.6.2.1.1); None where the file does not say how it lies.

    The position of an image is that of the middle of its first pixel, at 0.5\\0.5.
    """
    frame = description.frame(frame_number)
    orientation, position, spacing = frame.image_orientation_patient, frame.image_position_patient, frame.pixel_spacing
    if not (orientation and position and spacing):
        return None
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    across = (points[:, :1] - 0.5) * spacing[1] * row
    down = (points[:, 1:] - 0.5) * spacing[0] * column
    found: NDArray[np.float64] = np.array(position) + across + down
    return found
