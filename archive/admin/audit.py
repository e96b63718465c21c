"""The audit trail."""

from __future__ import annotations

import csv
import json

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from archive.admin.reasons import ReadOnlyAdmin
from archive.models import AuditEvent

COLUMNS = ("happened_at", "event", "outcome", "actor", "address", "study_instance_uid", "subject", "details", "digest")
MOST_EXPORTED = 50_000


def without_formula(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("happened_at", "event", "outcome", "actor", "address", "study_instance_uid", "subject")
    list_filter = ("event", "outcome")
    search_fields = ("actor", "address", "study_instance_uid", "subject")
    date_hierarchy = "happened_at"
    show_full_result_count = False
    actions = ("export",)

    @admin.action(description="Export as CSV")
    def export(self, _request: HttpRequest, queryset: QuerySet[AuditEvent]) -> HttpResponse:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="audit.csv"'
        writer = csv.writer(response)
        writer.writerow(COLUMNS)
        for event in queryset.order_by("pk")[:MOST_EXPORTED]:
            writer.writerow([without_formula(getattr(event, column)) for column in COLUMNS])
        return response
