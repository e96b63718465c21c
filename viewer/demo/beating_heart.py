"""An apical four-chamber view of a beating heart, as an ultrasound machine shows it.

The heart is drawn once at rest, with its speckle; a beat moves the places at which that drawing is
asked, so that the speckle moves with the muscle. Pictures are ``(rows, columns, 3)`` RGB, 8 bits.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates

from viewer.demo.canvas import Plane, smoothstep

ROWS, COLUMNS = 600, 800
FRAMES = 30
FRAMES_PER_S = 24.0
BEAT_S = FRAMES / FRAMES_PER_S
"""The loop holds one beat, so that it closes."""

APEX = (24, 400)
"""Row and column of the probe."""
DEPTH_PX = 400
DEPTH_CM = 16.0
HALF_ANGLE = np.radians(41)
CM_PER_PX = DEPTH_CM / DEPTH_PX

SECTOR_BOX = (130, 16, 669, 427)
"""Columns and rows of the two-dimensional region: x0, y0, x1, y1, inclusive."""
ECG_BOX = (60, 432, 739, 458)
DOPPLER_BOX = (60, 464, 739, 587)
DOPPLER_SECONDS = 3.6
DOPPLER_BASELINE = 538
"""Row of velocity 0."""
CM_PER_S_PER_PX = 1.6
COLOR_RANGE_CM = (5.6, 12.6)
COLOR_HALF_ANGLE = np.radians(17)
COLOR_ANGLE = np.radians(6)


def _ellipse(x: Plane, y: Plane, center: tuple[float, float], axes: tuple[float, float], turn: float = 0.0) -> Plane:
    """Distance in cm to an ellipse, negative inside; x to the right, y away from the probe."""
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    dx, dy = x - np.float32(center[0]), y - np.float32(center[1])
    level = np.sqrt(((dx * cos + dy * sin) / axes[0]) ** 2 + ((dy * cos - dx * sin) / axes[1]) ** 2) + np.float32(1e-4)
    return np.asarray(np.sqrt(dx * dx + dy * dy) * (1 - 1 / level), dtype=np.float32)


def _chambers(x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Distances to the blood of the four chambers and to the outside of the heart, cm, at rest."""
    left = _ellipse(x, y, (1.15, 6.7), (2.05, 3.5), -0.10)
    right = _ellipse(x, y, (-2.0, 7.3), (1.35, 2.8), 0.22)
    left_atrium = _ellipse(x, y, (1.25, 12.1), (2.05, 1.95))
    right_atrium = _ellipse(x, y, (-2.3, 12.0), (1.75, 1.85))
    blood = np.minimum(np.minimum(left, right), np.minimum(left_atrium, right_atrium))
    outside = np.minimum(
        np.minimum(_ellipse(x, y, (1.1, 6.6), (3.1, 4.6), -0.10), _ellipse(x, y, (-2.1, 7.2), (1.95, 3.5), 0.22)),
        np.minimum(_ellipse(x, y, (1.25, 12.1), (2.4, 2.3)), _ellipse(x, y, (-2.35, 12.0), (2.1, 2.2))),
    )
    return blood, outside


def contraction(phase: float) -> float:
    """How far the ventricles have contracted, 0 to 1, at a fraction of the beat."""
    return float(np.exp(-(((phase - 0.33) / 0.13) ** 2)) + 0.25 * np.exp(-(((phase - 0.17) / 0.07) ** 2)))


def inflow(phase: float) -> float:
    """Velocity through the mitral valve, 0 to 1: the E and the A wave."""
    early = np.exp(-(((phase - 0.60) / 0.055) ** 2))
    late = 0.62 * np.exp(-(((phase - 0.90) / 0.045) ** 2))
    return float(early + late)


def outflow(phase: float) -> float:
    """Velocity into the aorta, 0 to 1."""
    return float(np.exp(-(((phase - 0.25) / 0.075) ** 2)))


@cache
def _plane() -> tuple[Plane, Plane, Plane, Plane, NDArray[np.bool_]]:
    """x and y in cm, range in cm, angle, and what lies in the sector."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
    x, y = (columns - APEX[1]) * np.float32(CM_PER_PX), (rows - APEX[0]) * np.float32(CM_PER_PX)
    reach, angle = np.hypot(x, y), np.arctan2(x, y)
    inside = (reach < DEPTH_CM) & (reach > 0.35) & (np.abs(angle) < HALF_ANGLE)
    return x, y, reach, angle, inside


@cache
def _speckle(seed: int) -> Plane:
    """Rayleigh speckle on a grid of 512 ranges by 256 lines, fine in range and broad across."""
    random = np.random.default_rng(seed)
    parts = [gaussian_filter(random.standard_normal((640, 300), dtype=np.float32), (1.2, 1.1)) for _ in range(2)]
    speckle = np.hypot(*parts)
    return np.asarray(speckle / speckle.mean(), dtype=np.float32)


def _speckle_at(seed: int, x: Plane, y: Plane) -> Plane:
    reach, angle = np.hypot(x, y), np.arctan2(x, y)
    places = np.stack([reach / DEPTH_CM * 560 + 20, (angle / HALF_ANGLE + 1.2) / 2.4 * 299])
    return np.asarray(map_coordinates(_speckle(seed), places, order=1, mode="reflect", output=np.float32))


def _at_rest(x: Plane, y: Plane, squeeze: float) -> tuple[Plane, Plane]:
    """Where each place was before the beat moved it: the walls thicken inwards, the base comes down."""
    weight = np.exp(-(((y - 7.0) / 5.0) ** 2)).astype(np.float32)
    across = 1 + np.float32(0.24 * squeeze) * weight * np.exp(-(((x + 0.3) / 3.6) ** 2))
    down = np.float32(0.75 * squeeze) * np.exp(-(((y - 10.4) / 3.4) ** 2))
    return np.asarray(x * across, dtype=np.float32), np.asarray(y + down, dtype=np.float32)


def _valve(x: Plane, y: Plane, hinge: tuple[float, float], reach_cm: float, direction: float, opening: float) -> Plane:
    """A leaflet: a thin bright line from its hinge, swung towards the apex when open."""
    angle = np.float32(direction * (1.30 * opening))
    end = (hinge[0] + direction * -reach_cm * np.cos(angle), hinge[1] - reach_cm * abs(np.sin(angle)) - 0.15)
    dx, dy = end[0] - hinge[0], end[1] - hinge[1]
    t = np.clip(((x - hinge[0]) * dx + (y - hinge[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    away = np.hypot(x - hinge[0] - t * dx, y - hinge[1] - t * dy)
    return np.asarray(np.exp(-((away / 0.10) ** 2)), dtype=np.float32)


def grey_picture(phase: float) -> tuple[NDArray[np.uint8], Plane]:
    """Return the sector at a fraction of the beat, ``(rows, columns)``, and how much of each pixel is blood."""
    x, y, reach, angle, inside = _plane()
    squeeze = contraction(phase)
    rest_x, rest_y = _at_rest(x, y, squeeze)
    blood, outside = _chambers(rest_x, rest_y)
    in_blood = smoothstep(-blood, -0.06, 0.10)
    muscle = smoothstep(-outside, -0.15, 0.2)
    echo = 0.035 + 0.24 * muscle * (1 - in_blood) + 0.05 * (1 - muscle) * (1 - smoothstep(reach, 4, 12))
    # Surfaces across the beam shine: the pericardium, the septum's edges, the lungs beside.
    echo += 0.62 * np.exp(-(((outside - 0.08) / 0.13) ** 2)) * (0.35 + 0.65 * np.abs(np.cos(angle * 2.2)))
    echo += 0.22 * np.exp(-((blood / 0.09) ** 2)) * muscle
    echo = echo * (1 - 0.93 * in_blood)
    opening = min(1.0, 1.15 * inflow(phase) + 0.18)
    ring = 10.25 - 0.7 * squeeze
    for hinge, length, direction in (
        ((-0.55, ring), 1.7, -1), ((3.05, ring), 1.35, 1),
        ((-0.75, ring - 0.3), 1.15, 1), ((-3.45, ring - 0.3), 1.3, -1),
    ):  # fmt: skip
        echo += 0.8 * _valve(x, y, hinge, length, direction, opening)
    speckle = _speckle_at(61, rest_x, rest_y)
    flicker = _speckle_at(62 + int(phase * FRAMES) % 7, x, y)
    amplitude = echo * speckle + 0.016 * flicker * (0.3 + reach / 9)
    shadow = 1 - 0.55 * np.exp(-(((angle - 0.52) / 0.05) ** 2)) - 0.4 * np.exp(-(((angle + 0.6) / 0.04) ** 2))
    amplitude *= shadow * (1.05 - 0.35 * (reach / DEPTH_CM) ** 2) * smoothstep(reach, 0.3, 1.3)
    near = np.exp(-reach / 0.55) * (0.7 + 0.5 * flicker)
    decibel = 20 * np.log10(np.maximum(amplitude + near, 1e-4))
    grey = np.clip((decibel + 40) / 42, 0, 1) ** 1.25 * 245
    return np.where(inside, grey, 0).astype(np.uint8), in_blood * inside


def _flow(phase: float, frame: int) -> Plane:
    """Velocity along the beam over the plane, -1 to 1, positive towards the probe."""
    x, y, _, _, _ = _plane()
    into = (
        inflow(phase)
        * np.exp(-(((x - 1.25 - 0.02 * (10 - y)) / 0.85) ** 2))
        * smoothstep(y, 4.2, 7)
        * smoothstep(-y, -12.8, -10.6)
    )
    out = (
        outflow(phase)
        * np.exp(-(((x - 0.1 + 0.12 * (y - 8)) / 0.6) ** 2))
        * smoothstep(y, 5.5, 8.5)
        * smoothstep(-y, -11.4, -10.4)
    )
    leak = (
        0.9
        * outflow(phase)
        * np.exp(-(((x - 1.6) / 0.28) ** 2))
        * smoothstep(y, 10.2, 10.7)
        * smoothstep(-y, -12.4, -11.0)
    )
    random = np.random.default_rng([7, frame])
    noise = gaussian_filter(random.standard_normal((ROWS, COLUMNS), dtype=np.float32), 2.0)
    return np.asarray((into - out - leak) * (1 + 1.1 * noise / noise.std() * 0.14), dtype=np.float32)


def _color_of(velocity: Plane) -> NDArray[np.float32]:
    """Red to yellow towards the probe, blue to cyan away; beyond the limit it wraps round."""
    wrapped = (velocity * 1.25 + 1) % 2 - 1
    strength = np.abs(wrapped)[..., None]
    toward = np.concatenate([120 + 135 * strength, 240 * strength**1.6, 30 * strength], axis=-1)
    away = np.concatenate([25 * strength, 225 * strength**1.6, 130 + 125 * strength], axis=-1)
    return np.where(wrapped[..., None] > 0, toward, away).astype(np.float32)


def _color_box() -> NDArray[np.bool_]:
    _, _, reach, angle, inside = _plane()
    return np.asarray(
        inside
        & (np.abs(angle - COLOR_ANGLE) < COLOR_HALF_ANGLE)
        & (reach > COLOR_RANGE_CM[0])
        & (reach < COLOR_RANGE_CM[1])
    )


@cache
def _spectrum() -> Plane:
    """The Doppler strip for its whole sweep, ``(rows, columns)``, 0 to 1."""
    x0, y0, x1, y1 = DOPPLER_BOX
    columns = np.arange(x1 - x0 + 1)
    phases = (columns / len(columns) * DOPPLER_SECONDS / BEAT_S) % 1.0
    velocity = ((DOPPLER_BASELINE - np.arange(y0, y1 + 1)) * CM_PER_S_PER_PX)[:, None]
    into = np.array([inflow(float(phase)) for phase in phases])[None, :] * 92
    out = np.array([outflow(float(phase)) for phase in phases])[None, :] * -62
    level = np.zeros((len(velocity), len(columns)), dtype=np.float32)
    for peak in (into, out):
        edge = np.abs(velocity - peak) / 7
        filled = (velocity * np.sign(peak + 1e-6) < np.abs(peak)) & (velocity * np.sign(peak + 1e-6) > 5)
        level += (0.95 * np.exp(-(edge**2)) + 0.30 * filled) * smoothstep(np.abs(peak), 4, 14)
    random = np.random.default_rng(8)
    grain = np.abs(gaussian_filter(random.standard_normal(level.shape, dtype=np.float32), (0.9, 0.5)))
    return np.asarray(np.clip(level * (0.35 + 1.6 * grain) + 0.05 * grain, 0, 1), dtype=np.float32)


def _ecg(phases: NDArray[np.floating]) -> NDArray[np.floating]:
    """Height of the trace, -0.3 to 1."""
    waves = ((0.02, 0.035, 0.16), (0.125, 0.010, -0.12), (0.145, 0.011, 1.0), (0.165, 0.012, -0.25), (0.42, 0.05, 0.28))
    return np.asarray(
        np.sum(
            [height * np.exp(-((((phases - at + 0.5) % 1 - 0.5) / width) ** 2)) for at, width, height in waves], axis=0
        )
    )


def _draw_furniture(picture: NDArray[np.uint8], frame: int) -> NDArray[np.uint8]:
    """Depth marks, the colour bar, the box, the trace, the sweep of the Doppler strip."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for centimeter in range(int(DEPTH_CM) + 1):
        row = APEX[0] + round(centimeter / CM_PER_PX)
        draw.line([(681, row), (689 if centimeter % 5 else 695, row)], fill=(150, 150, 150))
    for step in range(140):
        value = np.asarray([[(70 - step) / 70 * 0.79]], dtype=np.float32)
        draw.line([(758, 60 + step), (774, 60 + step)], fill=tuple(int(part) for part in _color_of(value)[0, 0]))
    corners = [
        (APEX[1] + reach / CM_PER_PX * np.sin(angle), APEX[0] + reach / CM_PER_PX * np.cos(angle))
        for reach, sign in ((COLOR_RANGE_CM[0], 1), (COLOR_RANGE_CM[1], -1))
        for angle in COLOR_ANGLE + sign * np.linspace(-COLOR_HALF_ANGLE, COLOR_HALF_ANGLE, 24)
    ]
    draw.line([*corners, corners[0]], fill=(225, 225, 225))
    x0, y0, x1, y1 = ECG_BOX
    columns = np.arange(x0, x1 + 1)
    heights = _ecg(((columns - x0) / (x1 - x0 + 1) * DOPPLER_SECONDS / BEAT_S) % 1.0)
    draw.line([(int(c), int(y1 - 6 - 16 * h)) for c, h in zip(columns, heights, strict=True)], fill=(70, 220, 90))
    sweep = x0 + int(((0.9 + frame / FRAMES_PER_S) % DOPPLER_SECONDS) / DOPPLER_SECONDS * (x1 - x0 + 1))
    draw.rectangle([(sweep, y0), (sweep + 7, DOPPLER_BOX[3])], fill=(0, 0, 0))
    draw.line([(DOPPLER_BOX[0], DOPPLER_BASELINE), (DOPPLER_BOX[2], DOPPLER_BASELINE)], fill=(120, 120, 70))
    for second in np.arange(0, DOPPLER_SECONDS, 0.2):
        column = DOPPLER_BOX[0] + int(second / DOPPLER_SECONDS * (DOPPLER_BOX[2] - DOPPLER_BOX[0] + 1))
        draw.line([(column, 589), (column, 594 if second % 1 > 0.01 else 598)], fill=(150, 150, 150))
    draw.text((14, 12), "TTE  2.5 MHz", fill=(170, 190, 210))
    draw.text((14, 28), f"{FRAMES_PER_S:.0f} Hz  16 cm", fill=(170, 190, 210))
    draw.text((748, 44), "+64", fill=(170, 170, 170))
    draw.text((748, 204), "-64 cm/s", fill=(170, 170, 170))
    draw.text((14, 566), "cm/s", fill=(170, 170, 170))
    return np.asarray(image)


def picture_at(frame: int, *, color: bool = True) -> NDArray[np.uint8]:
    """Return one picture of the loop, frames counted from 0; ``color`` adds flow and its box."""
    phase = (frame % FRAMES) / FRAMES
    grey, in_blood = grey_picture(phase)
    picture = np.repeat(grey[..., None], 3, axis=2).astype(np.float32)
    picture *= (1.0, 0.985, 0.94)
    if color:
        velocity = _flow(phase, frame)
        shown = _color_box() & (np.abs(velocity) > 0.13) & (in_blood > 0.55)
        share = np.clip(gaussian_filter(shown.astype(np.float32), 0.8), 0, 1)[..., None]
        picture = picture * (1 - share) + _color_of(velocity) * share
    x0, y0, x1, y1 = DOPPLER_BOX
    picture[y0 : y1 + 1, x0 : x1 + 1] = (_spectrum() * 235)[..., None]
    return _draw_furniture(np.clip(picture, 0, 255).astype(np.uint8), frame)
