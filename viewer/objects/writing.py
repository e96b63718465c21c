"""What every object that the portal writes says alike: the patient and study as the archive has them, and the time."""

from __future__ import annotations

from datetime import UTC, datetime

from pydicom import Dataset
from pydicom.valuerep import DA, DT, TM

from archive.models import Study

MANUFACTURER = "Portal"


def person_name_of(name: str) -> str:
    """An account's name as PN: given and family name where there are two words (PS3.5 6.2.1)."""
    cleaned = " ".join(name.replace("^", " ").replace("=", " ").replace("\\", " ").split())
    given, _, family = cleaned.rpartition(" ")
    return f"{family}^{given}"


def patient_and_study(study: Study) -> Dataset:
    """Patient and study as the archive has them; type 2 attributes are there, empty where nothing is known."""
    patient = study.patient
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


def stamp(ds: Dataset, local: datetime) -> None:
    """One time wherever the object says one, with the offset of the site."""
    ds.ContentDate, ds.ContentTime = DA(local.date()), TM(local.time().replace(tzinfo=None))
    ds.SeriesDate, ds.SeriesTime = ds.ContentDate, ds.ContentTime
    ds.InstanceCreationDate, ds.InstanceCreationTime = DA(local.date()), TM(local.time().replace(tzinfo=None))
    ds.TimezoneOffsetFromUTC = f"{local:%z}"
    for equipment in ds.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = DT(local.astimezone(UTC).replace(tzinfo=None))
