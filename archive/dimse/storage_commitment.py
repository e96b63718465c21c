"""Storage Commitment Push Model as SCP (PS3.4 annex J): asked with N-ACTION, answered with N-EVENT-REPORT.

The answer goes back on the association that asked while it is open, and otherwise
on a new one to the peer, as a job that tries again.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom.presentation import build_context, build_role

from archive.audit.events import Event
from archive.audit.record import record_event
from archive.dicom.uids import is_valid_uid
from archive.dicom.values import items, text
from archive.dimse.client import PeerUnreachable, association
from archive.dimse.operations import COMMITMENT_INSTANCE, STORAGE_COMMITMENT, Operation, UnreadableDataSet
from archive.dimse.statuses import (
    INVALID_ARGUMENT_VALUE,
    NO_SUCH_ACTION,
    NO_SUCH_INSTANCE,
    NOT_AUTHORIZED,
    SUCCESS,
    Answer,
)
from archive.jobs.kinds import REPORT_COMMITMENT
from archive.jobs.queue import enqueue
from archive.jobs.run import FIRST_PAUSE, MOST_ATTEMPTS, JobRefused, TryLater, pause_after
from archive.models import Commitment, Job, Peer
from archive.storage.commitment import Failure, Reference, Verdict, look_when_indexed

if TYPE_CHECKING:
    from archive.jobs.run import Progress

logger = logging.getLogger(__name__)

REQUEST_COMMITMENT: Final = 1
"""Action Type ID (PS3.4 table J.3-1)."""
ALL_COMMITTED, FAILURES_EXIST = 1, 2
"""Event Type IDs (PS3.4 table J.3-2)."""
SAME_ASSOCIATION: Final = timedelta(seconds=20)
"""So long the association that asked has, before a new one is opened."""
TELLING: Final = timedelta(seconds=60)
INDEXING_S: Final = 30.0
TIMEOUT_S: Final = 30.0


# --- Asked ------------------------------------------------------------------------------------------------------------


def answer_action(operation: Operation) -> None:
    """Answer an N-ACTION: the request is on record and will be answered, or why it is none."""
    sender = operation.assoc.sender
    if not sender.may_ask_commitment:
        sender.refused("may not ask for storage commitment")
        operation.send(Answer(NOT_AUTHORIZED, "This AE title may not ask for storage commitment."))
        return
    if operation.sop_instance_uid != COMMITMENT_INSTANCE:
        operation.send(Answer(NO_SUCH_INSTANCE, "The Push Model has one well-known instance."))
        return
    if operation.request.ActionTypeID != REQUEST_COMMITMENT:
        operation.send(Answer(NO_SUCH_ACTION, "Action Type 1 asks for commitment; there is no other."))
        return
    try:
        transaction_uid, references = _read(operation.data_set())
    except UnreadableDataSet as error:
        operation.send(Answer(INVALID_ARGUMENT_VALUE, str(error)))
        return
    commitment = ask(transaction_uid, references, peer=sender.calling_ae_title, address=sender.address)
    operation.send(Answer(SUCCESS))
    operation.assoc.reports.look_at(commitment)


def _read(ds: Dataset) -> tuple[str, list[Reference]]:
    """Transaction UID and references of the action information (PS3.4 table J.3-1)."""
    transaction_uid = text(ds, "TransactionUID")
    if not is_valid_uid(transaction_uid):
        raise UnreadableDataSet("The Transaction UID is missing, or is no UID.")
    references = [
        Reference(text(item, "ReferencedSOPClassUID")[:64], text(item, "ReferencedSOPInstanceUID")[:64])
        for item in items(ds, "ReferencedSOPSequence")
    ]
    if not references or not all(reference.sop_instance_uid for reference in references):
        raise UnreadableDataSet("The references are missing, or one names no instance.")
    return transaction_uid, references


@transaction.atomic
def ask(transaction_uid: str, references: list[Reference], *, peer: str, address: str) -> Commitment:
    """Put a request on record, with the job that answers it if the association does not."""
    is_known = Commitment.objects.filter(transaction_uid=transaction_uid, peer_ae_title=peer).exists()
    commitment = Commitment.objects.create(
        transaction_uid=transaction_uid,
        peer_ae_title=peer,
        references=[[reference.sop_class_uid, reference.sop_instance_uid] for reference in references],
        is_duplicate=is_known,
    )
    enqueue(REPORT_COMMITMENT, parameters={"commitment": commitment.pk}, due_at=timezone.now() + SAME_ASSOCIATION)
    record_event(
        Event.COMMITMENT_ASKED,
        actor=peer,
        address=address,
        subject=f"commitment {commitment.pk}",
        details={"instances": len(references), "repeated": is_known},
    )
    return commitment


# --- Looked at --------------------------------------------------------------------------------------------------------


def verdict_on(commitment: Commitment, *, wait_s: float) -> Verdict | None:
    """What can be said of a request's instances; None while what was received is still being indexed."""
    references = [Reference(*pair) for pair in commitment.references]
    if commitment.is_duplicate:
        return Verdict((), tuple((reference, Failure.DUPLICATE_TRANSACTION) for reference in references))
    return look_when_indexed(references, asked_by=commitment.peer_ae_title, wait_s=wait_s)


def event_information(commitment: Commitment, verdict: Verdict) -> tuple[int, Dataset]:
    """Event Type ID and event information of the report (PS3.4 table J.3-2)."""
    ds = Dataset()
    ds.TransactionUID = UID(commitment.transaction_uid)
    ds.RetrieveAETitle = settings.PORTAL_AE_TITLE
    if verdict.committed:
        ds.ReferencedSOPSequence = [_item(reference) for reference in verdict.committed]
    if verdict.failed:
        ds.FailedSOPSequence = [_item(reference, failure) for reference, failure in verdict.failed]
    return FAILURES_EXIST if verdict.failed else ALL_COMMITTED, ds


def _item(reference: Reference, failure: Failure | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = UID(reference.sop_class_uid)
    item.ReferencedSOPInstanceUID = UID(reference.sop_instance_uid)
    if failure is not None:
        item.FailureReason = failure.value
    return item


# --- Told -------------------------------------------------------------------------------------------------------------


def claim_telling(commitment: Commitment) -> bool:
    """Be the one who tells the peer; False where somebody else does, or it has been told."""
    now = timezone.now()
    free = Q(told_until__isnull=True) | Q(told_until__lt=now)
    waiting = Commitment.objects.filter(free, pk=commitment.pk, state=Commitment.State.WAITING)
    return bool(waiting.update(told_until=now + TELLING, attempts=F("attempts") + 1))


def told(commitment: Commitment, verdict: Verdict) -> None:
    """The peer has taken the report."""
    reasons: dict[str, int] = {}
    for _reference, failure in verdict.failed:
        reasons[f"{failure.value:04X}"] = reasons.get(f"{failure.value:04X}", 0) + 1
    result = {"committed": len(verdict.committed), "failed": reasons}
    with transaction.atomic():
        Commitment.objects.filter(pk=commitment.pk).update(
            state=Commitment.State.REPORTED, reported_at=timezone.now(), told_until=None, result=result
        )
        record_event(
            Event.COMMITMENT_ANSWERED,
            actor="portal",
            subject=f"commitment {commitment.pk}",
            details={"peer": commitment.peer_ae_title, **result},
        )


def not_told(commitment: Commitment) -> None:
    """The peer could not be told this time."""
    Commitment.objects.filter(pk=commitment.pk, state=Commitment.State.WAITING).update(told_until=None)


def report_commitment(job: Job, progress: Progress) -> str:
    """The job: look, and tell the peer on an association of our own.

    Raises
    ------
    TryLater, JobRefused
    """
    from archive.indexing.writer import index_waiting_files

    commitment = Commitment.objects.filter(pk=job.parameters.get("commitment")).first()
    if commitment is None or commitment.state != Commitment.State.WAITING:
        return "The peer has been told."
    peer = Peer.objects.filter(ae_title=commitment.peer_ae_title, enabled=True).first()
    if peer is None:
        _give_up(commitment)
        raise JobRefused(f"{commitment.peer_ae_title} is no peer that we know the address of; it was not told.")
    index_waiting_files()
    verdict = verdict_on(commitment, wait_s=INDEXING_S)
    if verdict is None:
        raise TryLater("What was received is still being indexed.", FIRST_PAUSE)
    if not claim_telling(commitment):
        raise TryLater("The association that asked is being answered.", FIRST_PAUSE)
    progress.step(message=f"Telling {peer.ae_title}")
    try:
        _tell(peer, commitment, verdict)
    except PeerUnreachable as error:
        not_told(commitment)
        raise _later(commitment, str(error)) from error
    told(commitment, verdict)
    return f"{peer.ae_title} was told: {len(verdict.committed)} committed, {len(verdict.failed)} not."


def _later(commitment: Commitment, why: str) -> Exception:
    attempts = Commitment.objects.values_list("attempts", flat=True).get(pk=commitment.pk)
    if attempts >= MOST_ATTEMPTS:
        _give_up(commitment)
        return JobRefused(f"{why} It was tried {attempts} times; the peer has to ask again.")
    return TryLater(why, pause_after(attempts))


def _give_up(commitment: Commitment) -> None:
    Commitment.objects.filter(pk=commitment.pk, state=Commitment.State.WAITING).update(
        state=Commitment.State.GIVEN_UP, told_until=None
    )


def _tell(peer: Peer, commitment: Commitment, verdict: Verdict) -> None:
    """Send the report on an association of ours, on which we are the SCP (PS3.4 J.3.3, PS3.7 D.3.3.4).

    Raises
    ------
    PeerUnreachable
    """
    event_type, information = event_information(commitment, verdict)
    role = build_role(STORAGE_COMMITMENT, scu_role=False, scp_role=True)
    with association(
        peer.host,
        peer.port,
        [build_context(STORAGE_COMMITMENT)],
        called_ae_title=peer.ae_title,
        calling_ae_title=settings.PORTAL_AE_TITLE,
        timeout_s=TIMEOUT_S,
        tls=peer.tls,
        roles=[role],
    ) as assoc:
        try:
            status: Any = assoc.send_n_event_report(information, event_type, STORAGE_COMMITMENT, COMMITMENT_INSTANCE)[0]
        except (ValueError, RuntimeError) as error:
            raise PeerUnreachable(f"{peer.ae_title} does not take reports of storage commitment.") from error
    if status.get("Status") != SUCCESS:
        answer = f"status {status.Status:04X}" if "Status" in status else "nothing"
        raise PeerUnreachable(f"{peer.ae_title} answered the report with {answer}.")
