"""``manage.py send STUDY_UID... --to AETITLE``: send studies to a peer now, with progress."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dimse.client import PeerUnreachable
from archive.dimse.peers import peer_to_call
from archive.dimse.sending import SendResult, send_instances
from archive.exchange.sending import in_words, sendable_peers
from archive.management.peers import peer_named
from archive.models import Instance, Peer, Study

TROUBLE_SHOWN = 50
"""Images that are named at the end; the rest is counted."""


class Command(BaseCommand):
    help = "Send studies to a peer; exit code 1 where an image did not arrive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("studies", nargs="+", metavar="STUDY_UID")
        parser.add_argument("--to", required=True, metavar="AETITLE")

    def handle(self, *_args: Any, studies: list[str], to: str, verbosity: int, **_options: Any) -> None:
        peer = peer_named(to)
        if not sendable_peers().filter(pk=peer.pk).exists():
            raise CommandError(f"{peer.ae_title} may not be sent images; its page in the administration says so.")
        known = set(Study.objects.filter(study_instance_uid__in=studies).values_list("study_instance_uid", flat=True))
        if unknown := [uid for uid in studies if uid not in known]:
            raise CommandError(f"Not in the archive: {', '.join(unknown)}")
        trouble = self._send(peer, sorted(known), verbosity)
        for result in trouble[:TROUBLE_SHOWN]:
            self.stderr.write(f"{result.outcome}: {result.sop_instance_uid}: {result.words}")
        if trouble:
            raise CommandError(f"{len(trouble)} images did not arrive at {peer.ae_title}.")

    def _send(self, peer: Peer, uids: list[str], verbosity: int) -> list[SendResult]:
        rows = Instance.objects.shown().filter(series__study__study_instance_uid__in=uids)
        ids = list(rows.order_by("series__study", "series", "instance_number", "pk").values_list("pk", flat=True))
        counts: Counter[str] = Counter()
        trouble = []
        try:
            with tqdm(total=len(ids), unit=" images", disable=verbosity == 0) as bar:
                for result in send_instances(peer_to_call(peer), ids, calling_ae_title=settings.PORTAL_AE_TITLE):
                    counts[result.outcome] += 1
                    if not result.is_stored:
                        trouble.append(result)
                    bar.update()
        except PeerUnreachable as error:
            raise CommandError(f"{error} {in_words(counts)} before that.") from None
        finally:
            for uid in uids:
                details = {"destination": peer.ae_title, "service": "C-STORE", **counts}
                record_event(Event.INSTANCES_SENT, actor="send", study_instance_uid=uid, details=details)
        self.stdout.write(f"{in_words(counts)} to {peer.ae_title}.")
        return trouble
