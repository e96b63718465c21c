"""Files that are held back: looked at here, decided about on the quarantine page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from archive.admin.looks import LooksAudited, ReadOnlyAdmin
from archive.dicom.person_name import format_for_people
from archive.models import QuarantinedFile


@admin.register(QuarantinedFile)
class QuarantinedFileAdmin(LooksAudited, ReadOnlyAdmin):
    list_display = (
        "received_at",
        "reason",
        "state",
        "name",
        "patient_id",
        "modality",
        "calling_ae_title",
        "door",
        "size",
        "decided_by",
        "decision_reason",
    )
    list_filter = ("state", "reason", "modality", "door")
    search_fields = ("=sop_instance_uid", "=study_instance_uid", "patient_id", "patient_name", "calling_ae_title")
    date_hierarchy = "received_at"
    list_select_related = ("decided_by",)
    change_list_template = "admin/quarantine_list.html"

    @admin.display(description="patient", ordering="patient_name")
    def name(self, held: QuarantinedFile) -> str:
        return format_for_people(held.patient_name)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        held = QuarantinedFile.objects.filter(state=QuarantinedFile.State.HELD).count()
        return super().changelist_view(request, {"held": held, **(extra_context or {})})
