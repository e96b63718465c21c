"""Scheduled steps as data sets and back: the attributes of the modality worklist (PS3.4 table K.6-1) as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence

from archive.dicom.uids import new_uid
from archive.dicom.values import first_item, items, number, text, texts
from archive.models import ScheduledStep
from archive.models.scheduled_step import StepState

STEP_SEQUENCE: Final = "ScheduledProcedureStepSequence"


class Place(StrEnum):
    """Where an attribute stands in an answer."""

    ROOT = "root"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an answer and the column that keeps it."""

    keyword: str
    column: str
    place: Place = Place.ROOT

    @property
    def vr(self) -> str:
        return dictionary_VR(self.keyword)


@dataclass(frozen=True, slots=True)
class Code:
    """A code sequence of one item: columns of value, scheme and meaning."""

    keyword: str
    column: str
    place: Place = Place.ROOT


ATTRIBUTES: Final = (
    Attribute("ScheduledStationAETitle", "scheduled_station_ae_title", Place.STEP),
    Attribute("ScheduledProcedureStepStartDate", "start_date", Place.STEP),
    Attribute("ScheduledProcedureStepStartTime", "start_time", Place.STEP),
    Attribute("Modality", "modality", Place.STEP),
    Attribute("ScheduledPerformingPhysicianName", "scheduled_performing_physician_name", Place.STEP),
    Attribute("ScheduledProcedureStepDescription", "scheduled_procedure_step_description", Place.STEP),
    Attribute("ScheduledStationName", "scheduled_station_name", Place.STEP),
    Attribute("ScheduledProcedureStepLocation", "scheduled_procedure_step_location", Place.STEP),
    Attribute("PreMedication", "pre_medication", Place.STEP),
    Attribute("ScheduledProcedureStepID", "scheduled_procedure_step_id", Place.STEP),
    Attribute("RequestedContrastAgent", "requested_contrast_agent", Place.STEP),
    Attribute("ScheduledProcedureStepStatus", "state", Place.STEP),
    Attribute("CommentsOnTheScheduledProcedureStep", "comments", Place.STEP),
    Attribute("RequestedProcedureID", "requested_procedure_id"),
    Attribute("RequestedProcedureDescription", "requested_procedure_description"),
    Attribute("StudyInstanceUID", "study_instance_uid"),
    Attribute("RequestedProcedurePriority", "priority"),
    Attribute("ReasonForTheRequestedProcedure", "reason"),
    Attribute("AccessionNumber", "accession_number"),
    Attribute("RequestingPhysician", "requesting_physician"),
    Attribute("RequestingService", "requesting_service"),
    Attribute("ReferringPhysicianName", "referring_physician_name"),
    Attribute("PlacerOrderNumberImagingServiceRequest", "placer_order_number"),
    Attribute("FillerOrderNumberImagingServiceRequest", "filler_order_number"),
    Attribute("AdmissionID", "admission_id"),
    Attribute("CurrentPatientLocation", "current_patient_location"),
    Attribute("PatientName", "patient_name"),
    Attribute("PatientID", "patient_id"),
    Attribute("IssuerOfPatientID", "issuer_of_patient_id"),
    Attribute("PatientBirthDate", "patient_birth_date"),
    Attribute("PatientSex", "patient_sex"),
    Attribute("PatientWeight", "patient_weight_kg"),
    Attribute("PatientState", "patient_state"),
    Attribute("PregnancyStatus", "pregnancy_status"),
    Attribute("MedicalAlerts", "medical_alerts"),
    Attribute("Allergies", "allergies"),
    Attribute("SpecialNeeds", "special_needs"),
)
CODES: Final = (
    Code("RequestedProcedureCodeSequence", "requested_procedure_code"),
    Code("ScheduledProtocolCodeSequence", "protocol_code", Place.STEP),
)
LONGEST_LO: Final = 64
DESCRIPTIONS: Final = frozenset({"requested_procedure_description", "scheduled_procedure_step_description", "reason"})
REFERRER_CODES: Final = "ReferringPhysicianIdentificationSequence"
NOT_KEPT: Final = frozenset({"SpecificCharacterSet", STEP_SEQUENCE, REFERRER_CODES})

OTHER_STATES: Final = {"READY": StepState.ARRIVED.value, "DEPARTED": StepState.COMPLETED.value}
BY_KEYWORD: Final = {(entry.place, entry.keyword): entry for entry in ATTRIBUTES}


# --- Reading ----------------------------------------------------------------------------------------------------------


def read_steps(ds: Dataset) -> Iterator[dict[str, Any]]:
    """Column values of every step of a worklist item, as an answer to a worklist query nests them.

    Each item of the Scheduled Procedure Step Sequence gives one; a data set without
    the sequence is read as one step whose attributes stand at its root.
    """
    shared = _columns(ds, Place.ROOT) | {"referring_physician_identifiers": _referrer_identifiers(ds)}
    shared["study_instance_uid"] = shared.get("study_instance_uid") or new_uid()
    further = _further(ds, Place.ROOT)
    for item in items(ds, STEP_SEQUENCE) or [ds]:
        of_step = _further(item, Place.STEP) if item is not ds else Dataset()
        kept = further.to_json_dict()
        if of_step:
            kept[f"{tag_for_keyword(STEP_SEQUENCE):08X}"] = {"vr": "SQ", "Value": [of_step.to_json_dict()]}
        yield shared | _with_known_state(_columns(item, Place.STEP)) | {"further_attributes": kept}


def _with_known_state(values: dict[str, Any]) -> dict[str, Any]:
    """READY and DEPARTED (PS3.3 C.4.10) as the states that a step of ours has; what is none is left out."""
    state = OTHER_STATES.get(values.get("state", ""), values.get("state"))
    return {name: value for name, value in values.items() if name != "state"} | (
        {"state": state} if state in StepState.values else {}
    )


def _columns(ds: Dataset, place: Place) -> dict[str, Any]:
    """What a data set says for the columns of a place; what is absent or empty is left out."""
    found: dict[str, Any] = {}
    for entry in ATTRIBUTES:
        if entry.place is place:
            value = _column_value(ds, entry)
            if value not in ("", None):
                found[entry.column] = value
    for code in CODES:
        if code.place is place and (item := first_item(ds, code.keyword)) is not None:
            found[code.column] = text(item, "CodeValue")
            found[f"{code.column}_scheme"] = text(item, "CodingSchemeDesignator")
            found[f"{code.column}_meaning"] = text(item, "CodeMeaning")
    return found


def _column_value(ds: Dataset, entry: Attribute) -> Any:
    if entry.vr in ("DS", "US"):
        value = number(ds, entry.keyword)
        return int(value) if value is not None and entry.vr == "US" else value
    if entry.vr in ("AE", "LO", "ST"):
        return "\\".join(part for part in texts(ds, entry.keyword) if part)
    return text(ds, entry.keyword)


def _referrer_identifiers(ds: Dataset) -> list[str]:
    """Code values of the persons in (0008,0096)."""
    people = items(ds, REFERRER_CODES)
    codes = (text(code, "CodeValue") for person in people for code in items(person, "PersonIdentificationCodeSequence"))
    return [code for code in codes if code]


def _further(ds: Dataset, place: Place) -> Dataset:
    """What columns do not hold: kept as it came."""
    held = {entry.keyword for entry in (*ATTRIBUTES, *CODES) if entry.place is place} | NOT_KEPT
    rest = Dataset()
    for element in ds:
        if element.keyword and element.keyword not in held and not element.tag.is_private:
            rest.add(element)
    return rest


# --- Writing ----------------------------------------------------------------------------------------------------------


def data_set_of(step: ScheduledStep) -> Dataset:
    """A step with all that is known of it, nested as an answer to a worklist query is."""
    ds = Dataset.from_json(step.further_attributes) if step.further_attributes else Dataset()
    inner = first_item(ds, STEP_SEQUENCE) or Dataset()
    for entry in ATTRIBUTES:
        add(inner if entry.place is Place.STEP else ds, entry.keyword, _value(step, entry))
    for code in CODES:
        target = inner if code.place is Place.STEP else ds
        add(target, code.keyword, [item] if (item := _code_item(step, code)) else [])
    ds.add(DataElement(tag_for_keyword(STEP_SEQUENCE), "SQ", Sequence([inner])))  # type: ignore[arg-type]
    return ds


def _value(step: ScheduledStep, entry: Attribute) -> Any:
    """A column's value; a description longer than LO allows is cut, as devices refuse what is longer."""
    value = getattr(step, entry.column)
    return value[:LONGEST_LO] if entry.column in DESCRIPTIONS else value


def add(ds: Dataset, keyword: str, value: Any) -> None:
    """Put a value in; what is none leaves the attribute empty. Values are as ordered, also where too long."""
    vr = dictionary_VR(keyword)
    if vr == "SQ":
        value = Sequence(value)
    elif isinstance(value, str) and "\\" in value:
        value = value.split("\\")
    ds.add(DataElement(tag_for_keyword(keyword), vr, value, validation_mode=config.IGNORE))  # type: ignore[arg-type]


def _code_item(step: ScheduledStep, code: Code) -> Dataset | None:
    value = getattr(step, code.column)
    if not value:
        return None
    item = Dataset()
    add(item, "CodeValue", value)
    add(item, "CodingSchemeDesignator", getattr(step, f"{code.column}_scheme") or "99LOCAL")
    add(item, "CodeMeaning", (getattr(step, f"{code.column}_meaning") or value)[:LONGEST_LO])
    return item
