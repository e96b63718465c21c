"""Whom and what a report is about, in words, as it is shown beside the text and printed above it."""

from __future__ import annotations

from archive.dicom.dates import age_at, format_date, format_time
from archive.dicom.person_name import format_for_people
from archive.models import Study
from viewer.worklist.rows import titled


def identity_of(study: Study) -> dict[str, str]:
    """Two identifiers, birth date, sex and age; examination, date, accession, referrer; all as recorded."""
    age = age_at(study_date=study.study_date, birth_date=study.patient_birth_date, patient_age=study.patient_age)
    return {
        "patient": format_for_people(study.patient_name) or "no name",
        "patient_id": study.patient.patient_id or "no ID",
        "issuer": study.patient.issuer_of_patient_id,
        "birth_date": format_date(study.patient_birth_date) or "no birth date",
        "sex": study.patient_sex,
        "age": age.text,
        "examination": titled(" ".join(study.modality_list()), study.study_description),
        "date": " ".join(part for part in (format_date(study.study_date), format_time(study.study_time)) if part),
        "accession": study.accession_number,
        "referrer": format_for_people(study.referring_physician_name),
        "institution": study.institution_name,
        "study_instance_uid": study.study_instance_uid,
    }
