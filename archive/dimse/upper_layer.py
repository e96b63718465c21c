"""The upper layer of an accepted association (PS3.8), driven by events instead of by the clock.

pynetdicom keeps its state machine, negotiation and services. What is ours is the
loop around them: it sleeps until there is something to do (pynetdicom's looks a
thousand times a second), believes no length, waits for no peer for ever, and
takes data PDUs from the socket to the archive in one pass.
"""

from __future__ import annotations

import logging
import queue
import select
import struct
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pynetdicom.dul import DULServiceProvider
from pynetdicom.fsm import TRANSITION_TABLE
from pynetdicom.pdu_primitives import A_P_ABORT, P_DATA

from archive.dimse.connection import Connection, ConnectionClosed, Stalled, Wake
from archive.dimse.messages import BY_US, BadMessage, pack_abort

if TYPE_CHECKING:
    from pynetdicom.pdu_primitives import _PDUPrimitiveType

    from archive.dimse.association import ReceiverAssociation
    from archive.dimse.reception import Fragment, Reception

logger = logging.getLogger(__name__)

P_DATA_TF = 0x04
CONTROL_PDUS = {0x05, 0x06, 0x07}
"""A-RELEASE-RQ, A-RELEASE-RP, A-ABORT: four bytes each (PS3.8 9.3.6 to 9.3.8)."""

_PDU_HEAD = struct.Struct(">BxI")
_PDV_HEAD = struct.Struct(">IBB")

WAITING_PDUS = 32
"""PDUs of ours that may wait to be sent."""
OPERATION_WAIT_S = 2.0
"""How long a request may wait for the answer to the one before; none are asynchronous (PS3.7 D.3.3.3)."""


class UpperLayer(DULServiceProvider):
    """Reads and writes the PDUs of one association, in a thread of its own."""

    socket: Connection | None
    assoc: ReceiverAssociation

    def __init__(self, assoc: ReceiverAssociation) -> None:
        super().__init__(assoc)
        self.name = "dicom-upper-layer"
        self.daemon = True
        self.limits = assoc.limits
        self.wake = Wake()
        self.request: bytes = b""
        """The A-ASSOCIATE-RQ, whole, as the gate read it."""
        self.reception: Reception | None = None
        self.quiet = threading.Event()
        """Set while no message of the peer waits for, or is with, one of pynetdicom's services."""
        self.quiet.set()
        self._must_break_off = False

    # What pynetdicom's other threads call

    def send_pdu(self, primitive: _PDUPrimitiveType) -> None:
        # A service waits for a peer that reads slowly, instead of filling the memory with answers.
        while self.to_provider_queue.qsize() >= WAITING_PDUS and not self._kill_thread and self.is_alive():
            time.sleep(0.001)
        super().send_pdu(primitive)
        self.wake.set()

    def kill_dul(self) -> None:
        super().kill_dul()
        self.wake.set()

    def stop_dul(self) -> bool:
        if self.state_machine.current_state != "Sta1":
            return False
        self.kill_dul()
        self.join()
        return True

    def idle_timer_expired(self) -> bool:
        return super().idle_timer_expired() and not self.in_message

    def break_off(self) -> None:
        """End the association with an A-ABORT, as soon as a store that is being made durable is."""
        self._must_break_off = True
        self.wake.set()
        if self.socket is not None:
            self.socket.interrupt()

    @property
    def in_message(self) -> bool:
        """Say whether a message is half received, or being stored."""
        return self.reception is not None and self.reception.in_message

    # The loop

    def run_reactor(self) -> None:
        self._idle_timer.start()
        self.assoc._dul_ready.set()
        try:
            self._run_machine()
            self._take_request()
            while not self._kill_thread:
                self._turn()
        except Exception:
            logger.exception("an association ended in an error of ours")
            self._break_off_now()
        finally:
            self._end()

    def _take_request(self) -> None:
        """Give the A-ASSOCIATE-RQ that the gate has read to pynetdicom."""
        try:
            pdu, event = self._decode_pdu(bytearray(self.request))
        except Exception as error:
            # Whatever pynetdicom's decoder trips over, the peer sent no request that can be read.
            logger.info("an A-ASSOCIATE-RQ cannot be read: %s", type(error).__name__)
            self.event_queue.put("Evt19")
        else:
            self._recv_pdu.put(pdu)
            self.event_queue.put(event)
        self.request = b""
        self._run_machine()

    def _turn(self) -> None:
        """Send what waits to be sent, or receive; then let the state machine act."""
        if self._must_break_off:
            self._break_off_now()
        elif self.artim_timer.expired and self.state_machine.current_state in {"Sta2", "Sta13"}:
            self.event_queue.put("Evt18")
        elif not self._process_recv_primitive():
            self._receive()
        self._run_machine()

    def _run_machine(self) -> None:
        acted = False
        while not self._kill_thread:
            try:
                event = self.event_queue.get_nowait()
            except queue.Empty:
                break
            acted = True
            if (event, self.state_machine.current_state) in TRANSITION_TABLE:
                self.state_machine.do_action(event)
            elif event in {"Evt7", "Evt8", "Evt9", "Evt11", "Evt14", "Evt15"}:
                # A service of ours went on after the association had ended; what it wants to send has no addressee.
                self.to_provider_queue.get_nowait()
            elif event != "Evt17":
                raise BadMessage(f"{event} cannot happen in {self.state_machine.current_state}.")
        if acted:
            self.assoc.stir()

    def _receive(self) -> None:
        """Wait for the peer or for a service of ours; read one PDU where one comes."""
        connection = self.socket
        state = self.state_machine.current_state
        if connection is None:
            return
        if state == "Sta13":
            connection.linger()
            connection.close()
            return
        if state not in {"Sta6", "Sta7"}:
            # Sta3 and Sta8 wait for us, not for the peer.
            self._wait_for_wake()
            return
        if not connection.has_bytes and not self.in_message and not connection.wait(self.wake):
            return
        try:
            self._read_pdu(connection)
        except ConnectionClosed:
            self._forget_message()
            if self._must_break_off:
                self._break_off_now()
            else:
                self.event_queue.put("Evt17")
        except (BadMessage, Stalled) as error:
            logger.info("an association is aborted: %s", error, extra=self.assoc.log_extra())
            self._forget_message()
            self.event_queue.put("Evt19")

    def _wait_for_wake(self) -> None:
        poll = select.poll()
        poll.register(self.wake.descriptor, select.POLLIN)
        poll.poll()
        self.wake.clear()

    def _forget_message(self) -> None:
        if self.socket is not None:
            self.socket.forget()
        if self.reception is not None:
            self.reception.abort()

    def _break_off_now(self) -> None:
        """Leave the state machine aside: A-ABORT, close, tell the association."""
        self._forget_message()
        connection = self.socket
        if connection is not None:
            try:
                connection.send_now(pack_abort(BY_US))
            except ConnectionClosed:
                pass  # Nobody is left to be told.
            connection.linger()
            connection.close()
        self.assoc.is_aborted = True
        self.assoc.is_established = False
        self.assoc._kill = True
        self._kill_thread = True

    def _end(self) -> None:
        """Leave nothing open and nobody waiting, however the loop ended."""
        self._kill_thread = True
        self._forget_message()
        if self.socket is not None:
            self.socket.close()
        self.wake.close()
        lost = A_P_ABORT()
        lost.provider_reason = 0x00
        self.to_user_queue.put(lost)
        self.assoc.dimse.msg_queue.put((None, None))
        self.assoc.stir()

    # Reading

    def _read_pdu(self, connection: Connection) -> None:
        deadline = time.monotonic() + self.limits.pdu_deadline_s
        head = connection.take(_PDU_HEAD.size, deadline)
        kind, length = _PDU_HEAD.unpack(head)
        if kind == P_DATA_TF:
            if self.state_machine.current_state != "Sta6":
                raise BadMessage("A data PDU came after the release.")
            if length > self.limits.data_pdu_ceiling_bytes:
                raise BadMessage(f"A data PDU claims {length} bytes.")
            self._read_data(connection, length, deadline)
        elif kind in CONTROL_PDUS and length == 4:
            pdu, event = self._decode_pdu(bytearray(head + connection.take(length, deadline)))
            self._forget_message()
            self._recv_pdu.put(pdu)
            self.event_queue.put(event)
        else:
            raise BadMessage(f"A PDU of type {kind:02X} and {length} bytes is none that may come now.")
        self._idle_timer.restart()

    def _read_data(self, connection: Connection, length: int, deadline: float) -> None:
        """Read the presentation data values of a P-DATA-TF (PS3.8 9.3.5) as they come."""
        reception = self.reception
        if reception is None:
            raise BadMessage("A data PDU came before the association.")
        while length:
            if length < _PDV_HEAD.size:
                raise BadMessage("A data PDU ends inside the head of a value.")
            size, context_id, control = _PDV_HEAD.unpack(connection.take(_PDV_HEAD.size, deadline))
            left = size - 2
            length -= size + 4
            if left < 0 or length < 0:
                raise BadMessage("A presentation data value is longer than its PDU, or has no header.")
            reception.begin_fragment(context_id, control)
            connection.hold(left, deadline)
            if reception.wants_now(control):
                connection.flush()
                reception.end_fragment(control)

    # What the reception needs

    def reply(self, data: bytes) -> None:
        """Send PDUs from the thread that reads, or from a service while it answers: nothing else is being sent then."""
        connection = self.socket
        if connection is None:
            raise ConnectionClosed("The connection is closed.")
        connection.send_now(data)
        # A retrieval may take longer than an idle association may stand.
        self._idle_timer.restart()

    def pass_on(self, fragments: list[Fragment]) -> None:
        """Give a message to pynetdicom, whose services answer it in the association's thread."""
        self._wait_until(lambda: self.assoc.dimse.msg_queue.qsize() < self.limits.waiting_messages)
        primitive = P_DATA()
        primitive.presentation_data_value_list = [list(fragment) for fragment in fragments]
        self.quiet.clear()
        try:
            self.assoc.dimse.receive_primitive(primitive)
        except Exception as error:
            raise BadMessage(f"A message cannot be read: {type(error).__name__}.") from error
        self.assoc.stir()

    def before_store(self) -> None:
        """Wait for the answer to the request before: its fragments and ours must not mix (PS3.7 6.3.1)."""
        self._wait_until(self.quiet.is_set)

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + OPERATION_WAIT_S
        while not is_so():
            if time.monotonic() > end or self._must_break_off:
                raise BadMessage("More requests came than may be under way at once.")
            time.sleep(0.002)
