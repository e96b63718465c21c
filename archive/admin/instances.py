"""Instances: where each came from, whether it can be drawn, whether it is rejected."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from archive.admin.looks import LooksAudited, ReadOnlyAdmin
from archive.admin.rejection import instances_of, rejecting_actions
from archive.dicom.sop_classes import name_of
from archive.models import Instance


@admin.register(Instance)
class InstanceAdmin(LooksAudited, ReadOnlyAdmin):
    list_display = (
        "sop_instance_uid",
        "kind",
        "frames",
        "received_at",
        "door",
        "calling_ae_title",
        "undrawable_reason",
        "rejection",
        "rejected_by",
    )
    list_filter = ("rejection", "door", ("undrawable_reason", admin.EmptyFieldListFilter))
    search_fields = (
        "=sop_instance_uid",
        "=series__series_instance_uid",
        "=series__study__study_instance_uid",
        "=calling_ae_title",
    )
    ordering = ("-pk",)
    exclude = ("description",)
    list_select_related = ("rejected_by",)
    show_full_result_count = False
    actions = rejecting_actions(instances_of("pk"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instance]:
        return super().get_queryset(request).defer("description")

    @admin.display(description="kind", ordering="sop_class_uid")
    def kind(self, instance: Instance) -> str:
        return name_of(instance.sop_class_uid)
