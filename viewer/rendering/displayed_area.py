"""Which part of an image a presentation state shows, how it is turned, and how large (PS3.3 C.10.4, C.10.6).

Image coordinates here are those of annotations: x counts columns and y rows, 0\\0 is
the outer corner of the first pixel (PS3.3 C.10.5). Picture coordinates are the same
after turning: 0\\0 is the upper left corner of what is shown.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription
from archive.pixels.tiling import tile_places
from viewer.rendering.geometry import pixel_aspect_ratio
from viewer.rendering.presentation_state import DisplayedArea, FrameState

SAME_SIDES = 1e-3
"""Sides of a pixel that differ by less are equal: spacings are rounded."""


class Affine(NamedTuple):
    """x' = xx x + xy y + x0, y' = yx x + yy y + y0."""

    xx: float
    xy: float
    x0: float
    yx: float
    yy: float
    y0: float

    def apply(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map points, shape (n, 2) with x first."""
        linear = np.array([[self.xx, self.xy], [self.yx, self.yy]])
        mapped: NDArray[np.float64] = points @ linear.T + np.array([self.x0, self.y0])
        return mapped

    def after(self, first: Affine) -> Affine:
        """The map that applies ``first`` and then this one."""
        return Affine(
            self.xx * first.xx + self.xy * first.yx,
            self.xx * first.xy + self.xy * first.yy,
            self.xx * first.x0 + self.xy * first.y0 + self.x0,
            self.yx * first.xx + self.yy * first.yx,
            self.yx * first.xy + self.yy * first.yy,
            self.yx * first.x0 + self.yy * first.y0 + self.y0,
        )

    def inverse(self) -> Affine:
        """The way back; the map must not be flat."""
        determinant = self.xx * self.yy - self.xy * self.yx
        xx, xy, yx, yy = (part / determinant for part in (self.yy, -self.xy, -self.yx, self.xx))
        return Affine(xx, xy, -(xx * self.x0 + xy * self.y0), yx, yy, -(yx * self.x0 + yy * self.y0))


def scaling(across: float, down: float) -> Affine:
    """Larger by a factor along each axis."""
    return Affine(across, 0.0, 0.0, 0.0, down, 0.0)


class Box(NamedTuple):
    """A rectangle in image coordinates; may reach beyond the image."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


def area_box(area: DisplayedArea | None, rows: int, columns: int) -> Box:
    """The displayed area from outer edge to outer edge; the whole image where the state names none.

    Corner pixels count from 1\\1 and belong to the area (C.10.4). Which corner is the upper
    left one after turning follows from the turn, so the order of the two says nothing new.
    """
    if area is None:
        return Box(0, 0, columns, rows)
    (x1, y1), (x2, y2) = area.top_left, area.bottom_right
    return Box(min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2), max(y1, y2))


def turning(box: Box, rotation: int, *, flipped: bool) -> Affine:
    """From image coordinates to the picture of a box: turned clockwise, then mirrored left-right (C.10.6).

    >>> turning(Box(0, 0, 4, 2), 90, flipped=False).apply(np.array([[0.0, 0.0], [4.0, 0.0]])).tolist()
    [[2.0, 0.0], [2.0, 4.0]]
    """
    width, height = box.width, box.height
    turned = {
        0: Affine(1, 0, 0, 0, 1, 0),
        90: Affine(0, -1, height, 1, 0, 0),
        180: Affine(-1, 0, width, 0, -1, height),
        270: Affine(0, 1, 0, -1, 0, width),
    }[rotation]
    across = height if rotation % 180 else width
    mirror = Affine(-1, 0, across, 0, 1, 0) if flipped else scaling(1, 1)
    return mirror.after(turned).after(Affine(1, 0, -box.left, 0, 1, -box.top))


def from_matrix(description: ImageDescription, frame_number: int) -> Affine:
    """From coordinates of the total pixel matrix to those of a frame: the same where the image is not tiled."""
    if description.tiling is None:
        return scaling(1, 1)
    places = tile_places(description.tiling, description.rows, description.columns, description.frames)
    return Affine(1, 0, -float(places.column[frame_number - 1]), 0, 1, -float(places.row[frame_number - 1]))


def shown_aspect_ratio(
    area: DisplayedArea | None, description: ImageDescription, frame_number: int
) -> tuple[float, float]:
    """Height and width of an image pixel on the screen: what the state says, else the image (C.10.4)."""
    if area is not None and area.pixel_spacing is not None:
        return area.pixel_spacing
    if area is not None and area.pixel_aspect_ratio is not None:
        return float(area.pixel_aspect_ratio[0]), float(area.pixel_aspect_ratio[1])
    return pixel_aspect_ratio(description, frame_number)


def pixel_shape(aspect: tuple[float, float]) -> tuple[float, float]:
    """Height and width of a pixel whose shorter side is 1, so that no pixel is lost at 1:1."""
    vertical, horizontal = aspect
    if abs(vertical / horizontal - 1) < SAME_SIDES:
        return 1.0, 1.0
    least = min(vertical, horizontal)
    return vertical / least, horizontal / least


def viewport_turn(state: FrameState) -> tuple[int, bool]:
    """Rotation and flip of a viewport, which mirrors first and then turns clockwise.

    Turning by r and then mirroring is mirroring and then turning by -r.
    """
    return ((360 - state.rotation) % 360 if state.flipped else state.rotation), state.flipped
