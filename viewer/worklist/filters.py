"""Which studies a list shows: what is typed, the chips, the state of reading.

What is typed may be a name, so it travels in the body of a request and never in an
address; everything else is in the address, so that a list can be bookmarked.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.models import Study, User
from archive.models.study import StudyQuerySet
from archive.querying.words import LONGEST_TEXT, containing
from viewer.models import Consultation, ReadingTask

MOST_HELD = 2000
"""Studies that wait for one person, as far as anybody looks."""
MODALITY = re.compile(r"[A-Z0-9_ ]{1,16}")
"""A modality as in Code String values (PS3.5 6.2)."""

TO_READ, EVERYTHING, ARRIVING = "", "all", "arriving"
STATES = (
    (TO_READ, "to be read"),
    (ReadingTask.State.IN_PROGRESS.value, "being read"),
    (ReadingTask.State.PRELIMINARY.value, "preliminary"),
    (ReadingTask.State.READ.value, "read"),
    (ARRIVING, "arriving"),
    (EVERYTHING, "all"),
)
STATES_OF_ARRIVALS = (("", "all"), *STATES[1:-1])
"""The same where everything is shown unless something else is chosen."""
OPEN_STATES = (ReadingTask.State.UNREAD, ReadingTask.State.IN_PROGRESS, ReadingTask.State.PRELIMINARY)


def of_modality(modality: str) -> Q:
    """A study that has a series of a modality: one value of Modalities in Study (0008,0061)."""
    return (
        Q(modalities=modality)
        | Q(modalities__startswith=f"{modality}\\")
        | Q(modalities__endswith=f"\\{modality}")
        | Q(modalities__contains=f"\\{modality}\\")
    )


def held_by(who: User) -> Q:
    """A study that a person reads, that waits for them alone, or that a colleague asks them to look at.

    Those few are looked up first, each from its index.
    """
    tasks = ReadingTask.objects.exclude(state=ReadingTask.State.READ)
    held = {*tasks.filter(claimed_by=who).values_list("study", flat=True)[:MOST_HELD]}
    held |= {*tasks.filter(assigned_to=who).order_by("due_at").values_list("study", flat=True)[:MOST_HELD]}
    held |= {*asked_to_look(who).values_list("study", flat=True)[:MOST_HELD]}
    return Q(pk__in=held)


def asked_to_look(who: User) -> QuerySet[Consultation]:
    """What colleagues ask a person to look at."""
    return Consultation.objects.filter(asked=who, done_at=None)


def today() -> str:
    """The site's date as a DA value."""
    return f"{timezone.localdate():%Y%m%d}"


class ModalitiesField(forms.MultipleChoiceField):
    """Modalities as chips send them; any code string, as new ones appear."""

    def valid_value(self, value: str) -> bool:
        return MODALITY.fullmatch(value) is not None


class ModalitiesFilter(django_filters.MultipleChoiceFilter):
    field_class = ModalitiesField


class WorklistFilter(django_filters.FilterSet):
    """The reading worklist's filter; a value that cannot be used is left out, as a list is never refused."""

    text = django_filters.CharFilter(method="filter_text", label="Search", max_length=LONGEST_TEXT)
    unread = django_filters.BooleanFilter(method="filter_state", widget=forms.CheckboxInput, label="Unread")
    mine = django_filters.BooleanFilter(method="filter_mine", widget=forms.CheckboxInput, label="My list")
    group = django_filters.BooleanFilter(method="filter_group", widget=forms.CheckboxInput, label="My groups")
    overdue = django_filters.BooleanFilter(method="filter_overdue", widget=forms.CheckboxInput, label="Overdue")
    stat = django_filters.BooleanFilter(method="filter_stat", widget=forms.CheckboxInput, label="STAT")
    today = django_filters.BooleanFilter(method="filter_today", widget=forms.CheckboxInput, label="Today")
    modality = ModalitiesFilter(method="filter_modality", label="Modality")
    state = django_filters.ChoiceFilter(method="filter_state", choices=STATES[1:], label="State")

    class Meta:
        model = Study
        fields: list[str] = []

    def __init__(self, data: Any, queryset: StudyQuerySet, *, user: User, default_state: str = TO_READ) -> None:
        super().__init__(data, queryset)
        self.user = user
        self.default_state = default_state

    @property
    def values(self) -> dict[str, Any]:
        """What is set and can be used."""
        self.form.is_valid()
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    @property
    def chosen_state(self) -> str:
        """The chip "Unread" comes before what is chosen beside it."""
        if self.values.get("unread"):
            return ReadingTask.State.UNREAD.value
        chosen: str = self.values.get("state", "")
        return chosen or self.default_state

    @property
    def shown_states(self) -> tuple[ReadingTask.State, ...]:
        """States of reading that are shown, each read from its own index; empty where all are."""
        chosen = self.chosen_state
        if chosen in (EVERYTHING, ARRIVING):
            return ()
        return OPEN_STATES if chosen == TO_READ else (ReadingTask.State(chosen),)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is chosen or typed."""
        return bool(self.values)

    def query(self, **extra: str) -> str:
        """The filter as an address has it: sorted, without what is typed."""
        kept = {name: value for name, value in self.values.items() if name != "text"}
        pairs = {name: "1" if value is True else value for name, value in kept.items()} | extra
        return urlencode(sorted((name, value) for name, value in pairs.items() if value), doseq=True)

    def filter_text(self, studies: StudyQuerySet, _name: str, value: str) -> StudyQuerySet:
        return containing(studies, value)

    def filter_mine(self, studies: StudyQuerySet, _name: str, value: bool) -> StudyQuerySet:
        return studies.filter(held_by(self.user)) if value else studies

    def filter_group(self, studies: StudyQuerySet, _name: str, value: bool) -> StudyQuerySet:
        """What waits for a group of the person's."""
        groups = self.user.groups.values("pk")
        return studies.filter(reading_task__assigned_group__in=groups) if value else studies

    def filter_overdue(self, studies: StudyQuerySet, _name: str, value: bool) -> StudyQuerySet:
        return studies.filter(reading_task__due_at__lt=timezone.now()) if value else studies

    def filter_stat(self, studies: StudyQuerySet, _name: str, value: bool) -> StudyQuerySet:
        return studies.filter(reading_task__priority=ReadingTask.Priority.STAT) if value else studies

    def filter_today(self, studies: StudyQuerySet, _name: str, value: bool) -> StudyQuerySet:
        return studies.filter(study_date=today()) if value else studies

    def filter_modality(self, studies: StudyQuerySet, _name: str, value: list[str]) -> StudyQuerySet:
        wanted = Q()
        for modality in value:
            wanted |= of_modality(modality)
        return studies.filter(wanted)

    def filter_state(self, studies: StudyQuerySet, _name: str, value: str) -> StudyQuerySet:
        """The states themselves are ``states``; here only what is no state of reading."""
        return studies.filter(ready_at__isnull=True) if value == ARRIVING else studies
