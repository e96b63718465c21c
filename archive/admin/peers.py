"""Peers on the DICOM network: what they may do, when they were last heard of, whether they answer now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from archive.admin.history import KeptHistory
from archive.admin.reasons import Answer, AuditedChanges, Question, with_reason
from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dimse.client import PeerUnreachable, echo
from archive.models import Peer

MOST_VERIFIED = 5
"""Peers that one action verifies: each may take its time to say nothing."""
ECHO_TIMEOUT_S = 1.5
RIGHTS = {
    "may_echo": "verify",
    "may_store": "store",
    "may_query": "query",
    "may_retrieve": "retrieve",
    "may_receive": "be sent images",
    "may_query_worklist": "query the modality worklist",
    "may_report_steps": "report performed steps",
    "may_ask_commitment": "ask for storage commitment",
    "may_be_searched": "be searched",
    "accept_private_sop_classes": "private SOP classes",
}


def _set_enabled(peers: QuerySet[Peer], answer: Answer, *, enabled: bool) -> str:
    for peer in peers:
        record_event(
            Event.RIGHTS_CHANGED,
            user=answer.by,
            address=answer.address,
            subject=f"peer {peer.pk}",
            details={"ae_title": peer.ae_title, "enabled": enabled, "reason": answer.reason},
        )
    count = peers.update(enabled=enabled)
    return f"{count} peers are {'let in' if enabled else 'refused'} from now on."


def _disable(peers: QuerySet[Peer], answer: Answer) -> str:
    return _set_enabled(peers, answer, enabled=False)


def _enable(peers: QuerySet[Peer], answer: Answer) -> str:
    return _set_enabled(peers, answer, enabled=True)


@admin.register(Peer)
class PeerAdmin(AuditedChanges, KeptHistory):
    never_kept = ("last_seen_at",)
    list_display = ("ae_title", "host", "port", "description", "enabled", "rights", "check_address", "last_seen_at")
    list_filter = (
        "enabled",
        "may_store",
        "may_query",
        "may_retrieve",
        "may_receive",
        ("last_seen_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("ae_title", "host", "description")
    readonly_fields = ("last_seen_at",)
    deletion_warning = "They are unknown from now on: refused where the site is closed. Their images stay."
    fieldsets = (
        (None, {"fields": ("ae_title", "host", "port", "description", "enabled", "check_address", "last_seen_at")}),
        ("What it may do", {"fields": ("may_echo", "may_store", "may_query", "may_retrieve", "may_receive")}),
        ("Orders and examinations", {"fields": ("may_query_worklist", "may_report_steps", "may_ask_commitment")}),
        ("What it is told", {"fields": ("wants_availability",)}),
        (
            "What we may do there",
            {"fields": ("may_be_searched", "retrieve_by", "is_asked_to_commit", "use_tls", "tls_name")},
        ),
        ("Its images", {"fields": ("accept_private_sop_classes", "default_issuer_of_patient_id")}),
    )
    actions = (
        "verify",
        with_reason(
            "disable",
            Question(
                "Refuse from now on",
                "Associations of these peers are refused; their queues fill up until they are let in again.",
                _disable,
                is_destructive=True,
                permissions=("change",),
            ),
        ),
        with_reason(
            "enable",
            Question(
                "Let in again", "These peers may do again what their rights say.", _enable, permissions=("change",)
            ),
        ),
    )

    @admin.display(description="may")
    def rights(self, peer: Peer) -> str:
        return ", ".join(word for name, word in RIGHTS.items() if getattr(peer, name)) or "nothing"

    @admin.action(description="Verify with a C-ECHO now")
    def verify(self, request: HttpRequest, peers: QuerySet[Peer]) -> None:
        """Ask each of them, and say what each answered."""
        for peer in peers[:MOST_VERIFIED]:
            words, level = ask_to_answer(peer)
            self.message_user(request, words, level)
        if (count := peers.count()) > MOST_VERIFIED:
            self.message_user(request, f"The first {MOST_VERIFIED} of {count} were asked.", messages.WARNING)

    def facts(self, obj: Peer) -> dict[str, Any]:
        return {"ae_title": obj.ae_title, "host": obj.host, "port": obj.port, "may": self.rights(obj)}


def ask_to_answer(peer: Peer) -> tuple[str, int]:
    """Verify one peer; the sentence, and how to show it."""
    try:
        echo(
            peer.host,
            peer.port,
            called_ae_title=peer.ae_title,
            calling_ae_title=settings.PORTAL_AE_TITLE,
            timeout_s=ECHO_TIMEOUT_S,
            tls=peer.tls,
        )
    except PeerUnreachable as error:
        return str(error), messages.ERROR
    return f"{peer.ae_title} on {peer.host}:{peer.port} answered.", messages.SUCCESS
