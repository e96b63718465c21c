"""Today's steps of a technologist's modalities, each beside the study that came for it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from archive.access.rules import visible_quarantine
from archive.models import PerformedSeries, PerformedStep, QuarantinedFile, ScheduledStep, Study, User
from archive.models.scheduled_step import StepState
from archive.scheduling.linking import identity_lines, is_same_patient
from viewer.arrivals.entries import Entry, Held, Part, Received, What, Who, completed_in_words, part_of, room_of

MOST_ENTRIES = 300
"""Entries of one board; the rest of a longer day is found on the worklist."""
LOOK_BACK = timedelta(days=2)
"""A step that was begun stays on the board so long, though its day is over."""


@dataclass(frozen=True, slots=True)
class Board:
    """What the page shows."""

    entries: tuple[Entry, ...]
    rooms: tuple[str, ...]
    room: str
    is_cut: bool

    def of_part(self, part: Part) -> list[Entry]:
        return [entry for entry in self.entries if entry.part is part]

    @property
    def now(self) -> list[Entry]:
        return self.of_part(Part.NOW)

    @property
    def expected(self) -> list[Entry]:
        return self.of_part(Part.EXPECTED)

    @property
    def done(self) -> list[Entry]:
        return self.of_part(Part.DONE)

    @property
    def older(self) -> list[Entry]:
        return self.of_part(Part.OLDER)

    @property
    def digest(self) -> str:
        """Changes when anything that the page shows has changed."""
        return hashlib.sha256(repr(self).encode("utf-8", "replace")).hexdigest()[:32]


def board_of(who: User, *, room: str = "", now: datetime | None = None) -> Board:
    """Today's board of a technologist: steps and studies of their modalities, in one room if one is named."""
    now = now or timezone.now()
    steps = list(_steps(who, now))
    studies = _studies(who, steps, now)
    rooms = sorted({room_of(step) for step in steps} - {""})
    room = room if room in rooms else ""
    facts = _Facts(studies, who, now)
    entries: list[Entry] = []
    placed: set[int] = set()
    for group in _by_procedure(steps):
        study = _study_for(group[0], studies)
        if study is not None:
            placed.add(study.pk)
        is_wanted = study is not None or any(step.state != StepState.DISCONTINUED for step in group)
        if is_wanted and (not room or room in map(room_of, group)):
            entries.append(facts.entry(group, study))
    if not room:
        entries += [facts.entry([], study) for study in studies if study.pk not in placed]
    entries.sort(key=lambda entry: entry.place)
    return Board(tuple(entries[:MOST_ENTRIES]), tuple(rooms), room, len(entries) > MOST_ENTRIES)


def _steps(who: User, now: datetime) -> Iterable[ScheduledStep]:
    today = timezone.localdate(now)
    since = today - LOOK_BACK
    begun = Q(state__in=(StepState.ARRIVED, StepState.STARTED), start_date__gte=f"{since:%Y%m%d}")
    wanted = Q(start_date=f"{today:%Y%m%d}") | begun & Q(start_date__lte=f"{today:%Y%m%d}")
    steps = ScheduledStep.objects.of_modalities(who.modalities or []).filter(wanted)
    return steps.order_by("start_date", "start_time", "pk")[: 2 * MOST_ENTRIES]


def _by_procedure(steps: Iterable[ScheduledStep]) -> list[list[ScheduledStep]]:
    """Steps of one study are one entry."""
    groups: dict[str, list[ScheduledStep]] = defaultdict(list)
    for step in steps:
        groups[step.study_instance_uid].append(step)
    return list(groups.values())


def _studies(who: User, steps: list[ScheduledStep], now: datetime) -> list[Study]:
    """Studies of these steps, and whatever else images came for today."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    wanted = Q(study_instance_uid__in={step.study_instance_uid for step in steps}) | Q(last_received_at__gte=midnight)
    if accessions := {step.accession_number for step in steps} - {""}:
        wanted |= Q(accession_number__in=accessions)
    visible = Study.objects.visible_to(who).with_images().filter(wanted)
    related = visible.select_related("patient", "completed_by")
    return list(related.order_by("-last_received_at")[: 2 * MOST_ENTRIES])


def _study_for(step: ScheduledStep, studies: list[Study]) -> Study | None:
    """As ``orders_of`` the other way round, among studies that are loaded."""
    for study in studies:
        if study.study_instance_uid == step.study_instance_uid:
            return study
    same = (study for study in studies if step.accession_number and study.accession_number == step.accession_number)
    return next((study for study in same if is_same_patient(study, step)), None)


class _Facts:
    """What is known of many studies, asked for at once."""

    def __init__(self, studies: list[Study], who: User, now: datetime) -> None:
        self._today = f"{timezone.localdate(now):%Y%m%d}"
        self._since = f"{timezone.localdate(now) - LOOK_BACK:%Y%m%d}"
        uids = [study.study_instance_uid for study in studies]
        path = "step__studies__study_instance_uid"
        made = PerformedSeries.objects.filter(**{f"{path}__in": uids}).values_list(path)
        self._series = dict(made.annotate(Count("series_instance_uid", distinct=True)))
        acquiring = PerformedStep.objects.filter(
            state=PerformedStep.State.IN_PROGRESS, studies__study_instance_uid__in=uids
        )
        self._acquiring = set(acquiring.values_list("studies__study_instance_uid", flat=True))
        self._held: dict[str, list[Held]] = defaultdict(list)
        files = visible_quarantine(QuarantinedFile.objects.all(), who).filter(
            study_instance_uid__in=uids, state=QuarantinedFile.State.HELD
        )
        labels = {reason.value: str(reason.label) for reason in QuarantinedFile.Reason}
        for uid, reason, count in files.order_by().values_list("study_instance_uid", "reason").annotate(Count("pk")):
            self._held[uid].append(Held(reason, labels[reason], count))

    def entry(self, steps: list[ScheduledStep], study: Study | None) -> Entry:
        """One examination, of which there is a step, a study, or both."""
        received = self._received(study) if study is not None else None
        if steps:
            lines = tuple(identity_lines(study, steps[0])) if study is not None else ()
            who, what = Who.of_step(steps[0]), What.of_steps(steps, self._today)
            return Entry(steps[0].study_instance_uid, part_of(steps, study), who, what, received, lines)
        if study is None:
            raise ValueError("An entry has a step or a study.")
        what = What.of_study(study, self._today)
        is_held_back = study.study_instance_uid in self._held
        part = part_of(steps, study, since=self._since, is_held_back=is_held_back)
        return Entry(study.study_instance_uid, part, Who.of_study(study), what, received)

    def _received(self, study: Study) -> Received:
        uid = study.study_instance_uid
        return Received(
            study_instance_uid=uid,
            images=study.instance_count,
            series=study.series_count,
            expected_images=study.expected_instance_count,
            expected_series=self._series.get(uid),
            is_arriving=study.is_arriving,
            is_acquiring=uid in self._acquiring,
            last_image_at=study.last_received_at,
            completed=completed_in_words(study),
            held=tuple(self._held.get(uid, ())),
        )
