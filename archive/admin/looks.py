"""Rows that are looked at and never typed into; looks at those that name patients are audited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from archive.access.roles import user_of
from archive.audit.events import Event
from archive.audit.record import record_event
from pacs_portal.middleware import client_address


class ReadOnlyAdmin(admin.ModelAdmin):
    """Actions of ours need only the right to look; each checks its own rule."""

    def has_add_permission(self, request: HttpRequest, *_obj: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LooksAudited(admin.ModelAdmin):
    """A list, or a row, that names patients: every look is a row of the audit trail."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if request.method == "GET" and response.status_code == 200:
            self.record_look(request, "list", shown_rows(response))
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        if request.method == "GET" and response.status_code == 200:
            self.record_look(request, "row", [object_id])
        return response

    def record_look(self, request: HttpRequest, what: str, rows: list[Any]) -> None:
        record_event(
            Event.IDENTITY_LOOKED_AT,
            user=user_of(request),
            address=client_address(request),
            subject=f"administration, {what} of {self.model._meta.verbose_name_plural}",
            details={"rows": rows},
        )


def shown_rows(response: HttpResponse) -> list[Any]:
    """Numbers of the rows on the page that is answered."""
    changelist = (getattr(response, "context_data", None) or {}).get("cl")
    return [row.pk for row in changelist.result_list] if changelist is not None else []
