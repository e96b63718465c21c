"""The audit trail: read, searched, exported; never typed into."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from archive.access.roles import user_of
from archive.admin.looks import ReadOnlyAdmin
from archive.audit.events import Event
from archive.audit.export import as_csv
from archive.audit.record import record_event
from archive.models import AuditEvent
from pacs_portal.middleware import client_address


class EventFilter(admin.SimpleListFilter):
    """The known events: asking the table for those it has would read all of it."""

    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[AuditEvent]) -> list[tuple[str, str]]:
        return [(event.value, event.value.replace("-", " ")) for event in Event]

    def queryset(self, request: HttpRequest, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return events.filter(event=self.value()) if self.value() else events


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[AuditEvent]) -> list[tuple[str, str]]:
        return [("success", "success"), ("failure", "failure")]

    def queryset(self, request: HttpRequest, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return events.filter(outcome=self.value()) if self.value() else events


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = (
        "happened_at",
        "event",
        "outcome",
        "actor",
        "address",
        "study_instance_uid",
        "subject",
        "said",
        "sealed_as",
    )
    list_filter = (EventFilter, OutcomeFilter)
    search_fields = ("=actor", "=address", "=study_instance_uid", "subject")
    date_hierarchy = "happened_at"
    show_full_result_count = False
    actions = ("export",)

    @admin.display(description="details")
    def said(self, event: AuditEvent) -> str:
        return ", ".join(f"{name}: {value}" for name, value in event.details.items())[:300]

    @admin.action(description="Export as CSV", permissions=("view",))
    def export(self, request: HttpRequest, events: QuerySet[AuditEvent]) -> StreamingHttpResponse:
        record_event(
            Event.EXPORTED,
            user=user_of(request),
            address=client_address(request),
            subject="audit trail",
            details={"events": events.count()},
        )
        response = StreamingHttpResponse(as_csv(events), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return response
