"""Users and groups."""

from __future__ import annotations

from typing import Any

from axes.utils import reset
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from archive.access.roles import user_of
from archive.admin.reasons import with_reason
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import PersonIdentifier, User


def _end_sessions(users: QuerySet[User], reason: str, request: HttpRequest) -> str:
    wanted = {str(pk) for pk in users.values_list("pk", flat=True)}
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.get_decoded().get("_auth_user_id") in wanted:
            session.delete()
            ended += 1
    record_event(
        Event.RIGHTS_CHANGED, user=user_of(request), subject="sessions", details={"ended": ended, "reason": reason}
    )
    return f"{ended} sessions were ended."


def _unlock(users: QuerySet[User], reason: str, request: HttpRequest) -> str:
    for user in users:
        reset(username=user.get_username())
    names = [user.get_username() for user in users]
    record_event(
        Event.RIGHTS_CHANGED, user=user_of(request), subject="lock-out", details={"unlocked": names, "reason": reason}
    )
    return f"{len(names)} accounts may try again."


class IdentifierInline(admin.TabularInline):
    model = PersonIdentifier
    extra = 0


@admin.register(User)
class PortalUserAdmin(UserAdmin):
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "is_staff", "last_login")
    list_filter = ("groups", "is_active", "is_staff")
    search_fields = ("username", "first_name", "last_name", "email", "identifiers__value")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Work", {"fields": ("modalities",)}))
    inlines = (IdentifierInline,)
    actions = (
        with_reason(
            name="end_sessions",
            label="End all sessions",
            warning="These people are signed out everywhere at once.",
            act=_end_sessions,
        ),
        with_reason(
            name="unlock", label="Lift the lock-out", warning="These accounts may try to sign in again.", act=_unlock
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="roles and groups")
    def roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all()))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        super().save_related(request, form, formsets, change)
        record_event(
            Event.RIGHTS_CHANGED,
            user=user_of(request),
            subject=f"account {form.instance.get_username()}",
            details={"changed": list(form.changed_data), "groups": sorted(g.name for g in form.instance.groups.all())},
        )
