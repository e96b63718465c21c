"""Which orders a study belongs to, and where what was ordered and what came disagree about the patient."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people, normalise
from archive.indexing.identity import is_other_patient
from archive.models import ScheduledStep, Study
from archive.models.study import StudyQuerySet

PRIORITIES = list(ScheduledStep.Priority)
"""The most urgent first, as the model lists them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One fact about the patient, as it was ordered and as it came."""

    label: str
    expected: str
    came: str
    differs: bool


def orders_of(study: Study) -> list[ScheduledStep]:
    """Steps that a study was made for: by its UID, else by accession number if the patient is the same."""
    by_uid = list(ScheduledStep.objects.filter(study_instance_uid=study.study_instance_uid))
    if by_uid or not study.accession_number:
        return by_uid
    by_accession = ScheduledStep.objects.filter(accession_number=study.accession_number)
    return [step for step in by_accession if is_same_patient(study, step)]


def studies_of(step: ScheduledStep) -> StudyQuerySet:
    """Studies that were made for a step: the other way round, the patient still to be compared."""
    where = Q(study_instance_uid=step.study_instance_uid)
    if step.accession_number:
        where |= Q(accession_number=step.accession_number)
    return Study.objects.filter(where)


def is_same_patient(study: Study, step: ScheduledStep) -> bool:
    """Whether ID and issuer of a step are those of a study's patient."""
    return not is_other_patient(
        study.patient,
        patient_id=step.patient_id,
        issuer=step.issuer_of_patient_id,
        study_instance_uid=study.study_instance_uid,
    )


def priority_of(study: Study) -> ScheduledStep.Priority | None:
    """The most urgent priority that was ordered; None where there is no order."""
    ordered = [ScheduledStep.Priority(step.priority) for step in orders_of(study)]
    return min(ordered, key=PRIORITIES.index, default=None)


def identity_lines(study: Study, step: ScheduledStep) -> list[Line]:
    """Who was expected beside who came; a fact that one side lacks is no difference."""
    patient = study.patient
    pairs = [
        ("Name", *_names(step.patient_name, study.patient_name)),
        ("ID", step.patient_id.strip(), patient.patient_id.strip()),
        ("Issuer", step.issuer_of_patient_id.strip(), patient.issuer_of_patient_id.strip()),
        ("Born", step.patient_birth_date, study.patient_birth_date),
        ("Sex", step.patient_sex, study.patient_sex),
    ]
    shown = {
        "Name": (format_for_people(step.patient_name), format_for_people(study.patient_name)),
        "Born": (format_date(step.patient_birth_date), format_date(study.patient_birth_date)),
    }
    return [
        Line(label, *shown.get(label, (expected, came)), differs=bool(expected and came and expected != came))
        for label, expected, came in pairs
    ]


def _names(expected: str, came: str) -> tuple[str, str]:
    """Both names for comparison: the component groups that both have; devices leave groups out."""
    one, other = normalise(expected).split("="), normalise(came).split("=")
    both = [(first, second) for first, second in zip(one, other, strict=False) if first and second]
    return "=".join(first for first, _ in both), "=".join(second for _, second in both)
