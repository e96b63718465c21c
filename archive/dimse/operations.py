"""Requests on managed objects and their responses (DIMSE-N, PS3.7 10): N-CREATE, N-SET, N-ACTION, N-EVENT-REPORT."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, cast

from pydicom import Dataset
from pynetdicom.dimse import _RQ_TO_MESSAGE, _RSP_TO_MESSAGE
from pynetdicom.dimse_primitives import N_ACTION, N_CREATE, N_EVENT_REPORT, N_SET
from pynetdicom.dsutils import decode
from pynetdicom.pdu import P_DATA_TF

from archive.dimse.statuses import Answer

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

    from archive.dimse.association import ReceiverAssociation

logger = logging.getLogger(__name__)

MODALITY_WORKLIST: Final = "1.2.840.10008.5.1.4.31"
PERFORMED_STEP: Final = "1.2.840.10008.3.1.2.3.3"
"""Modality Performed Procedure Step."""
STORAGE_COMMITMENT: Final = "1.2.840.10008.1.20.1"
"""Storage Commitment Push Model."""
COMMITMENT_INSTANCE: Final = "1.2.840.10008.1.20.1.1"
"""Its well-known SOP instance (PS3.4 J.3.5)."""
AVAILABILITY: Final = "1.2.840.10008.5.1.4.33"
"""Instance Availability Notification, of which we are only the SCU."""
WORKFLOW_CLASSES: Final = frozenset({MODALITY_WORKLIST, PERFORMED_STEP, STORAGE_COMMITMENT})

_DATA_SETS: Final = {
    N_CREATE: "AttributeList",
    N_SET: "ModificationList",
    N_ACTION: "ActionInformation",
    N_EVENT_REPORT: "EventInformation",
}


class UnreadableDataSet(Exception):
    """The data set of a request is missing or cannot be read."""


class Operation:
    """One request and its one response."""

    def __init__(self, assoc: ReceiverAssociation, request: Any, context: PresentationContext) -> None:
        self.assoc = assoc
        self.request = request
        self.context_id = cast(int, context.context_id)
        self._syntax = context.transfer_syntax[0]

    @property
    def sop_class_uid(self) -> str:
        return str(getattr(self.request, "RequestedSOPClassUID", None) or self.request.AffectedSOPClassUID or "")

    @property
    def sop_instance_uid(self) -> str:
        """What it is about; empty where a N-CREATE leaves the choice to us."""
        named = getattr(self.request, "RequestedSOPInstanceUID", None) or self.request.AffectedSOPInstanceUID
        return str(named or "")

    def data_set(self) -> Dataset:
        """Decode the request's attributes.

        Raises
        ------
        UnreadableDataSet
        """
        encoded: BytesIO | None = getattr(self.request, _DATA_SETS[type(self.request)])
        if encoded is None:
            raise UnreadableDataSet("There is no data set.")
        syntax = self._syntax
        try:
            ds = decode(encoded, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
            # Values are converted when they are first looked at: better now than in the middle of a change.
            ds.walk(lambda _ds, _element: None)
        except Exception:
            # pydicom raises what it likes for bytes that are no data set.
            raise UnreadableDataSet("The data set cannot be read.") from None
        return ds

    def send(self, answer: Answer, *, sop_instance_uid: str = "", error_id: int | None = None) -> None:
        """Send the response; an instance that we named is said in it (PS3.7 10.1.5.1.4)."""
        response: Any = type(self.request)()
        response.MessageIDBeingRespondedTo = self.request.MessageID
        response.AffectedSOPClassUID = self.sop_class_uid
        uid = sop_instance_uid or self.sop_instance_uid
        if uid:
            response.AffectedSOPInstanceUID = uid
        if isinstance(self.request, N_ACTION):
            response.ActionTypeID = self.request.ActionTypeID
        if isinstance(self.request, N_EVENT_REPORT):
            response.EventTypeID = self.request.EventTypeID
        response.Status = answer.status
        if answer.comment:
            response.ErrorComment = answer.comment
        if error_id is not None:
            response.ErrorID = error_id
        self.assoc.sent.note_refusal(answer)
        send_whole(self.assoc, response, self.context_id)


def send_whole(assoc: ReceiverAssociation, primitive: Any, context_id: int) -> None:
    """Send a message of ours at once from the association's thread, as its other answers are sent.

    Left in pynetdicom's queue, its PDUs could mix with those of the next answer.

    Raises
    ------
    ConnectionClosed
        The peer is gone, or does not read.
    """
    kinds: Any = _RQ_TO_MESSAGE if primitive.MessageIDBeingRespondedTo is None else _RSP_TO_MESSAGE
    message = kinds[type(primitive)]()
    message.primitive_to_message(primitive)
    message.context_id = context_id
    pdus = bytearray()
    for data in message.encode_msg(context_id, assoc.dimse.maximum_pdu_size):
        pdu = P_DATA_TF()
        pdu.from_primitive(data)
        pdus += pdu.encode()
    assoc.dul.reply(bytes(pdus))
