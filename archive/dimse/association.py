"""An accepted association: pynetdicom's negotiation and services on our upper layer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.acse import ACSE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.transport import AddressInformation

from archive.dimse.connection import Connection
from archive.dimse.contexts import is_storage, supported_contexts
from archive.dimse.handlers import Sender, answer_echo
from archive.dimse.identifiers import MODELS
from archive.dimse.limits import Limits
from archive.dimse.negotiation import answer_extended_negotiation
from archive.dimse.operations import WORKFLOW_CLASSES
from archive.dimse.querying import answer_query_or_retrieve, close_database_connections
from archive.dimse.reception import AcceptedContext, Reception
from archive.dimse.reports import Reports
from archive.dimse.statuses import (
    CANCELLED,
    PENDING,
    PENDING_UNSUPPORTED_KEYS,
    SOME_SUBOPERATIONS_FAILED,
    SUCCESS,
    Answer,
)
from archive.dimse.upper_layer import UpperLayer
from archive.dimse.workflow import answer_workflow_request

if TYPE_CHECKING:
    import socket

    from pynetdicom.ae import ApplicationEntity
    from pynetdicom.dimse_primitives import DimseServiceType
    from pynetdicom.presentation import PresentationContext

logger = logging.getLogger(__name__)

LONGEST_SLEEP_S = 30.0


@dataclass(slots=True)
class Sent:
    """What went out over an association, counted by its own thread."""

    answers: int = 0
    """Matches of queries."""
    images: int = 0
    """Sub-operations of C-GET and C-MOVE that the receiver of the images took."""
    failed: int = 0
    bytes: int = 0
    refused: int = 0
    """Requests other than C-STORE."""
    why_refused: str = ""

    def note_refusal(self, answer: Answer) -> None:
        """Count a final answer that says no."""
        if answer.status not in (SUCCESS, PENDING, PENDING_UNSUPPORTED_KEYS, CANCELLED, SOME_SUBOPERATIONS_FAILED):
            self.refused += 1
            self.why_refused = answer.comment or f"status {answer.status:04X}"

    def note_image(self, size: int, *, failed: bool) -> None:
        self.bytes += size
        if failed:
            self.failed += 1
        else:
            self.images += 1


@dataclass(frozen=True, slots=True)
class AssociationView:
    """What the site may know of an association while it lasts."""

    calling_ae_title: str
    called_ae_title: str
    address: str
    since: datetime
    stored: int
    refused: int
    bytes: int
    idle_s: float
    service: str = ""
    """The last request's."""
    tls: str = ""
    """Version of TLS; empty without."""
    answers: int = 0
    sent: int = 0
    not_sent: int = 0
    bytes_sent: int = 0
    why_refused: str = ""
    """The last request that was refused, in words."""


class Negotiation(ACSE):
    """Negotiates only what was proposed; the gate has already decided whom we talk to."""

    assoc: ReceiverAssociation

    def _negotiate_as_acceptor(self) -> None:
        proposed = self.requestor.primitive.presentation_context_definition_list
        self.acceptor.supported_contexts = supported_contexts(
            proposed, accept_private=self.assoc.sender.accept_private_sop_classes
        )
        super()._negotiate_as_acceptor()

    def send_accept(self) -> None:
        # Before the answer: the peer's first data may follow it at once.
        self.assoc.begin_reception()
        super().send_accept()


class ReceiverAssociation(Association):
    """One peer's association with us.

    Parameters
    ----------
    ae
        Our application entity: timeouts and names.
    sender
        The peer.
    client_socket
        Its accepted connection.
    request
        Its A-ASSOCIATE-RQ, whole; ``received`` is what came after it.
    handlers
        pynetdicom's events and what answers them.
    ended
        Called once, when everything of the association is over.
    """

    dul: UpperLayer
    is_established: bool
    is_aborted: bool

    def __init__(
        self,
        ae: ApplicationEntity,
        *,
        sender: Sender,
        client_socket: socket.socket,
        request: bytes,
        received: bytes,
        limits: Limits,
        handlers: Sequence[evt.EventHandlerType] = (),
        ended: Callable[[ReceiverAssociation], None] = lambda _association: None,
    ) -> None:
        self.limits = limits
        self.sender = sender
        self.reports = Reports(self)
        """Reports of ours to this peer: results of storage commitment."""
        self.sent = Sent()
        self._ended = ended
        self._stirred = threading.Event()
        self.since = datetime.now(UTC)
        super().__init__(ae, MODE_ACCEPTOR)
        self.dul = UpperLayer(self)
        self.acse = Negotiation(self)
        self.name = "dicom-association"
        self._set_timeouts(ae)
        self._describe_both_sides(ae, client_socket)
        self.bind(evt.EVT_C_ECHO, answer_echo, [sender])
        self.bind(evt.EVT_SOP_EXTENDED, answer_extended_negotiation)
        for event, handler, *arguments in handlers:
            self.bind(event, handler, *arguments)
        self.dul.request = request
        connection = Connection(self, client_socket, limits=limits, received=received)
        self._tls_version = connection.tls_version
        self.set_socket(connection)

    def _set_timeouts(self, ae: ApplicationEntity) -> None:
        # Set by the base class on the upper layer that ours has replaced.
        self.acse_timeout = ae.acse_timeout
        self.dimse_timeout = ae.dimse_timeout
        self.network_timeout = self.limits.idle_s

    def _describe_both_sides(self, ae: ApplicationEntity, client_socket: socket.socket) -> None:
        self.acceptor.ae_title = ae.ae_title
        self.acceptor.maximum_length = self.limits.max_pdu_bytes
        self.acceptor.address_info = AddressInformation.from_tuple(client_socket.getsockname())
        self.acceptor.implementation_class_uid = ae.implementation_class_uid
        self.acceptor.implementation_version_name = ae.implementation_version_name
        self.requestor.address_info = AddressInformation.from_tuple(client_socket.getpeername())

    def begin_reception(self) -> None:
        """Make ready for messages under the contexts that are being accepted."""
        contexts = {
            context_id: AcceptedContext(str(context.abstract_syntax), str(context.transfer_syntax[0]))
            for context_id, context in self._accepted_cx.items()
        }
        self.dul.reception = Reception(
            contexts=contexts,
            sender=self.sender,
            limits=self.limits,
            reply=self.dul.reply,
            pass_on=self.dul.pass_on,
            before_store=self.dul.before_store,
            peer_max_pdu_bytes=self.requestor.maximum_length or 0,
        )
        if self.dul.socket is not None:
            self.dul.socket.sink = self.dul.reception.feed

    # Asked by the server

    @property
    def view(self) -> AssociationView:
        """What may be shown of it."""
        reception = self.dul.reception
        return AssociationView(
            calling_ae_title=self.sender.calling_ae_title,
            called_ae_title=self.sender.called_ae_title,
            address=self.sender.address,
            since=self.since,
            stored=reception.stored if reception else 0,
            refused=self.sent.refused + (reception.refused if reception else 0),
            bytes=reception.bytes_so_far if reception else 0,
            idle_s=self.idle_s,
            service=reception.service if reception else "",
            tls=self._tls_version,
            answers=self.sent.answers,
            sent=self.sent.images,
            not_sent=self.sent.failed,
            bytes_sent=self.sent.bytes,
            why_refused=self.sent.why_refused or (reception.why_refused if reception else ""),
        )

    @property
    def idle_s(self) -> float:
        """Seconds in which nothing has happened; 0 while a message is under way or being answered."""
        started_at = self.dul._idle_timer._start_time
        if started_at is None or self.dul.in_message or not self.dul.quiet.is_set():
            return 0.0
        return max(0.0, time.time() - started_at)

    def break_off(self) -> None:
        """End it with an A-ABORT, from any thread."""
        self.dul.break_off()

    def close_in_child(self) -> None:
        """Close in a forked process what it inherited; the parent goes on."""
        if self.dul.reception is not None:
            self.dul.reception.close_in_child()
        self.dul.wake.close_in_child()
        if self.dul.socket is not None:
            self.dul.socket.close_in_child()

    def log_extra(self) -> dict[str, Any]:
        """Fields for the log."""
        return {"calling_ae_title": self.sender.calling_ae_title, "address": self.sender.address}

    # The association's own thread

    def stir(self) -> None:
        """Let the association's thread look at its queues."""
        self._stirred.set()

    def run_reactor(self) -> None:
        try:
            self.dul.start()
        except RuntimeError:  # The system has no more threads.
            self._give_up()
            return
        self._started_dul = True
        self._dul_ready.wait()
        try:
            primitive = self.dul.receive_pdu(wait=True, timeout=self.acse_timeout)
            if isinstance(primitive, A_ASSOCIATE):
                self.requestor.primitive = primitive
                evt.trigger(self, evt.EVT_REQUESTED, {})
                self.acse.negotiate_association()
                if self.is_established:
                    self._run_reactor()
        except Exception:
            logger.exception("an association ended in an error of ours", extra=self.log_extra())
        finally:
            self._leave()

    def _give_up(self) -> None:
        logger.warning("an association cannot be served: no more threads", extra=self.log_extra())
        if self.dul.socket is not None:
            self.dul.socket.close()
        self.dul.wake.close()
        self._ended(self)

    def _leave(self) -> None:
        if self.dul.is_alive() and self.dul.state_machine.current_state != "Sta1":
            self.dul.break_off()
        self.dul.join()
        close_database_connections()
        view = self.view
        logger.log(
            # The readiness check verifies every few seconds.
            logging.INFO if view.stored or view.refused else logging.DEBUG,
            "association ended",
            extra=self.log_extra() | {"stored": view.stored, "refused": view.refused, "bytes": view.bytes},
        )
        self._ended(self)

    def _run_reactor(self) -> None:
        """Serve requests, and see the end; pynetdicom's loop without its thousand looks a second."""
        self._is_paused = False
        while not self._kill:
            self._stirred.wait(self._until_idle_s())
            self._stirred.clear()
            self._is_paused = True
            self._reactor_checkpoint.wait()
            self._is_paused = False
            self._serve_waiting()
            if self._is_over():
                return

    def _until_idle_s(self) -> float:
        return min(LONGEST_SLEEP_S, max(0.05, self.dul._idle_timer.remaining + 0.05))

    def _serve_waiting(self) -> None:
        while not self._kill:
            context_id, message = self.dimse.get_msg(block=False)
            if message is None:
                break
            self._serve_request(message, cast(int, context_id))
        if self.dimse.msg_queue.empty():
            self.dul.quiet.set()
            if self.is_established and self.dul.state_machine.current_state == "Sta6":
                self.reports.send_next()

    def _serve_request(self, msg: DimseServiceType, context_id: int) -> None:
        context = self._accepted_cx.get(context_id)
        if context is not None and context.abstract_syntax in MODELS and msg.is_valid_request:
            # In case it takes as long as a retrieval may: pynetdicom's own services pause its loop as well.
            self._is_paused = True
            answer_query_or_retrieve(self, msg, context)
            self._is_paused = False
            return
        if context is not None and context.abstract_syntax in WORKFLOW_CLASSES:
            self.answer_workflow(msg, context)
            return
        if context is not None and is_storage(
            str(context.abstract_syntax), accept_private=self.sender.accept_private_sop_classes
        ):
            # Storage knows C-STORE alone, and that never comes here.
            logger.info("an association is aborted: a request does not belong to its context", extra=self.log_extra())
            self.dul.break_off()
            return
        super()._serve_request(msg, context_id)

    def answer_workflow(self, msg: DimseServiceType, context: PresentationContext) -> None:
        """Answer a request about worklist, procedure steps or commitment, or take the answer to a report of ours."""
        if not msg.is_valid_request:
            self.reports.answered(msg)
            return
        self._is_paused = True
        answer_workflow_request(self, msg, context)
        self._is_paused = False

    def _is_over(self) -> bool:
        """Act on a release, an abort or silence; true where the association has ended."""
        if self.is_established and self.acse.is_release_requested():
            self.acse.send_release(is_response=True)
            self.is_released = True
            self.is_established = False
            evt.trigger(self, evt.EVT_RELEASED, {})
            self.kill()
        elif self.acse.is_aborted():
            self.dul.receive_pdu(wait=False)
            self.is_aborted = True
            self.is_established = False
            evt.trigger(self, evt.EVT_ABORTED, {})
            self.kill()
        elif not self.dul.is_alive():
            self.kill()
        elif self.dul.idle_timer_expired():
            logger.info("an idle association is aborted", extra=self.log_extra())
            self.is_aborted = True
            self.is_established = False
            self.dul.break_off()
            self.kill()
        else:
            return False
        return True
