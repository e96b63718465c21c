"""A signed report as DICOM: Comprehensive SR after TID 2000, and Encapsulated PDF (PS3.3 A.35.3, A.45.1).

Both say no time but that of the signature and have UIDs made from it, so that a job that
runs twice writes the same instances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from highdicom.sr import (
    CodedConcept,
    CompositeContentItem,
    ComprehensiveSR,
    ContainerContentItem,
    ImageContentItem,
    TextContentItem,
)
from highdicom.sr.enum import RelationshipTypeValues
from pydicom import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.sr.codedict import codes
from pydicom.valuerep import DT

from archive.dicom.uids import IMPLEMENTATION_VERSION_NAME, uid_from
from archive.models import Study
from viewer.objects.writing import MANUFACTURER, patient_and_study, person_name_of, stamp
from viewer.reports.document import ReportDocument, Section, SignedPart
from viewer.reports.headings import ELEMENTS, HEADINGS, TITLE
from viewer.reports.pdf import as_pdf

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
SR_SERIES_NUMBER, PDF_SERIES_NUMBER = 9900, 9901

KEY_IMAGES, KEY_IMAGE = ("55113-5", "LN", "Key Images"), ("121080", "DCM", "Best illustration of finding")
"""Heading of CID 7001 and purpose of CID 7003."""
MEASURED_ON = ("121112", "DCM", "Source of Measurement")
"""Purpose of an image that a measurement in the text was made on."""
MEASUREMENTS = ("126010", "DCM", "Imaging Measurements")


@dataclass(frozen=True, slots=True)
class Reported:
    """What the documents are made of: the report that stands, its study, the images that the reader had."""

    document: ReportDocument
    study: Study
    images: Sequence[tuple[str, str, str, int]]
    """Series Instance UID, SOP Class UID, SOP Instance UID, number of frames."""
    organization: str
    objects: Sequence[Dataset] = ()
    """Measurements and key images as they were written with it."""

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
        evidence=[_evidence(reported, *one) for one in _evidence_of(reported)],
        content=_content(reported),
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
    stamp(ds, reported.signed_at)
    for observer in ds.VerifyingObserverSequence:
        observer.VerificationDateTime = DT(reported.signed_at.replace(tzinfo=None))
    return ds


def encapsulated_pdf(reported: Reported) -> Dataset:
    """The printed report as an instance; it names the structured report that it was made from."""
    pdf = as_pdf(reported.document)
    ds = patient_and_study(reported.study)
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
    stamp(ds, reported.signed_at)
    return ds


def _content(reported: Reported) -> ContainerContentItem:
    root = ContainerContentItem(name=CodedConcept(*TITLE), template_id="2000")
    sections = [_container(section, part, reported) for part in reported.document.parts for section in part.sections]
    root.ContentSequence = DicomSequence([*sections, *_key_images(reported), *_measurements(reported)])
    return root


def _key_images(reported: Reported) -> list[ContainerContentItem]:
    """The section "Key Images" with references to them; none where none was marked."""
    classes = {uid: sop_class for _, sop_class, uid, _ in reported.images}
    references = [
        reference
        for ds in reported.objects
        if ds.Modality == "KO"
        for item in ds.ContentSequence
        for reference in item.get("ReferencedSOPSequence", [])
    ]
    contains = RelationshipTypeValues.CONTAINS
    images = [
        ImageContentItem(
            CodedConcept(*KEY_IMAGE),
            classes[one.ReferencedSOPInstanceUID],
            one.ReferencedSOPInstanceUID,
            referenced_frame_numbers=one.get("ReferencedFrameNumber"),
            relationship_type=contains,
        )
        for one in references
        if one.ReferencedSOPInstanceUID in classes
    ]
    return [_section_of(CodedConcept(*KEY_IMAGES), images)] if images else []


def _measurements(reported: Reported) -> list[ContainerContentItem]:
    """The section that refers to the report of measurements (TID 1500) that was written with this one."""
    contains = RelationshipTypeValues.CONTAINS
    items = [
        CompositeContentItem(CodedConcept(*MEASUREMENTS), ds.SOPClassUID, ds.SOPInstanceUID, relationship_type=contains)
        for ds in reported.objects
        if ds.Modality == "SR"
    ]
    return [_section_of(CodedConcept(*MEASUREMENTS), items)] if items else []


def _section_of(name: CodedConcept, items: Sequence[Dataset]) -> ContainerContentItem:
    section = ContainerContentItem(name=name, relationship_type=RelationshipTypeValues.CONTAINS)
    section.ContentSequence = DicomSequence(items)
    return section


def _evidence_of(reported: Reported) -> Sequence[tuple[str, str, str]]:
    """All images, and the report of measurements where there is one."""
    written = [
        (ds.SeriesInstanceUID, ds.SOPClassUID, ds.SOPInstanceUID) for ds in reported.objects if ds.Modality == "SR"
    ]
    return [*(image[:3] for image in reported.images), *written]


def _container(section: Section, part: SignedPart, reported: Reported) -> ContainerContentItem:
    """A section: its heading, and its text with the images that it was measured on; an addendum names who signed it."""
    contains = RelationshipTypeValues.CONTAINS
    item = ContainerContentItem(name=CodedConcept(*HEADINGS[section.name]), relationship_type=contains)
    text = section.text
    if section.name == "addendum":
        text = f"{text}\n{part.signature}"
    words = TextContentItem(
        name=CodedConcept(*ELEMENTS[section.name]), value=text.replace("\n", "\r\n"), relationship_type=contains
    )
    if images := _measured_on(section, reported):
        words.ContentSequence = DicomSequence(images)
    item.ContentSequence = DicomSequence([words])
    return item


def _measured_on(section: Section, reported: Reported) -> list[ImageContentItem]:
    """Each image that a measurement in the text was made on, once (TID 2002: text, inferred from an image)."""
    known = {uid: (sop_class, frames) for _, sop_class, uid, frames in reported.images}
    wanted = dict.fromkeys((link.sop_instance_uid, link.frame_number) for link in section.links)
    return [
        ImageContentItem(
            CodedConcept(*MEASURED_ON),
            known[uid][0],
            uid,
            referenced_frame_numbers=frame if known[uid][1] > 1 else None,
            relationship_type=RelationshipTypeValues.INFERRED_FROM,
        )
        for uid, frame in wanted
        if uid in known
    ]


def _evidence(reported: Reported, series_uid: str, sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    ds = patient_and_study(reported.study)
    ds.SeriesInstanceUID, ds.SOPClassUID, ds.SOPInstanceUID = series_uid, sop_class_uid, sop_instance_uid
    return ds


def _source(reported: Reported) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    item.ReferencedSOPInstanceUID = reported.uid("SR")
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(codes.DCM.SourceDocument)]
    return item
