"""Send a study or some of its series to a peer: a job with a result for each instance, tried again where that helps."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db.models import QuerySet

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dimse.client import PeerUnreachable
from archive.dimse.peers import peer_to_call
from archive.dimse.sending import SendResult, send_instances
from archive.errors import ArchiveError
from archive.exchange.committing import commitment_of, want_commitment
from archive.jobs.kinds import SEND
from archive.jobs.queue import enqueue
from archive.jobs.run import JobRefused, TryLater
from archive.models import Instance, Job, Peer, Study, User

if TYPE_CHECKING:
    from archive.jobs.run import Progress

KEEP_EVERY_S: Final = 2.0
STORED: Final = ("sent", "warned")


class SendRefused(ArchiveError):
    """It cannot be sent there; the message says why."""


def sendable_peers() -> QuerySet[Peer]:
    """Peers that images may be sent to."""
    return Peer.objects.filter(enabled=True, may_receive=True)


def enqueue_send(study: Study, peer: Peer, *, by: User | None, series_uids: Iterable[str] = ()) -> Job:
    """Queue the sending of a study, or of those of its series that are named; a waiting job for the same is that one.

    Raises
    ------
    SendRefused
        The peer may not be sent images, or there is nothing to send.
    """
    chosen = sorted(set(series_uids))
    if not sendable_peers().filter(pk=peer.pk).exists():
        raise SendRefused(f"{peer.ae_title} may not be sent images.")
    count = len(_ids_of(study, chosen))
    if not count:
        raise SendRefused("There are no images to send.")
    name = hashlib.sha256("\n".join(chosen).encode()).hexdigest()[:16] if chosen else "all"
    return enqueue(
        SEND,
        study=study,
        parameters={"peer": peer.pk, "ae_title": peer.ae_title, "series": chosen},
        created_by=by,
        coalescing_key=f"{SEND} {study.pk} {peer.pk} {name}",
        total_steps=count,
    )


def _ids_of(study: Study, series_uids: list[str]) -> list[int]:
    rows = Instance.objects.shown().filter(series__study=study)
    if series_uids:
        rows = rows.filter(series__series_instance_uid__in=series_uids)
    ordered = rows.order_by("series__series_number", "series", "instance_number", "pk")
    return list(ordered.values_list("pk", flat=True))


def _ids_of_job(job: Job) -> list[int]:
    if job.parameters.get("route"):
        rows = Instance.objects.shown().filter(pk__in=job.routed.values("instance"))
        return list(
            rows.order_by("series__series_number", "series", "instance_number", "pk").values_list("pk", flat=True)
        )
    return _ids_of(job.study, list(job.parameters.get("series") or ())) if job.study else []


def send_study(job: Job, progress: Progress) -> str:
    """A job: send what has not been stored by the peer in an earlier try.

    Raises
    ------
    JobRefused
        Nothing that trying again later would mend.
    TryLater
        The peer does not answer, or is short of something.
    """
    peer = sendable_peers().filter(pk=job.parameters["peer"]).first()
    if peer is None:
        raise JobRefused(f"{job.parameters['ae_title']} may not be sent images any more.")
    sender = _Sender(job, progress, peer)
    sender.begin()
    try:
        sender.send()
    except PeerUnreachable as error:
        sender.end("failed")
        raise TryLater(str(error)) from None
    except BaseException:
        sender.end("cancelled")
        raise
    return sender.verdict()


class _Sender:
    """One try of one job."""

    def __init__(self, job: Job, progress: Progress, peer: Peer) -> None:
        self._job = job
        self._progress = progress
        self._peer = peer
        self._results: dict[str, dict[str, Any]] = dict(job.details.get("results") or {})
        self._may_pass_later = False
        self._kept_at = time.monotonic()
        self._tried = 0

    def begin(self) -> None:
        ids = _ids_of_job(self._job)
        uids = dict(Instance.objects.filter(pk__in=ids).values_list("pk", "sop_instance_uid"))
        self._left = [pk for pk in ids if self._results.get(uids[pk], {}).get("outcome") not in STORED]
        self._all = [uids[pk] for pk in ids]
        self._progress.start(len(ids), f"Sending to {self._peer.ae_title}")
        self._progress.step(len(ids) - len(self._left))
        self._audit(Event.TRANSFER_BEGUN, "success", {"instances": len(self._left)})

    def send(self) -> None:
        if not self._left:
            return
        target = peer_to_call(self._peer)
        results = send_instances(target, self._left, calling_ae_title=settings.PORTAL_AE_TITLE)
        try:
            for result in results:
                self._note(result)
                self._progress.step()
        finally:
            results.close()
            self._keep()

    def _note(self, result: SendResult) -> None:
        self._tried += 1
        self._may_pass_later |= result.may_pass_later
        self._results[result.sop_instance_uid] = {
            "outcome": result.outcome,
            "status": None if result.status is None else f"{result.status:04X}",
            "words": result.words,
        }
        if time.monotonic() - self._kept_at > KEEP_EVERY_S:
            self._keep()

    def _keep(self) -> None:
        self._kept_at = time.monotonic()
        self._progress.keep({"results": self._results})

    def counts(self) -> Counter[str]:
        return Counter(self._results.get(uid, {}).get("outcome", "not sent") for uid in self._all)

    def end(self, outcome: str) -> None:
        counts = self.counts()
        details = {"sent": counts["sent"] + counts["warned"], "failed": counts["refused"] + counts["not sent"]}
        self._audit(Event.INSTANCES_SENT, outcome, details)

    def verdict(self) -> str:
        """How it ended; where images are missing there, a refusal or another try."""
        counts = self.counts()
        words = f"{in_words(counts)} to {self._peer.ae_title}."
        missing = counts["refused"] + counts["not sent"]
        self.end("failed" if missing else "success")
        self._ask_to_commit()
        if not missing:
            return words
        if self._may_pass_later:
            raise TryLater(words)
        raise JobRefused(f"{words} {self._commonest_refusal()}".strip())

    def _ask_to_commit(self) -> None:
        """Where the site wants it: what the peer has taken, and was not asked about before."""
        if self._job.study is None or not self._peer.is_asked_to_commit:
            return
        stored = {uid for uid in self._all if self._results.get(uid, {}).get("outcome") in STORED}
        new = stored - commitment_of(self._job).keys()
        want_commitment(self._peer, self._job.study, new, sent_by=self._job, by=self._job.created_by)

    def _commonest_refusal(self) -> str:
        refused = (self._results.get(uid, {}) for uid in self._all)
        words = Counter(one["words"] for one in refused if one.get("outcome") not in (*STORED, None))
        return f"{self._peer.ae_title} says: {words.most_common(1)[0][0]}." if words else ""

    def _audit(self, event: Event, outcome: str, details: dict[str, Any]) -> None:
        record_event(
            event,
            outcome=outcome,
            user=self._job.created_by,
            actor="" if self._job.created_by else "worker",
            study_instance_uid=self._job.study.study_instance_uid if self._job.study else "",
            subject=f"job {self._job.pk}",
            details={
                "service": "C-STORE",
                "destination": self._peer.ae_title,
                "route": self._job.parameters.get("route"),
                **details,
            },
        )


def in_words(counts: Counter[str]) -> str:
    """Counts of outcomes.

    >>> in_words(Counter({"sent": 3, "refused": 1}))
    '3 images sent, 1 refused'
    """
    stored = counts["sent"] + counts["warned"]
    parts = [f"{stored} image{'' if stored == 1 else 's'} sent"]
    if counts["warned"]:
        parts.append(f"{counts['warned']} of them with a warning")
    parts += [f"{counts[name]} {name}" for name in ("refused", "not sent") if counts[name]]
    return ", ".join(parts)
