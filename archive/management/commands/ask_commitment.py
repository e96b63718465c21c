"""``manage.py ask_commitment STUDY_UID... --of AETITLE``: ask a peer whether studies are safe there."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from archive.errors import ArchiveError
from archive.exchange.committing import COMMITTED, NOT_REPORTED, ask_now, want_commitment, words_of
from archive.management.peers import peer_named
from archive.models import Instance, Peer, Study, WantedCommitment

LOOK_EVERY_S = 0.5
TROUBLE_SHOWN = 50
"""Images that are named at the end; the rest is counted."""


class Command(BaseCommand):
    help = (
        "Ask a peer to commit to the images of studies (storage commitment) and wait for its report, which may come "
        "to the receiver; exit code 1 where it does not commit to an image."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("studies", nargs="+", metavar="STUDY_UID")
        parser.add_argument("--of", required=True, metavar="AETITLE")
        parser.add_argument("--wait", type=float, default=60.0, metavar="S", help="seconds for the report (default 60)")

    def handle(self, *_args: Any, studies: list[str], of: str, wait: float, verbosity: int, **_options: Any) -> None:
        peer = peer_named(of)
        found = list(Study.objects.filter(study_instance_uid__in=studies))
        if unknown := set(studies) - {study.study_instance_uid for study in found}:
            raise CommandError(f"Not in the archive: {', '.join(sorted(unknown))}")
        asked = [wanted for study in found if (wanted := self._ask(peer, study)) is not None]
        words = self._answers(asked, wait, verbosity)
        counts = Counter(words.values())
        for uid in [uid for uid, word in words.items() if word != COMMITTED][:TROUBLE_SHOWN]:
            self.stderr.write(f"{uid}: {words[uid]}")
        if missing := counts.total() - counts[COMMITTED]:
            raise CommandError(f"{peer.ae_title} has committed to {counts[COMMITTED]} images, and not to {missing}.")
        self.stdout.write(f"{peer.ae_title} has committed to {counts[COMMITTED]} images.")

    def _ask(self, peer: Peer, study: Study) -> WantedCommitment | None:
        shown = Instance.objects.shown().filter(series__study=study)
        wanted = want_commitment(peer, study, shown.values_list("sop_instance_uid", flat=True), as_job=False)
        if wanted is None:
            return None
        try:
            ask_now(wanted, peer)
        except ArchiveError as error:
            wanted.delete()
            raise CommandError(str(error)) from None
        return wanted

    def _answers(self, asked: list[WantedCommitment], wait_s: float, verbosity: int) -> dict[str, str]:
        """What is known of each instance once everything is, or the time is up."""
        deadline = time.monotonic() + wait_s
        total = sum(len(wanted.references) for wanted in asked)
        with tqdm(total=total, unit=" images", disable=verbosity == 0) as bar:
            while True:
                rows = WantedCommitment.objects.filter(pk__in=[wanted.pk for wanted in asked])
                results = {uid: wanted.results.get(uid) for wanted in rows for _, uid in wanted.references}
                known = sum(reason is not None for reason in results.values())
                bar.update(known - bar.n)
                if known == total or time.monotonic() > deadline:
                    break
                time.sleep(LOOK_EVERY_S)
        return {uid: NOT_REPORTED if reason is None else words_of(reason) for uid, reason in results.items()}
