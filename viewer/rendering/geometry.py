"""Which way a picture lies, and how large a pixel is: always with its source, or not at all.

Letters come from Image Orientation (Patient), else Patient Orientation, else there
are none (PS3.3 C.7.6.1.1.1, C.7.6.2.1.1). Millimetres come with the words that say
where they are from (PS3.3 10.7.1); ultrasound has them only inside calibrated
regions (PS3.3 C.8.5.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from archive.pixels.description import ImageDescription, UltrasoundRegion

OBLIQUE_THRESHOLD = math.sin(math.radians(5))
"""A second or third letter is written when the direction leans this far (5 degrees) towards it."""

UNIT_TOLERANCE = 1e-2
"""How far the length of a direction vector may be from 1, and the two vectors from a right angle."""

SAME_SPACING = 1e-4
"""Relative difference below which two spacings are one, mm."""

PROJECTION_MODALITIES = frozenset({"CR", "DX", "MG", "XA", "RF", "PX", "IO", "RG", "RTIMAGE", "XC"})

BIPED_AXES = (("L", "R"), ("P", "A"), ("H", "F"))
"""Letters of +x and -x, +y and -y, +z and -z (PS3.3 C.7.6.2.1.1)."""

QUADRUPED_AXES = (("LE", "RT"), ("D", "V"), ("CR", "CD"))
QUADRUPED_HEAD_AXES = (("LE", "RT"), ("D", "V"), ("R", "CD"))
QUADRUPED_LIMB_AXES = (("LE", "RT"), ("D", "PA"), ("PR", "DI"))
HEAD_PARTS = frozenset({"HEAD", "SKULL", "BRAIN", "SINUS", "ORBIT", "JAW", "EAR"})

_BIPED_OPPOSITES = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
_QUADRUPED_OPPOSITES = {
    "LE": "RT",
    "RT": "LE",
    "D": "V",
    "V": "D",
    "CR": "CD",
    "CD": "CR",
    "R": "CD",
    "M": "L",
    "L": "M",
    "PR": "DI",
    "DI": "PR",
    "PA": "D",
    "PL": "D",
}


class Edges(NamedTuple):
    """Letters at the four edges of an image that is neither turned nor flipped."""

    left: str
    right: str
    top: str
    bottom: str


def edges(description: ImageDescription, frame_number: int) -> Edges | None:
    """Letters of one frame; None where the file does not say how it lies."""
    frame = description.frame(frame_number)
    quadruped = description.anatomical_orientation_type == "QUADRUPED"
    if frame.image_orientation_patient is not None and _is_orthonormal(frame.image_orientation_patient):
        axes = _axes(description.body_part_examined) if quadruped else BIPED_AXES
        row, column = frame.image_orientation_patient[:3], frame.image_orientation_patient[3:]
        return Edges(
            left=_letters([-part for part in row], axes),
            right=_letters(row, axes),
            top=_letters([-part for part in column], axes),
            bottom=_letters(column, axes),
        )
    return _edges_of_words(frame.patient_orientation, quadruped)


def _axes(body_part_examined: str) -> tuple[tuple[str, str], ...]:
    return QUADRUPED_HEAD_AXES if body_part_examined.strip().upper() in HEAD_PARTS else QUADRUPED_AXES


def _is_orthonormal(orientation: Sequence[float]) -> bool:
    row, column = orientation[:3], orientation[3:]
    lengths = (math.hypot(*row), math.hypot(*column))
    dot = sum(one * other for one, other in zip(row, column, strict=True))
    return all(abs(length - 1) <= UNIT_TOLERANCE for length in lengths) and abs(dot) <= UNIT_TOLERANCE


def _letters(direction: Sequence[float], axes: Sequence[tuple[str, str]]) -> str:
    """Letters of a direction, the strongest first; one where it lies along an axis, up to three else."""
    leaning = [(abs(part), pair[0] if part > 0 else pair[1]) for part, pair in zip(direction, axes, strict=True)]
    leaning.sort(key=lambda one: -one[0])
    return "".join(letter for size, letter in leaning if size > OBLIQUE_THRESHOLD)


def _edges_of_words(patient_orientation: Sequence[str], quadruped: bool) -> Edges | None:
    """PS3.3 C.7.6.1.1.1: first value towards the right edge, second towards the bottom."""
    if len(patient_orientation) < 2:
        return None
    right, bottom = (word.strip().upper() for word in patient_orientation[:2])
    left, top = _opposite(right, quadruped), _opposite(bottom, quadruped)
    if not (left and top):
        return None
    return Edges(left=left, right=right, top=top, bottom=bottom)


def _opposite(word: str, quadruped: bool) -> str:
    """The opposite of each letter in turn; empty where one is unknown."""
    opposites = _QUADRUPED_OPPOSITES if quadruped else _BIPED_OPPOSITES
    result = ""
    while word:
        size = 2 if word[:2] in opposites else 1
        if word[:size] not in opposites:
            return ""
        result, word = result + opposites[word[:size]], word[size:]
    return result


@dataclass(frozen=True, slots=True)
class Spacing:
    """Size of a pixel in mm with its source in words."""

    row_mm: float
    """Distance between rows, down."""
    column_mm: float
    """Distance between columns, across."""
    source: str
    note: str = ""
    """What a reader must know before trusting a length; empty where there is nothing to say."""


AT_DETECTOR = "At the detector: lengths in the patient are shorter."
UNCALIBRATED = "Projection without calibration: lengths depend on depth."


def pixel_spacing(description: ImageDescription, frame_number: int) -> Spacing | None:
    """Size of a pixel, or None where lengths can only be given in pixels.

    Ultrasound has none for the whole image: see ``ultrasound_scale``.
    """
    stated = _positive(description.frame(frame_number).pixel_spacing)
    if description.modality not in PROJECTION_MODALITIES and not description.imager_pixel_spacing:
        if stated:
            return Spacing(*stated, "Pixel Spacing")
        return _scanned(description)
    return _projection_spacing(description, stated) or _scanned(description)


def _projection_spacing(description: ImageDescription, stated: tuple[float, float] | None) -> Spacing | None:
    """PS3.3 10.7.1.3: what the two spacings of a projection mean."""
    detector = _positive(description.imager_pixel_spacing)
    calibration = description.pixel_spacing_calibration_type
    if stated and calibration == "GEOMETRY":
        return Spacing(*stated, "Pixel Spacing", "Corrected for an assumed depth (geometry).")
    if stated and calibration == "FIDUCIAL":
        return Spacing(*stated, "Pixel Spacing", "Calibrated with an object of known size (fiducial).")
    if stated and not (detector and _same(stated, detector)):
        note = "Calibrated in a way the file does not say." if detector else UNCALIBRATED
        return Spacing(*stated, "Pixel Spacing", note)
    if detector is None:
        return None
    factor = description.estimated_radiographic_magnification
    if factor and math.isfinite(factor) and factor > 0:
        corrected = (detector[0] / factor, detector[1] / factor)
        note = f"Corrected by the estimated radiographic magnification {factor:g}."
        return Spacing(*corrected, "Imager Pixel Spacing, corrected", note)
    return Spacing(*detector, "Imager Pixel Spacing", AT_DETECTOR)


def _scanned(description: ImageDescription) -> Spacing | None:
    """Film or document scanners (PS3.3 C.8.6.1): size on the film."""
    spacing = _positive(description.nominal_scanned_pixel_spacing)
    return Spacing(*spacing, "Nominal Scanned Pixel Spacing", "On the scanned film.") if spacing else None


def _positive(pair: tuple[float, float] | None) -> tuple[float, float] | None:
    """The pair, if both are real lengths."""
    usable = pair is not None and all(math.isfinite(size) and size > 0 for size in pair)
    return pair if usable else None


def _same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(math.isclose(a, b, rel_tol=SAME_SPACING) for a, b in zip(one, other, strict=True))


class UltrasoundUnit(StrEnum):
    """Physical Units X/Y Direction that a reader measures in (PS3.3 C.8.5.5.1.15)."""

    MILLIMETRE = "mm"
    """Code 3, centimetres, times 10."""
    SECOND = "s"
    """Code 4."""
    CENTIMETRE_PER_SECOND = "cm/s"
    """Code 7."""


_CENTIMETRES = 3
_ULTRASOUND_UNITS = {
    _CENTIMETRES: (UltrasoundUnit.MILLIMETRE, 10.0),
    4: (UltrasoundUnit.SECOND, 1.0),
    7: (UltrasoundUnit.CENTIMETRE_PER_SECOND, 1.0),
}


class UltrasoundScale(NamedTuple):
    """What one pixel is inside a region, for each direction; a unit is None where there is none."""

    column_size: float
    """Across, in ``column_unit``."""
    column_unit: UltrasoundUnit | None
    row_size: float
    """Down, in ``row_unit``."""
    row_unit: UltrasoundUnit | None

    @property
    def is_length(self) -> bool:
        """Whether distances in any direction are millimetres."""
        return self.column_unit == self.row_unit == UltrasoundUnit.MILLIMETRE


class Point(NamedTuple):
    """A place in the image, in pixels from the upper left corner."""

    row: float
    column: float


def ultrasound_scale(description: ImageDescription, start: Point, end: Point) -> UltrasoundScale | None:
    """Scale of the one region with units that lies under both points (PS3.3 C.8.5.5).

    None where the points are in different regions or outside, or where regions with
    units overlap under either of them: then lengths are pixels. Regions without
    units, which scanners write over the whole screen, do not count.
    """
    with_units = [region for region in description.ultrasound_regions if _has_units(region)]
    under_start = [region for region in with_units if _contains(region, start)]
    under_end = [region for region in with_units if _contains(region, end)]
    if len(under_start) != 1 or under_start != under_end:
        return None
    region = under_start[0]
    across, column_size = _direction(region.units_x, region.delta_x)
    down, row_size = _direction(region.units_y, region.delta_y)
    return UltrasoundScale(column_size, across, row_size, down)


def _has_units(region: UltrasoundRegion) -> bool:
    return any(
        units in _ULTRASOUND_UNITS and math.isfinite(delta) and delta != 0
        for units, delta in ((region.units_x, region.delta_x), (region.units_y, region.delta_y))
    )


def _contains(region: UltrasoundRegion, point: Point) -> bool:
    return region.x0 <= point.column <= region.x1 and region.y0 <= point.row <= region.y1


def _direction(units: int, delta: float) -> tuple[UltrasoundUnit | None, float]:
    """Unit and size of a pixel; the sign of a delta only says which way values grow."""
    unit, factor = _ULTRASOUND_UNITS.get(units, (None, 1.0))
    size = abs(delta) * factor
    return (unit, size) if unit is not None and math.isfinite(size) and size > 0 else (None, 1.0)


def pixel_aspect_ratio(description: ImageDescription, frame_number: int) -> tuple[float, float]:
    """Height and width of a pixel relative to each other, (1.0, 1.0) where nothing is said.

    A spacing says it best; then Pixel Aspect Ratio (PS3.3 C.7.6.3.1.7, vertical
    first); then ultrasound regions in centimetres that all agree.
    """
    spacing = pixel_spacing(description, frame_number)
    if spacing is not None:
        return spacing.row_mm, spacing.column_mm
    ratio = description.pixel_aspect_ratio
    if ratio is not None and min(ratio) > 0:
        return float(ratio[0]), float(ratio[1])
    regions = [
        (abs(region.delta_y), abs(region.delta_x))
        for region in description.ultrasound_regions
        if region.units_x == region.units_y == _CENTIMETRES and region.delta_x and region.delta_y
    ]
    if regions and all(_same(regions[0], other) for other in regions):
        return regions[0]
    return 1.0, 1.0
