"""Standardised uptake values of a PET series, or the reason why there are none: never a guess.

A Real World Value Mapping of the file wins; else the vendor-neutral pseudo-code of
the Quantitative Imaging Biomarkers Alliance. The factor turns modality values
(stored value times the slope of its own slice) into SUV.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from archive.dicom.dates import parse_date
from archive.dicom.values import first_item, items, number, text, texts

BODY_WEIGHT = "body weight"

_SUV_UNITS = (
    ("g/ml", "SUVbw", BODY_WEIGHT),
    ("g/ml", "SUVlbm", "lean body mass (James)"),
    ("g/ml", "SUVlbm(James128)", "lean body mass (James, 128 for men)"),
    ("g/ml", "SUVlbm(Janma)", "lean body mass (Janmahasatian)"),
    ("cm2/ml", "SUVbsa", "body surface area"),
    ("g/ml", "SUVibw", "ideal body weight"),
)

SUV_CODES = {
    # Codes of the units of SUV (UCUM), PS3.16 CID 85; older files have the annotation before the unit.
    code: formula
    for unit, kind, formula in _SUV_UNITS
    for code in (f"{unit}{{{kind}}}", f"{{{kind}}}{unit}")
}

SUV_TYPES = {
    # SUV Type (0054,1006), PS3.3 C.8.9.1.1.11; absent means BW.
    "": BODY_WEIGHT,
    "BW": BODY_WEIGHT,
    "LBM": "lean body mass (James)",
    "LBMJAMES128": "lean body mass (James, 128 for men)",
    "LBMJANMA": "lean body mass (Janmahasatian)",
    "BSA": "body surface area",
    "IBW": "ideal body weight",
}

LONGEST_DECAY = timedelta(days=1)
"""From injection to scan; longer means that a date or time is wrong."""


@dataclass(frozen=True, slots=True)
class Suv:
    """A factor with the name of its formula, or no factor and the reason in words."""

    factor: float | None
    formula: str = ""
    source: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PetFacts:
    """What the pseudo-code asks of a series; None and 0 both mean that it is not there."""

    units: str
    suv_type: str = ""
    corrections: frozenset[str] = frozenset()
    """Corrected Image (0028,0051)."""
    decay_correction: str = ""
    """Decay Correction (0054,1102): START, ADMIN or NONE."""
    series_start: datetime | None = None
    earliest_acquisition: datetime | None = None
    """Of all images of the series."""
    vendor_scan_start: datetime | None = None
    """GE's private (0009,xx0D) of GEMS_PETD_01."""
    injection: datetime | None = None
    """Radiopharmaceutical Start DateTime (0018,1078)."""
    injection_time: timedelta | None = None
    """Radiopharmaceutical Start Time (0018,1072), since midnight; its date is not in the file."""
    dose_bq: float | None = None
    half_life_s: float | None = None
    weight_kg: float | None = None
    height_m: float | None = None
    """Patient's Size (0010,1020)."""
    sex: str = ""
    """M, F, O or nothing."""
    philips_suv_factor: float | None = None
    """Private (7053,xx00) of Philips PET Private Group: counts to SUV."""
    philips_activity_factor: float | None = None
    """Private (7053,xx09): counts to Bq/ml."""
    mapped_factor: float | None = None
    """Real world slope over rescale slope, where both intercepts are 0."""
    mapped_formula: str = ""


def suv(facts: PetFacts) -> Suv:
    """Find the factor from modality values to SUV.

    >>> suv(PetFacts(units="GML")).formula
    'body weight'
    """
    if _present(facts.mapped_factor):
        return Suv(facts.mapped_factor, facts.mapped_formula, "Real World Value Mapping")
    if facts.units == "GML":
        formula = SUV_TYPES.get(facts.suv_type)
        return Suv(1.0, formula, "Units") if formula else Suv(None, reason=f"SUV type {facts.suv_type} is not known.")
    if facts.units == "CNTS" and _present(facts.philips_suv_factor):
        return Suv(facts.philips_suv_factor, BODY_WEIGHT, "vendor's factor")
    to_becquerel = {"BQML": 1.0, "CNTS": facts.philips_activity_factor}.get(facts.units)
    if to_becquerel is None or not _present(to_becquerel):
        return Suv(None, reason=f"Units {facts.units or 'that are not given'} cannot be turned into SUV.")
    return _body_weight(facts, to_becquerel)


def _body_weight(facts: PetFacts, to_becquerel: float) -> Suv:
    """Bq/ml through weight and the dose that was left at the time the image is corrected to."""
    missing = {"ATTN", "DECY"} - facts.corrections
    if missing:
        return Suv(None, reason=f"Not corrected for {' and '.join(sorted(missing))}.")
    for value, name in (
        (facts.weight_kg, "The patient's weight"),
        (facts.dose_bq, "The injected dose"),
        (facts.half_life_s, "The half-life"),
    ):
        if not _present(value):
            return Suv(None, reason=f"{name} is not in the file.")
    elapsed, reason = _decay_time(facts)
    if elapsed is None:
        return Suv(None, reason=reason)
    left = (facts.dose_bq or 0.0) * 2 ** (-elapsed.total_seconds() / (facts.half_life_s or math.inf))
    return Suv(to_becquerel * (facts.weight_kg or 0.0) * 1000 / left, BODY_WEIGHT, "weight, dose and decay")


def _decay_time(facts: PetFacts) -> tuple[timedelta | None, str]:
    """Time from injection to the moment that the image is decay-corrected to; None with the reason."""
    if facts.decay_correction == "ADMIN":
        return timedelta(0), ""
    if facts.decay_correction != "START":
        return None, "It is not said to which moment the image is decay-corrected."
    scan = _scan_start(facts)
    if scan is None:
        return None, "The start of the scan is not in the file."
    elapsed = _since_injection(facts, scan)
    if elapsed is None:
        return None, "The time of injection is not in the file."
    if not timedelta(0) <= elapsed <= LONGEST_DECAY:
        return None, "The times of injection and scan contradict each other."
    return elapsed, ""


def _scan_start(facts: PetFacts) -> datetime | None:
    """Series time, unless the series was made later than its first acquisition (post-processed)."""
    series, acquired = facts.series_start, facts.earliest_acquisition
    if series is not None and (acquired is None or series <= acquired):
        return series
    return facts.vendor_scan_start or acquired


def _since_injection(facts: PetFacts, scan: datetime) -> timedelta | None:
    """An injection of which only the time is known was on the day of the scan, or the evening before."""
    if facts.injection is not None:
        return scan - facts.injection
    if facts.injection_time is None:
        return None
    midnight = datetime(scan.year, scan.month, scan.day)  # noqa: DTZ001 - both are the scanner's clock
    elapsed = scan - (midnight + facts.injection_time)
    return elapsed if elapsed >= timedelta(0) else elapsed + timedelta(days=1)


def _present(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and value > 0


# --- Reading the facts


def pet_facts(ds: Dataset, *, earliest_acquisition: datetime | None = None) -> PetFacts:
    """Read the facts from one image of a series; the earliest acquisition is that of all its images."""
    drug = first_item(ds, "RadiopharmaceuticalInformationSequence") or Dataset()
    mapped_factor, mapped_formula = _mapped(ds)
    return PetFacts(
        units=text(ds, "Units"),
        suv_type=text(ds, "SUVType"),
        corrections=frozenset(texts(ds, "CorrectedImage")),
        decay_correction=text(ds, "DecayCorrection"),
        series_start=moment(text(ds, "SeriesDate"), text(ds, "SeriesTime")),
        earliest_acquisition=earliest_acquisition or acquisition_start(ds),
        vendor_scan_start=_from_datetime(_private_text(ds, 0x0009, "GEMS_PETD_01", 0x0D)),
        injection=_from_datetime(text(drug, "RadiopharmaceuticalStartDateTime")),
        injection_time=_time_of_day(text(drug, "RadiopharmaceuticalStartTime")),
        dose_bq=number(drug, "RadionuclideTotalDose"),
        half_life_s=number(drug, "RadionuclideHalfLife"),
        weight_kg=number(ds, "PatientWeight"),
        height_m=number(ds, "PatientSize"),
        sex=text(ds, "PatientSex").upper(),
        philips_suv_factor=_private_number(ds, 0x7053, "Philips PET Private Group", 0x00),
        philips_activity_factor=_private_number(ds, 0x7053, "Philips PET Private Group", 0x09),
        mapped_factor=mapped_factor,
        mapped_formula=mapped_formula,
    )


def acquisition_start(ds: Dataset) -> datetime | None:
    """Acquisition date and time of one image."""
    return moment(text(ds, "AcquisitionDate"), text(ds, "AcquisitionTime"))


def _mapped(ds: Dataset) -> tuple[float | None, str]:
    """Factor of the first Real World Value Mapping in units of SUV (PS3.3 C.7.6.16.2.11), of the image or its groups."""
    shared = first_item(ds, "SharedFunctionalGroupsSequence") or Dataset()
    frame = first_item(ds, "PerFrameFunctionalGroupsSequence") or Dataset()
    transformations = (first_item(group, "PixelValueTransformationSequence") for group in (frame, shared))
    rescale = next((found for found in transformations if found is not None), ds)
    slope = number(rescale, "RescaleSlope")
    if not slope or number(rescale, "RescaleIntercept"):
        return None, ""
    for mapping in (one for source in (frame, shared, ds) for one in items(source, "RealWorldValueMappingSequence")):
        units = first_item(mapping, "MeasurementUnitsCodeSequence")
        formula = SUV_CODES.get(text(units, "CodeValue")) if units is not None else None
        real_slope = number(mapping, "RealWorldValueSlope")
        if formula and real_slope and not number(mapping, "RealWorldValueIntercept"):
            return real_slope / slope, formula
    return None, ""


def moment(date: str, time: str) -> datetime | None:
    """A date and a time as the scanner recorded them, without a zone."""
    day, since_midnight = parse_date(date), _time_of_day(time)
    if day is None or since_midnight is None:
        return None
    return datetime(day.year, day.month, day.day) + since_midnight  # noqa: DTZ001 - kept as recorded


def _from_datetime(value: str) -> datetime | None:
    """A DT value (PS3.5 6.2); an offset from UTC is cut off, as the other times carry none."""
    local = value.partition("+")[0].partition("-")[0]
    return moment(local[:8], local[8:])


def _time_of_day(value: str) -> timedelta | None:
    """A TM value (PS3.5 6.2), which may stop after hours or minutes."""
    whole, _, fraction = value.strip().replace(":", "").partition(".")
    if not whole.isdigit() or len(whole) not in (2, 4, 6) or (fraction and not fraction.isdigit()):
        return None
    hours, minutes, seconds = (int(whole[place : place + 2] or 0) for place in (0, 2, 4))
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return timedelta(hours=hours, minutes=minutes, seconds=seconds + float(f"0.{fraction or 0}"))


def _private_text(ds: Dataset, group: int, creator: str, element: int) -> str:
    try:
        value = ds.private_block(group, creator)[element].value
    except (KeyError, ValueError, TypeError):
        return ""
    # Private elements of files in implicit VR come as bytes.
    return value.decode("ascii", "replace").strip("\0 ") if isinstance(value, bytes) else str(value or "")


def _private_number(ds: Dataset, group: int, creator: str, element: int) -> float | None:
    try:
        return float(_private_text(ds, group, creator, element))
    except ValueError:
        return None
