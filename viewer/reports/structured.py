"""A signed report as DICOM: Comprehensive SR after TID 2000, and Encapsulated PDF (PS3.3 A.35.3, A.45.1).

Both say no time but that of the signature and have UIDs made from it, so that a job that
runs twice writes the same instances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from highdicom.sr import CodedConcept, ComprehensiveSR, ContainerContentItem, TextContentItem
from highdicom.sr.enum import RelationshipTypeValues
from pydicom import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.sr.codedict import codes
from pydicom.valuerep import DA, DT, TM

from archive.dicom.uids import IMPLEMENTATION_VERSION_NAME, uid_from
from archive.models import Study
from viewer.reports.document import ReportDocument, Section, SignedPart
from viewer.reports.pdf import as_pdf

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
MANUFACTURER = "Portal"
SR_SERIES_NUMBER, PDF_SERIES_NUMBER = 9900, 9901

HEADINGS = {
    "indication": ("18785-6", "LN", "Indications for Procedure"),
    "technique": ("55111-9", "LN", "Current Procedure Descriptions"),
    "comparison": ("55114-3", "LN", "Prior Procedure Descriptions"),
    "findings": ("59776-5", "LN", "Findings"),
    "impression": ("19005-8", "LN", "Impressions"),
    "addendum": ("55107-7", "LN", "Addendum"),
}
"""Section -> heading of CID 7001."""
ELEMENTS = {
    "indication": ("55115-0", "LN", "Request"),
    "technique": ("121065", "DCM", "Procedure Description"),
    "comparison": ("121069", "DCM", "Previous Finding"),
    "findings": ("121071", "DCM", "Finding"),
    "impression": ("121073", "DCM", "Impression"),
    "addendum": ("121077", "DCM", "Conclusion"),
}
"""Section -> element of CID 7002."""
TITLE = ("18748-4", "LN", "Diagnostic Imaging Report")
"""Of CID 7000: the one that is true of every examination."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What the documents are made of: the report that stands, its study, the images that the reader had."""

    document: ReportDocument
    study: Study
    images: Sequence[tuple[str, str, str]]
    """Series Instance UID, SOP Class UID, SOP Instance UID."""
    organization: str

    @property
    def signed_at(self) -> datetime:
        return timezone.localtime(self.document.last.signed_at)

    def uid(self, what: str) -> str:
        """The same for the same signature."""
        return uid_from(f"report {what}", self.study.study_instance_uid, self.document.last.sha256)

    def series_uid(self, what: str) -> str:
        return uid_from(f"report {what} series", self.study.study_instance_uid)


def structured_report(reported: Reported) -> Dataset:
    """Comprehensive SR, verified by who signed; the images are its evidence."""
    last = reported.document.last
    ds = ComprehensiveSR(
        evidence=[_evidence(reported, *image) for image in reported.images],
        content=_content(reported.document),
        series_instance_uid=reported.series_uid("SR"),
        series_number=SR_SERIES_NUMBER,
        sop_instance_uid=reported.uid("SR"),
        instance_number=last.number,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=True,
        is_verified=True,
        verifying_observer_name=person_name_of(last.author),
        verifying_organization=reported.organization,
        specific_character_set="ISO_IR 192",
    )
    ds.SoftwareVersions = IMPLEMENTATION_VERSION_NAME
    ds.SeriesDescription = reported.document.title
    _stamp(ds, reported)
    for observer in ds.VerifyingObserverSequence:
        observer.VerificationDateTime = DT(reported.signed_at.replace(tzinfo=None))
    return ds


def encapsulated_pdf(reported: Reported) -> Dataset:
    """The printed report as an instance; it names the structured report that it was made from."""
    pdf = as_pdf(reported.document)
    ds = _patient_and_study(reported)
    ds.SOPClassUID, ds.SOPInstanceUID = ENCAPSULATED_PDF, reported.uid("PDF")
    ds.Modality = "DOC"
    ds.SeriesInstanceUID, ds.SeriesNumber = reported.series_uid("PDF"), PDF_SERIES_NUMBER
    ds.SeriesDescription = reported.document.title
    ds.InstanceNumber = reported.document.last.number
    ds.Manufacturer, ds.SoftwareVersions = MANUFACTURER, IMPLEMENTATION_VERSION_NAME
    ds.ConversionType = "SYN"
    ds.AcquisitionDateTime = DT(reported.signed_at.replace(tzinfo=None))
    ds.BurnedInAnnotation = "YES"
    ds.DocumentTitle = reported.document.title
    ds.ConceptNameCodeSequence = [CodedConcept(*TITLE)]
    ds.VerificationFlag = "VERIFIED"
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.SourceInstanceSequence = [_source(reported)]
    ds.EncapsulatedDocumentLength = len(pdf)
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    ds.SpecificCharacterSet = "ISO_IR 192"
    _stamp(ds, reported)
    return ds


def person_name_of(name: str) -> str:
    """An account's name as PN: given and family name where there are two words (PS3.5 6.2.1)."""
    cleaned = " ".join(name.replace("^", " ").replace("=", " ").replace("\\", " ").split())
    given, _, family = cleaned.rpartition(" ")
    return f"{family}^{given}"


def _content(document: ReportDocument) -> ContainerContentItem:
    root = ContainerContentItem(name=CodedConcept(*TITLE), template_id="2000")
    root.ContentSequence = DicomSequence(
        [_container(section, part) for part in document.parts for section in part.sections]
    )
    return root


def _container(section: Section, part: SignedPart) -> ContainerContentItem:
    """A section: its heading, and its text; an addendum names who signed it (TID 1002)."""
    contains = RelationshipTypeValues.CONTAINS
    item = ContainerContentItem(name=CodedConcept(*HEADINGS[section.name]), relationship_type=contains)
    text = section.text
    if section.name == "addendum":
        text = f"{text}\n{part.signature}"
    item.ContentSequence = DicomSequence(
        [
            TextContentItem(
                name=CodedConcept(*ELEMENTS[section.name]),
                value=text.replace("\n", "\r\n"),
                relationship_type=contains,
            )
        ]
    )
    return item


def _patient_and_study(reported: Reported) -> Dataset:
    """Patient and study as the archive has them; type 2 attributes are there, empty where nothing is known."""
    study, patient = reported.study, reported.study.patient
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName, ds.PatientID = study.patient_name, patient.patient_id
    if patient.issuer_of_patient_id:
        ds.IssuerOfPatientID = patient.issuer_of_patient_id
    ds.PatientBirthDate, ds.PatientSex = study.patient_birth_date, study.patient_sex
    ds.StudyInstanceUID, ds.StudyID = study.study_instance_uid, study.study_id
    ds.StudyDate, ds.StudyTime = study.study_date, study.study_time
    ds.AccessionNumber, ds.ReferringPhysicianName = study.accession_number, study.referring_physician_name
    if study.study_description:
        ds.StudyDescription = study.study_description[:64]
    return ds


def _evidence(reported: Reported, series_uid: str, sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    ds = _patient_and_study(reported)
    ds.SeriesInstanceUID, ds.SOPClassUID, ds.SOPInstanceUID = series_uid, sop_class_uid, sop_instance_uid
    return ds


def _source(reported: Reported) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    item.ReferencedSOPInstanceUID = reported.uid("SR")
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(codes.DCM.SourceDocument)]
    return item


def _stamp(ds: Dataset, reported: Reported) -> None:
    """The signature's time wherever the object says one."""
    local, utc = reported.signed_at, reported.signed_at.astimezone(UTC)
    ds.ContentDate, ds.ContentTime = DA(local.date()), TM(local.time().replace(tzinfo=None))
    ds.SeriesDate, ds.SeriesTime = ds.ContentDate, ds.ContentTime
    ds.InstanceCreationDate, ds.InstanceCreationTime = DA(local.date()), TM(local.time().replace(tzinfo=None))
    ds.TimezoneOffsetFromUTC = f"{local:%z}"
    for equipment in ds.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = DT(utc.replace(tzinfo=None))
