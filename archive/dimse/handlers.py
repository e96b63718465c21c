"""What the receiver does with a request: C-STORE from its command set to its answer, and C-ECHO."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from archive.dimse.messages import BadMessage, StoreRequest
from archive.dimse.statuses import (
    CANNOT_UNDERSTAND,
    NOT_AUTHORIZED,
    PROCESSING_FAILURE,
    SOP_CLASS_NOT_SUPPORTED,
    STORED,
    SUCCESS,
    Answer,
    answer_to,
)
from archive.dimse.writeback import begin_writeback
from archive.errors import ArchiveError
from archive.metrics import count_refused_instance
from archive.receiving.intake import receive_instance
from archive.receiving.sources import Door, Origin
from archive.receiving.staging import StagedFile

if TYPE_CHECKING:
    from pynetdicom.events import Event

    from archive.dimse.peers import PeerRule

logger = logging.getLogger(__name__)

WRITEBACK_BYTES = 8 * 2**20
WRITEBACK_BYTES_ALONE = 64 * 2**10
"""So much of an object waits in memory at most before the disk begins with it."""

_under_way: set[IncomingStore] = set()
"""Stores that are being received, of all associations."""


def _not_audited(_reason: str) -> None:
    """For associations that no site stands behind: tests."""


def _no_destination(_ae_title: str) -> None:
    """For associations that no table of peers stands behind: tests."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The peer at the other end of an association, and what it may do."""

    calling_ae_title: str
    called_ae_title: str
    address: str
    may_echo: bool = True
    may_store: bool = True
    may_query: bool = True
    may_retrieve: bool = True
    may_query_worklist: bool = True
    may_report_steps: bool = True
    may_ask_commitment: bool = True
    issuer_of_patient_id: str = ""
    accept_private_sop_classes: bool = False
    refused: Callable[[str], None] = _not_audited
    """Told in words of a request that the peer had no right to make."""
    find_destination: Callable[[str], PeerRule | None] = _no_destination
    """The peer of an AE title, where images may be sent to it."""

    def origin(self) -> Origin:
        """Say where an instance of this peer comes from."""
        return Origin(
            door=Door.DIMSE,
            calling_ae_title=self.calling_ae_title,
            called_ae_title=self.called_ae_title,
            address=self.address,
            issuer_of_patient_id=self.issuer_of_patient_id,
        )


class IncomingStore:
    """One C-STORE: begun with its command set, fed with the data set's fragments, ended with an answer.

    A refusal does not end the association (PS3.7 9.1.1): the rest of the data set
    is read and dropped, then the answer says why.

    Parameters
    ----------
    request
        The command set.
    abstract_syntax, transfer_syntax
        Of the presentation context that it came under.
    sender
        Who sent it.
    """

    def __init__(self, request: StoreRequest, *, abstract_syntax: str, transfer_syntax: str, sender: Sender) -> None:
        self.request = request
        self.size = 0
        self._handed_to_disk = 0
        self._staged: StagedFile | None = None
        self._refusal = self._refuse_at_once(abstract_syntax, sender)
        if self._refusal is None:
            self._stage(transfer_syntax, sender)

    def _refuse_at_once(self, abstract_syntax: str, sender: Sender) -> Answer | None:
        if not sender.may_store:
            sender.refused("may not store")
            return Answer(NOT_AUTHORIZED, "This AE title may not store here.")
        if self.request.sop_class_uid != abstract_syntax:
            # PS3.7 C.5.6: not the SOP class that was negotiated for the context.
            return Answer(SOP_CLASS_NOT_SUPPORTED, "The SOP Class is not that of the presentation context.")
        if not self.request.has_data_set:
            return Answer(CANNOT_UNDERSTAND, "The C-STORE has no data set.")
        return None

    def _stage(self, transfer_syntax: str, sender: Sender) -> None:
        _under_way.add(self)
        try:
            self._staged = StagedFile.create(
                transfer_syntax_uid=transfer_syntax,
                sop_class_uid=self.request.sop_class_uid,
                sop_instance_uid=self.request.sop_instance_uid,
                origin=sender.origin(),
            )
        except Exception as error:
            self._refuse(error)

    def write(self, data: memoryview) -> None:
        """Take the next bytes of the data set.

        Raises
        ------
        BadMessage
            More than the site's largest object was sent although it had been refused.
        """
        self.size += len(data)
        if self._staged is None:
            if self.size > 2 * settings.PORTAL_MAX_OBJECT_MB * 2**20:
                raise BadMessage("A refused data set does not end.")
            return
        try:
            self._staged.write(data)
            self._hand_to_disk(self._staged)
        except Exception as error:
            self._refuse(error)

    def _hand_to_disk(self, staged: StagedFile) -> None:
        """Begin the write while the sender still sends: always of large objects, of small ones if nobody else stores.

        With several senders the disk is busy anyway, and one call more for each image costs more than it gains.
        """
        waiting = self.size - self._handed_to_disk
        if waiting >= WRITEBACK_BYTES or (waiting >= WRITEBACK_BYTES_ALONE and len(_under_way) == 1):
            begin_writeback(staged.descriptor)
            self._handed_to_disk = self.size

    def finish(self) -> Answer:
        """Make the instance durable and return what the peer is told."""
        if self._staged is not None:
            try:
                receive_instance(self._staged)
            except Exception as error:
                self._refuse(error)
            else:
                self._staged = None
                _under_way.discard(self)
                return STORED
        count_refused_instance(Door.DIMSE)
        return self._refusal or Answer(PROCESSING_FAILURE)

    def abort(self) -> None:
        """Forget what came so far: the association ended inside the data set."""
        _under_way.discard(self)
        if self._staged is not None:
            self._staged.abort()
            self._staged = None

    def close_in_child(self) -> None:
        """Close the file in a process that was forked while it was written."""
        self.abort()

    def _refuse(self, error: Exception) -> None:
        """Remember why; whatever went wrong, the association lives and the peer is told."""
        if not isinstance(error, ArchiveError):
            logger.exception("a C-STORE failed", extra={"sop_instance_uid": self.request.sop_instance_uid[:64]})
        self._refusal = answer_to(error)
        self.abort()


def answer_echo(event: Event, sender: Sender) -> int:
    """Answer a C-ECHO (PS3.7 9.1.5): success, or 0124 for a peer that may not verify."""
    if sender.may_echo:
        return SUCCESS
    sender.refused("may not verify")
    return NOT_AUTHORIZED
