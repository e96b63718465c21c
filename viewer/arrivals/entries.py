"""One examination of the arrivals board: what was ordered, what came, and what is wrong with it, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import timezone

from archive.dicom.dates import age_at, format_date, format_time
from archive.dicom.person_name import format_for_people
from archive.models import ScheduledStep, Study
from archive.models.scheduled_step import OPEN_STATES, StepState
from archive.scheduling.linking import Line
from viewer.worklist.assigning import ORDERED
from viewer.worklist.rows import PRIORITIES, Mark


class Part(StrEnum):
    """Where an entry stands on the board."""

    NOW = "now"  # images have come, and somebody has yet to say that all are here
    EXPECTED = "expected"
    DONE = "done"
    OLDER = "older"  # came today and was examined long ago: a prior from elsewhere, which waits for nobody


PLACES = {Part.NOW: 0, Part.EXPECTED: 1, Part.DONE: 2, Part.OLDER: 4}
"""Order of the parts; what is done without an image comes after what is done with some."""
STATES = {
    StepState.SCHEDULED: "expected",
    StepState.ARRIVED: "patient is here",
    StepState.STARTED: "under way",
    StepState.COMPLETED: "done",
    StepState.DISCONTINUED: "discontinued",
}


@dataclass(frozen=True, slots=True)
class Held:
    """Files of a study that are held back for one reason."""

    reason: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Who:
    """The patient who is expected; of what nobody ordered, who came."""

    name: str
    patient_id: str
    born: str
    age: str
    sex: str

    @classmethod
    def of_step(cls, step: ScheduledStep) -> Who:
        return cls._of(
            step.patient_name, step.patient_id, step.patient_birth_date, step.patient_sex, date=step.start_date
        )

    @classmethod
    def of_study(cls, study: Study) -> Who:
        patient_id = study.patient.patient_id
        return cls._of(
            study.patient_name, patient_id, study.patient_birth_date, study.patient_sex, date=study.study_date
        )

    @classmethod
    def _of(cls, name: str, patient_id: str, born: str, sex: str, *, date: str) -> Who:
        return cls(
            name=format_for_people(name) or "no name",
            patient_id=patient_id or "no ID",
            born=format_date(born) or "no birth date",
            age=age_at(study_date=date, birth_date=born, patient_age="").text,
            sex=sex,
        )


@dataclass(frozen=True, slots=True)
class What:
    """The examination; without a step it is on no worklist."""

    date: str
    """Only where it is not the site's today."""
    time: str
    priority: Mark | None
    modality: str
    procedure: str
    room: str
    accession: str
    state: str
    is_unscheduled: bool = False

    @property
    def says_modality(self) -> bool:
        """Whether the procedure's words begin with the modality already."""
        return bool(self.modality) and self.procedure.upper().startswith(self.modality.upper())

    @classmethod
    def of_steps(cls, steps: list[ScheduledStep], today: str) -> What:
        first = steps[0]
        words = [step.requested_procedure_description or step.scheduled_procedure_step_description for step in steps]
        return cls(
            date=format_date(first.start_date) if first.start_date != today else "",
            time=format_time(first.start_time),
            priority=next((mark for step in steps if (mark := _mark(step.priority))), None),
            modality=_distinct(step.modality for step in steps),
            procedure=_distinct(words),
            room=_distinct(map(room_of, steps)),
            accession=first.accession_number,
            state=STATES[min((StepState(step.state) for step in steps), key=list(StepState).index)],
        )

    @classmethod
    def of_study(cls, study: Study, today: str) -> What:
        return cls(
            date=format_date(study.study_date) if study.study_date != today else "",
            time=format_time(study.study_time),
            priority=None,
            modality=", ".join(study.modality_list()),
            procedure=study.study_description or study.body_parts.replace("\\", ", "),
            room="",
            accession=study.accession_number,
            state="",
            is_unscheduled=True,
        )


@dataclass(frozen=True, slots=True)
class Received:
    """What has come of a study, and what its modality says it made."""

    study_instance_uid: str
    images: int
    series: int
    expected_images: int | None
    expected_series: int | None
    is_arriving: bool
    is_acquiring: bool
    """Its modality has begun a step and not ended it (MPPS)."""
    last_image_at: datetime
    completed: str
    held: tuple[Held, ...] = ()

    @property
    def missing(self) -> int:
        return max(0, (self.expected_images or 0) - self.images)


@dataclass(frozen=True, slots=True)
class Entry:
    """One examination."""

    key: str
    part: Part
    who: Who
    what: What
    received: Received | None
    lines: tuple[Line, ...] = ()

    @property
    def disagrees(self) -> bool:
        """Whether who was expected and who came are not the same in some fact."""
        return any(line.differs for line in self.lines)

    @property
    def needs_a_hand(self) -> bool:
        return self.disagrees or bool(self.received and self.received.held)

    @property
    def looks_complete(self) -> bool:
        """Whether nothing speaks against saying so."""
        received = self.received
        return received is not None and not (
            self.needs_a_hand or received.missing or received.is_arriving or received.is_acquiring
        )

    @property
    def place(self) -> tuple[object, ...]:
        """What needs a hand first, then what came last; what is expected in the order of the day."""
        if self.received is None:
            return (1 if self.part is Part.EXPECTED else 3, False, 0.0, self.what.date, self.what.time, self.key)
        newest = -self.received.last_image_at.timestamp()
        return (PLACES[self.part], not self.needs_a_hand, newest, "", "", self.key)


def part_of(steps: list[ScheduledStep], study: Study | None, *, since: str = "", is_held_back: bool = False) -> Part:
    """Here and not said to be complete, expected, done with, or examined before ``since`` by nobody's order."""
    if study is not None:
        is_old = bool(study.study_date) and study.study_date < since and not steps and not is_held_back
        return Part.DONE if study.completed_at else Part.OLDER if is_old else Part.NOW
    return Part.EXPECTED if any(step.state in OPEN_STATES for step in steps) else Part.DONE


def room_of(step: ScheduledStep) -> str:
    """What technologists call the place: the room, the station, or its AE title."""
    return (
        step.scheduled_procedure_step_location
        or step.scheduled_station_name
        or step.scheduled_station_ae_title.replace("\\", ", ")
    )


def completed_in_words(study: Study) -> str:
    """Who said that all is here, and when; empty while nobody has."""
    if study.completed_at is None:
        return ""
    by = str(study.completed_by) if study.completed_by else "the modality"
    return f"{by}, {timezone.localtime(study.completed_at):%H:%M}"


def _distinct(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(word for word in words if word))


def _mark(priority: str) -> Mark | None:
    ordered = ORDERED.get(ScheduledStep.Priority(priority))
    return PRIORITIES.get(ordered) if ordered is not None else None
