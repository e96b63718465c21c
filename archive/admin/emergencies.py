"""Emergency accesses: another administrator looks at each."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from archive.access.roles import user_of
from archive.admin.looks import ReadOnlyAdmin
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import BreakGlass
from pacs_portal.middleware import client_address


@admin.register(BreakGlass)
class BreakGlassAdmin(ReadOnlyAdmin):
    list_display = ("opened_at", "user", "study", "reason", "expires_at", "is_running", "seen_by", "seen_at")
    list_filter = (("seen_at", admin.EmptyFieldListFilter), "user")
    search_fields = ("user__username", "user__last_name", "reason", "study__study_instance_uid")
    date_hierarchy = "opened_at"
    list_select_related = ("user", "study", "seen_by")
    ordering = ("seen_at", "-opened_at")
    actions = ("seen",)

    @admin.display(description="open now", boolean=True)
    def is_running(self, opened: BreakGlass) -> bool:
        return opened.expires_at > timezone.now()

    @admin.action(description="I have looked at these", permissions=("view",))
    def seen(self, request: HttpRequest, accesses: QuerySet[BreakGlass]) -> None:
        """Mark them; nobody marks their own."""
        user = user_of(request)
        unseen = accesses.filter(seen_at=None)
        others = unseen.exclude(user=user)
        if own := unseen.filter(user=user).count():
            self.message_user(request, f"{own} are your own: another administrator looks at them.", messages.WARNING)
        marked = list(others.values_list("pk", flat=True))
        BreakGlass.objects.filter(pk__in=marked).update(seen_by=user, seen_at=timezone.now())
        if marked:
            record_event(
                Event.EMERGENCY_ACCESS,
                user=user,
                address=client_address(request),
                subject="looked at",
                details={"rows": marked},
            )
        self.message_user(request, f"{len(marked)} emergency accesses are marked as looked at.", messages.SUCCESS)
