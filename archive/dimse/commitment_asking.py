"""Storage Commitment Push Model as SCU (PS3.4 annex J): N-ACTION to a peer, and what its N-EVENT-REPORT says.

The report may come on the association that asked, which stays open for a moment, or at any later time on one
that the peer opens to our receiver with the roles turned round (PS3.4 J.3.3, PS3.7 D.3.3.4).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections
from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import evt
from pynetdicom.presentation import build_context

from archive.dicom.uids import is_valid_uid
from archive.dicom.values import items, text
from archive.dimse.client import NothingAccepted, PeerUnreachable, association
from archive.dimse.operations import COMMITMENT_INSTANCE, STORAGE_COMMITMENT, UnreadableDataSet
from archive.dimse.peers import PeerRule
from archive.dimse.statuses import PROCESSING_FAILURE, SUCCESS
from archive.dimse.storage_commitment import REQUEST_COMMITMENT
from archive.errors import ArchiveError
from archive.storage.commitment import Failure, Reference

logger = logging.getLogger(__name__)

CONNECT_S: Final = 30.0
SAME_ASSOCIATION_S: Final = 5.0
"""So long the association stays open for a peer that reports on it."""
LOOK_EVERY_S: Final = 0.2


class CommitmentRefused(ArchiveError):
    """The peer answered, and does not do it."""


class NoAnswer(PeerUnreachable):
    """The request went out and was not answered: a report on it may still come."""


@dataclass(frozen=True, slots=True)
class CommitmentReport:
    """What a peer says of the instances of one transaction."""

    transaction_uid: str
    results: dict[str, int]
    """By SOP Instance UID: 0 where it is committed, else the Failure Reason."""


TakeReport = Callable[[CommitmentReport], int]
"""Keeps a report; returns the status that the peer is answered with."""


def ask_for_commitment(
    peer: PeerRule,
    transaction_uid: str,
    references: Sequence[Reference],
    *,
    calling_ae_title: str,
    take: TakeReport,
    is_settled: Callable[[], bool],
) -> None:
    """Ask a peer, and leave the association open for a moment, for a peer that reports on it.

    Parameters
    ----------
    is_settled
        Whether the report has come another way, so that nothing has to be waited for.

    Raises
    ------
    PeerUnreachable
    CommitmentRefused
        It does not offer storage commitment to us, or refused the request.
    """
    reported = threading.Event()

    def take_event(event: evt.Event) -> tuple[int, None]:
        try:
            status = take(read_report(event.event_information))
        except UnreadableDataSet:
            status = PROCESSING_FAILURE
        finally:
            connections.close_all()
        if status == SUCCESS:
            reported.set()
        return status, None

    try:
        with association(
            peer.host,
            peer.port,
            [build_context(STORAGE_COMMITMENT)],
            called_ae_title=peer.ae_title,
            calling_ae_title=calling_ae_title,
            timeout_s=CONNECT_S,
            tls=peer.tls,
            handlers=[(evt.EVT_N_EVENT_REPORT, take_event)],
        ) as assoc:
            information = action_information(transaction_uid, references)
            status, _ = assoc.send_n_action(information, REQUEST_COMMITMENT, STORAGE_COMMITMENT, COMMITMENT_INSTANCE)
            _check(status, peer)
            deadline = time.monotonic() + SAME_ASSOCIATION_S
            while not reported.wait(LOOK_EVERY_S) and not is_settled() and time.monotonic() < deadline:
                pass
    except NothingAccepted:
        raise CommitmentRefused(f"{peer.ae_title} does not offer storage commitment to us.") from None


def _check(status: Any, peer: PeerRule) -> None:
    if "Status" not in status:
        raise NoAnswer(f"{peer.ae_title} did not answer the request for storage commitment.")
    if status.Status != SUCCESS:
        comment = str(status.get("ErrorComment", "") or "").strip()
        words = f"{peer.ae_title} refused to commit (status {status.Status:04X})"
        raise CommitmentRefused(f"{words}: {comment}." if comment else f"{words}.")


def action_information(transaction_uid: str, references: Sequence[Reference]) -> Dataset:
    """Action information of the request (PS3.4 table J.3-1)."""
    ds = Dataset()
    ds.TransactionUID = UID(transaction_uid)
    ds.ReferencedSOPSequence = [_item(reference) for reference in references]
    return ds


def _item(reference: Reference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = UID(reference.sop_class_uid)
    item.ReferencedSOPInstanceUID = UID(reference.sop_instance_uid)
    return item


def read_report(ds: Dataset) -> CommitmentReport:
    """Read event information (PS3.4 table J.3-2); what is in both sequences counts as not committed.

    Raises
    ------
    UnreadableDataSet
    """
    try:
        transaction_uid = text(ds, "TransactionUID")
        results = {text(item, "ReferencedSOPInstanceUID"): 0 for item in items(ds, "ReferencedSOPSequence")}
        for item in items(ds, "FailedSOPSequence"):
            reason = item.get("FailureReason")
            results[text(item, "ReferencedSOPInstanceUID")] = int(reason) if reason else Failure.PROCESSING_FAILURE
    except Exception:
        # pydicom raises what it likes for values that are none.
        raise UnreadableDataSet("The event information cannot be read.") from None
    if not is_valid_uid(transaction_uid):
        raise UnreadableDataSet("The Transaction UID is missing, or is no UID.")
    return CommitmentReport(transaction_uid, results)
