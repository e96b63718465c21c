"""Actions that ask first: what they will touch, in numbers, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from archive.errors import ArchiveError

Act = Callable[[QuerySet[Any], str, HttpRequest], str]
"""Carries the action out on the chosen rows; takes the reason, returns the sentence that says what was done."""


def with_reason(*, name: str, label: str, warning: str, act: Act) -> Callable[..., HttpResponse | None]:
    """An admin action with a page between that says how many rows it touches and asks for a reason."""

    def action(modeladmin: admin.ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        reason = request.POST.get("reason", "").strip()
        if request.POST.get("confirmed") and reason:
            try:
                modeladmin.message_user(request, act(queryset, reason, request), messages.SUCCESS)
            except ArchiveError as error:
                modeladmin.message_user(request, str(error), messages.ERROR)
            return None
        context = {
            **modeladmin.admin_site.each_context(request),
            "title": label,
            "warning": warning,
            "count": queryset.count(),
            "rows": queryset[:20],
            "action": name,
            "opts": modeladmin.model._meta,
            "chosen": request.POST.getlist("_selected_action"),
            "is_missing_reason": bool(request.POST.get("confirmed")),
        }
        return TemplateResponse(request, "admin/ask_reason.html", context)

    action.__name__ = name
    action.short_description = label  # type: ignore[attr-defined]
    return action


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that are looked at and never typed into."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Actions of ours need only the right to look; each checks its own rule."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
