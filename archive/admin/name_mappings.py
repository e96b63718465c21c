"""Names of referring physicians as sent, and whom they mean: confirmed once by an administrator, or refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from archive.access.grants import confirm_mapping
from archive.admin.reasons import Answer, AuditedChanges, Question, with_reason
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.person_name import normalise
from archive.models import NameMapping, Study


def studies_by_name() -> Counter[str]:
    """How many studies carry each referring physician's name, as names are compared."""
    sent = Study.objects.exclude(referring_physician_name="").values_list("referring_physician_name", flat=True)
    return Counter(normalise(name) for name in sent.iterator(chunk_size=5000))


def _touches(mappings: QuerySet[NameMapping]) -> list[str]:
    counts = studies_by_name()
    return [
        f"{counts[mapping.name_key]} studies whose referrer is “{mapping.name_key}” will be shown to {mapping.user}"
        for mapping in mappings.select_related("user")
    ]


def _confirm(mappings: QuerySet[NameMapping], answer: Answer) -> str:
    granted = sum(confirm_mapping(mapping, by=answer.by) for mapping in mappings)
    return f"{mappings.count()} names are confirmed; {granted} studies carry them and are granted."


def _refuse(mappings: QuerySet[NameMapping], answer: Answer) -> str:
    for mapping in mappings.select_related("user"):
        record_event(
            Event.RIGHTS_CHANGED,
            user=answer.by,
            address=answer.address,
            subject=f"name mapping {mapping.pk}",
            details={"refused for": mapping.user.get_username(), "reason": answer.reason},
        )
    count = mappings.update(state=NameMapping.State.REFUSED, confirmed_by=answer.by, confirmed_at=timezone.now())
    return f"{count} proposals are refused; what they had granted before stays until it is taken back."


@admin.register(NameMapping)
class NameMappingAdmin(AuditedChanges):
    list_display = ("name_key", "user", "state", "confirmed_by", "confirmed_at")
    list_filter = ("state",)
    search_fields = ("name_key", "user__username", "user__last_name")
    fields = ("name_key", "user", "state", "confirmed_by", "confirmed_at")
    readonly_fields = ("state", "confirmed_by", "confirmed_at")
    autocomplete_fields = ("user",)
    list_select_related = ("user", "confirmed_by")
    ordering = ("-state", "name_key")
    actions = (
        with_reason(
            "confirm",
            Question(
                "Confirm: this name means this person",
                "From now on every study with this referrer is granted to this person by itself.",
                _confirm,
                touches=_touches,
                permissions=("change",),
            ),
        ),
        with_reason(
            "refuse",
            Question(
                "Refuse: this name means somebody else",
                "The name is not proposed for this person again.",
                _refuse,
                permissions=("change",),
            ),
        ),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A mapping is confirmed or refused; changed under the same decision it would be another."""
        return super().has_change_permission(request, obj) and obj is None

    def save_model(self, request: HttpRequest, obj: NameMapping, form: Any, change: bool) -> None:
        obj.name_key = normalise(obj.name_key)
        super().save_model(request, obj, form, change)

    def facts(self, obj: NameMapping) -> dict[str, Any]:
        return {"for": obj.user.get_username(), "state": obj.state}
