"""Studies on the reading worklist, as rows: what lists, chips and claims need of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from archive.dicom.person_name import normalise
from archive.indexing.search_text import set_search_keys
from archive.models import Patient, Series, Study
from viewer.models import ReadingTask
from viewer.worklist.changes import worklist_changed
from viewer.worklist.limits import set_due


def make_study(
    number: int,
    *,
    name: str = "DOE^Jane",
    patient_id: str = "12345",
    modality: str = "CT",
    arrived_ago: timedelta = timedelta(hours=1),
    ready: bool = True,
    task: dict[str, Any] | None = None,
    to_be_checked: bool = False,
    **values: Any,
) -> Study:
    """Make study ``2.25.<number>`` with one series a modality and its row on the worklist."""
    arrived = timezone.now() - arrived_ago
    patient, _ = Patient.objects.get_or_create(
        identity_key=f"id {patient_id}\\",
        defaults={
            "patient_id": patient_id,
            "patient_name": name,
            "name_key": normalise(name),
            "patient_birth_date": "19720301",
            "patient_sex": "F",
            "identity_to_be_checked": to_be_checked,
        },
    )
    study = Study(
        study_instance_uid=f"2.25.{number}",
        patient=patient,
        patient_name=name,
        patient_birth_date=values.pop("birth_date", "19720301"),
        patient_sex=values.pop("sex", "F"),
        modalities=modality,
        first_received_at=arrived,
        last_received_at=arrived,
        ready_at=arrived if ready else None,
        revision=1,
        **{"instance_count": 10, "series_count": 1, "study_date": "20261020", "study_time": "095812"} | values,
    )
    set_search_keys(study)
    study.save()
    for place, code in enumerate(modality.split("\\"), start=1):
        Series.objects.create(
            study=study,
            series_instance_uid=f"{study.study_instance_uid}.{place}",
            modality=code,
            instance_count=study.instance_count,
            last_received_at=arrived,
        )
    ReadingTask.objects.create(study=study, **{"waiting_since": arrived} | (task or {}))
    set_due([study.pk])
    worklist_changed()
    return study
