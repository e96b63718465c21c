"""The attributes that rows keep, read once from a data set and made clean.

Patient, study, series and instance level follow PS3.3 C.7.1.1, C.7.2.1, C.7.3.1
and C.12.1. Values of the wrong type are left out, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydicom import Dataset

from archive.dicom.values import items, values_of


@dataclass(frozen=True, slots=True)
class IndexedAttributes:
    """What one instance says about the four levels."""

    patient: dict[str, str]
    issuer_of_patient_id: str
    study: dict[str, Any]
    series: dict[str, Any]
    instance: dict[str, Any]
    requests: tuple[tuple[str, str], ...]
    """Requested Procedure ID and Scheduled Procedure Step ID of each item of Request Attributes Sequence."""
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str


STUDY_TEXT = {
    "study_date": ("StudyDate", 8),
    "study_time": ("StudyTime", 16),
    "timezone_offset_from_utc": ("TimezoneOffsetFromUTC", 5),
    "study_id": ("StudyID", 16),
    "study_description": ("StudyDescription", 255),
    "accession_number": ("AccessionNumber", 64),
    "referring_physician_name": ("ReferringPhysicianName", 330),
    "institution_name": ("InstitutionName", 255),
    "patient_name": ("PatientName", 330),
    "patient_birth_date": ("PatientBirthDate", 8),
    "patient_sex": ("PatientSex", 16),
    "patient_age": ("PatientAge", 4),
}
SERIES_TEXT = {
    "modality": ("Modality", 16),
    "series_description": ("SeriesDescription", 255),
    "protocol_name": ("ProtocolName", 255),
    "body_part_examined": ("BodyPartExamined", 64),
    "laterality": ("Laterality", 16),
    "patient_position": ("PatientPosition", 16),
    "series_date": ("SeriesDate", 8),
    "series_time": ("SeriesTime", 16),
    "performed_procedure_step_start_date": ("PerformedProcedureStepStartDate", 8),
    "performed_procedure_step_start_time": ("PerformedProcedureStepStartTime", 16),
    "station_name": ("StationName", 64),
    "manufacturer": ("Manufacturer", 128),
    "frame_of_reference_uid": ("FrameOfReferenceUID", 64),
}
INSTANCE_TEXT = {"content_date": ("ContentDate", 8), "content_time": ("ContentTime", 16)}


def read_attributes(ds: Dataset, *, default_issuer: str = "") -> IndexedAttributes:
    """Read the table above from one data set."""
    study: dict[str, Any] = {field: text(ds, keyword, length) for field, (keyword, length) in STUDY_TEXT.items()}
    study["patient_weight_kg"] = decimal(ds, "PatientWeight")
    study["referring_physician_identifiers"] = referring_identifiers(ds)
    series: dict[str, Any] = {field: text(ds, keyword, length) for field, (keyword, length) in SERIES_TEXT.items()}
    series["series_number"] = integer(ds, "SeriesNumber")
    instance: dict[str, Any] = {field: text(ds, keyword, length) for field, (keyword, length) in INSTANCE_TEXT.items()}
    instance["instance_number"] = integer(ds, "InstanceNumber")
    instance["acquisition_number"] = integer(ds, "AcquisitionNumber")
    return IndexedAttributes(
        patient={
            "patient_id": text(ds, "PatientID", 64),
            "patient_name": text(ds, "PatientName", 330),
            "patient_birth_date": text(ds, "PatientBirthDate", 8),
            "patient_sex": text(ds, "PatientSex", 16),
        },
        issuer_of_patient_id=text(ds, "IssuerOfPatientID", 64) or default_issuer,
        study=study,
        series=series,
        instance=instance,
        requests=requests(ds),
        study_instance_uid=text(ds, "StudyInstanceUID", 64),
        series_instance_uid=text(ds, "SeriesInstanceUID", 64),
        sop_instance_uid=text(ds, "SOPInstanceUID", 64),
        sop_class_uid=text(ds, "SOPClassUID", 64),
    )


def text(ds: Dataset, keyword: str, length: int) -> str:
    """First value as text, trimmed, without characters that no database or page takes, cut to the column."""
    values = values_of(ds, keyword)
    if not values:
        return ""
    cleaned = str(values[0]).encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    return cleaned.strip()[:length]


def integer(ds: Dataset, keyword: str) -> int | None:
    """First value of an IS, None where it is none or does not fit 32 bits."""
    value = text(ds, keyword, 32)
    try:
        number = int(float(value))
    except (ValueError, OverflowError):
        return None
    return number if -(2**31) <= number < 2**31 else None


def decimal(ds: Dataset, keyword: str) -> float | None:
    """First value of a DS that is a finite positive number."""
    try:
        number = float(text(ds, keyword, 32))
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None


def referring_identifiers(ds: Dataset) -> list[str]:
    """Code values of Person Identification Code Sequence in (0008,0096), PS3.3 10.1."""
    found = []
    for item in items(ds, "ReferringPhysicianIdentificationSequence"):
        for code in items(item, "PersonIdentificationCodeSequence"):
            value = text(code, "CodeValue", 64) or text(code, "LongCodeValue", 64)
            if value and value not in found:
                found.append(value)
    return found


def requests(ds: Dataset) -> tuple[tuple[str, str], ...]:
    """Items of Request Attributes Sequence (0040,0275) that name a procedure or a step (PS3.3 10.6)."""
    found = (
        (text(item, "RequestedProcedureID", 64), text(item, "ScheduledProcedureStepID", 64))
        for item in items(ds, "RequestAttributesSequence")
    )
    return tuple(dict.fromkeys(pair for pair in found if any(pair)))
