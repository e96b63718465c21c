"""Scheduled and performed steps for tests, with what tests do not speak of filled in."""

from __future__ import annotations

import itertools
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID

from archive.models import ScheduledStep

_numbers = itertools.count(1)


def make_step(**values: Any) -> ScheduledStep:
    """A CT of DOE^JANE on 2026-11-24 at 09:30, on CT1."""
    number = next(_numbers)
    given = {
        "patient_name": "DOE^JANE",
        "patient_id": "12345",
        "patient_birth_date": "19720301",
        "patient_sex": "F",
        "accession_number": f"ACC{number}",
        "study_instance_uid": f"2.25.77{number}",
        "requested_procedure_id": f"RP{number}",
        "requested_procedure_description": "CT chest",
        "scheduled_procedure_step_id": f"SPS{number}",
        "modality": "CT",
        "scheduled_station_ae_title": "CT1",
        "start_date": "20261124",
        "start_time": "0930",
    }
    return ScheduledStep.objects.create(**given | values)


def item(**attributes: Any) -> Dataset:
    """One item of a sequence."""
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def begin_step(study_instance_uid: str = "2.25.1001", **attributes: Any) -> Dataset:
    """Attribute list of an N-CREATE; ``None`` leaves an attribute out."""
    scheduled = item(
        StudyInstanceUID=UID(study_instance_uid),
        AccessionNumber="",
        RequestedProcedureID="",
        ScheduledProcedureStepID=attributes.pop("step_id", ""),
    )
    ds = item(
        ScheduledStepAttributesSequence=[scheduled],
        PatientName="DOE^JANE",
        PatientID="12345",
        PatientBirthDate="19720301",
        PatientSex="F",
        PerformedProcedureStepID="PPS1",
        PerformedStationAETitle="CT1",
        PerformedStationName="",
        PerformedProcedureStepStartDate="20261124",
        PerformedProcedureStepStartTime="093500",
        PerformedProcedureStepStatus="IN PROGRESS",
        PerformedProcedureStepDescription="",
        PerformedProcedureStepEndDate="",
        PerformedProcedureStepEndTime="",
        Modality="CT",
        StudyID="",
        PerformedSeriesSequence=[],
    )
    for keyword, value in attributes.items():
        if value is None:
            del ds[keyword]
        else:
            setattr(ds, keyword, value)
    return ds


def end_step(images: list[Dataset] | None = None, **attributes: Any) -> Dataset:
    """Modification list of the last N-SET, with the series that some images make."""
    by_series: dict[str, list[Dataset]] = {}
    for image in images or []:
        by_series.setdefault(str(image.SeriesInstanceUID), []).append(image)
    series = [
        item(
            SeriesInstanceUID=UID(uid),
            ProtocolName="Chest",
            SeriesDescription="",
            ReferencedImageSequence=[
                item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
                for image in members
            ],
        )
        for uid, members in by_series.items()
    ]
    values = {
        "PerformedProcedureStepStatus": "COMPLETED",
        "PerformedProcedureStepEndDate": "20261124",
        "PerformedProcedureStepEndTime": "094500",
        "PerformedSeriesSequence": series,
    }
    return item(**{keyword: value for keyword, value in (values | attributes).items() if value is not None})
