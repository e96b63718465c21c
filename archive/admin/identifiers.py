"""Identifiers of referrers, as images carry them in (0008,0096)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from archive.access.grants import identifier_was_given
from archive.admin.reasons import AuditedChanges
from archive.models import PersonIdentifier


@admin.register(PersonIdentifier)
class PersonIdentifierAdmin(AuditedChanges):
    list_display = ("value", "user", "user_is_active")
    search_fields = ("value", "user__username", "user__last_name")
    autocomplete_fields = ("user",)
    list_select_related = ("user",)
    deletion_warning = (
        "New images with these identifiers are granted to nobody; what was granted stays until it is taken back."
    )

    def save_model(self, request: HttpRequest, obj: PersonIdentifier, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        count = identifier_was_given(obj)
        self.message_user(
            request, f"{count} studies name this identifier and are granted to {obj.user}.", messages.SUCCESS
        )

    @admin.display(description="active", boolean=True)
    def user_is_active(self, identifier: PersonIdentifier) -> bool:
        return identifier.user.is_active

    def facts(self, obj: PersonIdentifier) -> dict[str, Any]:
        return {"identifier": obj.value, "of": obj.user.get_username()}
