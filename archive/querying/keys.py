"""What may be asked at which level: tables of the standard as data.

PS3.4 C.6.1.1.2 to C.6.1.1.5 (Patient Root) and C.6.2.1.2 (Study Root, where the patient's attributes belong to
the study level), C.3.4 (Instance Availability, Retrieve AE Title); PS3.18 tables 10.6.1-2 and 10.6.3-3 to 10.6.3-5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Level(IntEnum):
    """Query/Retrieve Level (0008,0052), from the top."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    IMAGE = 3


class Use(StrEnum):
    """Key type (PS3.4 C.2.2.1)."""

    UNIQUE = "U"
    REQUIRED = "R"
    OPTIONAL = "O"


class Owner(StrEnum):
    """The model that keeps the attribute."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class Key:
    """An attribute that rows keep.

    ``searched`` is the folded column that a name is searched in; ``has_index`` says that the
    column itself has an index, ``in_search_text`` that the study's search text contains the value.
    """

    keyword: str
    level: Level
    owner: Owner
    column: str
    use: Use = Use.OPTIONAL
    searched: str = ""
    has_index: bool = False
    in_search_text: bool = False


P, S, E, I = Level.PATIENT, Level.STUDY, Level.SERIES, Level.IMAGE  # noqa: E741
_PATIENT, _STUDY, _SERIES, _INSTANCE = Owner.PATIENT, Owner.STUDY, Owner.SERIES, Owner.INSTANCE
U, R = Use.UNIQUE, Use.REQUIRED

_ALL_KEYS: Final = (
    # A study's name, birth date and sex are what its own images say, and what it is found by.
    Key("PatientName", P, _STUDY, "patient_name", R, searched="patient_name_key"),
    Key("PatientID", P, _PATIENT, "patient_id", U, has_index=True, in_search_text=True),
    Key("IssuerOfPatientID", P, _PATIENT, "issuer_of_patient_id"),
    Key("PatientBirthDate", P, _STUDY, "patient_birth_date", has_index=True),
    Key("PatientSex", P, _STUDY, "patient_sex"),
    Key("StudyDate", S, _STUDY, "study_date", R, has_index=True),
    Key("StudyTime", S, _STUDY, "study_time", R),
    Key("AccessionNumber", S, _STUDY, "accession_number", R, has_index=True, in_search_text=True),
    Key("StudyID", S, _STUDY, "study_id", R, has_index=True, in_search_text=True),
    Key("StudyInstanceUID", S, _STUDY, "study_instance_uid", U, has_index=True),
    Key("ReferringPhysicianName", S, _STUDY, "referring_physician_name", searched="referring_physician_name_key"),
    Key("StudyDescription", S, _STUDY, "study_description", in_search_text=True),
    Key("InstitutionName", S, _STUDY, "institution_name", in_search_text=True),
    Key("TimezoneOffsetFromUTC", S, _STUDY, "timezone_offset_from_utc"),
    Key("PatientAge", S, _STUDY, "patient_age"),
    Key("Modality", E, _SERIES, "modality", R, has_index=True),
    Key("SeriesNumber", E, _SERIES, "series_number", R),
    Key("SeriesInstanceUID", E, _SERIES, "series_instance_uid", U, has_index=True),
    Key("SeriesDescription", E, _SERIES, "series_description"),
    Key("ProtocolName", E, _SERIES, "protocol_name"),
    Key("BodyPartExamined", E, _SERIES, "body_part_examined"),
    Key("Laterality", E, _SERIES, "laterality"),
    Key("PatientPosition", E, _SERIES, "patient_position"),
    Key("SeriesDate", E, _SERIES, "series_date"),
    Key("SeriesTime", E, _SERIES, "series_time"),
    Key(
        "PerformedProcedureStepStartDate",
        E,
        _SERIES,
        "performed_procedure_step_start_date",
        has_index=True,
    ),
    Key("PerformedProcedureStepStartTime", E, _SERIES, "performed_procedure_step_start_time"),
    Key("StationName", E, _SERIES, "station_name"),
    Key("Manufacturer", E, _SERIES, "manufacturer"),
    Key("FrameOfReferenceUID", E, _SERIES, "frame_of_reference_uid"),
    Key("InstanceNumber", I, _INSTANCE, "instance_number", R),
    Key("SOPInstanceUID", I, _INSTANCE, "sop_instance_uid", U, has_index=True),
    Key("SOPClassUID", I, _INSTANCE, "sop_class_uid"),
    Key("AcquisitionNumber", I, _INSTANCE, "acquisition_number"),
    Key("ContentDate", I, _INSTANCE, "content_date"),
    Key("ContentTime", I, _INSTANCE, "content_time"),
)
KEYS: Final = {key.keyword: key for key in _ALL_KEYS}

UNIQUE: Final = {key.level: key.keyword for key in _ALL_KEYS if key.use is U}
"""The unique key of each level."""

COUNTS: Final = {
    "NumberOfPatientRelatedStudies": P,
    "NumberOfPatientRelatedSeries": P,
    "NumberOfPatientRelatedInstances": P,
    "NumberOfStudyRelatedSeries": S,
    "NumberOfStudyRelatedInstances": S,
    "NumberOfSeriesRelatedInstances": E,
}
"""Computed from the rows that are shown; never matched (PS3.4 C.3.4)."""

COMPUTED: Final = {
    **COUNTS,
    "ModalitiesInStudy": S,
    "SOPClassesInStudy": S,
    "InstanceAvailability": P,
    "RetrieveAETitle": P,
}
REQUESTS: Final = "RequestAttributesSequence"
REQUEST_COLUMNS: Final = {
    "RequestedProcedureID": "requested_procedure_id",
    "ScheduledProcedureStepID": "scheduled_procedure_step_id",
}
"""Matching keys within Request Attributes Sequence (PS3.18 table 10.6.1-2) and their columns."""

DATE_TIME_PAIRS: Final = {
    "StudyDate": "StudyTime",
    "SeriesDate": "SeriesTime",
    "PerformedProcedureStepStartDate": "PerformedProcedureStepStartTime",
    "ContentDate": "ContentTime",
}
"""Matched as one where combined date-time matching was negotiated (PS3.4 C.5.2.1.1)."""

OF_PATIENT: Final = frozenset(
    [
        "PatientBirthTime",
        "OtherPatientIDs",
        "OtherPatientNames",
        "EthnicGroup",
        "PatientComments",
        "QualityControlSubject",
        "IssuerOfPatientIDQualifiersSequence",
        "OtherPatientIDsSequence",
        "PatientSpeciesDescription",
        "PatientBreedDescription",
        "ResponsiblePerson",
        "ResponsibleOrganization",
        "PatientIdentityRemoved",
        "DeidentificationMethod",
    ]
)
OF_STUDY: Final = frozenset(
    [
        "PhysiciansOfRecord",
        "NameOfPhysiciansReadingStudy",
        "ConsultingPhysicianName",
        "RequestingService",
        "ReferencedStudySequence",
        "ProcedureCodeSequence",
        "ReasonForPerformedProcedureCodeSequence",
        "AdmittingDiagnosesDescription",
        "PatientSize",
        "PatientWeight",
        "MedicalAlerts",
        "Allergies",
        "SmokingStatus",
        "PregnancyStatus",
        "PatientState",
        "Occupation",
        "AdditionalPatientHistory",
        "AdmissionID",
        "IssuerOfAccessionNumberSequence",
        "ReferringPhysicianIdentificationSequence",
        "AdmittingDiagnosesCodeSequence",
        "ServiceEpisodeID",
        "PatientSexNeutered",
    ]
)
OF_SERIES: Final = frozenset(
    [
        "OperatorsName",
        "PerformingPhysicianName",
        "ManufacturerModelName",
        "DeviceSerialNumber",
        "SoftwareVersions",
        "InstitutionAddress",
        "InstitutionalDepartmentName",
        "AnatomicalOrientationType",
        "PerformedProcedureStepID",
        "PerformedProcedureStepDescription",
        "PerformedProcedureStepEndDate",
        "PerformedProcedureStepEndTime",
        "PerformedProtocolCodeSequence",
        "SeriesDescriptionCodeSequence",
        "ReferencedPerformedProcedureStepSequence",
        "CommentsOnThePerformedProcedureStep",
        "PositionReferenceIndicator",
        "TreatmentSessionUID",
        "SpecificCharacterSet",
        "RequestAttributesSequence",
    ]
)
"""Attributes of each level that no row keeps: read from a stored data set of the level."""

NOT_OF_AN_IMAGE: Final = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData", "EncapsulatedDocument"})


def level_of(keyword: str) -> Level | None:
    """The level that an attribute belongs to; any that is of no other level is of the image.

    None for what no answer holds.
    """
    if keyword in KEYS:
        return KEYS[keyword].level
    if keyword in COMPUTED:
        return COMPUTED[keyword]
    for level, keywords in ((P, OF_PATIENT), (S, OF_STUDY), (E, OF_SERIES)):
        if keyword in keywords:
            return level
    return None if keyword in NOT_OF_AN_IMAGE else I
