"""Accounts: who they are, what they work at, whether they can sign in."""

from __future__ import annotations

import re
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from axes.utils import reset
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from archive.access.grants import identifier_was_given
from archive.access.roles import Role
from archive.admin.reasons import Answer, AuditedChanges, Question, with_reason
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import PersonIdentifier, User

# Addresses of mail are a field of the account; a second factor's secret is nobody's to read or to type.
for _model in (EmailAddress, Authenticator):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class ModalitiesField(forms.CharField):
    """Codes such as CT and MR, separated by commas or spaces; kept as a list."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        codes = list(dict.fromkeys(re.split(r"[\s,;]+", str(value or "").upper().strip())))
        wrong = [code for code in codes if code and not re.fullmatch(r"[A-Z0-9_]{1,16}", code)]
        if wrong:
            raise forms.ValidationError(f"{', '.join(wrong)[:60]}: a modality is a code such as CT, MR or US.")
        return [code for code in codes if code]

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or []) != self.clean(data))
        except forms.ValidationError:
            return True


class AccountForm(UserChangeForm):
    """An account, with its modalities as people write them."""

    modalities = ModalitiesField(
        required=False, help_text="Codes such as CT, MR: what a technologist sees, uploads and mends."
    )

    class Meta:
        model = User
        fields = "__all__"


class IdentifierInline(admin.TabularInline):
    model = PersonIdentifier
    extra = 0
    verbose_name_plural = "identifiers: how images name this person as their referrer"


def is_locked_out() -> Exists:
    """Whether an account has failed too often to try again yet."""
    attempts = AccessAttempt.objects.filter(
        username=OuterRef("username"), failures_since_start__gte=settings.AXES_FAILURE_LIMIT
    )
    pause = get_cool_off(None)
    return Exists(attempts.filter(attempt_time__gt=timezone.now() - pause) if pause else attempts)


def has_second_factor() -> Exists:
    return Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP))


def end_sessions(users: QuerySet[User]) -> int:
    """Sign people out everywhere; returns how many sessions that were."""
    wanted = {str(pk) for pk in users.values_list("pk", flat=True)}
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.get_decoded().get("_auth_user_id") in wanted:
            session.delete()
            ended += 1
    return ended


def _record(users: QuerySet[User], answer: Answer, what: str, **details: Any) -> None:
    for user in users:
        record_event(
            Event.RIGHTS_CHANGED,
            user=answer.by,
            address=answer.address,
            subject=f"account {user.get_username()}",
            details={"what": what, "reason": answer.reason, **details},
        )


def _end_sessions(users: QuerySet[User], answer: Answer) -> str:
    ended = end_sessions(users)
    _record(users, answer, "sessions ended")
    return f"{ended} sessions were ended."


def _unlock(users: QuerySet[User], answer: Answer) -> str:
    for user in users:
        reset(username=user.get_username())
    _record(users, answer, "lock-out lifted")
    return f"{users.count()} accounts may try again."


def _deactivate(users: QuerySet[User], answer: Answer) -> str:
    others = users.exclude(pk=answer.by.pk).exclude(is_superuser=not answer.by.is_superuser)
    _record(others, answer, "deactivated")
    end_sessions(others)
    count = others.update(is_active=False)
    return f"{count} accounts are deactivated and signed out; you and accounts above you stay as they are."


def _remove_second_factor(users: QuerySet[User], answer: Answer) -> str:
    users = users.exclude(is_superuser=not answer.by.is_superuser)
    _record(users, answer, "second factor removed")
    count, _ = Authenticator.objects.filter(user__in=users).delete()
    return f"{count} second factors and recovery codes are removed; a new one is set up at the next sign-in."


@admin.register(User)
class AccountAdmin(AuditedChanges, UserAdmin):
    form = AccountForm
    list_display = ("username", "name", "roles", "rooms", "is_active", "locked_out", "second_factor", "last_login")
    list_filter = ("groups", "is_active", ("last_login", admin.EmptyFieldListFilter))
    search_fields = ("username", "first_name", "last_name", "email", "identifiers__value")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("groups",)
    ordering = ("username",)
    inlines = (IdentifierInline,)
    actions = (
        with_reason(
            "unlock",
            Question(
                "Lift the lock-out",
                "These accounts may try to sign in again at once.",
                _unlock,
                permissions=("change",),
            ),
        ),
        with_reason(
            "end_sessions",
            Question(
                "End all sessions",
                "These people are signed out everywhere; what they had not saved is lost.",
                _end_sessions,
                is_destructive=True,
                permissions=("change",),
            ),
        ),
        with_reason(
            "deactivate",
            Question(
                "Deactivate",
                "These people can no longer sign in, and are signed out everywhere. Their work and its history stay.",
                _deactivate,
                is_destructive=True,
                permissions=("change",),
            ),
        ),
        with_reason(
            "remove_second_factor",
            Question(
                "Remove the second factor",
                "For somebody who has lost their device: the password alone is asked for until a new one is set up.",
                _remove_second_factor,
                is_destructive=True,
                permissions=("change",),
            ),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users = super().get_queryset(request).prefetch_related("groups")
        return users.annotate(locked=is_locked_out(), secured=has_second_factor())

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        rights = ("is_active", "is_superuser") if request.user.is_superuser else ("is_active",)
        return (
            (None, {"fields": ("username", "password")}),
            ("Person", {"fields": ("first_name", "last_name", "email")}),
            ("Work", {"fields": ("groups", "modalities")}),
            ("Access", {"fields": (*rights, "last_login", "date_joined")}),
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_above

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts are deactivated: the audit trail goes on naming them."""
        return False

    @admin.display(description="name", ordering="last_name")
    def name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="roles and groups")
    def roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all()))

    @admin.display(description="modalities")
    def rooms(self, user: User) -> str:
        return ", ".join(user.modalities or [])

    @admin.display(description="locked out", boolean=True, ordering="locked")
    def locked_out(self, user: User) -> bool:
        return bool(getattr(user, "locked", False))

    @admin.display(description="second factor", boolean=True, ordering="secured")
    def second_factor(self, user: User) -> bool:
        return bool(getattr(user, "secured", False))

    def facts(self, obj: User) -> dict[str, Any]:
        return {"account": obj.get_username(), "groups": sorted(group.name for group in obj.groups.all())}

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Who may open the administration follows from the role."""
        super().save_related(request, form, formsets, change)
        user = form.instance
        is_staff = user.is_superuser or user.groups.filter(name=Role.ADMINISTRATOR.value).exists()
        if user.is_staff != is_staff:
            User.objects.filter(pk=user.pk).update(is_staff=is_staff)
            user.is_staff = is_staff
            words = "may now open the administration" if is_staff else "may no longer open the administration"
            self.message_user(request, f"{user.get_username()} {words}.", messages.INFO)
        granted = sum(identifier_was_given(identifier) for identifier in user.identifiers.all())
        if granted:
            self.message_user(
                request, f"{granted} studies name one of their identifiers and are granted.", messages.INFO
            )
