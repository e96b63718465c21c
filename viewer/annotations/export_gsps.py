"""Measurements, or a view of one image, as softcopy presentation states (PS3.3 A.33).

A state belongs to images of one series, matrix and modality LUT; what is drawn on several takes several
states. Grey images get a grayscale state with the window, color images a color state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from highdicom.pr import (
    ColorSoftcopyPresentationState,
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
    SoftcopyVOILUTTransformation,
    TextObject,
)
from pydicom import Dataset

from archive.dicom.uids import IMPLEMENTATION_VERSION_NAME
from archive.pixels.description import Window
from viewer.annotations.exported import Exported, Image, Measured
from viewer.annotations.regions import graphics_of
from viewer.annotations.shapes import Kind
from viewer.annotations.words import words_of
from viewer.objects.writing import MANUFACTURER, person_name_of, stamp
from viewer.rendering.color import is_color
from viewer.rendering.geometry import pixel_aspect_ratio
from viewer.rendering.presentation import image_is_inverted

SERIES_NUMBER = 9912
LAYER = GraphicLayer("MEASUREMENTS", order=1, description="Measurements of the reader")


@dataclass(frozen=True, slots=True)
class View:
    """How a reader looked at one frame."""

    window: Window | None
    """None for color images."""
    inverted: bool
    """The complement of what the image says."""
    rotation: int
    """Degrees clockwise, after the flip as the viewport does it: 0, 90, 180 or 270."""
    flipped: bool
    area: tuple[float, float, float, float]
    """Left, top, right and bottom in image pixels; may reach beyond the image."""


def presentation_states(exported: Exported, windows: dict[str, Window | None]) -> list[Dataset]:
    """States that show what is drawn; ``windows`` is the window of each image by SOP Instance UID."""
    groups: dict[tuple[Any, ...], list[Measured]] = {}
    for one in exported.measured:
        if one.shape.kind is not Kind.KEY_IMAGE:
            groups.setdefault(_group_of(one, windows[one.image.facts.sop_instance_uid]), []).append(one)
    return [
        _state(exported, measured, windows[measured[0].image.facts.sop_instance_uid], number)
        for number, measured in enumerate(groups.values(), start=1)
    ]


def _group_of(one: Measured, window: Window | None) -> tuple[Any, ...]:
    """What images of one state have in common; one of several frames, or with a table, has a state of its own."""
    image, frame = one.image, one.image.description.frame(one.frame_number)
    alone = image.facts.pk if image.facts.frames > 1 or frame.modality_lut is not None else 0
    size = (image.description.rows, image.description.columns, pixel_aspect_ratio(image.description, one.frame_number))
    scale = (frame.rescale_slope, frame.rescale_intercept, frame.rescale_type)
    return (image.header.SeriesInstanceUID, image.facts.sop_class_uid, size, scale, alone, window)


def _state(exported: Exported, measured: Sequence[Measured], window: Window | None, number: int) -> Dataset:
    images = list({one.image.facts.pk: one.image for one in measured}.values())
    ds = _make(
        exported,
        images,
        window,
        frame_number=measured[0].frame_number,
        what=f"PR {number}",
        label="MEASUREMENTS",
        description="Measurements",
        drawn=measured,
    )
    ds.InstanceNumber = number
    return ds


def state_of_view(exported: Exported, image: Image, frame_number: int, view: View, description: str) -> Dataset:
    """A state of one frame as it was looked at, with what is drawn on it."""
    drawn = [
        one
        for one in exported.measured
        if one.image.facts.pk == image.facts.pk
        and one.frame_number == frame_number
        and one.shape.kind is not Kind.KEY_IMAGE
    ]
    ds = _make(
        exported,
        [image],
        view.window,
        frame_number=frame_number,
        what="PR view",
        label="VIEW",
        description=description,
        drawn=drawn,
    )
    _turn(ds, view)
    if image.facts.frames > 1:
        for item in (ds.ReferencedSeriesSequence[0].ReferencedImageSequence[0], *_windows(ds)):
            item.ReferencedFrameNumber = frame_number
    photometric = image.description.photometric_interpretation
    if not is_color(photometric):
        inverted = image_is_inverted(image.description, photometric) != view.inverted
        ds.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    return ds


def _windows(ds: Dataset) -> list[Dataset]:
    """References of the windows to their images."""
    return [one for item in ds.get("SoftcopyVOILUTSequence", []) for one in item.get("ReferencedImageSequence", [])]


def _turn(ds: Dataset, view: View) -> None:
    """Area, turn and flip (C.10.4, C.10.6): a state turns first and then mirrors, a viewport the other way round."""
    item = ds.DisplayedAreaSelectionSequence[0]
    left, top, right, bottom = view.area
    # Corner pixels count from 1\1 and belong to the area.
    first = [math.floor(left) + 1, math.floor(top) + 1]
    last = [max(math.ceil(right), first[0]), max(math.ceil(bottom), first[1])]
    rotation = (360 - view.rotation) % 360 if view.flipped else view.rotation
    corners = {
        (0, False): (first, last),
        (90, False): ([first[0], last[1]], [last[0], first[1]]),
        (180, False): (last, first),
        (270, False): ([last[0], first[1]], [first[0], last[1]]),
        (0, True): ([last[0], first[1]], [first[0], last[1]]),
        (90, True): (first, last),
        (180, True): ([first[0], last[1]], [last[0], first[1]]),
        (270, True): (last, first),
    }
    item.DisplayedAreaTopLeftHandCorner, item.DisplayedAreaBottomRightHandCorner = corners[rotation, view.flipped]
    ds.ImageRotation, ds.ImageHorizontalFlip = rotation, "Y" if view.flipped else "N"


def _make(
    exported: Exported,
    images: Sequence[Image],
    window: Window | None,
    *,
    frame_number: int,
    what: str,
    label: str,
    description: str,
    drawn: Sequence[Measured],
) -> Dataset:
    colored = is_color(images[0].description.photometric_interpretation)
    headers = [_as_referenced(image, frame_number) for image in images]
    values: dict[str, Any] = {
        "referenced_images": headers,
        "series_instance_uid": exported.series_uid("PR"),
        "series_number": SERIES_NUMBER,
        "sop_instance_uid": exported.uid(what),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MANUFACTURER,
        "software_versions": IMPLEMENTATION_VERSION_NAME,
        "device_serial_number": "1",
        "content_label": label,
        "content_description": description[:64] or None,
        "content_creator_name": person_name_of(exported.author),
        "graphic_layers": [LAYER] if drawn else None,
        "graphic_annotations": _annotations(drawn) or None,
    }
    if colored:
        ds: Dataset = ColorSoftcopyPresentationState(**values)
    else:
        voi = [_voi(window)] if window is not None else None
        ds = GrayscaleSoftcopyPresentationState(**values, voi_lut_transformations=voi)
        if image_is_inverted(images[0].description, images[0].description.photometric_interpretation):
            ds.PresentationLUTShape = "INVERSE"
    _state_pixel_shape(ds, images[0])
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SeriesDescription = "Presentation states"
    if "Laterality" not in ds:
        # Type 2C: the portal does not know whether the part is paired.
        ds.Laterality = ""
    ds.PresentationCreationDate = f"{exported.made_at:%Y%m%d}"
    ds.PresentationCreationTime = f"{exported.made_at:%H%M%S}"
    stamp(ds, exported.made_at)
    for keyword in ("ContentDate", "ContentTime"):
        delattr(ds, keyword)
    return ds


def _as_referenced(image: Image, frame_number: int) -> Dataset:
    """The header as highdicom reads the modality LUT from it: of several frames, in functional groups."""
    if image.facts.frames <= 1:
        return image.header
    frame, shared = image.description.frame(frame_number), Dataset()
    if (frame.rescale_slope, frame.rescale_intercept) != (1.0, 0.0):
        transform = Dataset()
        transform.RescaleSlope, transform.RescaleIntercept = frame.rescale_slope, frame.rescale_intercept
        transform.RescaleType = frame.rescale_type or "US"
        shared.PixelValueTransformationSequence = [transform]
    found = Dataset()
    found.update(image.header)
    found.SharedFunctionalGroupsSequence, found.PerFrameFunctionalGroupsSequence = [shared], [Dataset()]
    return found


def _voi(window: Window) -> SoftcopyVOILUTTransformation:
    return SoftcopyVOILUTTransformation(
        window_center=window.center, window_width=window.width, voi_lut_function=window.function.value
    )


def _state_pixel_shape(ds: Dataset, image: Image) -> None:
    """Presentation Pixel Aspect Ratio or Spacing (C.10.4): that of the image, so that a circle stays round."""
    item = ds.DisplayedAreaSelectionSequence[0]
    item.PixelOriginInterpretation = "FRAME"
    spacing = image.description.frame(1).pixel_spacing
    if spacing:
        del item.PresentationPixelAspectRatio
        item.PresentationPixelSpacing = list(spacing)
    elif image.description.pixel_aspect_ratio:
        item.PresentationPixelAspectRatio = [int(part) for part in image.description.pixel_aspect_ratio]


def _annotations(drawn: Sequence[Measured]) -> list[GraphicAnnotation]:
    """One annotation for each measurement: its graphics, and its words beside it."""
    return [one for measured in drawn if (one := _annotation(measured)) is not None]


def _annotation(one: Measured) -> GraphicAnnotation | None:
    uid, name = one.tracking_uid, (one.label or one.shape.kind.value)[:64]
    graphics = [
        GraphicObject(graphic.type, graphic.points, "PIXEL", tracking_id=name, tracking_uid=uid)
        for graphic in graphics_of(one.shape, one.image.description, one.frame_number)
    ]
    words = words_of(one)
    texts = [TextObject(words, "PIXEL", anchor_point=_anchor(one), anchor_point_visible=False)] if words else None
    if not (graphics or texts):
        return None
    return GraphicAnnotation(
        [one.image.header],
        LAYER,
        referenced_frame_number=one.frame_number if one.image.facts.frames > 1 else None,
        graphic_objects=graphics or None,
        text_objects=texts,
    )


def _anchor(one: Measured) -> tuple[float, float]:
    """The right end of what is drawn, on the image."""
    right = max(one.shape.points, key=lambda point: point.x)
    description = one.image.description
    return min(max(right.x, 0.0), float(description.columns)), min(max(right.y, 0.0), float(description.rows))
