"""The steps of a frame that a presentation state or the image itself says: shutter, overlays, annotations.

With a state the image's own shutter, overlays and VOI have no part; without one there
are no annotations (PS3.4 N.2).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.pixels.description import ImageDescription, OverlayPlane, Shutter
from viewer.rendering.annotations import Canvas, draw_annotations
from viewer.rendering.display_table import DisplayTransform
from viewer.rendering.displayed_area import area_box, from_matrix, scaling, turning
from viewer.rendering.geometry import pixel_aspect_ratio
from viewer.rendering.overlays import burn_overlays, overlay_mask, reduce_mask
from viewer.rendering.presentation_lut import Voi
from viewer.rendering.presentation_state import ActiveOverlay, FrameState, StateKind
from viewer.rendering.shutters import apply_shutter, shutter_mask
from viewer.rendering.tiles import Region


def state_transform(
    state: FrameState,
    voi: Voi,
    padding: tuple[float, float] | None,
    *,
    reader_inverted: bool,
    color_map: str,
) -> DisplayTransform:
    """The grey levels of a state; what it does not say is identity (PS3.4 N.2.1, N.2.3)."""
    return DisplayTransform(
        modality=state.modality,
        voi=voi,
        padding=padding,
        image_inverted=state.inverted and state.presentation_lut is None,
        reader_inverted=reader_inverted,
        map=color_map,
        presentation_lut=state.presentation_lut,
        palette=state.palette if state.kind is StateKind.PSEUDO_COLOR else None,
        icc_profile=state.icc_profile,
    )


def color_profile(description: ImageDescription, state: FrameState | None) -> bytes | None:
    """Profile of a color image's samples: that of a color state where there is one (PS3.4 N.2.2)."""
    return state.icc_profile if state is not None and state.kind is StateKind.COLOR else description.icc_profile


def cover(
    image: NDArray[np.uint8],
    description: ImageDescription,
    frame_number: int,
    state: FrameState | None,
    region: Region,
    scale: int,
) -> NDArray[np.uint8]:
    """Apply the display shutter of a state, or of the image where there is no state."""
    shutter, bitmap = _shutter_of(description, frame_number, state)
    if shutter is None:
        return image
    aspect = pixel_aspect_ratio(description, frame_number)
    return apply_shutter(image, shutter_mask(shutter, region, scale=scale, aspect=aspect, bitmap=bitmap), shutter)


def _shutter_of(
    description: ImageDescription, frame_number: int, state: FrameState | None
) -> tuple[Shutter | None, OverlayPlane | None]:
    if state is not None:
        return state.shutter, state.shutter_bitmap
    shutter = description.frame(frame_number).shutter
    group = 0 if shutter is None else shutter.overlay_group
    return shutter, next((plane for plane in description.overlays if plane.group == group), None)


def has_shutter(description: ImageDescription) -> bool:
    """Whether any frame of an image is covered in part."""
    return any(frame.shutter is not None for frame in (description.shared, *description.per_frame))


def lay_over(
    image: NDArray[np.uint8],
    description: ImageDescription,
    frame_number: int,
    state: FrameState | None,
    region: Region,
    scale: int,
    cells: NDArray[Any] | None,
) -> NDArray[np.uint8]:
    """Draw the overlays of an image; with a state its overlays, graphics and text instead, in image geometry.

    What counts fractions of the displayed area is drawn where that area lies in the image,
    and text so that it reads as the state wants it once the viewport has turned the picture.
    """
    if state is None:
        planes = _shown_planes(description, frame_number)
        if not planes:
            return image
        mask = overlay_mask(description, frame_number, cells, planes=planes)
        return burn_overlays(image, None if mask is None else reduce_mask(mask, scale), region)
    box = area_box(state.area, description.rows, description.columns)
    turned = turning(box, state.rotation, flipped=state.flipped)
    across, down = (box.height, box.width) if state.rotation % 180 else (box.width, box.height)
    smaller = scaling(1 / scale, 1 / scale)
    canvas = Canvas(
        rows=-(-description.rows // scale),
        columns=-(-description.columns // scale),
        region=region,
        from_image=smaller,
        from_matrix=smaller.after(from_matrix(description, frame_number)),
        from_display=smaller.after(turned.inverse()).after(scaling(across, down)),
        rotation=state.rotation,
        flipped=state.flipped,
    )
    return draw_annotations(
        image, state, canvas, lambda one: _active_mask(one, description, frame_number, region, scale, cells)
    )


def _shown_planes(description: ImageDescription, frame_number: int) -> list[OverlayPlane]:
    """The overlays of an image; the bitmap of its shutter is none of them (PS3.3 C.7.6.15)."""
    shutter = description.frame(frame_number).shutter
    hidden = 0 if shutter is None else shutter.overlay_group
    return [plane for plane in description.overlays if plane.group != hidden]


def active_planes(overlay: ActiveOverlay, description: ImageDescription) -> list[OverlayPlane]:
    """The plane that an activation means: the state's own, else the image's of that group (PS3.3 C.11.7)."""
    if overlay.plane is not None:
        return [overlay.plane]
    return [plane for plane in description.overlays if plane.group == overlay.group]


def _active_mask(
    overlay: ActiveOverlay,
    description: ImageDescription,
    frame_number: int,
    region: Region,
    scale: int,
    cells: NDArray[Any] | None,
) -> NDArray[np.bool_] | None:
    mask = overlay_mask(description, frame_number, cells, planes=active_planes(overlay, description))
    if mask is None:
        return None
    whole = reduce_mask(mask, scale)
    return whole[region.row : region.row + region.rows, region.column : region.column + region.columns]
