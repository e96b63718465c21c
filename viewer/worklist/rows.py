"""What a row of a list says about a study: values of the field turned into words, once, for every list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from archive.access.roles import Role, has_role
from archive.dicom.dates import age_at, format_date, format_time, parse_date
from archive.dicom.person_name import format_for_people
from archive.models import Series, Study, User
from archive.models.study import StudyQuerySet
from viewer.annotations.shapes import Kind
from viewer.models import Annotation, Consultation, CriticalResult, ReadingTask, Report
from viewer.objects.key_images import foreign_key_images
from viewer.worklist.claiming import PEOPLE, can_be_claimed_by, is_stale
from viewer.worklist.filters import asked_to_look
from viewer.worklist.limits import ALMOST

HOURS_SHOWN_UNTIL = timedelta(hours=48)
"""Longer waits are given in days."""

PEOPLE_OF_TASK = tuple(f"reading_task__{person}" for person in PEOPLE)

State = ReadingTask.State


@dataclass(frozen=True, slots=True)
class Mark:
    """A shape of the sprite and the word that belongs to it."""

    shape: str
    word: str


UNREAD = Mark("unread", "unread")
CLAIMED = Mark("claimed", "being read")
PRELIMINARY = Mark("preliminary", "preliminary")
READ = Mark("final", "read")
FINAL = Mark("final", "final")
ADDENDUM = Mark("addendum", "addendum")
ARRIVING = Mark("arriving", "arriving")
NO_TASK = Mark("full", "not on the worklist")
PRIORITIES = {
    ReadingTask.Priority.STAT: Mark("stat", "STAT"),
    ReadingTask.Priority.URGENT: Mark("urgent", "urgent"),
}
"""Routine has no mark."""
CRITICAL_KNOWN = "critical, acknowledged"


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study as lists show it; every value is text for people unless its name says otherwise."""

    pk: int
    study_instance_uid: str
    priority: Mark | None
    priority_value: int
    state: Mark
    state_for_referrer: str
    is_arriving: bool
    can_claim: bool
    """Whether the person who looks at the row may claim the study."""
    patient: str
    other_spelling: str
    patient_id: str
    issuer: str
    identity_to_be_checked: bool
    birth_date: str
    age: str
    age_disagrees: bool
    sex: str
    examined: str
    examined_in_full: str
    modality: str
    description: str
    body_part: str
    accession: str
    images: str
    images_state: str
    held_back: str
    key_images: int
    """How many images readers or others chose as key images."""
    waiting: str
    time_left: str
    """``3:16 left`` or ``0:20 over``; empty where the site has set no limit."""
    is_short: bool
    """Little of its time is left."""
    is_overdue: bool
    is_raised: bool
    """Those whom the site has named were told that it is overdue."""
    waiting_since: datetime | None
    referrer: str
    location: str
    station: str
    reader: str
    assigned: str
    """Whom the study waits for; empty where it is anybody's, or read."""
    assigned_because: str
    priority_source: str
    """Who said how urgent it is, in words."""
    critical: str = ""
    """What is to be said of a critical result, to those who read reports; empty where there is none."""
    critical_waits: bool = False
    """Somebody was told of a critical result, and has not acknowledged it."""
    is_asked: bool = False
    """A colleague asks the person to look."""

    @property
    def critical_shape(self) -> str:
        """Of the mark beside it: a check once somebody has said that they know."""
        return "final" if self.critical == CRITICAL_KNOWN else "critical"

    @property
    def examination(self) -> str:
        """Modality and what was examined, without saying the modality twice."""
        examined = self.description or self.body_part
        return examined if examined.upper().startswith(self.modality.upper()) else f"{self.modality} {examined}"


def load_rows(ids: Sequence[int], who: User) -> list[StudyRow]:
    """Rows of the studies with these ids, in their order; one query, or none where there are no ids."""
    return rows_of(load_studies(ids), ids, who)


def load_studies(ids: Sequence[int]) -> dict[int, Study]:
    """Studies with everything that a row says of them."""
    if not ids:
        return {}
    studies = Study.objects.select_related("patient", "report", *PEOPLE_OF_TASK)
    found = with_key_images(with_marks(studies)).in_bulk(list(ids))
    selected = [pk for pk, study in found.items() if getattr(study, "has_key_objects", False)]
    for pk, number in foreign_key_images(selected).items():
        found[pk].key_images += number  # type: ignore[attr-defined]  # annotated above
    return found


def rows_of(studies: Mapping[int, Study], ids: Iterable[int], who: User) -> list[StudyRow]:
    """Rows of studies that were loaded, as one person sees them now."""
    now = timezone.now()
    asked: set[int] = set()
    if any(getattr(study, "is_asked_about", False) for study in studies.values()):
        asked = {*asked_to_look(who).filter(study__in=list(studies)).values_list("study_id", flat=True)}
    rows = [row_of(studies[pk], who, now) for pk in ids if pk in studies]
    return [replace(row, is_asked=row.pk in asked) if asked else row for row in rows]


def digest_of(rows: Iterable[StudyRow], *more: object) -> str:
    """Changes when anything that a list shows has changed."""
    return hashlib.sha256(repr((list(rows), more)).encode("utf-8", "replace")).hexdigest()[:32]


def row_of(study: Study, who: User, now: datetime) -> StudyRow:
    """One study in words; its patient and reading task must be loaded."""
    task = task_of(study)
    age = age_at(study_date=study.study_date, birth_date=study.patient_birth_date, patient_age=study.patient_age)
    waits = task is not None and task.state != State.READ
    waiting_since = task.waiting_since if task is not None and waits else None
    clock = clock_of(task, now) if task is not None and waits else Clock()
    return StudyRow(
        pk=study.pk,
        study_instance_uid=study.study_instance_uid,
        priority=PRIORITIES.get(ReadingTask.Priority(task.priority)) if task else None,
        priority_value=task.priority if task else ReadingTask.Priority.ROUTINE,
        state=state_mark(study, task),
        state_for_referrer=state_for_referrer(study, task),
        is_arriving=study.is_arriving,
        can_claim=task is not None and can_be_claimed_by(who, task, arriving=study.is_arriving, now=now),
        patient=format_for_people(study.patient_name) or "no name",
        other_spelling=format_for_people(study.name_note),
        patient_id=study.patient.patient_id or "no ID",
        issuer=study.patient.issuer_of_patient_id,
        identity_to_be_checked=study.patient.identity_to_be_checked,
        birth_date=format_date(study.patient_birth_date) or "no birth date",
        age=age.text,
        age_disagrees=age.disagrees,
        sex=study.patient_sex,
        examined=examined(study, now),
        examined_in_full=examined_in_full(study),
        modality=", ".join(study.modality_list()),
        description=study.study_description,
        body_part=study.body_parts.replace("\\", ", "),
        accession=study.accession_number,
        images=images_in_words(study),
        images_state=images_state(study),
        held_back=held_back_in_words(study.held_back_count),
        key_images=getattr(study, "key_images", 0),
        waiting=waiting_in_words(now - waiting_since) if waiting_since else "",
        time_left=clock.text,
        is_short=clock.is_short,
        is_overdue=clock.is_over,
        is_raised=clock.is_raised,
        waiting_since=waiting_since,
        referrer=format_for_people(study.referring_physician_name),
        location=study.institution_name,
        station=study.station_names.replace("\\", ", "),
        reader=reader_in_words(task, now),
        assigned=assigned_in_words(task, who) if task is not None and waits else "",
        assigned_because=task.assigned_because if task is not None and waits else "",
        priority_source=ReadingTask.PrioritySource(task.priority_source).label if task is not None else "",
        critical=critical_in_words(study, who),
        critical_waits=getattr(study, "critical_told", False),
    )


@dataclass(frozen=True, slots=True)
class Clock:
    """How a study stands against the site's limit."""

    text: str = ""
    is_short: bool = False
    is_over: bool = False
    is_raised: bool = False


def clock_of(task: ReadingTask, now: datetime) -> Clock:
    """Time left or over, of a study that is not read yet."""
    if task.due_at is None:
        return Clock()
    left = task.due_at - now
    if left < timedelta():
        return Clock(f"{waiting_in_words(-left)} over", is_over=True, is_raised=task.overdue_told_at is not None)
    return Clock(f"{waiting_in_words(left)} left", is_short=left < (task.due_at - task.waiting_since) * ALMOST)


def assigned_in_words(task: ReadingTask, who: User) -> str:
    """Whom the study waits for.

    A person's own reads "you", so that it is found at a glance.
    """
    if task.assigned_to_id is not None and task.assigned_to_id == who.pk:
        return "you"
    return str(task.assigned_to or task.assigned_group or "")


def with_marks(studies: StudyQuerySet) -> StudyQuerySet:
    """Bring along whether anybody is asked to look, and critical results by state, without a query of its own."""
    results = CriticalResult.objects.filter(study=OuterRef("pk"))
    states = CriticalResult.State
    asked = Consultation.objects.filter(study=OuterRef("pk"), done_at=None)
    return studies.annotate(
        is_asked_about=Exists(asked),
        critical_told=Exists(results.filter(state=states.TOLD)),
        critical_flagged=Exists(results.filter(state=states.FLAGGED)),
        critical_acknowledged=Exists(results.filter(state=states.ACKNOWLEDGED)),
    )


def with_key_images(studies: StudyQuerySet) -> StudyQuerySet:
    """Bring along how many images readers marked as key images, and whether others sent a selection of such."""
    marked = Annotation.objects.filter(study=OuterRef("pk"), kind=Kind.KEY_IMAGE, deleted_at=None)
    counted = marked.order_by().values("study").annotate(number=Count("pk")).values("number")
    return studies.annotate(
        key_images=Coalesce(Subquery(counted), 0),
        has_key_objects=Exists(Series.objects.filter(study=OuterRef("pk"), modality="KO")),
    )


def critical_in_words(study: Study, who: User) -> str:
    """The most pressing of a study's critical results; nothing to roles that read no reports."""
    if not has_role(who, Role.RADIOLOGIST, Role.CLINICIAN):
        return ""
    if getattr(study, "critical_told", False):
        return "critical, not acknowledged"
    if getattr(study, "critical_flagged", False) and has_role(who, Role.RADIOLOGIST):
        return "critical, told when signed"
    return CRITICAL_KNOWN if getattr(study, "critical_acknowledged", False) else ""


def task_of(study: Study) -> ReadingTask | None:
    try:
        return study.reading_task
    except ObjectDoesNotExist:
        return None


def state_mark(study: Study, task: ReadingTask | None) -> Mark:
    """Arriving comes before every state but read: what was read and gets more images says both elsewhere."""
    if task is not None and task.state == State.READ:
        return read_mark(loaded_report(study))
    if study.is_arriving:
        return ARRIVING
    if task is None:
        return NO_TASK
    return {State.IN_PROGRESS: CLAIMED, State.PRELIMINARY: PRELIMINARY}.get(State(task.state), UNREAD)


def loaded_report(study: Study) -> Report | None:
    try:
        return study.report
    except ObjectDoesNotExist:
        return None


def read_mark(report: Report | None) -> Mark:
    """How a study was read: with a final report, one with an addendum, or without a report of the portal."""
    if report is None or report.state != Report.State.FINAL:
        return READ
    return ADDENDUM if report.has_addendum else FINAL


def state_for_referrer(study: Study, task: ReadingTask | None) -> str:
    """The state in the words of those who wait for the result."""
    report = loaded_report(study)
    if report is not None and report.state == Report.State.FINAL:
        return "report ready, with addendum" if report.has_addendum else "report ready"
    if task is not None and task.state == State.READ:
        return "read"
    if study.is_arriving:
        return "images are arriving"
    if task is not None and task.state in (State.IN_PROGRESS, State.PRELIMINARY):
        return "being read"
    return "waiting to be read"


def images_in_words(study: Study) -> str:
    """``arriving 123 images`` until the study has gone quiet, then the count; ``123 / 240`` where 240 were made."""
    expected = study.expected_instance_count
    if expected is not None:
        received = f"{study.instance_count} / {expected}"
        return f"arriving {received} images" if study.is_arriving else received
    if study.is_arriving:
        return f"arriving {counted(study.instance_count, 'image')}"
    return str(study.instance_count)


def images_state(study: Study) -> str:
    """Quiet is ready; complete is what somebody or something said."""
    if study.is_arriving:
        return ""
    return "complete" if study.completed_at else "ready"


def held_back_in_words(count: int) -> str:
    if not count:
        return ""
    return f"{counted(count, 'image')} of this study {'is' if count == 1 else 'are'} held back"


def titled(modality: str, description: str) -> str:
    """Modality and description, the modality only once.

    >>> titled("CT", "CT chest"), titled("CT", "Chest"), titled("MR", "MRI head")
    ('CT chest', 'CT Chest', 'MRI head')
    """
    first = (description.upper().split() or [""])[0]
    # "MRI", "MRA" and "CTA" say it too.
    says_it = bool(modality) and first.startswith(modality.upper()) and len(first) <= len(modality) + 1
    return description if says_it else f"{modality} {description}".strip()


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def waiting_in_words(waited: timedelta) -> str:
    """Hours and minutes, or days; a clock that runs ahead gives zero.

    >>> waiting_in_words(timedelta(minutes=44)), waiting_in_words(timedelta(hours=26, minutes=5))
    ('0:44', '26:05')
    >>> waiting_in_words(timedelta(days=3, hours=5))
    '3 d'
    """
    waited = max(waited, timedelta())
    if waited >= HOURS_SHOWN_UNTIL:
        return f"{waited.days} d"
    minutes = int(waited.total_seconds()) // 60
    return f"{minutes // 60}:{minutes % 60:02d}"


def examined(study: Study, now: datetime) -> str:
    """Date and time of the examination as recorded; "today" where it is the site's date."""
    day = parse_date(study.study_date)
    date = "today" if day == timezone.localdate(now) else format_date(study.study_date)
    return " ".join(part for part in (date, format_time(study.study_time), other_offset(study, now)) if part)


def examined_in_full(study: Study) -> str:
    """The recorded values without interpretation, for the tooltip."""
    time = study.study_time.partition(".")[0]
    clock = f"{time[:2]}:{time[2:4]}:{time[4:6]}" if len(time) == 6 and time.isdigit() else format_time(time)
    parts = (format_date(study.study_date), clock, study.timezone_offset_from_utc)
    return " ".join(part for part in parts if part)


def other_offset(study: Study, now: datetime) -> str:
    """The recorded offset from UTC where it is present and not the site's (PS3.3 C.12.1.1.8)."""
    offset = study.timezone_offset_from_utc
    return offset if offset and offset != f"{timezone.localtime(now):%z}" else ""


def reader_in_words(task: ReadingTask | None, now: datetime) -> str:
    """Who reads or has read; a silent claim says so, as it may be taken over."""
    if task is None:
        return ""
    if task.state == State.READ:
        return str(task.read_by) if task.read_by else ""
    if task.state != State.IN_PROGRESS or task.claimed_by is None:
        return ""
    if not is_stale(task, now):
        return str(task.claimed_by)
    silent = f" {waiting_in_words(now - task.claim_seen_at)}" if task.claim_seen_at else ""
    return f"{task.claimed_by} (silent{silent})"
