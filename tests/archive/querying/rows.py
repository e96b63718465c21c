"""A small archive as rows: patients, studies, series and instances whose attributes a test names."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from archive.dicom.person_name import normalise
from archive.indexing.search_text import set_search_keys
from archive.models import Instance, Patient, Series, SeriesRequest, Study

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def make_study(number: int, *, patient_id: str = "", issuer: str = "", name: str = "DOE^Jane", **values: Any) -> Study:
    """Make study ``2.25.<number>`` without series."""
    patient_id = patient_id or f"P{number:04d}"
    patient, _ = Patient.objects.get_or_create(
        identity_key=f"id {patient_id}\\{issuer}",
        defaults={
            "patient_id": patient_id,
            "issuer_of_patient_id": issuer,
            "patient_name": name,
            "name_key": normalise(name),
            "patient_birth_date": values.get("patient_birth_date", ""),
            "patient_sex": values.get("patient_sex", ""),
        },
    )
    now = timezone.now()
    study = Study(
        study_instance_uid=f"2.25.{number}",
        patient=patient,
        patient_name=name,
        first_received_at=now,
        last_received_at=now,
        ready_at=now,
        instance_count=values.pop("instance_count", 1),
        **values,
    )
    set_search_keys(study)
    study.save()
    return study


def make_many(count: int, **values: Any) -> None:
    """Make studies ``2.25.<number>`` of one patient, all alike, with one statement."""
    first = make_study(1, **values)
    studies = []
    for number in range(2, count + 1):
        study = Study(**{f.attname: getattr(first, f.attname) for f in Study._meta.concrete_fields})
        study.pk, study.study_instance_uid = None, f"2.25.{number}"
        studies.append(study)
    Study.objects.bulk_create(studies)


def make_series(
    study: Study,
    number: int,
    *,
    modality: str = "CT",
    images: int = 1,
    requests: tuple[tuple[str, str], ...] = (),
    **values: Any,
) -> Series:
    """Make series ``<study>.<number>`` with images ``<series>.1`` and on."""
    series = Series.objects.create(
        study=study,
        series_instance_uid=f"{study.study_instance_uid}.{number}",
        series_number=values.pop("series_number", number),
        modality=modality,
        instance_count=images,
        last_received_at=study.last_received_at,
        **values,
    )
    for procedure, step in requests:
        SeriesRequest.objects.create(series=series, requested_procedure_id=procedure, scheduled_procedure_step_id=step)
    for place in range(1, images + 1):
        make_instance(series, place)
    return series


def make_instance(series: Series, number: int, **values: Any) -> Instance:
    """Make an instance without a file."""
    return Instance.objects.create(
        **{
            "series": series,
            "sop_instance_uid": f"{series.series_instance_uid}.{number}",
            "sop_class_uid": CT_IMAGE,
            "instance_number": number,
            "data_set_digest": "0" * 64,
            "received_transfer_syntax_uid": "1.2.840.10008.1.2.1",
            "received_at": series.last_received_at,
            "door": "dimse",
            "added_revision": 1,
        }
        | values
    )
