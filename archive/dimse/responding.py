"""Responses of C-FIND, C-MOVE and C-GET (PS3.7 9.1.2 to 9.1.4), and what their services share."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from pydicom import Dataset
from pynetdicom.dsutils import decode, encode

from archive.dimse.identifiers import BadIdentifier
from archive.dimse.statuses import UNABLE_TO_PROCESS, Answer
from archive.errors import ArchiveError

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

    from archive.dimse.association import ReceiverAssociation

logger = logging.getLogger(__name__)

Request = Any
"""A C-FIND, C-MOVE or C-GET of pynetdicom, which has no common type for them."""


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

    def send(self, answer: Answer, ds: Dataset | None = None, counts: Mapping[str, int] | None = None) -> None:
        """Send one response; ``counts`` are its numbers of sub-operations."""
        response: Any = type(self.request)()
        response.MessageIDBeingRespondedTo = self.request.MessageID
        response.AffectedSOPClassUID = self.request.AffectedSOPClassUID
        response.Status = answer.status
        if answer.comment:
            response.ErrorComment = answer.comment
        for name, count in (counts or {}).items():
            # US: 65535 at most, however many there are.
            setattr(response, name, min(count, 0xFFFF))
        if ds is not None:
            response.Identifier = self._encode(ds)
        self.assoc.dimse.send_msg(response, self._context_id)

    def _encode(self, ds: Dataset) -> BytesIO:
        syntax = self._syntax
        data = encode(ds, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
        if data is None:
            raise CannotEncode("An answer cannot be encoded.")
        return BytesIO(data)

    def fail(self, error: Exception, words: str) -> None:
        """Say that something of ours went wrong, without details, and log what."""
        logger.error("%s: %s", words, type(error).__name__, exc_info=error, extra=self.assoc.log_extra())
        if not self.is_over:
            self.send(Answer(UNABLE_TO_PROCESS, words))
