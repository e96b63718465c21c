"""Blending presentation states: one set of monochrome images in color over another in grey (PS3.4 N.2.4, PS3.3 C.11.14).

The standard leaves open how the two sets meet. Here every pixel of an underlying image
takes the superimposed value at its place in the patient: the nearest plane, bilinear
within it. The caller sees to it that both have one frame of reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from archive.pixels.description import ImageDescription
from viewer.errors import NothingToDraw
from viewer.rendering.display_table import apply_display, padding_mask
from viewer.rendering.modality_lut import apply_modality
from viewer.rendering.pipeline import Decoded
from viewer.rendering.presentation_lut import Voi, pseudo_color
from viewer.rendering.presentation_state import Blending, FrameState, PresentationState, identity
from viewer.rendering.presentation_target import Size, present
from viewer.rendering.stated import state_transform

FAR_MM = 0.01
"""How far beyond half a slice a place may be and still belong to it; only rounding moves it there."""
UNKNOWN_THICKNESS_MM = 1.0


class PlacedFrame(NamedTuple):
    """A frame of one of the two sets, known by its header alone."""

    sop_instance_uid: str
    frame_number: int
    """From 1."""
    description: ImageDescription


class _Plane(NamedTuple):
    """Where a frame is in the patient, mm."""

    origin: NDArray[np.float64]
    across: NDArray[np.float64]
    """Step from one column to the next."""
    down: NDArray[np.float64]
    """Step from one row to the next."""

    @property
    def normal(self) -> NDArray[np.float64]:
        normal = np.cross(self.across, self.down)
        unit: NDArray[np.float64] = normal / np.linalg.norm(normal)
        return unit


def _plane(frame: PlacedFrame) -> _Plane:
    attributes = frame.description.frame(frame.frame_number)
    position, orientation = attributes.image_position_patient, attributes.image_orientation_patient
    spacing = attributes.pixel_spacing
    if position is None or orientation is None or spacing is None:
        raise NothingToDraw("Images of a blending presentation state do not say where they are.")
    axes = np.array(orientation, np.float64)
    return _Plane(np.array(position, np.float64), axes[:3] * spacing[1], axes[3:] * spacing[0])


def _places(plane: _Plane, rows: int, columns: int) -> NDArray[np.float64]:
    """Place of every pixel's center, shape (rows, columns, 3)."""
    row, column = np.arange(rows)[:, None, None], np.arange(columns)[None, :, None]
    places: NDArray[np.float64] = plane.origin + column * plane.across + row * plane.down
    return places


def _nearest_planes(underlying: PlacedFrame, superimposed: Sequence[PlacedFrame]) -> NDArray[np.intp]:
    """For each pixel of the underlying frame the superimposed frame it lies in, -1 for none."""
    places = _places(_plane(underlying), underlying.description.rows, underlying.description.columns)
    planes = [_plane(one) for one in superimposed]
    normal = planes[0].normal
    distances = np.array([float(plane.origin @ normal) for plane in planes])
    order = np.argsort(distances, kind="stable")
    along = distances[order]
    depth = places @ normal
    right = np.clip(np.searchsorted(along, depth), 1, max(len(along) - 1, 1))
    left = right - 1
    right = np.minimum(right, len(along) - 1)
    nearest = np.where(np.abs(along[right] - depth) < np.abs(along[left] - depth), right, left)
    reach = _reach_mm(superimposed, along)
    found = order[nearest]
    return np.where(np.abs(along[nearest] - depth) <= reach + FAR_MM, found, -1)


def _reach_mm(superimposed: Sequence[PlacedFrame], along: NDArray[np.float64]) -> float:
    """Half the usual distance of planes, or half the thickness of a single one."""
    gaps = np.diff(along)
    gaps = gaps[gaps > FAR_MM]
    if len(gaps):
        return float(np.median(gaps)) / 2
    first = superimposed[0]
    return (first.description.frame(first.frame_number).slice_thickness or UNKNOWN_THICKNESS_MM) / 2


def frames_needed(underlying: PlacedFrame, superimposed: Sequence[PlacedFrame]) -> list[int]:
    """Which superimposed frames an underlying one needs, as places in their list: only these must be decoded.

    Raises
    ------
    NothingToDraw
        Position, orientation or spacing of an image is missing.
    """
    if not superimposed:
        return []
    return [int(index) for index in np.unique(_nearest_planes(underlying, superimposed)) if index >= 0]


def render_blending(
    state: PresentationState,
    underlying: PlacedFrame,
    underlying_pixels: Decoded,
    superimposed: Sequence[PlacedFrame],
    superimposed_pixels: dict[int, Decoded],
    *,
    viewport: Size | None = None,
) -> NDArray[np.uint8]:
    """Draw a blending state in the geometry of one underlying frame, with area, turn and annotations.

    Parameters
    ----------
    superimposed
        Every frame of the superimposed set.
    superimposed_pixels
        Stored values of the frames that ``frames_needed`` names, by their place in the list.

    Returns
    -------
    uint8, (rows, columns, 3) sRGB. Where nothing is superimposed the underlying grey is seen alone.

    Raises
    ------
    NothingToDraw
        The state is no blending state, or an image is not where it could be put.
    """
    blending = state.blending
    stated = state.for_frame(underlying.sop_instance_uid, underlying.frame_number, signed=_is_signed(underlying))
    if blending is None or stated is None or state.palette is None:
        raise NothingToDraw("The presentation state blends no such image.")
    grey = _grey(underlying, underlying_pixels, stated)
    colors, present_at = _superimposed_colors(state, underlying, superimposed, superimposed_pixels)
    blended = blend(grey, colors, present_at, blending)
    return present(blended, underlying.description, underlying.frame_number, stated, viewport=viewport)


def blend(
    grey: NDArray[np.uint8], colors: NDArray[np.uint8], present_at: NDArray[np.bool_], blending: Blending
) -> NDArray[np.uint8]:
    """Mix the two pictures: color x opacity + grey x (1 - opacity), to the nearest (PS3.4 N.2.4.3)."""
    opacity = np.where(present_at, blending.relative_opacity, 0.0)[:, :, None]
    mixed = colors * opacity + grey[:, :, None] * (1.0 - opacity)
    return np.floor(mixed + 0.5).astype(np.uint8)


def _is_signed(frame: PlacedFrame) -> bool:
    return bool(frame.description.pixel_representation)


def _voi_of(stated: FrameState, description: ImageDescription) -> Voi:
    voi = stated.voi or identity(description, stated.modality)
    if voi is None:
        raise NothingToDraw("Floating-point images need a window to be blended.")
    return voi


def _grey(frame: PlacedFrame, pixels: Decoded, stated: FrameState) -> NDArray[np.uint8]:
    """Display values of the underlying frame: modality and VOI alone (N.2.4.1)."""
    if pixels.values.ndim != 2:
        raise NothingToDraw("Only monochrome images can be blended.")
    voi = _voi_of(stated, frame.description)
    plain = state_transform(stated, voi, frame.description.padding, reader_inverted=False, color_map="grey")
    return apply_display(pixels.values, plain)


def _superimposed_colors(
    state: PresentationState,
    underlying: PlacedFrame,
    superimposed: Sequence[PlacedFrame],
    pixels: dict[int, Decoded],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Colors at every pixel of the underlying frame, and where there are any."""
    rows, columns = underlying.description.rows, underlying.description.columns
    colors = np.zeros((rows, columns, 3), np.uint8)
    present_at = np.zeros((rows, columns), np.bool_)
    if not superimposed or state.palette is None:
        return colors, present_at
    nearest = _nearest_planes(underlying, superimposed)
    places = _places(_plane(underlying), rows, columns)
    for index, decoded in pixels.items():
        frame = superimposed[index]
        stated = state.for_frame(frame.sop_instance_uid, frame.frame_number, signed=_is_signed(frame))
        wanted = nearest == index
        if stated is None or not wanted.any():
            continue
        values, here = _sample(frame, decoded.values, stated, places[wanted])
        colored = pseudo_color(values, _voi_of(stated, frame.description), state.palette, state.icc_profile)
        colors[wanted] = colored
        present_at[wanted] = here
    return colors, present_at


def _sample(
    frame: PlacedFrame, values: NDArray[Any], stated: FrameState, places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Modality values of a frame at places of the patient, bilinear; False where there is no pixel or only padding."""
    if values.ndim != 2:
        raise NothingToDraw("Only monochrome images can be blended.")
    plane = _plane(frame)
    offset = places - plane.origin
    column = offset @ plane.across / float(plane.across @ plane.across)
    row = offset @ plane.down / float(plane.down @ plane.down)
    here = (row >= -0.5) & (row <= values.shape[0] - 0.5) & (column >= -0.5) & (column <= values.shape[1] - 0.5)
    modality = apply_modality(values, stated.modality)
    padded = padding_mask(values, frame.description.padding)
    if padded is None:
        sampled: NDArray[np.float64] = map_coordinates(modality, [row, column], order=1, mode="nearest")
        return sampled, here
    # Padded pixels have no part in a mean; a place that lies mostly among them has no color.
    weight = np.logical_not(padded).astype(np.float64)
    share = map_coordinates(weight, [row, column], order=1, mode="nearest")
    sums = map_coordinates(np.where(padded, 0.0, modality), [row, column], order=1, mode="nearest")
    return sums / np.where(share > 0, share, 1.0), here & (share >= 0.5)
