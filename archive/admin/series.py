"""Series: looked at, rejected and restored."""

from __future__ import annotations

from django.contrib import admin

from archive.admin.looks import LooksAudited, ReadOnlyAdmin
from archive.admin.rejection import instances_of, rejecting_actions
from archive.models import Series


@admin.register(Series)
class SeriesAdmin(LooksAudited, ReadOnlyAdmin):
    list_display = (
        "series_instance_uid",
        "modality",
        "series_number",
        "series_description",
        "body_part_examined",
        "station_name",
        "instance_count",
        "is_derived",
        "last_received_at",
    )
    list_filter = ("modality", "is_derived", "pictures_owed")
    search_fields = ("=series_instance_uid", "=study__study_instance_uid", "series_description", "station_name")
    ordering = ("-pk",)
    list_select_related = ("study",)
    show_full_result_count = False
    actions = rejecting_actions(instances_of("series"))
