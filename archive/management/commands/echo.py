"""``manage.py echo AETITLE``: verify a peer with a C-ECHO."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from archive.dimse.client import PeerUnreachable, echo
from archive.management.peers import peer_named


class Command(BaseCommand):
    help = "Ask a peer whether it answers (C-ECHO)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ae_title", metavar="AETITLE")
        parser.add_argument("--timeout", type=float, default=5.0, metavar="S", help="seconds to wait (default 5)")

    def handle(self, *_args: Any, ae_title: str, timeout: float, **_options: Any) -> None:
        peer = peer_named(ae_title)
        began = time.perf_counter()
        try:
            echo(
                peer.host,
                peer.port,
                called_ae_title=peer.ae_title,
                calling_ae_title=settings.PORTAL_AE_TITLE,
                timeout_s=timeout,
                tls=peer.tls,
            )
        except PeerUnreachable as error:
            raise CommandError(str(error)) from None
        took_ms = 1000 * (time.perf_counter() - began)
        self.stdout.write(f"{peer.ae_title} on {peer.host}:{peer.port} answered in {took_ms:.0f} ms.")
