"""Soft-edged shapes on one plane of a phantom, and the smooth noise that makes them look grown.

Coordinates are millimetres of the patient (LPS: x to the left, y to the back, z to the head).
A shape is a distance in mm, negative inside; its edge is one soft step, so that nothing is jagged.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

Plane = NDArray[np.floating[Any]]
"""Values over a plane, ``(rows, columns)``; 32-bit floats unless a caller needs more."""

NOISE_SIZE = 48
"""Edge of the periodic noise cube in samples."""


class Tissue(NamedTuple):
    """What a tissue measures in the modalities that the phantoms serve."""

    hu: float
    """Hounsfield units."""
    suv: float
    """Standardised uptake value of FDG, g/ml."""


class Node(NamedTuple):
    """A point of a tube's centre line, mm, and the tube's radius there."""

    x: float
    y: float
    z: float
    radius_mm: float


@cache
def noise_cube(seed: int) -> NDArray[np.float32]:
    """Smooth periodic noise, ``(48, 48, 48)``, mean 0 and standard deviation 1."""
    white = np.random.default_rng(seed).standard_normal((NOISE_SIZE,) * 3).astype(np.float32)
    smooth = gaussian_filter(white, 1.6, mode="wrap")
    return np.asarray((smooth - smooth.mean()) / smooth.std(), dtype=np.float32)


def _between(samples: Plane, places: NDArray[np.floating], axis: int) -> Plane:
    """Interpolate linearly along a periodic axis."""
    low = np.floor(places).astype(int)
    shape = [1] * samples.ndim
    shape[axis] = len(places)
    share = (places - low).astype(np.float32).reshape(shape)
    first, second = samples.take(low % NOISE_SIZE, axis), samples.take((low + 1) % NOISE_SIZE, axis)
    second -= first
    second *= share
    second += first
    return np.asarray(second)


def noise_plane(seed: int, x: NDArray[np.floating], y: NDArray[np.floating], z: float) -> Plane:
    """Noise on a plane of regular places, given in samples of the cube, ``(len(y), len(x))``.

    One axis after the other, without products of matrices: their library would start threads of its own.
    """
    return _between(_between(_between(noise_cube(seed), np.array([z]), 0)[0], y, 0), x, 1)


def enlarge(values: Plane, rows: int, columns: int) -> Plane:
    """Interpolate a plane smoothly (bicubic) to another size."""
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((columns, rows), Image.Resampling.BICUBIC), dtype=np.float32)


def smoothstep(values: Plane, low: float | Plane, high: float | Plane) -> Plane:
    """Rise from 0 at ``low`` to 1 at ``high`` without a corner."""
    t = np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def union(distances: Sequence[Plane], softness_mm: float) -> Plane:
    """Join shapes with rounded seams."""
    total = np.zeros_like(distances[0])
    for distance in distances:
        total += np.exp(np.clip(-distance / softness_mm, -60, 60))
    return np.asarray(-softness_mm * np.log(np.maximum(total, np.float32(1e-26))), dtype=np.float32)


class Canvas:
    """One axial plane: quantities being painted, and the warped coordinates at which shapes are asked."""

    def __init__(self, x_mm: NDArray[np.floating], y_mm: NDArray[np.floating], z_mm: float, *, edge_mm: float) -> None:
        """Start with air.

        Parameters
        ----------
        x_mm, y_mm
            Evenly spaced positions of the columns and rows.
        edge_mm
            Width of the soft edges: about the pixel spacing.
        """
        self.z = float(z_mm)
        self.edge = edge_mm
        self.rows, self.columns = len(y_mm), len(x_mm)
        self.x0, self.y0 = float(x_mm[0]), float(y_mm[0])
        self.dx, self.dy = float(x_mm[1] - x_mm[0]), float(y_mm[1] - y_mm[0])
        self.x, self.y = self._warped(x_mm, y_mm)
        self.hu = np.full((self.rows, self.columns), -1000, dtype=np.float32)
        self.suv = np.zeros((self.rows, self.columns), dtype=np.float32)
        self.whole = (slice(0, self.rows), slice(0, self.columns))

    WARP_MM = 2.2
    """Standard deviation of the displacement that keeps organs from being ellipses."""

    def _warped(self, x_mm: NDArray[np.floating], y_mm: NDArray[np.floating]) -> tuple[Plane, Plane]:
        x, y = x_mm.astype(np.float32)[None, :], y_mm.astype(np.float32)[:, None]
        by_x = self.WARP_MM * self.texture(11, 17.0)
        by_y = self.WARP_MM * self.texture(12, 17.0)
        return x + by_x, y + by_y

    def texture(self, seed: int, scale_mm: float) -> Plane:
        """Smooth noise over the plane, mean 0 and standard deviation 1; features of about three ``scale_mm``."""
        x = (self.x0 + self.dx * np.arange(self.columns)) / scale_mm
        y = (self.y0 + self.dy * np.arange(self.rows)) / scale_mm
        return noise_plane(seed, x, y, self.z / scale_mm)

    def box(self, center: tuple[float, float], half_x: float, half_y: float) -> tuple[slice, slice] | None:
        """Rows and columns that a shape of this half size can touch; None where it is off the plane."""
        margin = 4 * self.WARP_MM + self.edge
        ends = []
        for middle, half, start, step, count in (
            (center[1], half_y, self.y0, self.dy, self.rows),
            (center[0], half_x, self.x0, self.dx, self.columns),
        ):
            low = int(np.floor((middle - half - margin - start) / step))
            high = int(np.ceil((middle + half + margin - start) / step)) + 1
            low, high = max(low, 0), min(high, count)
            if low >= high:
                return None
            ends.append(slice(low, high))
        return ends[0], ends[1]

    def cover(self, distance: Plane) -> Plane:
        """Share of each pixel that lies inside."""
        return np.asarray(np.clip(0.5 - distance / self.edge, 0, 1))

    def paint(self, region: tuple[slice, slice], share: Plane, tissue: Tissue, *, hu: Plane | None = None) -> None:
        """Lay a tissue over what is there; ``hu`` replaces the tissue's even value."""
        kept = 1 - share
        self.hu[region] = self.hu[region] * kept + share * (tissue.hu if hu is None else hu)
        self.suv[region] = self.suv[region] * kept + share * np.float32(tissue.suv)

    def ellipsoid_distance(
        self,
        region: tuple[slice, slice],
        center: tuple[float, float, float],
        axes: tuple[float, float, float],
        turn: NDArray[np.floating] | None = None,
    ) -> Plane:
        """Distance along the ray from the centre; the rows of ``turn`` (3 x 3) are the directions of the axes."""
        x, y = self.x[region] - np.float32(center[0]), self.y[region] - np.float32(center[1])
        z = self.z - center[2]
        if turn is None:
            u, v, w = x, y, np.full(1, z, dtype=np.float32)
        else:
            u, v, w = (np.float32(row[0]) * x + np.float32(row[1]) * y + np.float32(row[2] * z) for row in turn)
        level = np.sqrt((u / axes[0]) ** 2 + (v / axes[1]) ** 2 + (w / axes[2]) ** 2) + np.float32(1e-4)
        reach = np.sqrt(x * x + y * y + np.float32(z * z))
        return np.asarray(reach * (1 - 1 / level), dtype=np.float32)

    def ellipsoid(
        self,
        center: tuple[float, float, float],
        axes: tuple[float, float, float],
        tissue: Tissue,
        *,
        turn: NDArray[np.floating] | None = None,
        within: Plane | None = None,
        wall: tuple[float, Tissue] | None = None,
    ) -> None:
        """Paint an ellipsoid, cut by ``within`` (a share over the plane), with a wall inside its edge if wanted."""
        reach = max(axes) if turn is not None else axes[2]
        if abs(self.z - center[2]) > reach + self.edge:
            return
        half = (max(axes), max(axes)) if turn is not None else axes[:2]
        region = self.box((center[0], center[1]), *half)
        if region is None:
            return
        distance = self.ellipsoid_distance(region, center, axes, turn)
        cut = 1 if within is None else within[region]
        if wall is not None:
            self.paint(region, self.cover(distance) * cut, wall[1])
            distance = distance + np.float32(wall[0])
        self.paint(region, self.cover(distance) * cut, tissue)

    def tube_distance(self, region: tuple[slice, slice], start: Node, end: Node) -> Plane:
        """Distance to a straight piece of a tube with round ends."""
        along = np.array([end.x - start.x, end.y - start.y, end.z - start.z], dtype=np.float32)
        length2 = max(float(along @ along), 1e-6)
        x, y = self.x[region] - np.float32(start.x), self.y[region] - np.float32(start.y)
        z = np.float32(self.z - start.z)
        t = np.clip((x * along[0] + y * along[1] + z * along[2]) / np.float32(length2), 0, 1)
        away = np.sqrt((x - t * along[0]) ** 2 + (y - t * along[1]) ** 2 + (z - t * along[2]) ** 2)
        return np.asarray(away - (start.radius_mm + t * (end.radius_mm - start.radius_mm)), dtype=np.float32)

    def tube(
        self,
        nodes: Sequence[Node],
        tissue: Tissue,
        *,
        within: Plane | None = None,
        grow_mm: float = 0.0,
        hu: Plane | None = None,
    ) -> None:
        """Paint a bent tube along its nodes; ``grow_mm`` widens it, ``hu`` (over the plane) fills it."""
        for start, end in zip(nodes, nodes[1:], strict=False):
            radius = max(start.radius_mm, end.radius_mm) + grow_mm
            if not min(start.z, end.z) - radius - 1 <= self.z <= max(start.z, end.z) + radius + 1:
                continue
            region = self.box(
                ((start.x + end.x) / 2, (start.y + end.y) / 2),
                abs(start.x - end.x) / 2 + radius,
                abs(start.y - end.y) / 2 + radius,
            )
            if region is None:
                continue
            share = self.cover(self.tube_distance(region, start, end) - np.float32(grow_mm))
            if within is not None:
                share = share * within[region]
            self.paint(region, share, tissue, hu=None if hu is None else hu[region])


def turned(
    toward: tuple[float, float, float], up: tuple[float, float, float] = (0.0, 0.0, 1.0)
) -> NDArray[np.floating]:
    """Return a 3 x 3 rotation whose first row points ``toward``; ``up`` fixes the other two."""
    first = np.array(toward) / np.linalg.norm(toward)
    second = np.cross(np.array(up), first)
    second = second / np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])
