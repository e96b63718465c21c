"""What a peer was sent, it is asked to commit to: a job that asks, waits for the report, and asks again.

A report comes on the association that asked or, minutes or days later, to the receiver. What it says of each
instance is shown beside the results of the job that sent them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.uids import new_uid
from archive.dimse.client import PeerUnreachable
from archive.dimse.commitment_asking import CommitmentReport, NoAnswer, ask_for_commitment
from archive.dimse.peers import peer_to_call
from archive.errors import ArchiveError
from archive.jobs.kinds import ASK_COMMITMENT
from archive.jobs.queue import enqueue, wake_worker
from archive.jobs.run import FIRST_PAUSE, JobRefused, TryLater, pause_after
from archive.models import CommitmentTransaction, Instance, Job, Peer, Study, User, WantedCommitment
from archive.storage.commitment import Reference

if TYPE_CHECKING:
    from archive.jobs.run import Progress

ANSWER_WITHIN: Final = timedelta(hours=1)
"""A peer that has not reported for so long is asked again, under another Transaction UID."""
MOST_ASKED: Final = 5
ASKED: Final = "asked"
COMMITTED: Final = "committed"
NOT_REPORTED: Final = "no report has come"
WORDS: Final = {
    # PS3.3 C.14.1.1
    0x0110: "processing failure",
    0x0112: "it has no such instance",
    0x0119: "it has it under another SOP class",
    0x0122: "SOP class not supported",
    0x0131: "it knows the transaction already",
    0x0213: "out of resources",
}
MAY_PASS_LATER: Final = frozenset({0x0110, 0x0131, 0x0213})


class UnknownTransaction(ArchiveError):
    """A report names a Transaction UID that this peer was not asked with."""


def words_of(reason: int) -> str:
    """What a report says of one instance.

    >>> words_of(0), words_of(0x0112)
    ('committed', 'not committed: it has no such instance (0112)')
    """
    return f"not committed: {WORDS.get(reason, 'for another reason')} ({reason:04X})" if reason else COMMITTED


@transaction.atomic
def want_commitment(
    peer: Peer,
    study: Study,
    sop_instance_uids: Iterable[str],
    *,
    sent_by: Job | None = None,
    by: User | None = None,
    as_job: bool = True,
) -> WantedCommitment | None:
    """Put on record that a peer is to be asked, and queue the job that asks; None where there is nothing to ask for.

    Without ``as_job`` whoever calls asks.
    """
    wanted_uids = set(sop_instance_uids)
    rows = Instance.objects.filter(series__study=study).order_by("pk").values_list("sop_class_uid", "sop_instance_uid")
    references = [[sop_class, uid] for sop_class, uid in rows if uid in wanted_uids]
    if not references:
        return None
    wanted = WantedCommitment.objects.create(
        peer_ae_title=peer.ae_title, study=study, sent_by=sent_by, references=references
    )
    if as_job:
        enqueue(
            ASK_COMMITMENT,
            study=study,
            parameters={"commitment": wanted.pk, "ae_title": peer.ae_title},
            created_by=by,
            coalescing_key=key_of(wanted),
            total_steps=len(references),
        )
    return wanted


def key_of(wanted: WantedCommitment) -> str:
    return f"{ASK_COMMITMENT} {wanted.pk}"


def ask_peer(job: Job, progress: Progress) -> str:
    """The job: ask what is not committed yet, as often as that makes sense.

    Raises
    ------
    JobRefused, TryLater
    """
    wanted = WantedCommitment.objects.filter(pk=job.parameters.get("commitment")).first()
    if wanted is None:
        return "Nothing has to be committed any more."
    peer = Peer.objects.filter(ae_title=wanted.peer_ae_title, enabled=True).first()
    if peer is None:
        raise _given_up(wanted, f"{wanted.peer_ae_title} is no peer any more.")
    progress.start(len(wanted.references), f"Asking {peer.ae_title} to commit")
    asked = list(wanted.transactions.all())
    if _left(wanted) and not _is_due(asked):
        raise TryLater(f"{peer.ae_title} has been asked and has not reported yet.", _pause(asked))
    if _left(wanted) and len(asked) < MOST_ASKED:
        try:
            ask_now(wanted, peer)
        except PeerUnreachable as error:
            raise TryLater(str(error)) from None
        except ArchiveError as error:
            raise _given_up(wanted, str(error)) from None
        wanted.refresh_from_db()
        if _left(wanted):
            raise TryLater(f"{peer.ae_title} has been asked.", _pause(list(wanted.transactions.all())))
    return _verdict(wanted)


def _left(wanted: WantedCommitment) -> list[Reference]:
    """What no report has settled: not named by any, or failed for a reason that may pass."""
    return [
        Reference(sop_class, uid)
        for sop_class, uid in wanted.references
        if (reason := wanted.results.get(uid)) is None or reason in MAY_PASS_LATER
    ]


def _is_due(asked: list[CommitmentTransaction]) -> bool:
    return not asked or _next_at(asked) <= timedelta(0)


def _next_at(asked: list[CommitmentTransaction]) -> timedelta:
    """How long until it is asked again: soon where the last report was that it may pass later, else an hour."""
    latest = asked[-1]
    if latest.reported_at is not None:
        return latest.reported_at + pause_after(len(asked)) - timezone.now()
    return latest.asked_at + ANSWER_WITHIN - timezone.now()


def _pause(asked: list[CommitmentTransaction]) -> timedelta:
    return max(timedelta(seconds=1), _next_at(asked) if asked else FIRST_PAUSE)


def _given_up(wanted: WantedCommitment, why: str) -> JobRefused:
    WantedCommitment.objects.filter(pk=wanted.pk, state=WantedCommitment.State.WAITING).update(
        state=WantedCommitment.State.GIVEN_UP, given_up=why[:500]
    )
    return JobRefused(why)


def _verdict(wanted: WantedCommitment) -> str:
    """How it ended, in words; refused where something is not committed."""
    counts = Counter(wanted.results.get(uid) for _, uid in wanted.references)
    if counts[0] == len(wanted.references):
        return f"{wanted.peer_ae_title} has committed to {counts[0]} image{'' if counts[0] == 1 else 's'}."
    if counts[None]:
        raise _given_up(wanted, f"{wanted.peer_ae_title} was asked {MOST_ASKED} times and did not report.")
    reason = next(reason for reason, _ in counts.most_common() if reason)
    failed = len(wanted.references) - counts[0]
    raise JobRefused(
        f"{wanted.peer_ae_title} has committed to {counts[0]} images, and not to {failed}: {words_of(reason)}."
    )


def ask_now(wanted: WantedCommitment, peer: Peer) -> None:
    """Ask for what is left, once.

    Raises
    ------
    PeerUnreachable, CommitmentRefused
    """
    references = _left(wanted)
    asked = CommitmentTransaction.objects.create(wanted=wanted, transaction_uid=new_uid())

    def take(report: CommitmentReport) -> int:
        take_report(report, peer=peer.ae_title, address=peer.host)
        return 0

    try:
        ask_for_commitment(
            peer_to_call(peer),
            asked.transaction_uid,
            references,
            calling_ae_title=settings.PORTAL_AE_TITLE,
            take=take,
            is_settled=CommitmentTransaction.objects.filter(pk=asked.pk, reported_at__isnull=False).exists,
        )
    except ArchiveError as error:
        if not isinstance(error, NoAnswer):
            asked.delete()
        raise
    record_event(
        Event.COMMITMENT_WANTED,
        actor="portal",
        study_instance_uid=wanted.study.study_instance_uid,
        subject=f"wanted commitment {wanted.pk}",
        details={"peer": peer.ae_title, "instances": len(references)},
    )


def take_report(report: CommitmentReport, *, peer: str, address: str) -> None:
    """Keep what a peer reports.

    Raises
    ------
    UnknownTransaction
    """
    with transaction.atomic():
        asked = CommitmentTransaction.objects.filter(
            transaction_uid=report.transaction_uid, wanted__peer_ae_title=peer
        ).first()
        if asked is None:
            raise UnknownTransaction("This peer was not asked with that Transaction UID.")
        wanted = WantedCommitment.objects.select_for_update().get(pk=asked.wanted_id)
        known = {uid for _, uid in wanted.references}
        said = {uid: reason for uid, reason in report.results.items() if uid in known}
        # An answer that something is safe outlasts a later one to an earlier question.
        wanted.results |= {uid: reason for uid, reason in said.items() if wanted.results.get(uid) != 0}
        if not _left(wanted):
            wanted.state, wanted.answered_at = WantedCommitment.State.ANSWERED, timezone.now()
        wanted.save()
        CommitmentTransaction.objects.filter(pk=asked.pk).update(reported_at=timezone.now())
        counts = Counter(f"{reason:04X}" if reason else COMMITTED for reason in said.values())
        record_event(
            Event.COMMITMENT_REPORTED,
            actor=peer,
            address=address,
            study_instance_uid=wanted.study.study_instance_uid,
            subject=f"wanted commitment {wanted.pk}",
            details=dict(counts),
        )
        # The job that waits for it has something to say now.
        Job.objects.filter(coalescing_key=key_of(wanted), state=Job.State.QUEUED).update(due_at=None)
        transaction.on_commit(wake_worker, robust=True)


def commitment_of(job: Job) -> dict[str, str]:
    """What is known of the commitment to each instance that a job has sent, in words by SOP Instance UID."""
    words: dict[str, str] = {}
    for wanted in WantedCommitment.objects.filter(sent_by=job).order_by("pk"):
        without = f"not committed: {wanted.given_up}" if wanted.given_up else ASKED
        for _, uid in wanted.references:
            reason = wanted.results.get(uid)
            words[uid] = without if reason is None else words_of(reason)
    return words
