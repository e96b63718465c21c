"""C-FIND, C-MOVE and C-GET requests to the services that answer them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, InterfaceError, close_old_connections, connections
from pynetdicom.dimse_primitives import C_FIND, C_GET, C_MOVE

from archive.dimse.connection import ConnectionClosed
from archive.dimse.finding import answer_find
from archive.dimse.identifiers import FIND, GET, MODELS, MOVE
from archive.dimse.negotiation import Agreed
from archive.dimse.responding import Exchange
from archive.dimse.retrieving import answer_get, answer_move

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

    from archive.dimse.association import ReceiverAssociation

logger = logging.getLogger(__name__)

_SERVICES = {C_FIND: (FIND, answer_find), C_MOVE: (MOVE, answer_move), C_GET: (GET, answer_get)}


def answer_query_or_retrieve(assoc: ReceiverAssociation, request: Any, context: PresentationContext) -> None:
    """Answer a request of query or retrieve; one that does not belong to its context ends the association."""
    service, answer = _SERVICES.get(type(request), ("", None))
    uid = str(context.abstract_syntax)
    if answer is None or MODELS[uid][0] != service or str(request.AffectedSOPClassUID) != uid:
        logger.info("an association is aborted: a request does not belong to its context", extra=assoc.log_extra())
        assoc.dul.break_off()
        return
    assoc.dimse.cancel_req = {}
    exchange = Exchange(assoc, request, context)
    agreed = Agreed.on({str(k): bytes(v or b"") for k, v in assoc.requestor.sop_class_extended.items()}, uid)
    close_old_connections()
    try:
        answer(exchange, agreed)
    except (DatabaseError, InterfaceError) as error:
        exchange.fail(error, "The archive's database does not answer; ask again.")
    except ConnectionClosed:
        logger.info("a peer was gone, or did not read, before it was answered", extra=assoc.log_extra())
        assoc.dul.break_off()
    except Exception as error:  # The association lives, and the peer is told, whatever went wrong.
        exchange.fail(error, "The archive could not process the request.")
    assoc.dimse.cancel_req = {}


def close_database_connections() -> None:
    """Close what this thread opened; associations come and go."""
    connections.close_all()
