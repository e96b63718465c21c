"""Rows of the administration that keep what they were: who changed what, and any earlier state brought back.

Django's own log of the administration says who and when; beside its words each entry keeps the values of the row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.serializers.base import DeserializationError
from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import capfirst

from archive.access.roles import user_of

MOST_SHOWN = 100
VALUES, BEFORE, NOTE = "values", "before", "note"
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One field, as it was and as it became."""

    field: str
    was: str
    became: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the history."""

    pk: int
    at: datetime
    by: str
    words: str
    changes: tuple[Change, ...]
    states: tuple[tuple[str, str], ...]
    """States that can be brought back, each with what its button says."""


class KeptHistory(admin.ModelAdmin):
    """Named after the other classes of the administration, so that each tells what it logs before values are added."""

    object_history_template = "admin/kept_history.html"
    never_kept: ClassVar[tuple[str, ...]] = ()
    """Fields that are secrets."""

    # --- keeping -----------------------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        known = self.model._default_manager.filter(pk=obj.pk).first() if change else None
        before: dict[Any, Values] = request.__dict__.setdefault("_kept_before", {})
        if known is not None:
            before[known.pk] = self.values_of(known)
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_addition(request, obj, self._with_values(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_change(request, obj, self._with_values(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """One entry a row, so that each keeps its values."""
        return [
            LogEntry.objects.log_actions(
                user_of(request).pk, [row], DELETION, change_message=[{VALUES: self.values_of(row)}], single_object=True
            )
            for row in queryset
        ]

    def _with_values(self, request: HttpRequest, obj: Any, message: Any) -> list[Any]:
        kept: dict[str, Any] = {VALUES: self.values_of(obj)}
        note = request.__dict__.get("_kept_note")
        if note:
            kept[NOTE] = note
        before = request.__dict__.get("_kept_before", {}).get(obj.pk)
        if before is not None:
            kept[BEFORE] = before
        return [*(message if isinstance(message, list) else []), kept]

    def values_of(self, obj: Model) -> Values:
        """Values of a row as JSON has them, its many-to-many keys too."""
        # The form's object may still hold its old many-to-many keys.
        row = self.model._default_manager.filter(pk=obj.pk).first() or obj
        fields: Values = json.loads(serializers.serialize("json", [row]))[0]["fields"]
        return {name: value for name, value in fields.items() if name not in self.never_kept}

    # --- looking back ------------------------------------------------------------------------------------------------

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        logged = list(self._log().filter(object_id=unquote(object_id)).order_by("-pk")[:MOST_SHOWN])
        shown = {"entries": [self._entry(one, is_latest=at == 0) for at, one in enumerate(logged)]}
        return super().history_view(request, object_id, (extra_context or {}) | shown)

    def _log(self) -> QuerySet[LogEntry]:
        model = ContentType.objects.get_for_model(self.model)
        return LogEntry.objects.filter(content_type=model).select_related("user")

    def _entry(self, logged: LogEntry, *, is_latest: bool) -> Entry:
        kept = kept_values(logged)
        changes = tuple(self._changes(kept.get(BEFORE), kept.get(VALUES)))
        return Entry(
            pk=logged.pk,
            at=logged.action_time,
            by=str(logged.user),
            words=str(kept.get(NOTE, "")) or ("Deleted." if logged.is_deletion() else str(logged.get_change_message())),
            changes=changes,
            states=tuple(self._states(kept, is_latest=is_latest)),
        )

    def _states(self, kept: dict[str, Any], *, is_latest: bool) -> Iterator[tuple[str, str]]:
        if VALUES in kept and not is_latest:
            yield VALUES, "Bring back this version"
        if BEFORE in kept:
            yield BEFORE, "Bring back what it was before"

    def _changes(self, before: Values | None, after: Values | None) -> Iterator[Change]:
        for name, value in (after or {}).items():
            if before is not None and before.get(name) != value:
                yield Change(self._label(name), in_words(before.get(name)), in_words(value))

    def _label(self, name: str) -> str:
        return str(capfirst(getattr(self.model._meta.get_field(name), "verbose_name", name)))

    # --- bringing back -----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        name = f"{self.model._meta.app_label}_{self.model._meta.model_name}"
        view = self.admin_site.admin_view
        return [
            path("deleted/", view(self.deleted_view), name=f"{name}_deleted"),
            path("bring-back/<int:entry>/<slug:state>/", view(self.bring_back_view), name=f"{name}_bring_back"),
            *super().get_urls(),
        ]

    def deleted_view(self, request: HttpRequest) -> HttpResponse:
        """Rows that were deleted, the latest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        logged = self._log().filter(action_flag=DELETION).order_by("-pk")[:MOST_SHOWN]
        rows = [(one.object_repr, self._entry(one, is_latest=False)) for one in logged]
        meta = self.model._meta
        title = f"Deleted {meta.verbose_name_plural}"
        context = {**self.admin_site.each_context(request), "title": title, "opts": meta, "rows": rows}
        return TemplateResponse(request, "admin/kept_deleted.html", context)

    def bring_back_view(self, request: HttpRequest, entry: int, state: str) -> HttpResponse:
        """Make a row what it was after an entry, or before it."""
        if request.method != "POST" or state not in (VALUES, BEFORE):
            raise Http404("There is nothing here.")
        logged = get_object_or_404(self._log(), pk=entry)
        kept = kept_values(logged).get(state)
        found = self.model._default_manager.filter(pk=logged.object_id).first()
        allowed = self.has_change_permission(request, found) if found else self.has_add_permission(request)
        if not allowed:
            raise PermissionDenied
        if kept is None:
            raise Http404("This entry keeps no values.")
        try:
            with transaction.atomic():
                self._bring_back(request, logged, kept, found)
        except (DeserializationError, ValidationError, IntegrityError) as error:
            said = "; ".join(error.messages) if isinstance(error, ValidationError) else type(error).__name__
            self.message_user(request, f"This version cannot be brought back: {said}.", messages.ERROR)
        else:
            self.message_user(request, f"{logged.object_repr} is again what it was.", messages.SUCCESS)
        meta = self.model._meta
        return redirect(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))

    def _bring_back(self, request: HttpRequest, logged: LogEntry, kept: Values, found: Model | None) -> None:
        row = {"model": self.model._meta.label_lower, "pk": logged.object_id, "fields": kept}
        if found is not None:
            request.__dict__.setdefault("_kept_before", {})[found.pk] = self.values_of(found)
            row["fields"] = self.values_of(found) | kept
        (again,) = serializers.deserialize("python", [row], ignorenonexistent=True)
        # Otherwise its own key would count as taken.
        again.object._state.adding = found is None
        again.object.full_clean()
        again.save()
        # The key is Django's to convert; the row is read again as the database has it.
        restored = self.model._default_manager.get(pk=again.object.pk)
        request.__dict__["_kept_note"] = "An earlier version was brought back."
        self.log_change(request, restored, [{"changed": {"fields": []}}])
        self.brought_back(restored)

    def brought_back(self, _row: Any) -> None:
        """What follows from another state of a row."""


def kept_values(logged: LogEntry) -> dict[str, Any]:
    """Values after an entry, and before it, as far as it keeps them, and a note."""
    try:
        message = json.loads(logged.change_message or "[]")
    except ValueError:
        return {}
    parts = [part for part in message if isinstance(part, dict) and VALUES in part] if isinstance(message, list) else []
    return parts[-1] if parts else {}


def in_words(value: Any) -> str:
    """A value for a table of changes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in (None, "", [], {}):
        return "(empty)"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
