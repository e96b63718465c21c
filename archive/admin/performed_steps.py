"""Performed steps that modalities reported, and commitments that peers asked for: looked at, never typed into."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count

from archive.admin.looks import LooksAudited, ReadOnlyAdmin
from archive.dicom.dates import format_date, format_time
from archive.models import Commitment, PerformedSeries, PerformedStep


class PerformedSeriesInline(admin.TabularInline):
    model = PerformedSeries
    fields = ("series_instance_uid", "series_description", "protocol_name", "images")
    readonly_fields = fields
    extra = 0
    can_delete = False

    @admin.display(description="images made")
    def images(self, series: PerformedSeries) -> int:
        return len(series.sop_instance_uids)


@admin.register(PerformedStep)
class PerformedStepAdmin(LooksAudited, ReadOnlyAdmin):
    list_display = ("start", "modality", "description", "patient_id", "state", "performed_station_ae_title", "series_")
    list_filter = ("state", "modality")
    search_fields = ("=sop_instance_uid", "=patient_id", "=studies__study_instance_uid", "performed_procedure_step_id")
    ordering = ("-pk",)
    list_per_page = 50
    exclude = ("data_set",)
    inlines = (PerformedSeriesInline,)

    def get_queryset(self, request):  # type: ignore[no-untyped-def]
        return super().get_queryset(request).annotate(series_count=Count("series", distinct=True))

    @admin.display(description="start", ordering="start_date")
    def start(self, step: PerformedStep) -> str:
        return f"{format_date(step.start_date)} {format_time(step.start_time)}"

    @admin.display(description="series")
    def series_(self, step: PerformedStep) -> int:
        return int(getattr(step, "series_count", 0))


@admin.register(Commitment)
class CommitmentAdmin(ReadOnlyAdmin):
    list_display = ("requested_at", "peer_ae_title", "transaction_uid", "asked", "state", "attempts", "reported_at")
    list_filter = ("state", "peer_ae_title")
    search_fields = ("=transaction_uid", "peer_ae_title")
    ordering = ("-pk",)

    @admin.display(description="instances")
    def asked(self, commitment: Commitment) -> int:
        return len(commitment.references)
