"""``manage.py add_peer AETITLE HOST PORT``: a peer that may do everything."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.models import Peer

EVERYTHING = {
    "enabled": True,
    "may_echo": True,
    "may_store": True,
    "may_query": True,
    "may_retrieve": True,
    "may_receive": True,
    "may_query_worklist": True,
    "may_report_steps": True,
    "may_ask_commitment": True,
    "may_be_searched": True,
    "accept_private_sop_classes": True,
}


class Command(BaseCommand):
    help = "Add a peer that may do everything, or let one that is known do so from this address."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ae_title", metavar="AETITLE")
        parser.add_argument("host", metavar="HOST")
        parser.add_argument("port", metavar="PORT", type=int)

    @transaction.atomic
    def handle(self, *_args: Any, ae_title: str, host: str, port: int, **_options: Any) -> None:
        ae_title = ae_title.strip()
        peer = Peer.objects.filter(ae_title=ae_title).first() or Peer(ae_title=ae_title)
        is_new = peer.pk is None
        for name, value in (EVERYTHING | {"host": host, "port": port}).items():
            setattr(peer, name, value)
        try:
            peer.full_clean()
        except ValidationError as error:
            raise CommandError(
                " ".join(f"{name}: {' '.join(words)}" for name, words in error.message_dict.items())
            ) from None
        peer.save()
        record_event(
            Event.RIGHTS_CHANGED,
            actor="add_peer",
            subject=f"peer {peer.pk}",
            details={"ae_title": ae_title, "new": is_new},
        )
        self.stdout.write(f"{ae_title} at {host}:{port} may now do everything.")
