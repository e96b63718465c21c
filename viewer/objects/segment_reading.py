"""Segments of a Segmentation (PS3.3 A.51, C.8.20) and regions of a Structure Set (A.19, C.8.8.5). No Django."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from archive.dicom import values
from viewer.rendering.cielab import Rgb, srgb_of

FALLBACK_COLORS: tuple[Rgb, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
)
"""For segments whose file recommends no color (after Okabe and Ito)."""
MOST_SEGMENTS = 4096
MOST_CONTOURS = 100_000


class Kind(StrEnum):
    """How an object says what belongs to a segment."""

    BINARY = "binary"
    FRACTIONAL = "fractional"
    LABELMAP = "labelmap"
    CONTOURS = "contours"


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment or region with what its legend says."""

    number: int
    label: str
    color: Rgb
    kind: str = ""
    """Segmented property type, or interpreted type of a region, in words."""
    algorithm: str = ""
    """Who drew it: manual, semi-automatic or automatic, with the name of the algorithm."""


@dataclass(frozen=True, slots=True)
class Contour:
    """One closed outline, or one point, in the patient."""

    segment: int
    points: NDArray[np.float64]
    """(n, 3), mm."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What an object says besides its pixels."""

    label: str
    kind: Kind
    segments: tuple[Segment, ...]
    frame_of_reference_uid: str
    frame_segments: tuple[int, ...] = ()
    """Segment of each frame; 0 in a label map, whose values name them."""
    maximum: int = 1
    """The value that is all of a fractional segment."""
    contours: tuple[Contour, ...] = ()


def read_segmentation(ds: Dataset) -> Segmentation:
    """Segments of a SEG and which frame is of which."""
    said = values.text(ds, "SegmentationType").upper()
    kind = {"FRACTIONAL": Kind.FRACTIONAL, "LABELMAP": Kind.LABELMAP}.get(said, Kind.BINARY)
    segments = [_segment(item) for item in values.items(ds, "SegmentSequence")[:MOST_SEGMENTS]]
    shared = _segment_of_groups(values.first_item(ds, "SharedFunctionalGroupsSequence"))
    frames = [_segment_of_groups(item) or shared for item in values.items(ds, "PerFrameFunctionalGroupsSequence")]
    return Segmentation(
        label=values.text(ds, "ContentDescription")
        or values.text(ds, "SeriesDescription")
        or values.text(ds, "ContentLabel"),
        kind=kind,
        # Number 0 of a label map is what belongs to no segment.
        segments=tuple(one for one in segments if one.number > 0),
        frame_of_reference_uid=values.text(ds, "FrameOfReferenceUID"),
        frame_segments=tuple(0 if kind is Kind.LABELMAP else number for number in frames),
        maximum=max(values.integer(ds, "MaximumFractionalValue", 255), 1) if kind is Kind.FRACTIONAL else 1,
    )


def _segment_of_groups(groups: Dataset | None) -> int:
    item = values.first_item(groups, "SegmentIdentificationSequence") if groups is not None else None
    return values.integer(item, "ReferencedSegmentNumber") if item is not None else 0


def _segment(item: Dataset) -> Segment:
    number = values.integer(item, "SegmentNumber")
    encoded = values.numbers(item, "RecommendedDisplayCIELabValue", 3)
    color = srgb_of(tuple(int(part) for part in encoded)) if encoded else FALLBACK_COLORS[number % len(FALLBACK_COLORS)]
    kind = values.first_item(item, "SegmentedPropertyTypeCodeSequence")
    algorithm = [values.text(item, "SegmentAlgorithmType").lower(), values.text(item, "SegmentAlgorithmName")]
    return Segment(
        number,
        values.text(item, "SegmentLabel") or f"Segment {number}",
        color,
        values.text(kind, "CodeMeaning") if kind is not None else "",
        " · ".join(part for part in algorithm if part),
    )


def read_structure_set(ds: Dataset) -> Segmentation:
    """Regions of a structure set with their closed planar contours (C.8.8.6)."""
    regions = values.items(ds, "StructureSetROISequence")[:MOST_SEGMENTS]
    kinds = {
        values.integer(item, "ReferencedROINumber"): values.text(item, "RTROIInterpretedType")
        for item in values.items(ds, "RTROIObservationsSequence")
    }
    drawn = {values.integer(item, "ReferencedROINumber"): item for item in values.items(ds, "ROIContourSequence")}
    frames_of_reference = [values.text(item, "ReferencedFrameOfReferenceUID") for item in regions]
    segments, contours = [], []
    for item in regions:
        number = values.integer(item, "ROINumber")
        contour = drawn.get(number)
        algorithm = values.text(item, "ROIGenerationAlgorithm").lower()
        color = _roi_color(contour, number)
        kind = kinds.get(number, "").lower().replace("_", " ")
        segments.append(Segment(number, values.text(item, "ROIName") or f"Region {number}", color, kind, algorithm))
        contours += _contours(contour, number) if contour is not None else []
    return Segmentation(
        label=values.text(ds, "StructureSetLabel") or values.text(ds, "SeriesDescription"),
        kind=Kind.CONTOURS,
        segments=tuple(segments),
        frame_of_reference_uid=next((uid for uid in frames_of_reference if uid), ""),
        contours=tuple(contours[:MOST_CONTOURS]),
    )


def _roi_color(item: Dataset | None, number: int) -> Rgb:
    stated = values.numbers(item, "ROIDisplayColor", 3) if item is not None else ()
    if not stated:
        return FALLBACK_COLORS[number % len(FALLBACK_COLORS)]
    red, green, blue = (min(max(int(part), 0), 255) for part in stated)
    return red, green, blue


def _contours(item: Dataset, number: int) -> list[Contour]:
    found = []
    for contour in values.items(item, "ContourSequence"):
        points = values.numbers(contour, "ContourData")
        if values.text(contour, "ContourGeometricType").upper() not in ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR"):
            continue
        if len(points) >= 9 and len(points) % 3 == 0:
            found.append(Contour(number, np.array(points).reshape(-1, 3)))
    return found
