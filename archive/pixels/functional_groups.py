"""What may differ between the frames of an instance (PS3.3 C.7.6.16), and the same of a classic single image.

An attribute of the per-frame group wins over the shared group, which wins over
the data set itself; classic images have only the last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pydicom import Dataset

from archive.dicom.values import (
    first_item,
    items,
    number,
    number_from,
    numbers,
    text,
    texts,
    value_of,
    values_of,
)
from archive.pixels.description import FrameAttributes, LookupTable, VoiFunction, Window
from archive.pixels.masks import frame_pixel_shifts
from archive.pixels.palettes import frame_is_grey
from archive.pixels.real_world import real_world_mappings
from archive.pixels.shutters import shutter
from archive.pixels.tables import lookup_table

FRAME_TYPE_SEQUENCES: Final = (
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "XAXRFFrameCharacteristicsSequence",
    "FramePixelDataPropertiesSequence",
    "XRay3DFrameTypeSequence",
    "MRSpectroscopyFrameTypeSequence",
    "USImageDescriptionSequence",
    "ParametricMapFrameTypeSequence",
    "WholeSlideMicroscopyImageFrameTypeSequence",
    "IVOCTImageFrameTypeSequence",
    "OphthalmicTomographyFrameTypeSequence",
)
"""Macros that hold Frame Type (0008,9007)."""


def frame_attributes(
    ds: Dataset, *, frames: int, signed: bool, little_endian: bool
) -> tuple[FrameAttributes, tuple[FrameAttributes, ...]]:
    """Return shared attributes, and one set a frame where frames differ; the last ones may lack their own.

    Parameters
    ----------
    signed
        Pixel Representation is 1.
    """
    reader = _Reader(signed=signed, little_endian=little_endian)
    shared = reader.classic(ds)
    shared_group = first_item(ds, "SharedFunctionalGroupsSequence")
    if shared_group is not None:
        shared = reader.grouped(shared_group, shared)
    groups = items(ds, "PerFrameFunctionalGroupsSequence")[:frames]
    if groups:
        own = tuple(reader.grouped(group, shared) for group in groups)
        is_same = len(own) == frames and all(frame == own[0] for frame in own)
        return (own[0], ()) if is_same else (shared, own)
    positions = _dose_positions(ds, shared, frames)
    return shared, tuple(replace(shared, image_position_patient=position) for position in positions)


class _Reader:
    """Reads one set of attributes; knows what the pixels are like."""

    def __init__(self, *, signed: bool, little_endian: bool) -> None:
        self._signed = signed
        self._little_endian = little_endian

    def classic(self, ds: Dataset) -> FrameAttributes:
        """Attributes that stand in the data set itself."""
        intercept, slope = number(ds, "RescaleIntercept") or 0.0, number(ds, "RescaleSlope")
        lut = self._modality_lut(ds)
        detector = first_item(ds, "DetectorInformationSequence")
        return FrameAttributes(
            rescale_slope=1.0 if slope is None else slope,
            rescale_intercept=intercept,
            rescale_type=text(ds, "RescaleType"),
            modality_lut=lut,
            windows=windows(ds),
            voi_luts=self._voi_luts(ds, 1.0 if slope is None else slope, intercept, has_modality_lut=lut is not None),
            shutter=shutter(ds),
            image_position_patient=_position(ds),
            image_orientation_patient=_orientation(ds) or (_orientation(detector) if detector is not None else None),
            pixel_spacing=_spacing(ds),
            slice_thickness=_positive(ds, "SliceThickness"),
            spacing_between_slices=_nonzero(ds, "SpacingBetweenSlices"),
            image_type=_present(texts(ds, "ImageType")),
            laterality=text(ds, "ImageLaterality") or text(ds, "Laterality"),
            **_classic_states(ds),
            patient_orientation=_patient_orientation(ds),
            units=_units(ds, 1.0 if slope is None else slope, intercept),
            real_world=real_world_mappings(ds, signed=self._signed),
        )

    def grouped(self, group: Dataset, base: FrameAttributes) -> FrameAttributes:
        """Attributes of one functional group item over those that hold without it."""
        found: dict[str, Any] = {}
        self._grey_levels(group, base, found)
        if shifts := frame_pixel_shifts(group):
            found["mask_shifts"] = shifts
        if mappings := real_world_mappings(group, signed=self._signed):
            found["real_world"] = mappings
        if frame_is_grey(group, FRAME_TYPE_SEQUENCES):
            found["grey_only"] = True
        _geometry(group, found)
        _states(group, found)
        return replace(base, **found) if found else base

    def _grey_levels(self, group: Dataset, base: FrameAttributes, found: dict[str, Any]) -> None:
        transformation = first_item(group, "PixelValueTransformationSequence")
        if transformation is not None:
            slope = number(transformation, "RescaleSlope")
            found["rescale_slope"] = 1.0 if slope is None else slope
            found["rescale_intercept"] = number(transformation, "RescaleIntercept") or 0.0
            found["rescale_type"] = text(transformation, "RescaleType")
        voi = first_item(group, "FrameVOILUTSequence")
        if voi is not None:
            found["windows"] = windows(voi)
            slope = found.get("rescale_slope", base.rescale_slope)
            intercept = found.get("rescale_intercept", base.rescale_intercept)
            tables = self._voi_luts(voi, slope, intercept, has_modality_lut=base.modality_lut is not None)
            if tables:
                found["voi_luts"] = tables
        covering = first_item(group, "FrameDisplayShutterSequence")
        if covering is not None:
            found["shutter"] = shutter(covering)
        units = _units(
            group,
            found.get("rescale_slope", base.rescale_slope),
            found.get("rescale_intercept", base.rescale_intercept),
        )
        if units:
            found["units"] = units

    def _modality_lut(self, ds: Dataset) -> LookupTable | None:
        item = first_item(ds, "ModalityLUTSequence")
        if item is None:
            return None
        return lookup_table(item, signed=self._signed, little_endian=self._little_endian)

    def _voi_luts(
        self, ds: Dataset, slope: float, intercept: float, *, has_modality_lut: bool
    ) -> tuple[LookupTable, ...]:
        # The input of a VOI LUT is what leaves the modality LUT: words without a sign from a table,
        # from a rescale values that can be negative with unsigned pixels too (PS3.3 C.11.2.1.1).
        signed = not has_modality_lut and (self._signed or intercept < 0 or slope < 0)
        tables = (
            lookup_table(item, signed=signed, little_endian=self._little_endian) for item in items(ds, "VOILUTSequence")
        )
        return tuple(table for table in tables if table is not None)


def windows(ds: Dataset) -> tuple[Window, ...]:
    """Windows of a data set or macro (PS3.3 C.11.2.1.2): pairs of finite numbers, in the order of the file."""
    function = _voi_function(text(ds, "VOILUTFunction"))
    explanations = texts(ds, "WindowCenterWidthExplanation")
    found = []
    for index, (center, width) in enumerate(
        zip(_each_number(ds, "WindowCenter"), _each_number(ds, "WindowWidth"), strict=False)
    ):
        if center is None or width is None:
            continue
        explanation = explanations[index] if index < len(explanations) else ""
        found.append(Window(center=center, width=width, function=function, explanation=explanation))
    return tuple(found)


def _each_number(ds: Dataset, keyword: str) -> list[float | None]:
    return [number_from(value) for value in values_of(ds, keyword)]


def _voi_function(name: str) -> VoiFunction:
    try:
        return VoiFunction(name.upper())
    except ValueError:
        return VoiFunction.LINEAR


def _geometry(group: Dataset, found: dict[str, Any]) -> None:
    """Plane position, orientation, measures and anatomy (PS3.3 C.7.6.16.2.1 to .4, .8)."""
    for sequence, name, read in (
        ("PlanePositionSequence", "image_position_patient", _position),
        ("PlaneOrientationSequence", "image_orientation_patient", _orientation),
        ("PixelMeasuresSequence", "pixel_spacing", _spacing),
        ("PatientOrientationInFrameSequence", "patient_orientation", _patient_orientation),
    ):
        item = first_item(group, sequence)
        value = read(item) if item is not None else None
        if value:
            found[name] = value
    measures = first_item(group, "PixelMeasuresSequence")
    if measures is not None:
        found["slice_thickness"] = _positive(measures, "SliceThickness")
        found["spacing_between_slices"] = _nonzero(measures, "SpacingBetweenSlices")
    anatomy = first_item(group, "FrameAnatomySequence")
    laterality = text(anatomy, "FrameLaterality") if anatomy is not None else ""
    if laterality:
        found["laterality"] = laterality


def _states(group: Dataset, found: dict[str, Any]) -> None:
    """Frame type, echo, b-value, cardiac phase and time."""
    for sequence in FRAME_TYPE_SEQUENCES:
        item = first_item(group, sequence)
        frame_type = texts(item, "FrameType") if item is not None else ()
        if frame_type:
            found["image_type"] = frame_type
            break
    for converted in ("UnassignedSharedConvertedAttributesSequence", "UnassignedPerFrameConvertedAttributesSequence"):
        # Legacy converted objects keep what has no place in a functional group (PS3.3 C.7.6.16.2.25).
        item = first_item(group, converted)
        if item is not None:
            found |= {name: value for name, value in _classic_states(item).items() if value}
    for sequence, name, keywords in (
        ("MREchoSequence", "echo", ("EffectiveEchoTime",)),
        ("MRDiffusionSequence", "b_value", ("DiffusionBValue",)),
        ("CardiacSynchronizationSequence", "cardiac_phase", ("NominalPercentageOfCardiacPhase",)),
        ("TemporalPositionSequence", "temporal_position", ("TemporalPositionTimeOffset",)),
        ("FrameContentSequence", "temporal_position", ("TemporalPositionIndex",)),
    ):
        item = first_item(group, sequence)
        for keyword in keywords if item is not None else ():
            value = _joined(item, keyword)
            if value:
                found[name] = value
                break


def _classic_states(ds: Dataset) -> dict[str, Any]:
    """Echo, b-value, time and cardiac phase as single images have them."""
    return {
        "echo": _joined(ds, "EchoNumbers") or _joined(ds, "EchoTime"),
        "b_value": _classic_b_value(ds),
        "temporal_position": _joined(ds, "TemporalPositionIdentifier"),
        "cardiac_phase": _joined(ds, "NominalPercentageOfCardiacPhase"),
    }


def _position(ds: Dataset) -> tuple[float, float, float] | None:
    values = numbers(ds, "ImagePositionPatient", 3)
    return (values[0], values[1], values[2]) if values else None


def _orientation(ds: Dataset) -> tuple[float, float, float, float, float, float] | None:
    values = numbers(ds, "ImageOrientationPatient", 6)
    if not values or not any(values[:3]) or not any(values[3:]):
        return None
    return values[0], values[1], values[2], values[3], values[4], values[5]


def _spacing(ds: Dataset) -> tuple[float, float] | None:
    values = numbers(ds, "PixelSpacing", 2)
    return (values[0], values[1]) if values and values[0] > 0 and values[1] > 0 else None


def _patient_orientation(ds: Dataset) -> tuple[str, ...]:
    return _present(texts(ds, "PatientOrientation"))


def _present(values: tuple[str, ...]) -> tuple[str, ...]:
    """Several values, unless all are empty."""
    return values if any(values) else ()


def _positive(ds: Dataset, keyword: str) -> float | None:
    value = number(ds, keyword)
    return value if value is not None and value > 0 else None


def _nonzero(ds: Dataset, keyword: str) -> float | None:
    """A spacing; negative ones exist (nuclear medicine) and mean the other direction."""
    return number(ds, keyword) or None


def _joined(ds: Dataset | None, keyword: str) -> str:
    """A state as text: numbers in their shortest form, several joined."""
    if ds is None:
        return ""
    return "\\".join(_shortest(value) for value in texts(ds, keyword) if value)


def _shortest(value: str) -> str:
    try:
        return f"{float(value):.10g}"
    except ValueError:
        return value


def _classic_b_value(ds: Dataset) -> str:
    """b-value of a single image: the standard's attribute, else where the large vendors put it."""
    standard = _joined(ds, "DiffusionBValue")
    if standard:
        return standard
    for group, creator, element in (
        (0x0019, "SIEMENS MR HEADER", 0x0C),
        (0x0043, "GEMS_PARM_01", 0x39),
        (0x2001, "Philips Imaging DD 001", 0x03),
    ):
        value = _private_number(ds, group, creator, element)
        if value is not None:
            # GE adds multiples of 1e9 to mark the diffusion option.
            return f"{value % 1_000_000_000:.10g}"
    return ""


def _private_number(ds: Dataset, group: int, creator: str, element: int) -> float | None:
    """First value of a private element, also where it came as text in UN."""
    try:
        value = ds.private_block(group, creator)[element].value
    except Exception:
        # No such block, or a broken one: the value is absent.
        return None
    if isinstance(value, bytes):
        value = value.decode("latin-1").strip("\0 ").split("\\")[0]
    elif isinstance(value, list | tuple) or (hasattr(value, "__iter__") and not isinstance(value, str)):
        value = next(iter(value), None)
    try:
        result = float(value)
    except (TypeError, ValueError):
        return None
    return result if 0 <= result < 1e15 else None


def _units(ds: Dataset, slope: float, intercept: float) -> str:
    """Units of PET, or the code of a Real World Value Mapping that is the same line as the rescale."""
    units = text(ds, "Units")
    if units:
        return units
    for mapping in items(ds, "RealWorldValueMappingSequence"):
        code = first_item(mapping, "MeasurementUnitsCodeSequence")
        line = (number(mapping, "RealWorldValueSlope"), number(mapping, "RealWorldValueIntercept"))
        if code is not None and line == (slope, intercept):
            return text(code, "CodeValue")
    return ""


def _dose_positions(ds: Dataset, shared: FrameAttributes, frames: int) -> tuple[tuple[float, float, float], ...]:
    """Positions of the planes of an RT Dose (PS3.3 C.8.8.3.2); empty for everything else."""
    offsets = numbers(ds, "GridFrameOffsetVector", frames) if frames > 1 and value_of(ds, "DoseUnits") else ()
    origin, orientation = shared.image_position_patient, shared.image_orientation_patient
    if not offsets or origin is None or orientation is None:
        return ()
    row, column = orientation[:3], orientation[3:]
    normal = (
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    )
    # Where the first offset is not 0, the offsets are z positions in the patient.
    start = offsets[0]
    return tuple(
        (
            origin[0] + normal[0] * (offset - start),
            origin[1] + normal[1] * (offset - start),
            origin[2] + normal[2] * (offset - start),
        )
        for offset in offsets
    )
