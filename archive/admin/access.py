"""Grants, identifiers, names and emergency access."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from archive.access.grants import confirm_mapping, identifier_was_given
from archive.access.roles import user_of
from archive.admin.reasons import ReadOnlyAdmin
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import BreakGlass, Grant, NameMapping, PersonIdentifier


@admin.register(Grant)
class GrantAdmin(admin.ModelAdmin):
    list_display = (
        "__str__",
        "user",
        "group",
        "study",
        "patient",
        "may_download",
        "source",
        "expires_at",
        "granted_at",
    )
    list_filter = ("source", "may_download", "group")
    search_fields = (
        "user__username",
        "group__name",
        "study__study_instance_uid",
        "study__accession_number",
        "patient__patient_id",
    )
    autocomplete_fields = ("user", "study", "patient")
    readonly_fields = ("granted_by", "granted_at", "source")
    list_select_related = ("user", "group", "study", "patient")

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        if not change:
            obj.granted_by = user_of(request)
        super().save_model(request, obj, form, change)
        _record(request, obj, "changed" if change else "given")

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        _record(request, obj, "taken back")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Grant]) -> None:
        for grant in queryset:
            _record(request, grant, "taken back")
        super().delete_queryset(request, queryset)


def _record(request: HttpRequest, grant: Grant, what: str) -> None:
    record_event(
        Event.RIGHTS_CHANGED,
        user=user_of(request),
        study_instance_uid=grant.study.study_instance_uid if grant.study else "",
        subject=f"grant {grant.pk}",
        details={"grant": what, "to": str(grant.user or grant.group)},
    )


@admin.register(PersonIdentifier)
class PersonIdentifierAdmin(admin.ModelAdmin):
    list_display = ("value", "user")
    search_fields = ("value", "user__username", "user__last_name")
    autocomplete_fields = ("user",)

    def save_model(self, request: HttpRequest, obj: PersonIdentifier, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        count = identifier_was_given(obj)
        self.message_user(request, f"{count} studies name this identifier and are granted now.", messages.SUCCESS)


@admin.register(NameMapping)
class NameMappingAdmin(admin.ModelAdmin):
    list_display = ("name_key", "user", "state", "confirmed_by", "confirmed_at")
    list_filter = ("state",)
    search_fields = ("name_key", "user__username", "user__last_name")
    readonly_fields = ("state", "confirmed_by", "confirmed_at")
    autocomplete_fields = ("user",)
    actions = ("confirm", "refuse")

    @admin.action(description="Confirm: this name means this person")
    def confirm(self, request: HttpRequest, queryset: QuerySet[NameMapping]) -> None:
        granted = sum(confirm_mapping(mapping, by=user_of(request)) for mapping in queryset)
        self.message_user(request, f"{granted} studies are granted.", messages.SUCCESS)

    @admin.action(description="Refuse: this name means somebody else")
    def refuse(self, request: HttpRequest, queryset: QuerySet[NameMapping]) -> None:
        count = queryset.update(
            state=NameMapping.State.REFUSED, confirmed_by=user_of(request), confirmed_at=timezone.now()
        )
        self.message_user(request, f"{count} proposals are refused.", messages.SUCCESS)


@admin.register(BreakGlass)
class BreakGlassAdmin(ReadOnlyAdmin):
    list_display = ("opened_at", "user", "study", "reason", "expires_at", "seen_by", "seen_at")
    list_filter = (("seen_at", admin.EmptyFieldListFilter), "user")
    search_fields = ("user__username", "reason", "study__study_instance_uid")
    date_hierarchy = "opened_at"
    actions = ("seen",)

    @admin.action(description="I have looked at these")
    def seen(self, request: HttpRequest, queryset: QuerySet[BreakGlass]) -> None:
        count = queryset.filter(seen_at=None).update(seen_by=user_of(request), seen_at=timezone.now())
        self.message_user(request, f"{count} emergency accesses are marked as seen.", messages.SUCCESS)
