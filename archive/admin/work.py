"""Quarantine and jobs."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from archive.access.roles import user_of
from archive.admin.reasons import ReadOnlyAdmin
from archive.admin.studies import AuditedAdmin
from archive.dicom.person_name import format_for_people
from archive.jobs import queue
from archive.models import Job, QuarantinedFile


@admin.register(QuarantinedFile)
class QuarantinedFileAdmin(AuditedAdmin):
    """Decisions are made on the quarantine page, where what came stands beside what is stored."""

    list_display = (
        "received_at",
        "reason",
        "state",
        "name",
        "patient_id",
        "modality",
        "calling_ae_title",
        "size",
        "decided_by",
    )
    list_filter = ("state", "reason", "modality", "door")
    search_fields = ("sop_instance_uid", "study_instance_uid", "patient_id", "patient_name", "calling_ae_title")
    date_hierarchy = "received_at"

    @admin.display(description="patient")
    def name(self, held: QuarantinedFile) -> str:
        return format_for_people(held.patient_name)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "pk",
        "kind",
        "state",
        "done_steps",
        "total_steps",
        "message",
        "created_by",
        "created_at",
        "crashes",
    )
    list_filter = ("state", "kind")
    search_fields = ("message", "study__study_instance_uid", "created_by__username")
    date_hierarchy = "created_at"
    actions = ("cancel", "retry")

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = sum(queue.cancel(job, by=user_of(request)) for job in queryset)
        self.message_user(request, f"{count} jobs are cancelled or will stop at their next step.")

    @admin.action(description="Try again")
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = sum(queue.retry(job, by=user_of(request)) for job in queryset)
        self.message_user(request, f"{count} jobs are queued again.")
