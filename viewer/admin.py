"""Django admin of the viewer: presets, hanging protocols, report templates, macros, and what was drawn.

The worklist's part stands in ``viewer.worklist.admin``.
"""

from __future__ import annotations

from django.contrib import admin

from archive.admin.looks import ReadOnlyAdmin
from viewer.models import Annotation, HangingProtocol, Macro, ReportTemplate, WindowPreset
from viewer.worklist import admin as worklist

__all__ = ["worklist"]


@admin.register(WindowPreset)
class WindowPresetAdmin(admin.ModelAdmin):
    list_display = ("name", "modality", "width", "center", "position", "user")
    list_editable = ("width", "center", "position")
    list_filter = ("modality",)
    search_fields = ("name",)


@admin.register(ReportTemplate)
class ReportTemplateAdmin(admin.ModelAdmin):
    list_display = ("name", "modality", "body_part", "owner", "group")
    list_filter = ("modality",)
    search_fields = ("name", "body_part")
    list_select_related = ("owner", "group")


@admin.register(Macro)
class MacroAdmin(admin.ModelAdmin):
    list_display = ("word", "text", "owner")
    search_fields = ("word", "text")
    list_select_related = ("owner",)


@admin.register(Annotation)
class AnnotationAdmin(ReadOnlyAdmin):
    list_display = ("study", "kind", "author", "created_at", "changed_by", "changed_at", "version", "deleted_at")
    list_filter = ("kind",)
    search_fields = ("study__study_instance_uid",)
    list_select_related = ("study", "author", "changed_by")


@admin.register(HangingProtocol)
class HangingProtocolAdmin(admin.ModelAdmin):
    list_display = ("name", "position", "is_active", "user", "group")
    list_editable = ("position", "is_active")
    list_filter = ("is_active", "group")
    search_fields = ("name",)
    list_select_related = ("user", "group")
