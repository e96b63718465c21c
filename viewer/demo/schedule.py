"""The demo day's examinations: one done, one under way, the others expected, so that there are arrivals to look at.

Steps come by the function that all orders come by, and what the demo modalities report by that of MPPS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydicom import Dataset
from pydicom.sequence import Sequence

from archive.models import PerformedStep, ScheduledStep
from archive.models.scheduled_step import StepState
from archive.receiving.intake import IntakeResult
from archive.scheduling.orders import Source, put_step
from archive.scheduling.performed import DuplicateStep, StepIsFinal, change_step, create_step
from viewer.demo.catalogue import HADDAD, LINDQVIST, NOVAK, DemoStudy
from viewer.demo.headers import DemoPatient, DemoVisit, demo_uid, dicom_date, dicom_time

SOURCE: Final = Source("make_demo")
DONE: Final = "ct2"
UNDER_WAY: Final = "mr1"
"""Keys of the demo studies that were ordered."""
ROOMS: Final = {"ct2": ("CT", "CT 1"), "mr1": ("MR", "MR 1")}


@dataclass(frozen=True, slots=True)
class Expected:
    """An examination of which nothing has come yet."""

    key: str
    patient: DemoPatient
    modality: str
    procedure: str
    room: str
    minutes: int
    """From the beginning of the demo."""
    state: StepState = StepState.SCHEDULED
    priority: ScheduledStep.Priority = ScheduledStep.Priority.ROUTINE


EXPECTED: Final = (
    Expected("us2", HADDAD, "US", "US abdomen", "US 2", 10, state=StepState.ARRIVED),
    Expected("ct3", LINDQVIST, "CT", "CT head", "CT 1", 25, priority=ScheduledStep.Priority.HIGH),
    Expected("mr2", NOVAK, "MR", "MR knee right", "MR 1", 55),
)


def schedule(studies: Iterable[DemoStudy], now: datetime) -> None:
    """Put the day's steps on the modality worklist; those of studies that come with what their modality began."""
    for study in studies:
        visit = study.visit
        if visit.key not in ROOMS:
            continue
        modality, room = ROOMS[visit.key]
        put_step(
            _step(visit.key, visit.patient, modality, visit.description, room, visit.begun - timedelta(minutes=10))
            | {"accession_number": visit.accession_number, "referring_physician_name": visit.referrer},
            source=SOURCE,
        )
        _begin(visit, modality)
    for one in EXPECTED:
        # Late in the evening the last ones move together, so that they stay on today's page.
        at = min(now + timedelta(minutes=one.minutes), now.replace(hour=23, minute=59))
        values = _step(one.key, one.patient, one.modality, one.procedure, one.room, at)
        put_step(values | {"state": one.state, "priority": one.priority}, source=SOURCE)


def finish(received: Iterable[IntakeResult], now: datetime) -> None:
    """The modality of the examination that is done says which images it made."""
    wanted = demo_uid("study", DONE)
    made: dict[str, list[Dataset]] = defaultdict(list)
    for one in received:
        if one.study_instance_uid == wanted:
            reference = Dataset()
            reference.ReferencedSOPClassUID = one.sop_class_uid
            reference.ReferencedSOPInstanceUID = one.sop_instance_uid
            made[one.series_instance_uid].append(reference)
    if not made:
        return
    ds = Dataset()
    ds.PerformedProcedureStepStatus = PerformedStep.State.COMPLETED.value
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = dicom_date(now), dicom_time(now)
    ds.PerformedSeriesSequence = Sequence([_series(uid, images) for uid, images in made.items()])
    try:
        change_step(ds, sop_instance_uid=_performed_uid(DONE), source=SOURCE)
    except StepIsFinal:
        # A run that was cut after it had said so.
        return


def _step(key: str, patient: DemoPatient, modality: str, procedure: str, room: str, at: datetime) -> dict[str, Any]:
    return {
        "patient_name": patient.name,
        "patient_id": patient.patient_id,
        "patient_birth_date": dicom_date(patient.born),
        "patient_sex": patient.sex,
        "patient_weight_kg": patient.weight_kg,
        "accession_number": f"DEMO{key.upper()}",
        "study_instance_uid": str(demo_uid("study", key)),
        "requested_procedure_id": f"RP-{key}",
        "requested_procedure_description": procedure,
        "scheduled_procedure_step_id": f"SPS-{key}",
        "scheduled_procedure_step_description": procedure,
        "scheduled_procedure_step_location": room,
        "scheduled_station_ae_title": room.replace(" ", ""),
        "modality": modality,
        "start_date": dicom_date(at),
        "start_time": f"{at:%H%M}",
    }


def _begin(visit: DemoVisit, modality: str) -> None:
    reference = Dataset()
    reference.StudyInstanceUID = visit.study_instance_uid
    reference.AccessionNumber = visit.accession_number
    reference.RequestedProcedureID = f"RP-{visit.key}"
    reference.ScheduledProcedureStepID = f"SPS-{visit.key}"
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ScheduledStepAttributesSequence = Sequence([reference])
    ds.PatientName, ds.PatientID = visit.patient.name, visit.patient.patient_id
    ds.PerformedProcedureStepID = f"PPS-{visit.key}"
    ds.PerformedProcedureStepDescription = visit.description
    ds.PerformedStationAETitle = ROOMS[visit.key][1].replace(" ", "")
    ds.PerformedProcedureStepStartDate = dicom_date(visit.begun)
    ds.PerformedProcedureStepStartTime = dicom_time(visit.begun)
    ds.PerformedProcedureStepStatus = PerformedStep.State.IN_PROGRESS.value
    ds.Modality = modality
    try:
        create_step(ds, sop_instance_uid=_performed_uid(visit.key), source=SOURCE)
    except DuplicateStep:
        # A run that was cut has said so before.
        return


def _series(uid: str, images: list[Dataset]) -> Dataset:
    ds = Dataset()
    ds.SeriesInstanceUID, ds.ProtocolName = uid, "Demonstration"
    ds.ReferencedImageSequence = Sequence(images)
    return ds


def _performed_uid(key: str) -> str:
    return str(demo_uid("performed step", key))
