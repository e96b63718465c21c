"""Django admin of the viewer: presets, hanging protocols, what was drawn, critical results, what was said and shared,
and the outbox.

The worklist's part stands in ``viewer.worklist.admin``, that of reports and results in ``viewer.reports.admin``.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from archive.access.roles import user_of
from archive.admin.history import KeptHistory
from archive.admin.looks import ReadOnlyAdmin
from archive.admin.reasons import AuditedChanges
from archive.audit.events import Event
from archive.audit.record import record_event
from pacs_portal.middleware import client_address
from viewer.models import (
    Annotation,
    Comment,
    CriticalCategory,
    CriticalResult,
    Delivery,
    DeliveryAttempt,
    HangingProtocol,
    ShareLink,
    SharePolicy,
    UploadRequest,
    WindowPreset,
)
from viewer.notifying.outbox import send_again
from viewer.reports import admin as reports
from viewer.sharing.links import revoke_link
from viewer.sharing.requests import revoke_request
from viewer.worklist import admin as worklist

__all__ = ["reports", "worklist"]


@admin.register(WindowPreset)
class WindowPresetAdmin(KeptHistory):
    list_display = ("name", "modality", "width", "center", "position", "user")
    list_editable = ("width", "center", "position")
    list_filter = ("modality",)
    search_fields = ("name",)


@admin.register(Annotation)
class AnnotationAdmin(ReadOnlyAdmin):
    list_display = ("study", "kind", "author", "created_at", "changed_by", "changed_at", "version", "deleted_at")
    list_filter = ("kind",)
    search_fields = ("study__study_instance_uid",)
    list_select_related = ("study", "author", "changed_by")


@admin.register(HangingProtocol)
class HangingProtocolAdmin(KeptHistory):
    list_display = ("name", "position", "is_active", "user", "group")
    list_editable = ("position", "is_active")
    list_filter = ("is_active", "group")
    search_fields = ("name",)
    list_select_related = ("user", "group")


@admin.register(CriticalCategory)
class CriticalCategoryAdmin(AuditedChanges, KeptHistory):
    list_display = ("name", "position", "remind_every_minutes", "escalate_after_minutes", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    autocomplete_fields = ("escalate_to_users", "escalate_to_groups")
    deletion_warning = "Results that were flagged with a category keep it: make it inactive instead."

    def facts(self, obj: CriticalCategory) -> dict[str, Any]:
        return {
            "name": obj.name,
            "remind_every_minutes": obj.remind_every_minutes,
            "escalate_after_minutes": obj.escalate_after_minutes,
        }


@admin.register(CriticalResult)
class CriticalResultAdmin(ReadOnlyAdmin):
    """Without the text: administrators see that somebody answers, not what was found."""

    list_display = (
        "study",
        "category",
        "state",
        "recipient_name",
        "flagged_by",
        "flagged_at",
        "told_at",
        "reminders",
        "escalated_at",
        "acknowledged_name",
        "acknowledged_at",
    )
    list_filter = ("state", "category")
    search_fields = ("study__study_instance_uid",)
    list_select_related = ("study", "category", "flagged_by")
    exclude = ("text", "patient")


class AttemptInline(admin.TabularInline):
    model = DeliveryAttempt
    fields = ("tried_at", "is_success", "message")
    readonly_fields = fields
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("viewer.view_delivery")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The outbox with its log of attempts."""

    list_display = ("id", "channel", "receiver", "kind", "state", "created_at", "due_at", "attempts", "sent_at")
    list_filter = ("state", "channel")
    list_select_related = ("notification__user",)
    inlines = (AttemptInline,)
    actions = ("send_again",)

    @admin.display(description="to")
    def receiver(self, delivery: Delivery) -> str:
        return str(delivery.notification.user)

    @admin.display(description="of")
    def kind(self, delivery: Delivery) -> str:
        return str(delivery.notification.get_kind_display())

    @admin.action(description="Send again what was given up", permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        count = send_again(list(queryset))
        record_event(
            Event.NOTIFICATIONS_CHANGED,
            user=user_of(request),
            address=client_address(request),
            details={"sent_again": count},
        )
        self.message_user(request, f"{count} will be sent again.")


@admin.register(SharePolicy)
class SharePolicyAdmin(KeptHistory):
    """One row; the history of the administration says who changed it."""

    list_display = ("__str__", "longest_days", "longest_days_of_clinicians", "passcode_required")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not SharePolicy.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: SharePolicy | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SharePolicy, form: object, change: bool) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnlyAdmin):
    list_display = ("pk", "study", "maker", "recipient", "created_at", "expires_at", "views", "revoked_at")
    list_filter = ("is_deidentified", "with_report")
    search_fields = ("recipient", "study__study_instance_uid", "maker__username")
    list_select_related = ("study", "maker")
    exclude = ("digest", "pseudonym_key", "passcode")
    actions = ("revoke",)

    @admin.action(description="Revoke the chosen links at once", permissions=["view"])
    def revoke(self, request: HttpRequest, links: QuerySet[ShareLink]) -> None:
        every = links.select_related("study")
        ended = sum(revoke_link(link, by=user_of(request), address=client_address(request)) for link in every)
        self.message_user(request, f"{ended} links open nothing any more.")


@admin.register(UploadRequest)
class UploadRequestAdmin(ReadOnlyAdmin):
    list_display = ("pk", "maker", "sender", "created_at", "expires_at", "files", "revoked_at")
    search_fields = ("sender", "maker__username")
    list_select_related = ("maker",)
    exclude = ("digest",)
    actions = ("revoke",)

    @admin.action(description="Revoke the chosen requests at once", permissions=["view"])
    def revoke(self, request: HttpRequest, asked: QuerySet[UploadRequest]) -> None:
        ended = sum(revoke_request(one, by=user_of(request), address=client_address(request)) for one in asked)
        self.message_user(request, f"{ended} requests take nothing any more.")


@admin.register(Comment)
class CommentAdmin(ReadOnlyAdmin):
    """That something was said, and by whom; the words belong to those who may see the study."""

    list_display = ("pk", "study", "author", "created_at", "resolved_at", "deleted_at")
    search_fields = ("study__study_instance_uid", "author__username")
    list_select_related = ("study", "author")
    exclude = ("text",)
