"""Measurements as a structured report after TID 1500 (PS3.16): Comprehensive 3D SR where all images lie in the patient.

Lengths and angles are told by their points (in the patient where possible, with image and frame), areas by
their outline on the image. Arrows and words are no measurements: they go into the presentation state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from highdicom.sr import (
    CodedConcept,
    Comprehensive3DSR,
    ComprehensiveSR,
    CoordinatesForMeasurement,
    CoordinatesForMeasurement3D,
    FindingSite,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    SourceImageForMeasurement,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from highdicom.sr.enum import RelationshipTypeValues
from highdicom.sr.templates import ImageLibraryEntryDescriptors
from pydicom import Dataset
from pydicom.sr.codedict import codes

from archive.dicom import values
from archive.dicom.uids import IMPLEMENTATION_VERSION_NAME
from viewer.annotations.exported import Exported, Measured
from viewer.annotations.measures import Statistics, distance
from viewer.annotations.regions import Graphic, graphics_of, in_patient
from viewer.annotations.shapes import AREAS, Kind, Point
from viewer.objects.writing import MANUFACTURER, person_name_of, stamp
from viewer.rendering.geometry import pixel_aspect_ratio
from viewer.rendering.suv import BODY_WEIGHT

SERIES_NUMBER = 9910
_Group = PlanarROIMeasurementsAndQualitativeEvaluations | MeasurementsAndQualitativeEvaluations
LINES = (
    Kind.LENGTH,
    Kind.BIDIRECTIONAL,
    Kind.ANGLE,
    Kind.COBB,
    Kind.POLYLINE,
    Kind.LINE_DISTANCE,
    Kind.CARDIOTHORACIC,
)
UNITS = {
    "HU": ("[hnsf'U]", "Hounsfield unit"),
    "g/ml": ("g/ml", "gram per milliliter"),
    "Bq/ml": ("Bq/ml", "Becquerels/milliliter"),
    "mm": ("mm", "millimeter"),
    "px": ("{pixels}", "Pixels"),
    "mm2": ("mm2", "square millimeter"),
    "px2": ("{pixels}", "Pixels"),
    "deg": ("deg", "degree"),
    "s": ("s", "second"),
    "cm/s": ("cm/s", "centimeter per second"),
    "ratio": ("{ratio}", "ratio"),
}
"""Our units -> UCUM (CID 7181 and its like)."""
NO_UNITS = ("1", "no units")
UPTAKE = {
    BODY_WEIGHT: (codes.DCM.Suvbw, codes.cid85.StandardizedUptakeValueBodyWeight),
    "lean body mass (James)": (codes.DCM.Suvlbm, codes.cid85.StandardizedUptakeValueLeanBodyMassJames),
    "lean body mass (James, 128 for men)": (
        codes.DCM.SuvlbmJames128,
        codes.cid85.StandardizedUptakeValueLeanBodyMassJames128Multiplier,
    ),
    "lean body mass (Janmahasatian)": (
        codes.DCM.SuvlbmJanma,
        codes.cid85.StandardizedUptakeValueLeanBodyMassJanma,
    ),
    "body surface area": (codes.DCM.Suvbsa, codes.cid85.StandardizedUptakeValueBodySurfaceArea),
    "ideal body weight": (codes.DCM.Suvibw, codes.cid85.StandardizedUptakeValueIdealBodyWeight),
}
"""Formula of an uptake value -> what it is, and its unit (PS3.16 CID 85)."""
PROCEDURES = {
    "CT": ("77477000", "Computed tomography"),
    "MR": ("113091000", "Magnetic resonance imaging"),
    "PT": ("82918005", "Positron emission tomography"),
    "US": ("16310003", "Ultrasonography"),
    "CR": ("168537006", "Plain radiography"),
    "DX": ("168537006", "Plain radiography"),
    "MG": ("71651007", "Mammography"),
}
"""Modality -> procedure reported (SCT), where the images name no code of their own."""
ANY_PROCEDURE = ("363679005", "Imaging")
LENGTH_NAMES = {
    Kind.LENGTH: codes.SCT.Length,
    Kind.POLYLINE: codes.DCM.PathLength,
    Kind.LINE_DISTANCE: codes.DCM.Distance,
}
AXES = {
    "s": codes.SCT.Duration,
    "mm": codes.SCT.Depth,
    "cm/s": CodedConcept("VELDIFF", "99PORTAL", "Velocity difference"),
}
"""What a length across a spectrum or an M-mode measures, by its unit; no public code is general enough for a velocity."""
DERIVATIONS = (
    ("mean", codes.SCT.Mean),
    ("sd", codes.SCT.StandardDeviation),
    ("minimum", codes.SCT.Minimum),
    ("maximum", codes.SCT.Maximum),
)


def measurement_report(exported: Exported) -> Dataset | None:
    """Structured report of all that measures; None where nothing does."""
    measured = exported.of_kind(*LINES, *AREAS)
    if not measured:
        return None
    is_in_patient = all(_lies_in_patient(one) for one in measured)
    headers = [image.header for image in {one.image.facts.pk: one.image for one in measured}.values()]
    content = MeasurementReport(
        observation_context=ObservationContext(
            observer_person_context=ObserverContext(
                observer_type=codes.DCM.Person,
                observer_identifying_attributes=PersonObserverIdentifyingAttributes(person_name_of(exported.author)),
            )
        ),
        procedure_reported=_procedure(headers[0]),
        imaging_measurements=[_group(one, is_in_patient=is_in_patient) for one in measured],
        title=codes.DCM.ImagingMeasurementReport,
        referenced_images=[header for header in headers if _can_be_described(header)] or None,
    )
    ds = (Comprehensive3DSR if is_in_patient else ComprehensiveSR)(
        evidence=headers,
        content=content[0],
        series_instance_uid=exported.series_uid("SR"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=exported.uid("SR"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        specific_character_set="ISO_IR 192",
    )
    ds.SoftwareVersions = IMPLEMENTATION_VERSION_NAME
    ds.SeriesDescription = "Measurements"
    stamp(ds, exported.made_at)
    return ds


def _lies_in_patient(one: Measured) -> bool:
    (first, *_) = graphics_of(one.shape, one.image.description, one.frame_number)
    has_place = in_patient(first.points, one.image.description, one.frame_number) is not None
    return has_place and bool(values.text(one.image.header, "FrameOfReferenceUID"))


def _can_be_described(header: Dataset) -> bool:
    """Whether the image says what an entry of the image library must (TID 1602): others are named by their measurements."""
    try:
        ImageLibraryEntryDescriptors(header)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return False
    return values.text(header, "Modality") in PROCEDURES


def _procedure(header: Dataset) -> CodedConcept:
    item = values.first_item(header, "ProcedureCodeSequence")
    if item is not None and (found := _coded(item)) is not None:
        return found
    value, meaning = PROCEDURES.get(values.text(header, "Modality"), ANY_PROCEDURE)
    return CodedConcept(value, "SCT", meaning)


def _coded(item: Dataset) -> CodedConcept | None:
    """A code of a file where it is whole and can be written again."""
    parts = [values.text(item, keyword) for keyword in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")]
    return CodedConcept(*parts) if all(parts) and len(parts[0]) <= 16 else None


def _group(one: Measured, *, is_in_patient: bool) -> _Group:
    """TID 1410 for what has an inside, TID 1501 for lines and angles."""
    name = one.label or one.shape.kind.value.replace("_", " ")
    tracking = TrackingIdentifier(uid=one.tracking_uid, identifier=name)
    graphics = graphics_of(one.shape, one.image.description, one.frame_number)
    sites = _sites(one.image.header)
    if one.shape.kind in AREAS:
        group: _Group = PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            referenced_region=_region(one, graphics[0]),
            finding_sites=sites,
            measurements=_area_measurements(one),
        )
    else:
        group = MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            finding_sites=sites,
            measurements=list(_line_measurements(one, graphics, is_in_patient=is_in_patient)),
        )
    if one.measures.note:
        comment = TextContentItem(codes.DCM.Comment, one.measures.note, RelationshipTypeValues.CONTAINS)
        group[0].ContentSequence.append(comment)
    return group


def _sites(header: Dataset) -> list[FindingSite] | None:
    """The anatomic region that the image names by a code."""
    item = values.first_item(header, "AnatomicRegionSequence")
    code = _coded(item) if item is not None else None
    return [FindingSite(code)] if code is not None else None


def _frames(one: Measured) -> list[int] | None:
    return [one.frame_number] if one.image.facts.frames > 1 else None


def _region(one: Measured, graphic: Graphic) -> ImageRegion:
    source = SourceImageForRegion(*_image_of(one), referenced_frame_numbers=_frames(one))
    return ImageRegion(graphic_type=graphic.type, graphic_data=graphic.points, source_image=source)


def _image_of(one: Measured) -> tuple[str, str]:
    return one.image.facts.sop_class_uid, one.image.facts.sop_instance_uid


def _line_measurements(one: Measured, graphics: Sequence[Graphic], *, is_in_patient: bool) -> Iterable[Measurement]:
    """Lengths, or the angle, each with the points that it was taken between."""
    source = SourceImageForMeasurement(*_image_of(one), referenced_frame_numbers=_frames(one))
    drawn_on = SourceImageForRegion(*_image_of(one), referenced_frame_numbers=_frames(one))

    def coordinates(graphic: Graphic) -> CoordinatesForMeasurement | CoordinatesForMeasurement3D:
        places = in_patient(graphic.points, one.image.description, one.frame_number) if is_in_patient else None
        if places is None:
            return CoordinatesForMeasurement("POLYLINE", graphic.points, drawn_on)
        return CoordinatesForMeasurement3D("POLYLINE", places, one.image.header.FrameOfReferenceUID)

    for told in _line_values(one, graphics):
        yield Measurement(
            name=told.name,
            value=told.value,
            unit=unit_code(told.unit),
            finding_sites=[FindingSite(told.site)] if told.site else None,
            referenced_images=[source] if is_in_patient else None,
            referenced_coordinates=[coordinates(graphic) for graphic in told.drawn],
        )


class _LineValue(NamedTuple):
    """One number of a line, with what it was taken between."""

    name: CodedConcept
    value: float
    unit: str
    drawn: Sequence[Graphic]
    site: CodedConcept | None = None


def _line_values(one: Measured, graphics: Sequence[Graphic]) -> Iterable[_LineValue]:
    kind, measures = one.shape.kind, one.measures
    if measures.angle_degrees is not None:
        name = codes.SCT.CobbAngle if kind is Kind.COBB else codes.SCT.Angle
        yield _LineValue(name, measures.angle_degrees, "deg", graphics)
    elif kind is Kind.CARDIOTHORACIC:
        if measures.ratio is not None:
            yield _LineValue(codes.SCT.Ratio, measures.ratio, "ratio", graphics)
        for at, site in enumerate((codes.SCT.Heart, codes.SCT.Thorax)):
            yield _LineValue(codes.SCT.Width, measures.lengths[at], measures.unit, [graphics[at]], site)
    elif measures.axes:
        for unit, value in measures.axes:
            yield _LineValue(AXES[unit], value, unit, graphics)
    elif kind is Kind.BIDIRECTIONAL:
        # ``measures`` gives the longer axis first, whichever was drawn first.
        lengths = [_length_of(one, graphic) for graphic in graphics]
        longer = 0 if lengths[0] >= lengths[1] else 1
        yield _LineValue(codes.SCT.LongAxis, measures.lengths[0], measures.unit, [graphics[longer]])
        yield _LineValue(codes.SCT.ShortAxis, measures.lengths[1], measures.unit, [graphics[1 - longer]])
    else:
        yield _LineValue(LENGTH_NAMES[kind], measures.lengths[0], measures.unit, graphics)


def _length_of(one: Measured, graphic: Graphic) -> float:
    start, end = (Point(*point) for point in graphic.points)
    return distance(start, end, pixel_aspect_ratio(one.image.description, one.frame_number))


def _area_measurements(one: Measured) -> list[Measurement]:
    """The area, and mean, standard deviation, minimum and maximum of the values inside."""
    found = []
    if one.measures.area is not None:
        unit = unit_code(f"{one.measures.unit}2")
        found.append(Measurement(name=codes.SCT.Area, value=one.measures.area, unit=unit))
    summed = one.statistics
    if summed is None or summed.mean is None:
        return found
    numbers = one.uptake or {name: getattr(summed, name) for name, _ in DERIVATIONS}
    unit = UPTAKE[one.uptake["formula"]][1] if one.uptake else _unit_of_values(summed)
    name = _quantity(one)
    return found + [
        Measurement(name=name, value=numbers[key], unit=unit, derivation=derivation) for key, derivation in DERIVATIONS
    ]


def _quantity(one: Measured) -> CodedConcept:
    """What the values inside are."""
    if one.uptake:
        quantity: CodedConcept = UPTAKE[one.uptake["formula"]][0]
        return quantity
    if one.statistics is not None and one.statistics.unit == "HU":
        return codes.DCM.AttenuationCoefficient
    if one.image.description.modality == "MR":
        return codes.DCM.MRSignalIntensity
    return codes.SCT.Quantity


def _unit_of_values(summed: Statistics) -> CodedConcept:
    """The code that a mapping gives, else that of the file's unit."""
    return CodedConcept(summed.unit_code, "UCUM", summed.unit) if summed.unit_code else unit_code(summed.unit)


def unit_code(unit: str) -> CodedConcept:
    """UCUM code of a unit; what has no code there has no units."""
    value, meaning = UNITS.get(unit, NO_UNITS)
    return CodedConcept(value, "UCUM", meaning)
