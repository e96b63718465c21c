"""Actions that ask first: what they will touch, in numbers, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from archive.access.roles import user_of
from archive.audit.events import Event
from archive.audit.reasons import ReasonTooShort, clean_reason
from archive.audit.record import record_event
from archive.errors import ArchiveError
from archive.models import User
from pacs_portal.middleware import client_address

ROWS_SHOWN = 20


class StillUsed(ArchiveError):
    """A row cannot be deleted while others are built on it; the message names them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Who does it, and why."""

    by: User
    address: str
    reason: str
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is said and asked before anything is done."""

    label: str
    warning: str
    act: Callable[[QuerySet[Any], Answer], str]
    """Does it to the chosen rows; returns the sentence that says what was done."""
    touches: Callable[[QuerySet[Any]], Sequence[str]] | None = None
    """Numbers beyond that of the rows themselves."""
    choices: Callable[[User], Sequence[tuple[str, str]]] | None = None
    choice_label: str = ""
    is_destructive: bool = False
    permissions: Sequence[str] = field(default=("view",))


def with_reason(name: str, question: Question) -> Callable[..., HttpResponse | None]:
    """An admin action with a page in between that says what it will touch and asks for a reason."""

    def action(modeladmin: admin.ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        answer, problem = answer_of(request, question)
        if answer is None:
            hidden = [("action", name), ("select_across", request.POST.get("select_across", "0"))]
            hidden += [("_selected_action", pk) for pk in request.POST.getlist("_selected_action")]
            return ask(modeladmin, request, queryset, question, hidden=hidden, problem=problem)
        carry_out(modeladmin, request, queryset, question, answer)
        return None

    action.__name__ = name
    action.short_description = f"{question.label}…"  # type: ignore[attr-defined]
    action.allowed_permissions = tuple(question.permissions)  # type: ignore[attr-defined]
    return action


def answer_of(request: HttpRequest, question: Question) -> tuple[Answer | None, str]:
    """The answer of a form that was filled in; else None, and what is wrong with it."""
    if request.method != "POST" or not request.POST.get("confirmed"):
        return None, ""
    try:
        reason = clean_reason(request.POST.get("reason", ""))
    except ReasonTooShort as error:
        return None, str(error)
    choice = request.POST.get("choice", "")
    if question.choices is not None and choice not in dict(question.choices(user_of(request))):
        return None, f"Please choose: {question.choice_label.lower()}."
    return Answer(user_of(request), client_address(request), reason, choice), ""


def ask(
    modeladmin: admin.ModelAdmin[Any],
    request: HttpRequest,
    rows: QuerySet[Any],
    question: Question,
    *,
    hidden: Sequence[tuple[str, str]] = (),
    problem: str = "",
) -> TemplateResponse:
    """The page in between; what was typed stays."""
    meta = modeladmin.model._meta
    count = rows.count()
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": question.label,
        "question": question,
        "opts": meta,
        "count": count,
        "noun": meta.verbose_name if count == 1 else meta.verbose_name_plural,
        "touches": question.touches(rows) if question.touches else (),
        "rows": [described(row) for row in rows[:ROWS_SHOWN]],
        "more": max(0, count - ROWS_SHOWN),
        "choices": question.choices(user_of(request)) if question.choices else (),
        "choice": request.POST.get("choice", ""),
        "reason": request.POST.get("reason", ""),
        "hidden": hidden,
        "problem": problem,
    }
    return TemplateResponse(request, "admin/ask_reason.html", context, status=400 if problem else 200)


def described(row: Model) -> str:
    """A row for people; UIDs and names of accounts, never a patient's name."""
    return str(row)


def carry_out(
    modeladmin: admin.ModelAdmin[Any],
    request: HttpRequest,
    rows: QuerySet[Any],
    question: Question,
    answer: Answer,
) -> None:
    """Do it, and say how it went."""
    try:
        with transaction.atomic():
            words = question.act(rows, answer)
    except ArchiveError as error:
        modeladmin.message_user(request, str(error), messages.ERROR)
    else:
        modeladmin.message_user(request, words, messages.SUCCESS)


class AuditedChanges(admin.ModelAdmin):
    """Rows that change rights or devices: every change is an event, and deleting asks why."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.record(request, obj, "added")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.record(request, obj, "changed", fields=changed_fields(message))
        return super().log_change(request, obj, message)

    def record(self, request: HttpRequest, obj: Any, what: str, **details: Any) -> None:
        record_event(
            Event.RIGHTS_CHANGED,
            user=user_of(request),
            address=client_address(request),
            subject=f"{self.model._meta.verbose_name} {obj.pk}",
            details={"what": what, **self.facts(obj), **details},
        )

    def facts(self, obj: Any) -> dict[str, Any]:
        """What the trail keeps of a row beside its number."""
        return {}

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        if self.has_delete_permission(request):
            question = self.deletion(request)
            action = with_reason("delete_with_reason", question)
            actions["delete_with_reason"] = (action, "delete_with_reason", f"{question.label}…")
        return actions

    def deletion(self, request: HttpRequest) -> Question:
        """What is asked before rows are deleted."""

        def touches(rows: QuerySet[Any]) -> list[str]:
            _, counts, _, protected = self.get_deleted_objects(rows, request)
            lines = [f"{count} {name}" for name, count in counts.items()]
            return lines + [f"cannot go: {row}" for row in protected]

        def act(rows: QuerySet[Any], answer: Answer) -> str:
            found = list(rows)
            for row in found:
                self.record(request, row, "deleted", reason=answer.reason)
            self.log_deletions(request, rows)
            try:
                rows.model._default_manager.filter(pk__in=[row.pk for row in found]).delete()
            except ProtectedError as error:
                users = ", ".join(sorted({f"{one._meta.verbose_name} {one}" for one in error.protected_objects}))
                raise StillUsed(f"Nothing was deleted: still used by {users}.") from None
            return f"{len(found)} deleted."

        name = self.model._meta.verbose_name_plural
        return Question(
            label=f"Delete {name}",
            warning=self.deletion_warning,
            act=act,
            touches=touches,
            is_destructive=True,
            permissions=("delete",),
        )

    deletion_warning = "Deleted rows cannot be brought back, but for those whose history keeps what they were."

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Deleting one row asks the same as deleting many."""
        found = self.get_object(request, unquote(object_id))
        if found is None:
            return super().delete_view(request, object_id, extra_context)
        if not self.has_delete_permission(request, found):
            raise PermissionDenied
        rows = self.get_queryset(request).filter(pk=found.pk)
        question = self.deletion(request)
        answer, problem = answer_of(request, question)
        if answer is None:
            return ask(self, request, rows, question, problem=problem)
        carry_out(self, request, rows, question, answer)
        meta = self.model._meta
        return redirect(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))


def changed_fields(message: Any) -> list[str]:
    """Names of the fields in Django's own account of a change."""
    parts = message if isinstance(message, list) else []
    fields: list[str] = []
    for part in parts:
        for what in part.values():
            fields += what.get("fields", [what.get("name", "")])
    return [name for name in fields if name]
