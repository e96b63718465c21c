"""A compressed breast as a processed mammogram shows it, in four views.

Drawn with the chest wall at the left edge and the nipple to the right, as a left breast hangs;
lengths are in mm from the top of the chest wall, values are those of a 12-bit FOR PRESENTATION image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import distance_transform_edt, gaussian_filter

from viewer.demo.canvas import Plane, enlarge, smoothstep

FAT = 1450.0
GLAND = 1020.0
"""By how much dense tissue is brighter than fat."""
COARSE = 8
"""Pixels in a sample of the contour's grid."""
FINE = 2
"""Pixels in a sample of the texture's grid."""


@dataclass(frozen=True, slots=True)
class BreastView:
    """What is drawn."""

    oblique: bool
    rows: int
    columns: int
    spacing_mm: float
    seed: int
    mass_mm: tuple[float, float] | None = None
    """Depth and height of a spiculated mass."""
    calcifications_mm: tuple[float, float] | None = None


def _contour(view: BreastView) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Height and depth of points along the skin, mm."""
    if view.oblique:
        heights = np.array([-40, 0, 40, 90, 135, 170, 200, 222, 238, 250, 262, 450])
        return heights, np.array([62, 70, 84, 104, 117, 113, 92, 62, 32, 14, 6, 4])
    t = np.linspace(-1, 1, 81)
    return _middle_mm(view) + 98 * t, 106 * (1 - np.abs(t) ** 2.3) ** 0.62 * (1 - 0.05 * t)


def _middle_mm(view: BreastView) -> float:
    """Height of the middle of the breast; an oblique view begins at the upper edge."""
    return 137.0 if view.oblique else 0.48 * view.rows * view.spacing_mm


def skin_distance(view: BreastView) -> tuple[Plane, tuple[float, float]]:
    """Return the depth under the skin on the coarse grid, mm, negative in air, and where the nipple is."""
    step = COARSE * view.spacing_mm
    heights, depths = _contour(view)
    y = (np.arange(-(-view.rows // COARSE)) + 0.5) * step
    x = (np.arange(-(-view.columns // COARSE)) + 0.5) * step
    edge = PchipInterpolator(heights, depths, extrapolate=False)(y)
    edge = np.nan_to_num(edge, nan=-5.0)
    inside = x[None, :] < edge[:, None]
    nipple_row = int(np.argmax(edge))
    nipple = (float(edge[nipple_row]), float(y[nipple_row]))
    inside |= ((x[None, :] - nipple[0]) / 6.5) ** 2 + ((y[:, None] - nipple[1]) / 5.0) ** 2 < 1
    # The breast goes on behind the chest wall: no skin there.
    wide = np.pad(inside, ((0, 0), (60, 0)), mode="edge")
    distance = (distance_transform_edt(wide) - distance_transform_edt(~wide))[:, 60:] * step
    return gaussian_filter(distance.astype(np.float32), 1.2), nipple


def power_law_noise(shape: tuple[int, int], step_mm: float, seed: int, exponent: float, longest_mm: float) -> Plane:
    """Noise whose amplitude falls with a power of the frequency, as breast tissue does; standard deviation 1."""
    white = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    rows = np.fft.fftfreq(shape[0], step_mm).astype(np.float32)[:, None]
    columns = np.fft.rfftfreq(shape[1], step_mm).astype(np.float32)[None, :]
    frequency = np.sqrt(rows**2 + columns**2 + np.float32(1 / longest_mm) ** 2)
    values = irfft2(rfft2(white) * frequency**-exponent, s=shape)
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float32)


def _grown_noise(shape: tuple[int, int], step_mm: float, seed: int, exponent: float, longest_mm: float) -> Plane:
    """The same on a grid of a quarter of the size, which is enough for broad features."""
    small = (-(-shape[0] // 4), -(-shape[1] // 4))
    return enlarge(power_law_noise(small, 4 * step_mm, seed, exponent, longest_mm), *shape)


def draw_breast(view: BreastView) -> NDArray[np.uint16]:
    """Return the picture, ``(rows, columns)``, 12 bits; air is exactly 0 and nothing else is."""
    coarse, nipple = skin_distance(view)
    rows, columns, step = view.rows // FINE, view.columns // FINE, FINE * view.spacing_mm
    under = enlarge(coarse, rows, columns)
    y = ((np.arange(rows, dtype=np.float32) + 0.5) * step)[:, None]
    x = ((np.arange(columns, dtype=np.float32) + 0.5) * step)[None, :]
    values = _tissue(view, under, x, y, nipple)
    full = enlarge(values, view.rows, view.columns).copy()
    _put_calcifications(full, view)
    random = np.random.default_rng(view.seed + 9)
    full += 11 * random.standard_normal(full.shape, dtype=np.float32)
    np.clip(full, 40, 4095, out=full)
    full[enlarge(coarse, view.rows, view.columns) <= 0] = 0
    return full.astype(np.uint16)


def _tissue(view: BreastView, under: Plane, x: Plane, y: Plane, nipple: tuple[float, float]) -> Plane:
    """Fat, dense tissue, strands, vessels, muscle, skin on the fine grid."""
    shape, step = under.shape, FINE * view.spacing_mm
    broad = _grown_noise(shape, step, view.seed, 1.75, 40)
    fine = power_law_noise(shape, step, view.seed + 1, 1.5, 14)
    away = np.sqrt(((x - nipple[0] + 42) / 52) ** 2 + ((y - nipple[1] + 8) / 50) ** 2)
    dense = 1.35 - 1.35 * away + 0.42 * broad + 0.22 * fine
    dense = smoothstep(dense, -0.25, 1.75) * smoothstep(under, 4, 16)
    # Strands run from the nipple into the breast: noise on polar coordinates.
    reach = np.sqrt((x - nipple[0]) ** 2 + (y - nipple[1]) ** 2)
    angle = np.arctan2(y - nipple[1], nipple[0] - x + 6)
    strands = np.cos(34 * angle + 2.4 * broad + 1.2 * np.sin(reach / 9))
    net = np.abs(_grown_noise(shape, step, view.seed + 2, 1.3, 7))
    values = FAT + GLAND * dense + 95 * broad + 70 * fine
    values += 230 * smoothstep(strands, 0.86, 1.0) * smoothstep(-away, -1.9, -0.7)
    values += 210 * (1 - smoothstep(net, 0.0, 0.16))
    _put_vessels(values, view, x, y)
    if view.mass_mm:
        _put_mass(values, view.mass_mm, x, y, fine)
    if view.oblique:
        _put_muscle(values, view, x, y, broad)
    # The rim is thinner; the skin is dense.
    values *= 1 - 0.42 * np.exp(-np.maximum(under, 0) / 5.5)
    values += 330 * np.exp(-(((under - 0.9) / 0.8) ** 2))
    values += 420 * np.exp(-((((x - nipple[0] - 1) / 5.5) ** 2 + ((y - nipple[1]) / 4.5) ** 2) ** 2))
    return np.asarray(values, dtype=np.float32)


def _put_vessels(values: Plane, view: BreastView, x: Plane, y: Plane) -> None:
    random = np.random.default_rng(view.seed + 3)
    middle = _middle_mm(view)
    for _ in range(5):
        start, slope = random.uniform(-60, 60), random.uniform(-0.35, 0.35)
        phase, wave = random.uniform(0, 6), random.uniform(22, 40)
        line = middle + start + slope * x + 4.5 * np.sin(x / wave * 2.2 + phase) + 1.2 * np.sin(x / 7 + phase)
        width = np.maximum(1.1 - x / 160, 0.3)
        values += 190 * np.exp(-(((y - line) / width) ** 2)) * smoothstep(-x, -92, -50)


def _put_mass(values: Plane, center: tuple[float, float], x: Plane, y: Plane, fine: Plane) -> None:
    reach = np.sqrt((x - center[0]) ** 2 + (y - center[1]) ** 2)
    angle = np.arctan2(y - center[1], x - center[0])
    spikes = np.maximum(np.cos(8 * angle + 1.8 * np.sin(2 * angle)), 0) ** 4
    body = 1 - smoothstep(reach + 1.1 * fine, 5.0, 8.5)
    rays = 0.6 * spikes * np.exp(-reach / 9) * smoothstep(reach, 2, 7)
    values += 860 * np.maximum(body, rays)


def _put_muscle(values: Plane, view: BreastView, x: Plane, y: Plane, broad: Plane) -> None:
    """The pectoral muscle in the upper corner, a node with a fatty middle upon it."""
    edge = 62 - 0.40 * y - 0.0006 * y**2 + 1.5 * broad
    muscle = 1 - smoothstep(x - edge, -1.4, 1.6)
    fibers = np.sin((x + 0.42 * y) * 1.1 + 1.5 * broad)
    values += muscle * (2150 + 60 * fibers + 60 * broad - values) * 0.86
    node = np.sqrt(((x - 52) / 7.5) ** 2 + ((y - 52) / 11) ** 2)
    values += 420 * (1 - smoothstep(node, 0.8, 1.05)) - 480 * (1 - smoothstep(node, 0.35, 0.6))


def _put_calcifications(values: Plane, view: BreastView) -> None:
    """A cluster of specks of 0.2 to 0.6 mm, and a few rings that mean nothing."""
    random = np.random.default_rng(view.seed + 4)
    specks: list[tuple[float, float, float]] = []
    if view.calcifications_mm:
        depth, height = view.calcifications_mm
        specks += [
            (depth + random.normal(0, 3.2), height + random.normal(0, 2.6), random.uniform(0.12, 0.3))
            for _ in range(18)
        ]
    middle = _middle_mm(view)
    specks += [(random.uniform(15, 70), middle + random.uniform(-55, 55), random.uniform(0.25, 0.55)) for _ in range(4)]
    for depth, height, radius_mm in specks:
        radius = radius_mm / view.spacing_mm
        row, column, reach = int(height / view.spacing_mm), int(depth / view.spacing_mm), int(radius * 2) + 2
        if row < reach or column < reach or row + reach >= view.rows or column + reach >= view.columns:
            continue
        dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        spot = np.exp(-((((dx + 0.4 * dy * random.uniform(-1, 1)) ** 2 + dy**2) / radius**2) ** 1.5))
        values[row - reach : row + reach + 1, column - reach : column + reach + 1] += 1050 * spot.astype(np.float32)
