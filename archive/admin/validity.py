"""Rows that hold for a time: wards as orders name them, people on call, and who stands in for whom."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from archive.admin.history import KeptHistory
from archive.admin.looks import ReadOnlyAdmin
from archive.admin.reasons import AuditedChanges
from archive.models import Delegation, Duty, WardMapping


@admin.register(WardMapping)
class WardMappingAdmin(AuditedChanges, KeptHistory):
    list_display = ("name", "group", "begins_at", "ends_at")
    list_filter = ("group",)
    search_fields = ("name", "group__name")
    autocomplete_fields = ("group",)
    list_select_related = ("group",)
    deletion_warning = "Studies ordered by this ward are no longer given to the group; those given so far stay given."

    def facts(self, obj: WardMapping) -> dict[str, Any]:
        return {"ward": obj.name, "group": str(obj.group)}


@admin.register(Duty)
class DutyAdmin(AuditedChanges, KeptHistory):
    list_display = ("user", "group", "begins_at", "ends_at")
    list_filter = ("group",)
    search_fields = ("user__username", "user__last_name", "group__name")
    autocomplete_fields = ("user", "group")
    list_select_related = ("user", "group")
    date_hierarchy = "begins_at"
    deletion_warning = "These people no longer see what the group was given."

    def facts(self, obj: Duty) -> dict[str, Any]:
        times = {"from": obj.begins_at.isoformat(), "until": obj.ends_at.isoformat()}
        return {"user": obj.user.get_username(), "group": str(obj.group)} | times


@admin.register(Delegation)
class DelegationAdmin(ReadOnlyAdmin):
    """Made by the clinicians themselves on their account page."""

    list_display = ("clinician", "delegate", "begins_at", "ends_at", "made_at", "ended_at")
    search_fields = ("clinician__username", "clinician__last_name", "delegate__username", "delegate__last_name")
    list_select_related = ("clinician", "delegate")
