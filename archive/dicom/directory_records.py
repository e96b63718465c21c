"""Which directory record an instance has in a DICOMDIR, and which attributes stand in it (PS3.3 F.4, F.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1"
IMAGE: Final = "IMAGE"

_BY_CLASS: Final[Mapping[str, str]] = {
    # PS3.3 F.5: the record type of each storage class that is no image; a name that ends in a dot stands for all below it.
    "4.2": "SPECTROSCOPY",
    "9.": "WAVEFORM",
    "11.": "PRESENTATION",
    "66": "RAW DATA",
    "66.1": "REGISTRATION",
    "66.2": "FIDUCIAL",
    "66.3": "REGISTRATION",
    "66.5": "SURFACE",
    "66.6": "TRACT",
    "67": "VALUE MAP",
    "68.": "SURFACE SCAN",
    "77.1.5.3": "STEREOMETRIC",
    "78.": "MEASUREMENT",
    "80.1": "MEASUREMENT",
    "88.": "SR DOCUMENT",
    "88.59": "KEY OBJECT DOC",
    "90.1": "ASSESSMENT",
    "104.": "ENCAP DOC",
    "481.2": "RT DOSE",
    "481.3": "RT STRUCTURE SET",
    "481.4": "RT TREAT RECORD",
    "481.5": "RT PLAN",
    "481.6": "RT TREAT RECORD",
    "481.7": "RT TREAT RECORD",
    "481.8": "RT PLAN",
    "481.9": "RT TREAT RECORD",
}
_CONTENT: Final = ("InstanceNumber", "ContentDate", "ContentTime")
_IDENTIFIED: Final = (*_CONTENT, "ContentLabel", "ContentDescription", "ContentCreatorName")

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "PATIENT": ("PatientName", "PatientID"),
    "STUDY": ("StudyDate", "StudyTime", "StudyDescription", "StudyInstanceUID", "StudyID", "AccessionNumber"),
    "SERIES": ("Modality", "SeriesInstanceUID", "SeriesNumber"),
    IMAGE: ("InstanceNumber",),
    "RT DOSE": ("InstanceNumber", "DoseSummationType"),
    "RT STRUCTURE SET": ("InstanceNumber", "StructureSetLabel", "StructureSetDate", "StructureSetTime"),
    "RT PLAN": ("InstanceNumber", "RTPlanLabel", "RTPlanDate", "RTPlanTime"),
    "RT TREAT RECORD": ("InstanceNumber", "TreatmentDate", "TreatmentTime"),
    "PRESENTATION": (
        "InstanceNumber",
        "ContentLabel",
        "ContentDescription",
        "ContentCreatorName",
        "PresentationCreationDate",
        "PresentationCreationTime",
        "ReferencedSeriesSequence",
        "BlendingSequence",
    ),
    "WAVEFORM": _CONTENT,
    "SR DOCUMENT": (
        *_CONTENT,
        "CompletionFlag",
        "VerificationFlag",
        "VerificationDateTime",
        "ConceptNameCodeSequence",
        "ContentSequence",
    ),
    "KEY OBJECT DOC": (*_CONTENT, "ConceptNameCodeSequence", "ContentSequence"),
    "SPECTROSCOPY": (
        *_CONTENT,
        "ImageType",
        "ReferencedImageEvidenceSequence",
        "NumberOfFrames",
        "Rows",
        "Columns",
        "DataPointRows",
        "DataPointColumns",
    ),
    "RAW DATA": _CONTENT,
    "REGISTRATION": _IDENTIFIED,
    "FIDUCIAL": _IDENTIFIED,
    "VALUE MAP": _IDENTIFIED,
    "SURFACE": _IDENTIFIED,
    "TRACT": _IDENTIFIED,
    "MEASUREMENT": _IDENTIFIED,
    "SURFACE SCAN": ("ContentDate", "ContentTime"),
    "STEREOMETRIC": (),
    "ASSESSMENT": ("InstanceNumber", "InstanceCreationDate", "InstanceCreationTime"),
    "ENCAP DOC": (
        *_CONTENT,
        "DocumentTitle",
        "HL7InstanceIdentifier",
        "ConceptNameCodeSequence",
        "MIMETypeOfEncapsulatedDocument",
    ),
}
"""Attributes of each record type."""

WHERE_PRESENT: Final = frozenset({"VerificationDateTime", "HL7InstanceIdentifier"})
"""Type 1C: left out where the instance has none; others stand there empty."""
INVENTED: Final[Mapping[str, str]] = {
    "PatientID": "UNKNOWN",
    "StudyDate": "19000101",
    "StudyTime": "000000",
    "StudyID": "1",
    "Modality": "OT",
    "SeriesNumber": "0",
    "InstanceNumber": "0",
}
"""Type 1 in a record, but not in the instance: a value, as other writers of DICOMDIR invent one."""


def record_type_of(sop_class_uid: str) -> str:
    """Directory Record Type (0004,1430) of an instance of a storage class; ``IMAGE`` for what no other type is for.

    >>> record_type_of("1.2.840.10008.5.1.4.1.1.88.59"), record_type_of("1.2.840.10008.5.1.4.1.1.2")
    ('KEY OBJECT DOC', 'IMAGE')
    """
    name = sop_class_uid.removeprefix(f"{_STORAGE}.") if sop_class_uid.startswith(f"{_STORAGE}.") else ""
    return _BY_CLASS.get(name) or _BY_CLASS.get(f"{name.partition('.')[0]}.") or IMAGE
