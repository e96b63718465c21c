"""A head for MR: one volume of tissues with two contrasts, made once and cut into any plane.

The volume lies on a 1.25 mm grid, ``(z, y, x)`` in LPS directions; lengths are in mm. Signals are
fractions of the brightest fat. The brain's folds are the zero lines of smooth noise near its surface.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from viewer.demo.canvas import smoothstep

Volume = NDArray[np.floating[Any]]

STEP_MM = 1.25
SHAPE = (176, 184, 144)
"""Samples along z, y, x: 220 by 230 by 180 mm."""
FIRST_MM = (-117.0, -122.0, -89.4)
"""z, y, x of the first sample."""


class Part(IntEnum):
    """Tissues, by number in the volume; each with its T1 and T2 weighted signal below."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    CORTICAL = 4
    MARROW = 5
    CSF = 6
    GREY = 7
    WHITE = 8
    DEEP_GREY = 9
    VITREOUS = 10
    LENS = 11
    FLOW = 12
    MUCOSA = 13
    DISC = 14
    GLAND = 15
    LESION = 16
    CORD = 17


T1_SIGNAL = (0.0, 0.34, 1.0, 0.36, 0.05, 0.62, 0.15, 0.40, 0.56, 0.44, 0.13, 0.34, 0.06, 0.38, 0.34, 0.66, 0.33, 0.50)
T2_SIGNAL = (0.0, 0.30, 0.68, 0.20, 0.04, 0.42, 1.0, 0.50, 0.34, 0.40, 1.0, 0.28, 0.05, 0.72, 0.40, 0.45, 0.82, 0.36)
LESION_AT = (27.0, -18.0, 40.0)
"""x, y, z of a lesion in the left frontal white matter."""
WHITE_MATTER_AT = (-24.0, -10.0, 48.0)


@dataclass(frozen=True, slots=True)
class Head:
    """Signals on the grid, float32 in 0..1."""

    t1: Volume
    t2: Volume


def _axes() -> tuple[Volume, Volume, Volume]:
    z, y, x = (
        (first + STEP_MM * np.arange(count)).astype(np.float32) for first, count in zip(FIRST_MM, SHAPE, strict=True)
    )
    return z[:, None, None], y[None, :, None], x[None, None, :]


def _smooth_noise(seed: int, scale_mm: float) -> Volume:
    """Band-limited noise on the grid, mean 0 and standard deviation 1."""
    white = np.random.default_rng(seed).standard_normal(SHAPE, dtype=np.float32)
    smooth = gaussian_filter(white, scale_mm / STEP_MM, mode="wrap", truncate=3)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), dtype=np.float32)


class _Builder:
    """Writes tissues into the volume, from the skin inwards."""

    def __init__(self) -> None:
        self.z, self.y, self.x = _axes()
        self.parts = np.zeros(SHAPE, dtype=np.uint8)

    def ellipsoid(self, center: tuple[float, float, float], axes: tuple[float, float, float]) -> Volume:
        """Return the distance along the ray from the centre (x, y, z), mm, negative inside."""
        x, y, z = (value - np.float32(at) for value, at in zip((self.x, self.y, self.z), center, strict=True))
        level = np.sqrt((x / axes[0]) ** 2 + (y / axes[1]) ** 2 + (z / axes[2]) ** 2) + np.float32(1e-4)
        return np.asarray(np.sqrt(x * x + y * y + z * z) * (1 - 1 / level), dtype=np.float32)

    def tube(self, *nodes: tuple[float, float, float, float]) -> Volume:
        """Return the distance to a bent tube of nodes (x, y, z, radius); far away only a bound."""
        distance = np.full(SHAPE, 20, dtype=np.float32)
        for start, end in zip(nodes, nodes[1:], strict=False):
            region = self._region(start, end)
            x, y, z = (
                value - np.float32(at)
                for value, at in zip(
                    (self.x[:, :, region[2]], self.y[:, region[1]], self.z[region[0]]), start, strict=False
                )
            )
            along = np.array(end[:3], dtype=np.float32) - np.array(start[:3], dtype=np.float32)
            t = np.clip((x * along[0] + y * along[1] + z * along[2]) / max(float(along @ along), 1e-6), 0, 1)
            away = np.sqrt((x - t * along[0]) ** 2 + (y - t * along[1]) ** 2 + (z - t * along[2]) ** 2)
            piece = away - (start[3] + t * (end[3] - start[3]))
            distance[region] = np.minimum(distance[region], piece)
        return distance

    def _region(self, start: tuple[float, ...], end: tuple[float, ...]) -> tuple[slice, slice, slice]:
        reach = max(start[3], end[3]) + 8
        slices = []
        for axis, first, count in zip((2, 1, 0), FIRST_MM, SHAPE, strict=True):
            low = (min(start[axis], end[axis]) - reach - first) / STEP_MM
            high = (max(start[axis], end[axis]) + reach - first) / STEP_MM
            slices.append(slice(int(np.clip(low, 0, count)), int(np.clip(np.ceil(high), 0, count))))
        return slices[0], slices[1], slices[2]

    def put(self, inside: NDArray[np.bool_], part: Part, over: tuple[Part, ...] | None = None) -> None:
        """Fill; ``over`` limits it to tissues already there."""
        if over is not None:
            allowed = np.zeros(len(Part), dtype=bool)
            allowed[list(over)] = True
            inside = inside & allowed[self.parts]
        self.parts[inside] = part


def _soft_union(distances: list[Volume], softness_mm: float) -> Volume:
    total = np.zeros(SHAPE, dtype=np.float32)
    for distance in distances:
        total += np.exp(np.clip(-distance / softness_mm, -40, 40))
    return np.asarray(-softness_mm * np.log(np.maximum(total, np.float32(1e-17))), dtype=np.float32)


def _outside(b: _Builder) -> Volume:
    """Skin, fat and muscle of the head and the neck; returns the distance to the skin."""
    face = b.ellipsoid((0, -42, -42), (62, 56, 76))
    chin = b.ellipsoid((0, -70, -96), (26, 22, 18))
    nose = b.ellipsoid((0, -100, -40), (14, 19, 20))
    bridge = b.ellipsoid((0, -90, -20), (11, 14, 26))
    lips = b.ellipsoid((0, -90, -76), (22, 12, 13))
    cranium = b.ellipsoid((0, 4, 16), (79, 97, 82))
    neck = b.tube((0, 22, -40, 58), (0, 30, -180, 56))
    skin = _soft_union([cranium, face, chin, nose, bridge, lips, neck], 4.0)
    ears = np.minimum(b.ellipsoid((74, 16, -18), (8, 13, 26)), b.ellipsoid((-74, 16, -18), (8, 13, 26)))
    b.put((skin < 0) | (ears < 0), Part.SKIN)
    b.put(skin < -2.2, Part.FAT)
    lower = smoothstep(-b.z, 20, 60)
    b.put(skin < -(6 + 5 * lower), Part.MUSCLE, over=(Part.FAT,))
    planes = _smooth_noise(301, 5.0)
    b.put((np.abs(planes) < 0.10) & (skin < -8), Part.FAT, over=(Part.MUSCLE,))
    return skin


def _skull(b: _Builder) -> Volume:
    """Outer table, marrow, inner table; returns the distance to the inside of the skull."""
    inner = b.ellipsoid((0, 6, 18), (67.5, 84, 71))
    back = b.ellipsoid((0, 40, -22), (56, 48, 40))
    inner = np.maximum(_soft_union([inner, back], 6.0), _skull_floor(b) - b.z)
    thick = 8.2 + 1.6 * smoothstep(-b.y, 40, 80) + 1.4 * smoothstep(b.y, 60, 90)
    b.put((inner < thick) & (b.z > -58), Part.CORTICAL)
    b.put((inner < thick - 2.0) & (inner > 2.0) & (b.z > -54), Part.MARROW)
    return inner


def _skull_floor(b: _Builder) -> Volume:
    """Height of the floor: the roofs of the orbits, the sella, the middle and the hind hollow."""
    side = np.abs(b.x)
    front = -9 + 15 * np.exp(-(((side - 30) / 17) ** 2)) * smoothstep(-b.y, 26, 50)
    sella = np.float32(-27)
    wing = smoothstep(side, 10, 24)
    middle = sella + (-36 - sella) * wing
    hind = np.float32(-48)
    floor = front + (middle - front) * smoothstep(b.y, -36 - 8 * wing, -26 - 4 * wing)
    floor = floor + (hind - floor) * smoothstep(b.y, -16 + 26 * wing, 16 + 20 * wing)
    return np.asarray(floor, dtype=np.float32)


def _face(b: _Builder, skin: Volume) -> None:
    """Orbits with eyes and muscles, nose and sinuses, jaws, tongue, pharynx."""
    for side in (-1, 1):
        cone = b.tube((side * 32, -68, -14, 17), (side * 22, -42, -13, 11), (side * 11, -24, -12, 4))
        b.put((cone < 2.0) & (skin < -4), Part.CORTICAL)
        b.put((cone < 0) & (skin < -2.2), Part.FAT)
        for dx, dz in ((9, 0), (-9, 0), (0, 8), (0, -8)):
            b.put(b.tube((side * 32 + dx, -68, -14 + dz, 1.8), (side * 14, -32, -12, 1.4)) < 0, Part.MUSCLE)
        b.put(b.tube((side * 32, -60, -14, 2.4), (side * 13, -28, -12, 2.2), (0, -12, -7, 2.4)) < 0, Part.WHITE)
        eye = b.ellipsoid((side * 32, -71, -14), (12.2, 12.2, 12.2))
        b.put(eye < 0, Part.MUSCLE)
        b.put(eye < -1.4, Part.VITREOUS)
        b.put(b.ellipsoid((side * 32, -79.0, -14), (5, 2.6, 5)) < 0, Part.LENS)
        antrum = b.ellipsoid((side * 28, -62, -44), (15, 18, 17))
        b.put(antrum < 1.5, Part.MUCOSA)
        b.put(antrum < 0, Part.AIR)
        b.put(b.ellipsoid((side * 12, -81, 14), (12, 5, 12)) < 0, Part.AIR)
        for dy in (-64, -52, -40):
            b.put(b.ellipsoid((side * 7, dy, -20), (5, 6, 9)) < 0, Part.AIR)
        jaw = b.tube(
            (side * 8, -78, -94, 6.5), (side * 22, -70, -94, 6.5), (side * 40, -44, -88, 7), (side * 50, -18, -44, 6)
        )
        b.put(jaw < 0, Part.CORTICAL)
        b.put(jaw < -2.4, Part.MARROW)
        b.put(b.ellipsoid((side * 50, -26, -66), (8, 17, 26)) < 0, Part.MUSCLE)
        b.put(b.ellipsoid((side * 54, 4, -58), (10, 13, 22)) < 0, Part.GLAND)
        mastoid = b.ellipsoid((side * 54, 24, -38), (13, 17, 17))
        b.put(mastoid < 0, Part.CORTICAL)
        b.put((mastoid < -2) & (_cells() > 0.4), Part.AIR)
        b.put(b.tube((side * 22, 0, -36, 3.4), (side * 24, 6, -180, 3.6)) < 0, Part.FLOW)
        b.put(b.tube((side * 32, 14, -44, 4.2), (side * 30, 10, -180, 4.8)) < 0, Part.FLOW)
    nasal = b.ellipsoid((0, -66, -42), (14, 32, 20))
    b.put(nasal < 0, Part.MUCOSA)
    b.put((nasal < -1.5) & (np.abs(np.sin(np.abs(b.x) * 0.62 + 0.08 * b.z)) > 0.72) & (np.abs(b.x) > 2), Part.AIR)
    b.put(b.ellipsoid((0, -34, -26), (12, 10, 8)) < 0, Part.AIR)
    b.put(b.ellipsoid((0, -60, -70), (26, 32, 2.6)) < 0, Part.CORTICAL)
    tongue = b.ellipsoid((0, -54, -86), (25, 30, 15))
    b.put(tongue < 0, Part.MUSCLE)
    b.put((tongue < 0) & (np.abs(np.sin(0.5 * np.hypot(b.y + 70, b.z + 110))) < 0.25), Part.FAT)
    b.put(b.tube((0, -30, -34, 8), (0, -14, -60, 7), (0, -12, -92, 6), (0, -14, -180, 8)) < 0, Part.AIR)


@cache
def _cells() -> Volume:
    return _smooth_noise(302, 1.5)


def _neck_bones(b: _Builder) -> None:
    """Cervical vertebrae, discs, the canal with the cord, the muscles behind are there already."""
    column = b.tube((0, 10, -52, 9), (0, 10, -180, 10))
    b.put((column < 0) & (b.z < -50), Part.CORTICAL)
    phase = ((b.z + 58) / 17.5) % 1.0
    b.put((column < -1.4) & (b.z < -50) & (np.abs(phase - 0.5) < 0.38), Part.MARROW)
    b.put((column < -0.6) & (b.z < -76) & (np.abs(phase - 0.5) > 0.44), Part.DISC)
    b.put(b.tube((0, 5, -50, 4.5), (0, 6, -74, 5.5)) < 0, Part.MARROW)
    spines = b.tube((0, 38, -64, 8), (0, 42, -180, 8))
    b.put((spines < 0) & (np.abs(b.x) < 4.5) & (np.abs(phase - 0.35) < 0.2), Part.CORTICAL)
    b.put((spines < -1.6) & (np.abs(b.x) < 2.6) & (np.abs(phase - 0.35) < 0.15), Part.MARROW)
    b.put(b.tube((0, 22, -40, 9.5), (0, 26, -180, 8)) < 0, Part.CSF)


def _brain(b: _Builder, inner: Volume) -> None:
    """Fluid, folded cortex over white matter, deep nuclei, ventricles, cerebellum, stem, vessels."""
    b.put(inner < 0, Part.CSF)
    left_right = np.abs(b.x)
    lobes = [
        b.ellipsoid((0, 4, 26), (64, 80, 60)),
        np.minimum(b.ellipsoid((44, -14, -12), (20, 36, 20)), b.ellipsoid((-44, -14, -12), (20, 36, 20))),
        b.ellipsoid((0, 52, 10), (48, 36, 30)),
    ]
    hull = np.maximum(_soft_union(lobes, 4.0), inner + 2.0)
    tent = 10 - 0.13 * left_right - 0.12 * np.abs(b.y - 30)
    behind = smoothstep(b.y, 4, 26)
    under = _skull_floor(b) + 2.5
    middle = np.maximum(under, -12 - 30 * smoothstep(left_right, 15, 24))
    under = (under + (middle - under) * smoothstep(b.y, -34, -26)) * (1 - behind) + tent * behind
    hull = np.maximum(hull, (under - b.z).astype(np.float32))
    folds = np.abs(_smooth_noise(303, 3.9) + 0.3 * _smooth_noise(304, 2.0))
    depth = smoothstep(hull, -25, -3)
    sylvian = np.minimum(*(b.tube((s * 66, -32, -2, 4), (s * 50, -6, 8, 2.6), (s * 56, 30, 26, 1.4)) for s in (1, -1)))
    insula = np.minimum(*(b.ellipsoid((s * 43, -2, 6), (3.0, 21, 14)) for s in (1, -1)))
    fluid = (hull > 0) | (folds < 0.24 * depth) | (sylvian < 0) | (insula < 0)
    midline = (left_right < 1.2 + 1.2 * (np.abs(_cells()) > 1.2)) & (b.ellipsoid((0, -2, 10), (40, 46, 33)) > 0)
    fluid |= midline
    ventricles = _ventricles(b)
    away = distance_transform_edt(~fluid, sampling=STEP_MM).astype(np.float32)
    brain = (hull < 0) & ~fluid
    b.put(brain, Part.WHITE)
    b.put(brain & (away < 3.4 + 0.5 * _smooth_noise(305, 6.0)), Part.GREY)
    _deep(b)
    b.put(ventricles < 0, Part.CSF)
    _hindbrain(b, inner)
    b.put((left_right < 1.3) & (b.z > 44) & (inner < -1) & (hull < 3), Part.FLOW, over=(Part.CSF,))
    sinus = (np.abs(inner + 2.5) < 3.2) & (left_right < 4.5 - 0.6 * np.abs(inner + 2.5)) & ((b.z > 20) | (b.y > 60))
    b.put(sinus & (b.z > -8), Part.FLOW)
    for side in (-1, 1):
        b.put(
            b.tube((0, 84, -6, 4), (side * 30, 76, -8, 4.5), (side * 54, 44, -14, 4), (side * 48, 26, -36, 4)) < 0,
            Part.FLOW,
        )
        b.put(b.tube((side * 10, -18, -10, 2.4), (side * 26, -20, -6, 1.9), (side * 44, -18, 0, 1.6)) < 0, Part.FLOW)
        b.put(
            b.tube(
                (side * 10, -18, -10, 2.0), (side * 2, -30, -4, 1.5), (side * 2, -48, 20, 1.4), (side * 2, -36, 40, 1.3)
            )
            < 0,
            Part.FLOW,
        )
    b.put(b.tube((0, 2, -34, 1.9), (0, -4, -12, 1.9)) < 0, Part.FLOW)
    x, y, z = LESION_AT
    ragged = b.ellipsoid((x, y, z), (9, 12, 9)) + 2.0 * _smooth_noise(306, 4.0)
    b.put(ragged < 0, Part.LESION, over=(Part.WHITE, Part.GREY))


def _ventricles(b: _Builder) -> Volume:
    """Lateral ventricles with their horns, the third and the fourth, the aqueduct."""
    tubes = []
    for side in (-1, 1):
        tubes.append(
            b.tube(
                (side * 10, -42, 14, 3.5), (side * 9, -26, 24, 6), (side * 10, -4, 30, 5.4), (side * 15, 20, 30, 5.6),
                (side * 25, 38, 20, 7), (side * 25, 54, 14, 4), (side * 22, 68, 10, 1.6),
            )
        )  # fmt: skip
        tubes.append(
            b.tube((side * 25, 38, 20, 6), (side * 32, 28, 2, 4), (side * 34, 4, -14, 2.8), (side * 32, -10, -18, 2.4))
        )
    tubes.append(b.ellipsoid((0, -2, 8), (2.4, 15, 10)))
    tubes.append(b.tube((0, 12, 2, 1.6), (0, 20, -14, 1.5), (0, 24, -24, 2)))
    tubes.append(b.ellipsoid((0, 26, -30), (8, 6.5, 9)))
    # A septum of white matter keeps the bodies apart.
    distance = np.minimum.reduce(tubes)
    return np.asarray(np.where((np.abs(b.x) < 1.3) & (b.z > 18), 5, distance), dtype=np.float32)


def _deep(b: _Builder) -> None:
    for side in (-1, 1):
        inside = (
            b.ellipsoid((side * 10.5, 6, 10), (9, 16, 10)),
            b.tube((side * 14, -30, 18, 7), (side * 15, -14, 26, 4.5), (side * 21, 14, 30, 2.4)),
            b.ellipsoid((side * 26, -8, 6), (6.5, 19, 11)),
            b.ellipsoid((side * 30, -4, -20), (6, 9, 7)),
            b.tube((side * 28, 0, -22, 4.5), (side * 28, 22, -10, 4)),
        )
        b.put(np.minimum.reduce(inside) < 0, Part.DEEP_GREY)
    callosum = b.tube(
        (0, -36, 14, 4), (0, -40, 24, 4.5), (0, -26, 34, 4), (0, 8, 39, 3.4), (0, 34, 32, 5), (0, 38, 24, 5)
    )
    b.put((callosum < 0) & (np.abs(b.x) < 14), Part.WHITE)
    b.put((np.minimum.reduce([b.tube((s * 7, -44, 20, 4), (s * 20, -52, 26, 4)) for s in (1, -1)]) < 0), Part.WHITE)
    b.put((np.abs(b.x) < 1.2) & (b.ellipsoid((0, -8, 28), (4, 26, 9)) < 0), Part.WHITE, over=(Part.CSF,))
    b.put(b.ellipsoid((0, -20, -21), (6, 5, 4)) < 0, Part.GLAND)


def _hindbrain(b: _Builder, inner: Volume) -> None:
    """Cerebellum with its fine leaves, midbrain, pons, medulla and cord."""
    halves = [b.ellipsoid((s * 25, 48, -26), (31, 34, 25)) for s in (1, -1)]
    cerebellum = np.maximum(_soft_union([*halves, b.ellipsoid((0, 48, -22), (12, 28, 24))], 3.0), inner + 3.0)
    tent = (b.z - 6 + 0.13 * np.abs(b.x) + 0.12 * np.abs(b.y - 30)).astype(np.float32)
    cerebellum = np.maximum(cerebellum, tent)
    b.put((cerebellum < 4.5) & (inner < 0), Part.CSF)
    b.put(cerebellum < 0, Part.GREY)
    center_mm = np.sqrt((b.y - 30) ** 2 + (b.z + 28) ** 2 + 0.35 * (np.abs(b.x) - 14) ** 2)
    leaves = np.sin(np.arctan2(b.z + 28, b.y - 26) * 19 + 0.1 * np.abs(b.x) + 0.45 * _cells())
    b.put((cerebellum < -2) & (leaves < -0.88) & (center_mm > 10), Part.CSF)
    b.put((cerebellum < -4.5) & ((leaves > 0.5) | (center_mm < 14)), Part.WHITE)
    stem = b.tube(
        (0, 6, 0, 13),
        (0, 8, -12, 13),
        (0, 10, -24, 12.5),
        (0, 16, -40, 8.5),
        (0, 22, -54, 7),
        (0, 25, -90, 5.6),
        (0, 26, -180, 5.2),
    )
    b.put(stem < 0, Part.CORD)
    pons = b.ellipsoid((0, 3, -23), (15.5, 12.5, 13))
    b.put(pons < 0, Part.CORD)
    b.put(b.ellipsoid((0, 26, -29), (8, 5.5, 8)) < 0, Part.CSF)
    b.put(b.tube((0, 18, -4, 1.4), (0, 22, -20, 1.6)) < 0, Part.CSF)
    for side in (-1, 1):
        b.put(b.tube((side * 12, 14, -24, 6), (side * 22, 36, -26, 5)) < 0, Part.WHITE)


_once = threading.Lock()


def head() -> Head:
    """Return the head; made once and kept, as three series are cut from it, also by two threads."""
    with _once:
        return _made_head()


@cache
def _made_head() -> Head:
    b = _Builder()
    skin = _outside(b)
    inner = _skull(b)
    _face(b, skin)
    _neck_bones(b)
    _brain(b, inner)
    texture = 1 + 0.035 * _smooth_noise(307, 2.5)
    signals = []
    for table in (T1_SIGNAL, T2_SIGNAL):
        signal = np.array(table, dtype=np.float32)[b.parts]
        signals.append(gaussian_filter(signal * texture, 0.55))
    return Head(t1=signals[0], t2=signals[1])
