"""Peers on the DICOM network."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from archive.dimse.client import PeerUnreachable, echo
from archive.models import Peer


@admin.register(Peer)
class PeerAdmin(admin.ModelAdmin):
    list_display = ("ae_title", "host", "port", "enabled", "may_store", "may_query", "may_retrieve", "last_seen_at")
    list_editable = ("enabled",)
    list_filter = ("enabled", "may_store", "may_query", "may_retrieve")
    search_fields = ("ae_title", "host", "description")
    readonly_fields = ("last_seen_at",)
    fieldsets = (
        (None, {"fields": ("ae_title", "host", "port", "description", "enabled", "check_address", "last_seen_at")}),
        ("What it may do", {"fields": ("may_echo", "may_store", "may_query", "may_retrieve")}),
        ("Its images", {"fields": ("accept_private_sop_classes", "default_issuer_of_patient_id")}),
    )
    actions = ("verify",)

    @admin.action(description="Verify with a C-ECHO now")
    def verify(self, request: HttpRequest, queryset: QuerySet[Peer]) -> None:
        for peer in queryset:
            try:
                echo(
                    peer.host,
                    peer.port,
                    called_ae_title=peer.ae_title,
                    calling_ae_title=settings.PORTAL_AE_TITLE,
                    timeout_s=3.0,
                )
            except PeerUnreachable as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.message_user(request, f"{peer.ae_title} answered.", messages.SUCCESS)
