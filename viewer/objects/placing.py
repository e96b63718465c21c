"""Where places in the patient lie on frames of a stack. No Django.

A point is at 0.5\\0.5 in the middle of the first pixel of an image, as shapes and structured reports count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.stacks.facts import FrameFacts

SMALLEST_REACH_MM = 0.5
"""How far from a plane a contour may lie and still be on it, where slices are thinner than twice that."""


@dataclass(frozen=True, slots=True)
class Plane:
    """How a frame lies in the patient."""

    position: NDArray[np.float64]
    """Middle of the first pixel, mm."""
    row: NDArray[np.float64]
    """Unit vector along a row, to the right."""
    column: NDArray[np.float64]
    spacing: tuple[float, float]
    """Between rows, between columns, mm."""

    @property
    def normal(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.cross(self.row, self.column)
        return found

    def to_pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 3) in mm to (n, 2) in pixels, column first, along the normal."""
        away = points - self.position
        across, down = away @ self.row / self.spacing[1] + 0.5, away @ self.column / self.spacing[0] + 0.5
        return np.stack([across, down], axis=1)

    def distances(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Signed distance of points from the plane, mm."""
        found: NDArray[np.float64] = (points - self.position) @ self.normal
        return found


def plane_of_frame(frame: FrameFacts) -> Plane | None:
    """The plane of a frame; None where the file does not say how it lies."""
    if not (frame.orientation and frame.position and frame.spacing) or len(frame.orientation) != 6:
        return None
    if not all(math.isfinite(size) and size > 0 for size in frame.spacing[:2]):
        return None
    row, column = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    return Plane(np.array(frame.position), row, column, (frame.spacing[0], frame.spacing[1]))


def slice_reach(planes: Sequence[Plane | None], thickness: float | None) -> float:
    """Half the distance of neighbouring frames, mm: what is nearer to a plane than this belongs to its frame."""
    known = [plane for plane in planes if plane is not None]
    if len(known) > 1:
        places = sorted(float(plane.position @ known[0].normal) for plane in known)
        gaps = [second - first for first, second in zip(places, places[1:], strict=False) if second - first > 1e-3]
        if gaps:
            return max(float(np.median(gaps)) / 2, SMALLEST_REACH_MM / 10)
    return max((thickness or 0.0) / 2, SMALLEST_REACH_MM)


def frame_nearest(planes: Sequence[Plane | None], reach: float, points: NDArray[np.float64]) -> int | None:
    """Index of the frame whose plane all of the points lie on, within the reach; None where there is none."""
    best: tuple[float, int] | None = None
    for index, plane in enumerate(planes):
        if plane is None:
            continue
        farthest = float(np.abs(plane.distances(points)).max())
        if farthest <= reach + 1e-3 and (best is None or farthest < best[0]):
            best = (farthest, index)
    return best[1] if best else None
