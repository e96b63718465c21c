"""Django admin of the viewer: window presets and the rows of the reading worklist."""

from __future__ import annotations

from django.contrib import admin

from archive.admin.looks import ReadOnlyAdmin
from viewer.models import ReadingTask, WindowPreset


@admin.register(WindowPreset)
class WindowPresetAdmin(admin.ModelAdmin):
    list_display = ("name", "modality", "width", "center", "position", "user")
    list_editable = ("width", "center", "position")
    list_filter = ("modality",)
    search_fields = ("name",)


@admin.register(ReadingTask)
class ReadingTaskAdmin(ReadOnlyAdmin):
    list_display = ("study", "priority", "state", "waiting_since", "claimed_by", "read_by", "read_at")
    list_filter = ("priority", "state")
    search_fields = ("study__study_instance_uid", "study__search_text")
    list_select_related = ("study", "claimed_by", "read_by")
