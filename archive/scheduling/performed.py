"""What modalities report of the steps they perform (MPPS, PS3.4 annex F): the rules of N-CREATE and N-SET.

    N-CREATE --> IN PROGRESS --N-SET--> COMPLETED | DISCONTINUED     (after which nothing changes any more)

Rows follow from the reported data set: which scheduled steps it performs, which
studies it belongs to, which images it made.
"""

from __future__ import annotations

from typing import Any, Final, cast

from django.db import IntegrityError, models, transaction
from pydicom import Dataset

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.dates import parse_date
from archive.dicom.uids import is_valid_uid, new_uid
from archive.dicom.values import first_item, items, text
from archive.errors import ArchiveError
from archive.models import PerformedSeries, PerformedStep, PerformedStudy, ScheduledStep
from archive.models.scheduled_step import StepState
from archive.scheduling.completeness import note_expectations
from archive.scheduling.orders import Source, move_step

State = PerformedStep.State

STEP_ITEMS: Final = "ScheduledStepAttributesSequence"
SERIES_ITEMS: Final = "PerformedSeriesSequence"
REQUIRED_AT_FIRST: Final = (
    STEP_ITEMS,
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepStatus",
    "Modality",
)
"""Type 1 in an N-CREATE (PS3.4 table F.7.2-1). What is of type 2 there and left out counts as empty."""
REQUIRED_AT_LAST: Final = ("PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime")
"""Type 1 in the final state, with a series of a protocol name where the step was completed."""
FIXED: Final = frozenset(
    {
        *(STEP_ITEMS, "PerformedProcedureStepID", "Modality", "StudyID"),
        *("PerformedStationAETitle", "PerformedStationName", "PerformedLocation"),
        *("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
        *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
        "ReferencedPatientSequence",
    }
)
"""What an N-SET may not change (the same table)."""


class StepReportError(ArchiveError):
    """A report is refused."""


class MissingAttribute(StepReportError):
    """A type 1 attribute is not there."""


class MissingAttributeValue(StepReportError):
    """A type 1 attribute has no value."""


class InvalidAttributeValue(StepReportError):
    """An attribute has a value that it cannot have."""


class DuplicateStep(StepReportError):
    """A step of this SOP Instance UID exists already."""


class NoSuchStep(StepReportError):
    """There is no step of this SOP Instance UID."""


class StepIsFinal(StepReportError):
    """A step that is completed or discontinued is not changed any more."""


# --- N-CREATE ---------------------------------------------------------------------------------------------------------


def create_step(ds: Dataset, *, sop_instance_uid: str, source: Source) -> PerformedStep:
    """Begin a performed step.

    Parameters
    ----------
    ds
        The attribute list.
    sop_instance_uid
        As the modality chose it; empty where it leaves that to us.

    Raises
    ------
    MissingAttribute, MissingAttributeValue, InvalidAttributeValue, DuplicateStep
    """
    _require(ds, REQUIRED_AT_FIRST)
    for item in items(ds, STEP_ITEMS):
        _require(item, ("StudyInstanceUID",))
        if not is_valid_uid(text(item, "StudyInstanceUID")):
            raise InvalidAttributeValue("StudyInstanceUID is no UID.")
    if text(ds, "PerformedProcedureStepStatus") != State.IN_PROGRESS:
        raise InvalidAttributeValue("A step begins IN PROGRESS.")
    _check_dates(ds)
    uid = sop_instance_uid or new_uid()
    if not is_valid_uid(uid):
        raise InvalidAttributeValue("The SOP Instance UID is no UID.")
    if PerformedStep.objects.filter(sop_instance_uid=uid).exists():
        raise DuplicateStep("A step of this SOP Instance UID exists already.")
    try:
        with transaction.atomic():
            step = PerformedStep(sop_instance_uid=uid, reported_by=source.actor[:16])
            _write(step, ds, source)
            move_scheduled(step, source)
    except IntegrityError:
        raise DuplicateStep("A step of this SOP Instance UID exists already.") from None
    return step


# --- N-SET ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def change_step(ds: Dataset, *, sop_instance_uid: str, source: Source) -> frozenset[str]:
    """Bring a step up to date, or to its end; returns what was sent and may not be changed, by keyword.

    Raises
    ------
    NoSuchStep, StepIsFinal, MissingAttribute, MissingAttributeValue, InvalidAttributeValue
        Nothing was changed.
    """
    step = PerformedStep.objects.select_for_update().filter(sop_instance_uid=sop_instance_uid).first()
    if step is None:
        raise NoSuchStep("There is no step of this SOP Instance UID.")
    if step.state != State.IN_PROGRESS:
        raise StepIsFinal(f"The step is {step.state} and may no longer be updated.")
    whole = Dataset.from_json(step.data_set)
    kept = {element.keyword for element in ds if element.keyword in FIXED and whole.get(element.tag) != element}
    for element in ds:
        if element.keyword and element.keyword not in FIXED:
            whole[element.tag] = element
    state = text(whole, "PerformedProcedureStepStatus")
    if state not in State.values:
        raise InvalidAttributeValue(f"Status is '{state[:16]}', not {', '.join(State.values)}.")
    if state != State.IN_PROGRESS:
        _check_final(whole, state)
    _check_dates(whole)
    _write(step, whole, source)
    if state != State.IN_PROGRESS:
        move_scheduled(step, source)
    return frozenset(kept)


def _check_final(ds: Dataset, state: str) -> None:
    _require(ds, REQUIRED_AT_LAST)
    if state == State.COMPLETED:
        _require(ds, (SERIES_ITEMS,))
    for item in items(ds, SERIES_ITEMS):
        _require(item, ("SeriesInstanceUID", "ProtocolName"))


def _require(ds: Dataset, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        if keyword not in ds:
            raise MissingAttribute(f"{keyword} is missing.")
        if not (items(ds, keyword) if keyword.endswith("Sequence") else text(ds, keyword)):
            raise MissingAttributeValue(f"{keyword} is empty.")


def _check_dates(ds: Dataset) -> None:
    for keyword in ("PerformedProcedureStepStartDate", "PerformedProcedureStepEndDate"):
        value = text(ds, keyword)
        if value and parse_date(value) is None:
            raise InvalidAttributeValue(f"{keyword} is no date (YYYYMMDD).")
    for item in items(ds, SERIES_ITEMS):
        uid = text(item, "SeriesInstanceUID")
        if uid and not is_valid_uid(uid):
            raise InvalidAttributeValue("SeriesInstanceUID is no UID.")


# --- Rows -------------------------------------------------------------------------------------------------------------

_COLUMNS: Final = {
    "state": "PerformedProcedureStepStatus",
    "performed_procedure_step_id": "PerformedProcedureStepID",
    "description": "PerformedProcedureStepDescription",
    "modality": "Modality",
    "performed_station_ae_title": "PerformedStationAETitle",
    "performed_station_name": "PerformedStationName",
    "start_date": "PerformedProcedureStepStartDate",
    "start_time": "PerformedProcedureStepStartTime",
    "end_date": "PerformedProcedureStepEndDate",
    "end_time": "PerformedProcedureStepEndTime",
    "patient_id": "PatientID",
    "patient_name": "PatientName",
}


def _write(step: PerformedStep, ds: Dataset, source: Source) -> None:
    for column, keyword in _COLUMNS.items():
        field = cast("models.CharField[str, str]", PerformedStep._meta.get_field(column))
        setattr(step, column, text(ds, keyword)[: field.max_length])
    reason = first_item(ds, "PerformedProcedureStepDiscontinuationReasonCodeSequence")
    step.discontinuation_reason = text(reason, "CodeMeaning")[:64] if reason is not None else ""
    step.data_set = ds.to_json_dict(suppress_invalid_tags=True)
    step.save()
    uids = _write_studies(step, ds)
    _write_series(step, ds)
    record_event(
        Event.STEP_REPORTED,
        actor=source.actor,
        address=source.address,
        study_instance_uid=uids[0] if len(uids) == 1 else "",
        subject=f"performed step {step.pk}",
        details={"state": step.state, "series": step.series.count()},
    )
    note_expectations(uids)


def _write_studies(step: PerformedStep, ds: Dataset) -> list[str]:
    scheduled: list[ScheduledStep] = []
    for item in items(ds, STEP_ITEMS):
        PerformedStudy.objects.get_or_create(
            step=step,
            study_instance_uid=text(item, "StudyInstanceUID"),
            defaults={"accession_number": text(item, "AccessionNumber")[:64]},
        )
        scheduled += _scheduled_steps(item)
    step.scheduled_steps.set(scheduled)
    return list(step.studies.values_list("study_instance_uid", flat=True))


def _scheduled_steps(item: Dataset) -> list[ScheduledStep]:
    """The scheduled steps that an item means: by study and step ID, or the only one of the study."""
    steps = ScheduledStep.objects.filter(study_instance_uid=text(item, "StudyInstanceUID"))
    step_id, procedure_id = text(item, "ScheduledProcedureStepID"), text(item, "RequestedProcedureID")
    if step_id:
        named = steps.filter(scheduled_procedure_step_id=step_id)
        exact = named.filter(requested_procedure_id=procedure_id) if procedure_id else named
        return list(exact or named)
    found = list(steps[:2])
    return found if len(found) == 1 else []


def _write_series(step: PerformedStep, ds: Dataset) -> None:
    step.series.all().delete()
    found: dict[str, PerformedSeries] = {}
    for item in items(ds, SERIES_ITEMS):
        uid = text(item, "SeriesInstanceUID")
        if not uid:
            continue
        series = found.setdefault(
            uid,
            PerformedSeries(
                step=step,
                series_instance_uid=uid,
                series_description=text(item, "SeriesDescription")[:64],
                protocol_name=text(item, "ProtocolName")[:64],
                sop_instance_uids=[],
            ),
        )
        series.sop_instance_uids = sorted({*series.sop_instance_uids, *_made(item)})
    PerformedSeries.objects.bulk_create(found.values())


def _made(item: Dataset) -> list[str]:
    """SOP Instance UIDs of images and of other objects."""
    references = [
        *items(item, "ReferencedImageSequence"),
        *items(item, "ReferencedNonImageCompositeSOPInstanceSequence"),
    ]
    return [uid for reference in references if is_valid_uid(uid := text(reference, "ReferencedSOPInstanceUID"))]


def move_scheduled(step: PerformedStep, source: Source) -> None:
    """Let the scheduled steps follow: started with the first, at their end with the last of their performed steps."""
    for scheduled in step.scheduled_steps.all():
        states: set[Any] = set(scheduled.performed_steps.values_list("state", flat=True))
        if State.IN_PROGRESS in states:
            move_step(scheduled, StepState.STARTED, source=source)
        elif State.COMPLETED in states:
            move_step(scheduled, StepState.COMPLETED, source=source)
        else:
            move_step(scheduled, StepState.DISCONTINUED, source=source)
