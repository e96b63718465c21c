"""Requests about the worklist, performed steps and commitment to the services that answer them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.db import DatabaseError, InterfaceError, close_old_connections
from pynetdicom.dimse_primitives import C_FIND, N_ACTION, N_CREATE, N_EVENT_REPORT, N_SET

from archive.dimse.commitment_reports import answer_report
from archive.dimse.connection import ConnectionClosed
from archive.dimse.modality_worklist import answer_worklist
from archive.dimse.mpps import answer_create, answer_set
from archive.dimse.operations import MODALITY_WORKLIST, PERFORMED_STEP, STORAGE_COMMITMENT, Operation
from archive.dimse.responding import Exchange
from archive.dimse.statuses import PROCESSING_FAILURE, Answer
from archive.dimse.storage_commitment import answer_action

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

    from archive.dimse.association import ReceiverAssociation

logger = logging.getLogger(__name__)

_OPERATIONS: Final = {
    (PERFORMED_STEP, N_CREATE): answer_create,
    (PERFORMED_STEP, N_SET): answer_set,
    (STORAGE_COMMITMENT, N_ACTION): answer_action,
    (STORAGE_COMMITMENT, N_EVENT_REPORT): answer_report,
}


def answer_workflow_request(assoc: ReceiverAssociation, request: Any, context: PresentationContext) -> None:
    """Answer a request; one that does not belong to its context ends the association."""
    uid = str(context.abstract_syntax)
    close_old_connections()
    if uid == MODALITY_WORKLIST and isinstance(request, C_FIND) and str(request.AffectedSOPClassUID) == uid:
        _answer_find(Exchange(assoc, request, context))
        return
    answer = _OPERATIONS.get((uid, type(request)))
    operation = Operation(assoc, request, context)
    if answer is None or operation.sop_class_uid != uid:
        logger.info("an association is aborted: a request does not belong to its context", extra=assoc.log_extra())
        assoc.dul.break_off()
        return
    try:
        answer(operation)
    except ConnectionClosed:
        logger.info("a peer was gone before it was answered", extra=assoc.log_extra())
        assoc.dul.break_off()
    except Exception as error:  # The association lives, and the peer is told, whatever went wrong.
        logger.exception("a request failed: %s", type(error).__name__, extra=assoc.log_extra())
        operation.send(Answer(PROCESSING_FAILURE, "The portal could not process the request; ask again."))


def _answer_find(exchange: Exchange) -> None:
    exchange.assoc.dimse.cancel_req = {}
    try:
        answer_worklist(exchange)
    except (DatabaseError, InterfaceError) as error:
        exchange.fail(error, "The portal's database does not answer; ask again.")
    except ConnectionClosed:
        logger.info("a peer was gone, or did not read, before it was answered", extra=exchange.assoc.log_extra())
        exchange.assoc.dul.break_off()
    except Exception as error:  # The association lives, and the peer is told, whatever went wrong.
        exchange.fail(error, "The portal could not process the request.")
    exchange.assoc.dimse.cancel_req = {}
