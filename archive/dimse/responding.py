"""Responses of C-FIND, C-MOVE and C-GET (PS3.7 9.1.2 to 9.1.4), and what their services share."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from pydicom import Dataset
from pynetdicom.dimse_primitives import C_FIND, C_GET, C_MOVE
from pynetdicom.dsutils import decode, encode

from archive.dimse.connection import ConnectionClosed
from archive.dimse.identifiers import BadIdentifier
from archive.dimse.messages import C_FIND_RSP, C_GET_RSP, C_MOVE_RSP, pack_command, pack_data, pack_response
from archive.dimse.statuses import UNABLE_TO_PROCESS, Answer
from archive.errors import ArchiveError

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

    from archive.dimse.association import ReceiverAssociation

logger = logging.getLogger(__name__)

Request = Any
"""A C-FIND, C-MOVE or C-GET of pynetdicom, which has no common type for them."""

_COMMAND_FIELDS = {C_FIND: C_FIND_RSP, C_GET: C_GET_RSP, C_MOVE: C_MOVE_RSP}


class CannotEncode(ArchiveError):
    """An answer cannot be written in the transfer syntax of the presentation context."""


class Exchange:
    """One request and its responses."""

    def __init__(self, assoc: ReceiverAssociation, request: Request, context: PresentationContext) -> None:
        self.assoc = assoc
        self.request = request
        self.sop_class_uid = str(request.AffectedSOPClassUID)
        self._context_id = cast(int, context.context_id)
        self._syntax = context.transfer_syntax[0]
        self._waiting = b""

    @property
    def is_cancelled(self) -> bool:
        """Whether the peer sent a C-CANCEL for this request."""
        return self.request.MessageID in self.assoc.dimse.cancel_req

    @property
    def is_over(self) -> bool:
        """Whether the association has ended meanwhile."""
        return not self.assoc.is_established or not self.assoc.dul.is_alive()

    def identifier(self) -> Dataset:
        """Decode the request's identifier.

        Raises
        ------
        BadIdentifier
        """
        if self.request.Identifier is None:
            raise BadIdentifier("There is no identifier.")
        syntax = self._syntax
        try:
            return decode(self.request.Identifier, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
        except Exception:
            # pydicom raises what it likes for bytes that are no data set.
            raise BadIdentifier("The identifier cannot be read.") from None

    @property
    def is_implicit(self) -> bool:
        """Whether answers are in implicit VR."""
        return bool(self._syntax.is_implicit_VR)

    def encode(self, ds: Dataset) -> bytes:
        """Write an answer in the context's transfer syntax.

        Raises
        ------
        CannotEncode
        """
        syntax = self._syntax
        data = encode(ds, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
        if data is None:
            raise CannotEncode("An answer cannot be encoded.")
        return data

    def send(self, answer: Answer, data: bytes = b"", counts: Mapping[int, int] | None = None) -> None:
        """Send what waits, then one response with its identifier; ``counts`` are its numbers of sub-operations.

        Raises
        ------
        ConnectionClosed
            The peer is gone, or does not read.
        """
        self.add(answer, data, counts)
        self.flush()

    def add(self, answer: Answer, data: bytes = b"", counts: Mapping[int, int] | None = None) -> None:
        """Let a response wait for others to go out with: each write wakes the peer, which takes longer than writing."""
        self.assoc.sent.note_refusal(answer)
        command = pack_response(
            _COMMAND_FIELDS[type(self.request)],
            sop_class_uid=self.sop_class_uid,
            message_id=int(self.request.MessageID),
            status=answer.status,
            comment=answer.comment,
            has_data_set=bool(data),
            counts=counts,
        )
        longest = self.assoc.requestor.maximum_length or 0
        pdus = pack_command(self._context_id, command, longest)
        if data:
            pdus += pack_data(self._context_id, data, is_last=True, max_pdu_bytes=longest)
        self._waiting += pdus

    def flush(self) -> None:
        """Send the responses that wait.

        Raises
        ------
        ConnectionClosed
        """
        waiting, self._waiting = self._waiting, b""
        # No other thread sends meanwhile: the state machine answers only a release or an abort, which end all this.
        self.assoc.dul.reply(waiting)

    def fail(self, error: Exception, words: str) -> None:
        """Say that something of ours went wrong, without details, and log what."""
        logger.error("%s: %s", words, type(error).__name__, exc_info=error, extra=self.assoc.log_extra())
        if not self.is_over:
            try:
                self.send(Answer(UNABLE_TO_PROCESS, words))
            except ConnectionClosed:
                pass  # Nobody is left to be told.
