"""A softcopy presentation state as a value: how somebody wanted images to be seen (PS3.4 N.2, PS3.3 C.10, C.11).

A state replaces what the image says: what the state does not say is identity, and
nothing of the image's own VOI, presentation LUT, shutter or photometric
interpretation is used (PS3.4 N.2). ``PresentationState.for_frame`` picks what is
about one frame; data sets are read in ``presentation_state_reading``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from archive.pixels.description import (
    ImageDescription,
    LookupTable,
    OverlayPlane,
    Palette,
    Shutter,
    VoiFunction,
    Window,
)
from viewer.rendering.cielab import Rgb, grey_of
from viewer.rendering.graphic_objects import CompoundObject, GraphicObject, TextObject
from viewer.rendering.modality_lut import IDENTITY, ModalityTransform
from viewer.rendering.voi_lut import ValueRange, entry_bits

DISPLAY_VALUES = 256


class StateKind(StrEnum):
    """What a state makes of its images."""

    GRAYSCALE = "grayscale"
    COLOR = "color"
    PSEUDO_COLOR = "pseudo-color"
    """Monochrome images through a palette."""
    BLENDING = "blending"
    """One set of monochrome images in color over another one in grey."""


STATE_KINDS = {
    # SOP classes of PS3.4 N that are drawn here.
    "1.2.840.10008.5.1.4.1.1.11.1": StateKind.GRAYSCALE,
    "1.2.840.10008.5.1.4.1.1.11.2": StateKind.COLOR,
    "1.2.840.10008.5.1.4.1.1.11.3": StateKind.PSEUDO_COLOR,
    "1.2.840.10008.5.1.4.1.1.11.4": StateKind.BLENDING,
    "1.2.840.10008.5.1.4.1.1.11.5": StateKind.GRAYSCALE,  # XA/XRF
}


References = Mapping[str, frozenset[int]]
"""Images by SOP Instance UID in the order of the file, with their frames, counted from 1; none of them means all."""


def is_about(references: References, sop_instance_uid: str, frame_number: int) -> bool:
    """Whether an item with these references applies to a frame; without any it applies to all (PS3.3 C.10, C.11.8)."""
    if not references:
        return True
    frames = references.get(sop_instance_uid)
    return frames is not None and (not frames or frame_number in frames)


class SizeMode(StrEnum):
    """Presentation Size Mode (0070,0100), PS3.3 C.10.4."""

    SCALE_TO_FIT = "SCALE TO FIT"
    TRUE_SIZE = "TRUE SIZE"
    MAGNIFY = "MAGNIFY"


@dataclass(frozen=True, slots=True)
class SoftcopyVoi:
    """One item of the Softcopy VOI LUT Sequence (PS3.3 C.11.8)."""

    images: References
    voi: Window | LookupTable


@dataclass(frozen=True, slots=True)
class DisplayedArea:
    """One item of the Displayed Area Selection Sequence (PS3.3 C.10.4)."""

    images: References
    top_left: tuple[int, int]
    """Column and row of a corner pixel of the area, from 1; may lie outside the image."""
    bottom_right: tuple[int, int]
    mode: SizeMode
    pixel_spacing: tuple[float, float] | None = None
    """Presentation Pixel Spacing in mm, rows first."""
    pixel_aspect_ratio: tuple[int, int] | None = None
    """Vertical, horizontal."""
    magnification: float = 1.0
    """Display pixels for an image pixel, with MAGNIFY."""


@dataclass(frozen=True, slots=True)
class GraphicLayer:
    """One item of the Graphic Layer Sequence (PS3.3 C.10.7)."""

    name: str
    order: int
    """Lower layers are drawn first."""
    description: str = ""
    presentation_value: int | None = None
    """P-value, 0 to 65535."""
    color: Rgb | None = None

    @property
    def paint(self) -> Rgb:
        """What its graphics are drawn with; white where the state does not say."""
        if self.color is not None:
            return self.color
        grey = 255 if self.presentation_value is None else grey_of(self.presentation_value)
        return grey, grey, grey


@dataclass(frozen=True, slots=True)
class Annotation:
    """One item of the Graphic Annotation Sequence."""

    images: References
    layer: str
    graphics: tuple[GraphicObject, ...] = ()
    texts: tuple[TextObject, ...] = ()
    compounds: tuple[CompoundObject, ...] = ()


@dataclass(frozen=True, slots=True)
class ActiveOverlay:
    """An overlay that is shown, in its layer (PS3.3 C.11.7)."""

    layer: str
    group: int
    plane: OverlayPlane | None
    """None: the image's own overlay of that group."""


@dataclass(frozen=True, slots=True)
class MaskSubtraction:
    """The one item of Mask Subtraction Sequence; it applies to the frames that the state lists (PS3.3 C.11.13)."""

    operation: str
    """AVG_SUB or TID."""
    mask_frames: tuple[int, ...] = ()
    """Counted from 1."""
    contrast_frame_averaging: int = 1
    tid_offset: int = 1
    sub_pixel_shift: tuple[float, float] = (0.0, 0.0)
    """Down, then across, in pixels."""


@dataclass(frozen=True, slots=True)
class GreyScale:
    """Modality and VOI steps for one set of images."""

    modality: ModalityTransform = IDENTITY
    vois: tuple[SoftcopyVoi, ...] = ()


@dataclass(frozen=True, slots=True)
class BlendedSet:
    """One item of the Blending Sequence (PS3.3 C.11.14)."""

    images: References
    greys: GreyScale


@dataclass(frozen=True, slots=True)
class Blending:
    """The two sets of a blending state and how much the upper one covers (PS3.4 N.2.4)."""

    underlying: BlendedSet
    superimposed: BlendedSet
    relative_opacity: float
    """0.0 to 1.0, of the superimposed set."""


@dataclass(frozen=True, slots=True)
class FrameState:
    """What a state says about one frame; no references any more."""

    kind: StateKind
    modality: ModalityTransform = IDENTITY
    voi: Window | LookupTable | None = None
    """None: identity, the whole range that leaves the modality step."""
    inverted: bool = False
    presentation_lut: LookupTable | None = None
    palette: Palette | None = None
    icc_profile: bytes | None = None
    shutter: Shutter | None = None
    shutter_bitmap: OverlayPlane | None = None
    overlays: tuple[ActiveOverlay, ...] = ()
    layers: tuple[GraphicLayer, ...] = ()
    """The lowest first."""
    annotations: tuple[Annotation, ...] = ()
    area: DisplayedArea | None = None
    rotation: int = 0
    """Clockwise, before the flip (PS3.3 C.10.6)."""
    flipped: bool = False

    @property
    def is_colored(self) -> bool:
        """Whether what is drawn over the picture has colors."""
        colors = [layer.paint for layer in self.layers]
        for annotation in self.annotations:
            colors += [graphic.color for graphic in annotation.graphics if graphic.color is not None]
            colors += [text.color for text in annotation.texts if text.color is not None]
            colors += [compound.color for compound in annotation.compounds if compound.color is not None]
        return any(len(set(color)) > 1 for color in colors)


@dataclass(frozen=True, slots=True)
class PresentationState:
    """A whole state, clean and bounded."""

    sop_instance_uid: str
    sop_class_uid: str
    kind: StateKind
    label: str = ""
    description: str = ""
    creator: str = ""
    created: str = ""
    """Presentation Creation Date and Time as recorded, DICOM DT."""
    images: References = field(default_factory=dict)
    greys: GreyScale = GreyScale()
    inverted: bool = False
    presentation_lut: LookupTable | None = None
    palette: Palette | None = None
    icc_profile: bytes | None = None
    shutter: Shutter | None = None
    shutter_bitmap: OverlayPlane | None = None
    overlays: tuple[ActiveOverlay, ...] = ()
    layers: tuple[GraphicLayer, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    areas: tuple[DisplayedArea, ...] = ()
    rotation: int = 0
    flipped: bool = False
    mask: MaskSubtraction | None = None
    blending: Blending | None = None
    notes: tuple[str, ...] = ()
    """What of the state is not shown, in words."""

    def is_about(self, sop_instance_uid: str, frame_number: int) -> bool:
        """Whether the state lists a frame (PS3.3 C.11.11, C.11.14)."""
        return bool(self.images) and is_about(self.images, sop_instance_uid, frame_number)

    def for_frame(self, sop_instance_uid: str, frame_number: int, *, signed: bool = False) -> FrameState | None:
        """Pick what applies to one frame; None where the state is not about it.

        Parameters
        ----------
        signed
            Whether stored values of the image can be negative: tables begin there (PS3.3 C.11.1.1).
        """
        if not self.is_about(sop_instance_uid, frame_number):
            return None
        greys = self._greys_of(sop_instance_uid, frame_number)
        voi = _first_about(greys.vois, sop_instance_uid, frame_number)
        modality = _as_signed(greys.modality, signed)
        return FrameState(
            kind=self.kind,
            modality=modality,
            voi=None if voi is None else _voi_as_signed(voi.voi, signed or modality.intercept < 0),
            inverted=self.inverted,
            presentation_lut=self.presentation_lut,
            palette=self.palette,
            icc_profile=self.icc_profile,
            shutter=self.shutter,
            shutter_bitmap=self.shutter_bitmap,
            overlays=self.overlays,
            layers=self.layers,
            annotations=tuple(one for one in self.annotations if is_about(one.images, sop_instance_uid, frame_number)),
            area=_first_about(self.areas, sop_instance_uid, frame_number),
            rotation=self.rotation,
            flipped=self.flipped,
        )

    def _greys_of(self, sop_instance_uid: str, frame_number: int) -> GreyScale:
        if self.blending is None:
            return self.greys
        for side in (self.blending.underlying, self.blending.superimposed):
            if side.images and is_about(side.images, sop_instance_uid, frame_number):
                return side.greys
        return self.greys


Scoped = TypeVar("Scoped", SoftcopyVoi, DisplayedArea)


def _first_about(items: Sequence[Scoped], sop_instance_uid: str, frame_number: int) -> Scoped | None:
    return next((one for one in items if is_about(one.images, sop_instance_uid, frame_number)), None)


def _as_signed(modality: ModalityTransform, signed: bool) -> ModalityTransform:
    if modality.table is None or not signed:
        return modality
    return modality._replace(table=_table_as_signed(modality.table))


def _voi_as_signed(voi: Window | LookupTable, signed: bool) -> Window | LookupTable:
    return _table_as_signed(voi) if signed and isinstance(voi, LookupTable) else voi


def _table_as_signed(table: LookupTable) -> LookupTable:
    """In implicit VR nobody can tell the sign of the first value mapped without the image."""
    if table.first_mapped < 0x8000:
        return table
    return replace(table, first_mapped=table.first_mapped - 0x10000)


def identity(description: ImageDescription, modality: ModalityTransform) -> Window | ValueRange | None:
    """What no VOI means: all values that can leave the modality step, from black to white (PS3.3 C.11.6.1).

    None where the range cannot be known: pixels of floating point.
    """
    if modality.table is not None:
        return ValueRange(0.0, float(1 << entry_bits(modality.table)))
    if description.pixel_keyword != "PixelData" or not math.isfinite(modality.slope):
        return None
    values = 1 << description.bits_stored
    first = -(values >> 1) if description.pixel_representation else 0
    ends = [value * modality.slope + modality.intercept for value in (first, first + values - 1)]
    if values < DISPLAY_VALUES:
        # Fewer values than greys: the highest is white all the same.
        return Window((ends[0] + ends[1]) / 2, abs(ends[1] - ends[0]), VoiFunction.LINEAR_EXACT)
    return ValueRange(min(ends), values * abs(modality.slope))
