"""The modality worklist: what is to be done, entered by a clerk or an order, and where it stands."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from archive.access.roles import user_of
from archive.admin.looks import LooksAudited
from archive.admin.reasons import Answer, AuditedChanges, Question, with_reason
from archive.dicom.dates import format_date, format_time
from archive.dicom.person_name import format_for_people
from archive.models import ScheduledStep
from archive.models.scheduled_step import StepState
from archive.scheduling.orders import IDENTITY, Source, move_step, save_step
from pacs_portal.middleware import client_address


class DayFilter(admin.SimpleListFilter):
    title = "day"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("today", "today"), ("later", "later"), ("earlier", "earlier")]

    def queryset(self, request: HttpRequest, steps: QuerySet[Any]) -> QuerySet[Any]:
        today = f"{timezone.localdate():%Y%m%d}"
        narrowed: dict[str, dict[str, str]] = {
            "today": {"start_date": today},
            "later": {"start_date__gt": today},
            "earlier": {"start_date__lt": today},
        }
        return steps.filter(**narrowed.get(self.value() or "", {}))


class ModalityFilter(admin.SimpleListFilter):
    title = "modality"
    parameter_name = "modality"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = ScheduledStep.objects.order_by("modality").values_list("modality", flat=True).distinct()
        return [(modality, modality) for modality in found]

    def queryset(self, request: HttpRequest, steps: QuerySet[Any]) -> QuerySet[Any]:
        return steps.filter(modality=self.value()) if self.value() else steps


class ScheduledStepForm(forms.ModelForm):
    """What a clerk types; identifiers that only machines need are made where they are left empty."""

    class Meta:
        help_texts = {
            "patient_name": "Family^Given^Middle^Prefix^Suffix; other scripts after “=”: Yamada^Tarou=山田^太郎",
            "start_date": "YYYYMMDD",
            "start_time": "HHMM",
            "study_instance_uid": "Leave empty for a new study.",
            "requested_procedure_id": "Left empty, one is made.",
            "scheduled_procedure_step_id": "Left empty, one is made.",
            "referring_physician_name": "Family^Given^Middle^Prefix^Suffix",
            "scheduled_performing_physician_name": "Family^Given^Middle^Prefix^Suffix",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in IDENTITY:
            if name in self.fields:
                self.fields[name].required = False
        if "start_date" in self.fields and not self.instance.pk:
            self.fields["start_date"].initial = f"{timezone.localdate():%Y%m%d}"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        step = ScheduledStep(**{name: values.get(name) or "" for name in IDENTITY})
        step.fill_in_identifiers()
        return values | {name: getattr(step, name) for name in IDENTITY if name not in self.errors}


def _mover(state: StepState, words: str) -> Any:
    def act(steps: QuerySet[ScheduledStep], answer: Answer) -> str:
        source = Source(user=answer.by, address=answer.address)
        moved = sum(move_step(step, state, source=source) for step in steps)
        return f"{moved} steps {words}; the others could not come there from where they are."

    return act


@admin.register(ScheduledStep)
class ScheduledStepAdmin(LooksAudited, AuditedChanges):
    form = ScheduledStepForm
    list_display = (
        "start",
        "patient_",
        "patient_id",
        "born",
        "modality",
        "what",
        "scheduled_station_ae_title",
        "accession_number",
        "priority",
        "state",
    )
    list_filter = (DayFilter, "state", ModalityFilter, "priority")
    search_fields = (
        "patient_name",
        "=patient_id",
        "=accession_number",
        "=study_instance_uid",
        "requested_procedure_description",
    )
    search_help_text = "A part of a name or procedure; or the whole ID, accession number or Study UID."
    ordering = ("-start_date", "-start_time", "-pk")
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ("state", "changed_at")
    deletion_warning = "They are gone from the modality worklist at once; images that came for them stay."
    fieldsets = (
        (
            "Patient",
            {
                "fields": (
                    "patient_name",
                    ("patient_id", "issuer_of_patient_id"),
                    ("patient_birth_date", "patient_sex", "patient_weight_kg"),
                    ("admission_id", "current_patient_location"),
                    ("medical_alerts", "allergies"),
                    ("pregnancy_status", "patient_state", "special_needs"),
                )
            },
        ),
        (
            "Order",
            {
                "fields": (
                    ("accession_number", "priority"),
                    ("requested_procedure_description", "reason"),
                    ("requested_procedure_code", "requested_procedure_code_scheme", "requested_procedure_code_meaning"),
                    ("referring_physician_name", "requesting_physician", "requesting_service"),
                )
            },
        ),
        (
            "Step",
            {
                "fields": (
                    ("modality", "scheduled_station_ae_title"),
                    ("start_date", "start_time"),
                    "scheduled_procedure_step_description",
                    ("protocol_code", "protocol_code_scheme", "protocol_code_meaning"),
                    ("scheduled_station_name", "scheduled_procedure_step_location"),
                    "scheduled_performing_physician_name",
                    ("pre_medication", "requested_contrast_agent"),
                    "comments",
                    ("state", "changed_at"),
                )
            },
        ),
        (
            "Identifiers",
            {
                "classes": ("collapse",),
                "fields": (
                    "study_instance_uid",
                    ("requested_procedure_id", "scheduled_procedure_step_id"),
                    ("placer_order_number", "filler_order_number"),
                ),
            },
        ),
    )
    actions = (
        with_reason(
            "arrived",
            Question(
                "Patient has arrived",
                "The modality worklist says that these patients are here.",
                _mover(StepState.ARRIVED, "say that the patient has arrived"),
                permissions=("change",),
            ),
        ),
        with_reason(
            "discontinue",
            Question(
                "Take off the worklist",
                "Modalities no longer see these steps. What was received stays.",
                _mover(StepState.DISCONTINUED, "are off the modality worklist"),
                is_destructive=True,
                permissions=("change",),
            ),
        ),
        with_reason(
            "reopen",
            Question(
                "Put back on the worklist",
                "Modalities see these steps again as scheduled.",
                _mover(StepState.SCHEDULED, "are scheduled again"),
                permissions=("change",),
            ),
        ),
    )

    def save_model(self, request: HttpRequest, obj: ScheduledStep, form: Any, change: bool) -> None:
        save_step(obj, is_new=not change, source=Source(user=user_of(request), address=client_address(request)))

    def record(self, request: HttpRequest, obj: Any, what: str, **details: Any) -> None:
        """Adding and changing are on record as orders; only what else happens is a change of the administration."""
        if what == "deleted":
            super().record(request, obj, what, **details)

    def facts(self, obj: ScheduledStep) -> dict[str, Any]:
        return {"study_instance_uid": obj.study_instance_uid, "state": obj.state}

    @admin.display(description="start", ordering="start_date")
    def start(self, step: ScheduledStep) -> str:
        return f"{format_date(step.start_date)} {format_time(step.start_time)}"

    @admin.display(description="patient", ordering="patient_name")
    def patient_(self, step: ScheduledStep) -> str:
        return format_for_people(step.patient_name)

    @admin.display(description="born", ordering="patient_birth_date")
    def born(self, step: ScheduledStep) -> str:
        return format_date(step.patient_birth_date)

    @admin.display(description="procedure", ordering="requested_procedure_description")
    def what(self, step: ScheduledStep) -> str:
        return step.scheduled_procedure_step_description or step.requested_procedure_description
