"""Results of storage commitment to the peer of an open association, while it is open (PS3.4 J.3.3).

A look at many files takes its time, so that it is a thread of its own; what it
finds is sent by the association's thread when it has nothing else to do, and the
answer comes back among the peer's requests.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, cast

from django.db import connections
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.dsutils import encode

from archive.dimse.operations import COMMITMENT_INSTANCE, STORAGE_COMMITMENT, send_whole
from archive.dimse.storage_commitment import claim_telling, event_information, not_told, told, verdict_on

if TYPE_CHECKING:
    from archive.dimse.association import ReceiverAssociation
    from archive.models import Commitment
    from archive.storage.commitment import Verdict

logger = logging.getLogger(__name__)

LOOKS_AT_ONCE: Final = 4
"""Of all associations of this process; further ones are left to the job."""
LONGEST_WAIT_S: Final = 10.0
"""For the indexing of what was received just before."""

_looks = threading.BoundedSemaphore(LOOKS_AT_ONCE)


class Reports:
    """What one association owes its peer."""

    def __init__(self, assoc: ReceiverAssociation) -> None:
        self._assoc = assoc
        self._found: queue.SimpleQueue[tuple[Commitment, Verdict]] = queue.SimpleQueue()
        self._asked: tuple[int, Commitment, Verdict] | None = None
        self._message_id = 0

    def look_at(self, commitment: Commitment) -> None:
        """Begin to look at what was asked about; returns at once."""
        if not _looks.acquire(blocking=False):
            return
        try:
            threading.Thread(target=self._look, args=(commitment,), name="commitment", daemon=True).start()
        except RuntimeError:  # The system has no more threads.
            _looks.release()

    def _look(self, commitment: Commitment) -> None:
        try:
            verdict = verdict_on(commitment, wait_s=LONGEST_WAIT_S)
            if verdict is not None and self._assoc.is_established:
                self._found.put((commitment, verdict))
                self._assoc.stir()
        except Exception:  # The job looks again; the association goes on.
            logger.exception("a look for storage commitment failed", extra=self._assoc.log_extra())
        finally:
            connections.close_all()
            _looks.release()

    def send_next(self) -> None:
        """Send the next report, unless one is unanswered: none are asynchronous (PS3.7 D.3.3.3)."""
        if self._asked is not None:
            return
        try:
            commitment, verdict = self._found.get_nowait()
        except queue.Empty:
            return
        _guarded(lambda: self._send(commitment, verdict))

    def answered(self, response: Any) -> None:
        """Take the peer's answer to a report."""
        if self._asked is None or response.MessageIDBeingRespondedTo != self._asked[0]:
            logger.info("an answer came to nothing that was asked", extra=self._assoc.log_extra())
            return
        _, commitment, verdict = self._asked
        self._asked = None
        _guarded(lambda: told(commitment, verdict) if response.Status == 0 else not_told(commitment))

    def _send(self, commitment: Commitment, verdict: Verdict) -> None:
        context = next(
            (
                context
                for context in self._assoc.accepted_contexts
                if str(context.abstract_syntax) == STORAGE_COMMITMENT
            ),
            None,
        )
        if context is None or not claim_telling(commitment):
            return
        event_type, information = event_information(commitment, verdict)
        syntax = context.transfer_syntax[0]
        data = encode(information, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
        self._message_id = self._message_id % 0xFFFF + 1
        report: Any = N_EVENT_REPORT()
        report.MessageID = self._message_id
        report.AffectedSOPClassUID = STORAGE_COMMITMENT
        report.AffectedSOPInstanceUID = COMMITMENT_INSTANCE
        report.EventTypeID = event_type
        report.EventInformation = BytesIO(data or b"")
        self._asked = (self._message_id, commitment, verdict)
        send_whole(self._assoc, report, cast(int, context.context_id))


def _guarded(act: Callable[[], None]) -> None:
    """Whatever goes wrong with a report, the association goes on and the job makes up for it."""
    try:
        act()
    except Exception:
        logger.exception("a report of storage commitment failed")
