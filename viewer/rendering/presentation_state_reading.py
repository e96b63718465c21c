"""A presentation state's data set into a ``PresentationState``, once (PS3.3 C.10, C.11).

Values are foreign: what is absent, broken or beyond a limit is left out, and where
a reader would miss it the state's notes say so.
"""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

from archive.dicom.values import first_item, integer, items, number, numbers, text, value_of
from archive.pixels.describe import icc_profile, is_little_endian, overlay_planes, presentation_lut
from archive.pixels.description import FrameAttributes, OverlayPlane, Shutter
from archive.pixels.functional_groups import windows
from archive.pixels.shutters import cielab, shutter
from archive.pixels.tables import lookup_table, palette
from viewer.errors import NothingToDraw
from viewer.rendering.annotation_reading import MAXIMUM_ITEMS, Budget, read_annotations
from viewer.rendering.cielab import Rgb, grey_of, srgb_of
from viewer.rendering.modality_lut import IDENTITY, ModalityTransform
from viewer.rendering.presentation_state import (
    STATE_KINDS,
    ActiveOverlay,
    BlendedSet,
    Blending,
    DisplayedArea,
    GraphicLayer,
    GreyScale,
    MaskSubtraction,
    PresentationState,
    References,
    SizeMode,
    SoftcopyVoi,
    StateKind,
)
from viewer.rendering.voi_lut import usable_windows

MAXIMUM_TABLES: Final = 64
"""Windows and tables of the Softcopy VOI LUT Sequence; a table has up to 128 KiB."""
MAXIMUM_OVERLAY_BYTES: Final = 8 << 20
"""Of all overlay planes of a state; a mammogram's plane has 2 MiB."""
MAXIMUM_LAYERS: Final = 256
MAXIMUM_MAGNIFICATION: Final = 64.0
COORDINATE_LIMIT: Final = 1 << 20
"""Largest column or row of a displayed area, to either side."""


def read_presentation_state(ds: Dataset) -> PresentationState:
    """Read the state that a data set holds.

    Raises
    ------
    NothingToDraw
        The SOP class is no presentation state that can be drawn here, or it lists no images.
    """
    sop_class_uid = text(ds, "SOPClassUID")
    kind = STATE_KINDS.get(sop_class_uid)
    if kind is None:
        raise NothingToDraw("This kind of presentation state cannot be shown.")
    little_endian = is_little_endian(ds)
    budget = Budget()
    blending = _blending(ds, little_endian, budget) if kind is StateKind.BLENDING else None
    images = _listed_images(ds, budget)
    if blending is not None:
        images = {**blending.underlying.images, **blending.superimposed.images}
    if not images:
        raise NothingToDraw("The presentation state names no images.")
    covering, bitmap, active = _covering_and_overlays(ds, little_endian, budget)
    return PresentationState(
        sop_instance_uid=text(ds, "SOPInstanceUID"),
        sop_class_uid=sop_class_uid,
        kind=kind,
        label=text(ds, "ContentLabel"),
        description=text(ds, "ContentDescription"),
        creator=text(ds, "ContentCreatorName"),
        created=text(ds, "PresentationCreationDate") + text(ds, "PresentationCreationTime"),
        images=images,
        greys=_greys(ds, little_endian, budget),
        inverted=text(ds, "PresentationLUTShape") == "INVERSE",
        presentation_lut=presentation_lut(ds, little_endian=little_endian),
        palette=palette(ds, signed=False, little_endian=little_endian)
        if kind in (StateKind.PSEUDO_COLOR, StateKind.BLENDING)
        else None,
        icc_profile=icc_profile(ds),
        shutter=covering,
        shutter_bitmap=bitmap,
        overlays=active,
        layers=_layers(ds),
        annotations=read_annotations(ds, budget),
        areas=tuple(
            area
            for item in items(ds, "DisplayedAreaSelectionSequence")[:MAXIMUM_ITEMS]
            if (area := _area(item, budget))
        ),
        rotation=_rotation(ds),
        flipped=text(ds, "ImageHorizontalFlip") == "Y",
        mask=_mask(ds),
        blending=blending,
        notes=budget.notes(),
    )


def _listed_images(ds: Dataset, budget: Budget) -> References:
    """Images of the Presentation State Relationship (PS3.3 C.11.11), of every series."""
    found: dict[str, frozenset[int]] = {}
    for series in items(ds, "ReferencedSeriesSequence"):
        found.update(budget.refer(series))
    return found


def _greys(ds: Dataset, little_endian: bool, budget: Budget) -> GreyScale:
    """Modality LUT (C.11.1) and Softcopy VOI LUT (C.11.8) of a state or of one set of a blending state."""
    found = []
    for item in items(ds, "SoftcopyVOILUTSequence")[:MAXIMUM_TABLES]:
        table = first_item(item, "VOILUTSequence")
        entries = None if table is None else lookup_table(table, signed=False, little_endian=little_endian)
        usable = usable_windows(FrameAttributes(windows=windows(item)))
        voi = entries or (usable[0] if usable else None)
        if voi is not None:
            found.append(SoftcopyVoi(budget.refer(item), voi))
    return GreyScale(_modality(ds, little_endian), tuple(found))


def _modality(ds: Dataset, little_endian: bool) -> ModalityTransform:
    item = first_item(ds, "ModalityLUTSequence")
    table = None if item is None else lookup_table(item, signed=False, little_endian=little_endian)
    if table is not None:
        return ModalityTransform(table=table)
    slope = number(ds, "RescaleSlope")
    if not slope:
        return IDENTITY
    return ModalityTransform(slope, number(ds, "RescaleIntercept") or 0.0)


def _covering_and_overlays(
    ds: Dataset, little_endian: bool, budget: Budget
) -> tuple[Shutter | None, OverlayPlane | None, tuple[ActiveOverlay, ...]]:
    """The shutter, its bitmap, and the overlays that are switched on (PS3.3 C.7.6.15, C.11.7)."""
    planes: dict[int, OverlayPlane] = {}
    left_out, size = set(), 0
    for plane in overlay_planes(ds, little_endian=little_endian):
        size += len(plane.bits or b"")
        if size > MAXIMUM_OVERLAY_BYTES:
            budget.leave_out()
            left_out.add(plane.group)
        else:
            planes[plane.group] = plane
    covering = shutter(ds)
    bitmap = planes.get(covering.overlay_group) if covering is not None else None
    active = []
    for group in range(0x6000, 0x6020, 2):
        layer = text(ds, group << 16 | 0x1001)
        # The bitmap of a shutter is never an overlay (C.7.6.15).
        is_bitmap = covering is not None and covering.overlay_group == group
        if layer and not is_bitmap and group not in left_out:
            active.append(ActiveOverlay(layer, group, planes.get(group)))
    return covering, bitmap, tuple(active)


def _layers(ds: Dataset) -> tuple[GraphicLayer, ...]:
    found = []
    for item in items(ds, "GraphicLayerSequence")[:MAXIMUM_LAYERS]:
        value = number(item, "GraphicLayerRecommendedDisplayGrayscaleValue")
        color = cielab(item, "GraphicLayerRecommendedDisplayCIELabValue")
        found.append(
            GraphicLayer(
                name=text(item, "GraphicLayer"),
                order=integer(item, "GraphicLayerOrder"),
                description=text(item, "GraphicLayerDescription"),
                presentation_value=None if value is None else min(max(int(value), 0), 0xFFFF),
                color=srgb_of(color) if color is not None else _retired_color(item),
            )
        )
    return tuple(sorted(found, key=lambda layer: layer.order))


def _retired_color(item: Dataset) -> Rgb | None:
    """Graphic Layer Recommended Display RGB Value (0070,0067), three P-values, retired."""
    values = numbers(item, "GraphicLayerRecommendedDisplayRGBValue", 3)
    return (grey_of(int(values[0])), grey_of(int(values[1])), grey_of(int(values[2]))) if values else None


def _area(item: Dataset, budget: Budget) -> DisplayedArea | None:
    first = numbers(item, "DisplayedAreaTopLeftHandCorner", 2)
    last = numbers(item, "DisplayedAreaBottomRightHandCorner", 2)
    if not first or not last or any(abs(value) > COORDINATE_LIMIT for value in (*first, *last)):
        return None
    mode = text(item, "PresentationSizeMode")
    spacing = numbers(item, "PresentationPixelSpacing", 2)
    ratio = numbers(item, "PresentationPixelAspectRatio", 2)
    magnification = number(item, "PresentationPixelMagnificationRatio") or 1.0
    return DisplayedArea(
        images=budget.refer(item),
        top_left=(int(first[0]), int(first[1])),
        bottom_right=(int(last[0]), int(last[1])),
        mode=SizeMode(mode) if mode in set(SizeMode) else SizeMode.SCALE_TO_FIT,
        pixel_spacing=(spacing[0], spacing[1]) if spacing and min(spacing) > 0 else None,
        pixel_aspect_ratio=(int(ratio[0]), int(ratio[1])) if ratio and min(ratio) >= 1 else None,
        magnification=min(max(magnification, 1 / MAXIMUM_MAGNIFICATION), MAXIMUM_MAGNIFICATION),
    )


def _rotation(ds: Dataset) -> int:
    rotation = integer(ds, "ImageRotation")
    return rotation % 360 if rotation % 90 == 0 else 0


def _mask(ds: Dataset) -> MaskSubtraction | None:
    item = first_item(ds, "MaskSubtractionSequence")
    if item is None:
        return None
    shift = numbers(item, "MaskSubPixelShift", 2)
    return MaskSubtraction(
        operation=text(item, "MaskOperation"),
        mask_frames=tuple(int(frame) for frame in numbers(item, "MaskFrameNumbers")[:MAXIMUM_ITEMS]),
        contrast_frame_averaging=max(integer(item, "ContrastFrameAveraging", 1), 1),
        tid_offset=integer(item, "TIDOffset", 1),
        sub_pixel_shift=(shift[0], shift[1]) if shift else (0.0, 0.0),
    )


def _blending(ds: Dataset, little_endian: bool, budget: Budget) -> Blending:
    """The two sets of a blending state (PS3.3 C.11.14)."""
    sides = {}
    for item in items(ds, "BlendingSequence")[:2]:
        position = text(item, "BlendingPosition")
        sides[position] = BlendedSet(_listed_images(item, budget), _greys(item, little_endian, budget))
    opacity = number(ds, "RelativeOpacity")
    if "UNDERLYING" not in sides or "SUPERIMPOSED" not in sides or opacity is None:
        raise NothingToDraw("The blending presentation state is not complete.")
    if value_of(ds, "RedPaletteColorLookupTableDescriptor") is None:
        raise NothingToDraw("The blending presentation state has no color palette.")
    return Blending(sides["UNDERLYING"], sides["SUPERIMPOSED"], min(max(opacity, 0.0), 1.0))
