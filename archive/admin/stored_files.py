"""Stored files: how they lie on disk, when they were last checked, and what was found wrong."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from archive.admin.looks import ReadOnlyAdmin
from archive.dicom.transfer_syntaxes import name_of
from archive.models import StoredFile
from archive.storage.integrity import verify

MOST_CHECKED = 100
"""Files that one action reads whole."""


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    list_display = ("instance", "size", "encoding", "is_as_received", "verified_at", "damage")
    list_filter = (("damage", admin.EmptyFieldListFilter), "is_as_received")
    search_fields = ("=instance__sop_instance_uid",)
    exclude = ("frame_index",)
    list_select_related = ("instance",)
    ordering = ("-pk",)
    show_full_result_count = False
    actions = ("compare",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredFile]:
        return super().get_queryset(request).defer("frame_index", "instance__description")

    @admin.display(description="encoding", ordering="transfer_syntax_uid")
    def encoding(self, stored: StoredFile) -> str:
        return name_of(stored.transfer_syntax_uid)

    @admin.action(description="Compare with the digest now", permissions=("view",))
    def compare(self, request: HttpRequest, files: QuerySet[StoredFile]) -> None:
        """Read the files; what is wrong with them stands in the list."""
        checked = list(files.select_related("instance")[:MOST_CHECKED])
        damaged = sum(bool(verify(stored)) for stored in checked)
        level = messages.ERROR if damaged else messages.SUCCESS
        self.message_user(request, f"{len(checked)} files were read; {damaged} are damaged or missing.", level)
