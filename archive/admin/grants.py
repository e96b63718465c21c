"""Grants: which person or group may see which study or patient, since when and until when."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from archive.access.roles import user_of
from archive.admin.looks import LooksAudited
from archive.admin.reasons import AuditedChanges
from archive.dicom.dates import format_date
from archive.dicom.person_name import format_for_people
from archive.models import Grant


class ValidFilter(admin.SimpleListFilter):
    title = "validity"
    parameter_name = "valid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "valid now"), ("no", "expired")]

    def queryset(self, request: HttpRequest, grants: QuerySet[Any]) -> QuerySet[Any]:
        expired = grants.filter(expires_at__lte=timezone.now())
        if self.value() == "no":
            return expired
        return grants.exclude(pk__in=expired.values("pk")) if self.value() == "yes" else grants


@admin.register(Grant)
class GrantAdmin(LooksAudited, AuditedChanges):
    list_display = ("receiver", "what", "may_download", "source", "granted_by", "granted_at", "begins_at", "expires_at")
    list_filter = (ValidFilter, "source", "may_download", "group")
    search_fields = (
        "user__username",
        "user__last_name",
        "group__name",
        "study__study_instance_uid",
        "study__accession_number",
        "patient__patient_id",
    )
    raw_id_fields = ("study", "patient")
    autocomplete_fields = ("user", "group")
    readonly_fields = ("source", "granted_by", "granted_at")
    list_select_related = ("user", "group", "study__patient", "patient", "granted_by")
    date_hierarchy = "granted_at"
    deletion_warning = "These people no longer see these studies, unless another grant or their role shows them."
    fieldsets = (
        ("To whom", {"fields": ("user", "group"), "description": "A person or a group, not both."}),
        ("What", {"fields": ("study", "patient"), "description": "One study, or all of a patient's, not both."}),
        (None, {"fields": ("may_download", "begins_at", "expires_at", "source", "granted_by", "granted_at")}),
    )

    @admin.display(description="to", ordering="user__username")
    def receiver(self, grant: Grant) -> str:
        return str(grant.user) if grant.user else f"group {grant.group}"

    @admin.display(description="what")
    def what(self, grant: Grant) -> str:
        if grant.study:
            study = grant.study
            about = " ".join((*study.modality_list(), study.study_description, format_date(study.study_date)))
            return f"{format_for_people(study.patient_name) or 'no name'} ({study.patient.patient_id}): {about}"
        if grant.patient:
            return f"{format_for_people(grant.patient.patient_name) or 'no name'} ({grant.patient.patient_id}): all studies"
        return ""

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        if not change:
            obj.granted_by = user_of(request)
        super().save_model(request, obj, form, change)

    def facts(self, obj: Grant) -> dict[str, Any]:
        return {
            "to": obj.user.get_username() if obj.user else f"group {obj.group}",
            "study": obj.study.study_instance_uid if obj.study else "",
            "patient": obj.patient_id,
            "may_download": obj.may_download,
        }
