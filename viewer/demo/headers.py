"""Headers of the demo studies: patients, the modules that every object has, UIDs, and Part 10 bytes."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

MANUFACTURER = "Portal demonstration"
NOT_FOR_CLINICAL_USE = "Synthetic phantom, not for clinical use"
REFERRER_IDENTIFIER = "REF-0001"
"""The identifier of the demo referrer in (0008,0096)."""
_NAMESPACE = uuid.UUID("5f0c8a3e-6a53-5d0b-9f86-6d1d3a0c2b11")
_IMPLEMENTATION_CLASS_UID = UID("2.25.126463823862110553116171170930306210065")


def demo_uid(*names: str | int) -> UID:
    """Return the UID that these names always have, on every machine (PS3.5 B.2, from a name-based UUID)."""
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(str(name) for name in names)).int}")


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """Somebody who does not exist."""

    patient_id: str
    name: str
    """Component groups as PN has them: letters, ideographs, sounds."""
    born: date
    sex: str
    character_sets: tuple[str, ...] = ("ISO_IR 192",)
    weight_kg: float = 74.0
    height_m: float = 1.72


@dataclass(frozen=True, slots=True)
class DemoVisit:
    """One study of a patient: what the modules above the series say."""

    key: str
    """Names the study for its UIDs."""
    patient: DemoPatient
    description: str
    begun: datetime
    """Start of the study in the site's time, without a zone."""
    accession_number: str
    referrer: str = "Salas^Mireia^^Dr"
    referrer_identifier: str = ""
    body_part: str = ""

    @property
    def study_instance_uid(self) -> UID:
        return demo_uid("study", self.key)

    @property
    def frame_of_reference_uid(self) -> UID:
        return demo_uid("frame of reference", self.key)


def dicom_date(moment: datetime | date) -> str:
    return f"{moment:%Y%m%d}"


def dicom_time(moment: datetime) -> str:
    return f"{moment:%H%M%S}"


def age_string(born: date, at: date) -> str:
    """Age in whole years (PS3.5 6.2, AS)."""
    years = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    return f"{years:03d}Y"


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence (PS3.3 8)."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def new_dataset(
    visit: DemoVisit,
    *,
    sop_class_uid: str,
    modality: str,
    series: str,
    series_number: int,
    series_description: str,
    instance_number: int,
    taken_after: timedelta = timedelta(),
    model: str = "Phantom",
) -> Dataset:
    """Return a data set with patient, study, series, equipment and SOP common modules (PS3.3 C.7, C.12).

    Parameters
    ----------
    series
        Names the series for its UID.
    taken_after
        Time from the start of the study to the series.
    """
    patient, moment = visit.patient, visit.begun + taken_after
    ds = Dataset()
    ds.SpecificCharacterSet = (
        list(patient.character_sets) if len(patient.character_sets) > 1 else patient.character_sets[0]
    )
    ds.InstanceCreationDate, ds.InstanceCreationTime = dicom_date(moment), dicom_time(moment)
    ds.SOPClassUID = UID(sop_class_uid)
    ds.SOPInstanceUID = demo_uid("instance", visit.key, series, instance_number)
    ds.StudyDate, ds.StudyTime = dicom_date(visit.begun), dicom_time(visit.begun)
    ds.SeriesDate, ds.SeriesTime = dicom_date(moment), dicom_time(moment)
    ds.ContentDate, ds.ContentTime = dicom_date(moment), dicom_time(moment)
    ds.AccessionNumber = visit.accession_number
    ds.Modality = modality
    ds.Manufacturer = MANUFACTURER
    ds.InstitutionName = MANUFACTURER
    ds.ReferringPhysicianName = visit.referrer
    if visit.referrer_identifier:
        ds.ReferringPhysicianIdentificationSequence = Sequence([_referrer_item(visit.referrer_identifier)])
    ds.StudyDescription = visit.description
    ds.SeriesDescription = series_description
    ds.ManufacturerModelName = model
    ds.PatientName = patient.name
    ds.PatientID = patient.patient_id
    ds.PatientBirthDate = dicom_date(patient.born)
    ds.PatientSex = patient.sex
    ds.PatientAge = age_string(patient.born, visit.begun.date())
    ds.PatientSize, ds.PatientWeight = f"{patient.height_m:.2f}", f"{patient.weight_kg:.1f}"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "0001", "1"
    if visit.body_part:
        ds.BodyPartExamined = visit.body_part
    ds.StudyInstanceUID = visit.study_instance_uid
    ds.SeriesInstanceUID = demo_uid("series", visit.key, series)
    ds.StudyID = visit.accession_number
    ds.SeriesNumber, ds.InstanceNumber = series_number, instance_number
    ds.ImageComments = NOT_FOR_CLINICAL_USE
    ds.BurnedInAnnotation = "NO"
    return ds


def _referrer_item(identifier: str) -> Dataset:
    """Person Identification Macro (PS3.3 10.1)."""
    item = Dataset()
    item.PersonIdentificationCodeSequence = Sequence([code_item(identifier, "99PORTAL", "Referring physician")])
    item.InstitutionName = MANUFACTURER
    return item


def put_pixels(
    ds: Dataset, *, rows: int, columns: int, bits_stored: int, signed: bool, photometric: str = "MONOCHROME2"
) -> None:
    """Image Pixel attributes of a single-sample image in 16-bit words (PS3.3 C.7.6.3)."""
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = photometric
    ds.Rows, ds.Columns = rows, columns
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, bits_stored, bits_stored - 1
    ds.PixelRepresentation = int(signed)


def part10_bytes(ds: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """Write the data set as a DICOM file."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    ds.file_meta.ImplementationClassUID = _IMPLEMENTATION_CLASS_UID
    ds.file_meta.ImplementationVersionName = "PORTAL_DEMO_1"
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
