"""Put the fragments of DIMSE messages together as they come (PS3.7 6.3.1, PS3.8 annex E).

The data set of a C-STORE goes to the archive's file fragment by fragment; other
messages are short, are held in memory within limits, and are pynetdicom's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from archive.dimse.handlers import IncomingStore, Sender
from archive.dimse.limits import Limits
from archive.dimse.messages import (
    C_STORE_RQ,
    COMMAND_DATA_SET_ABSENT,
    BadMessage,
    StoreRequest,
    pack_command,
    pack_store_response,
    read_command_set,
    us,
)
from archive.dimse.statuses import SUCCESS

SERVICES: Final = {
    0x0001: "C-STORE",
    0x0010: "C-GET",
    0x0020: "C-FIND",
    0x0021: "C-MOVE",
    0x0030: "C-ECHO",
    0x0100: "N-EVENT-REPORT",
    0x0120: "N-SET",
    0x0130: "N-ACTION",
    0x0140: "N-CREATE",
}
"""Command fields of requests (PS3.7 E.1)."""


class AcceptedContext(NamedTuple):
    """One negotiated presentation context."""

    abstract_syntax: str
    transfer_syntax: str


Fragment = tuple[int, bytes]
"""Presentation context ID, and a fragment with its message control header, as pynetdicom has them."""


class Reception:
    """The messages of one association, one after the other.

    Parameters
    ----------
    contexts
        Accepted presentation contexts by ID.
    sender
        Who sends.
    reply
        Sends whole PDUs to the peer.
    pass_on
        Takes a whole message other than C-STORE as pynetdicom's fragments.
    before_store
        Called before a C-STORE begins; raises BadMessage where another operation is still under way.
    peer_max_pdu_bytes
        What the peer takes in one PDU; 0 is no limit.
    """

    def __init__(
        self,
        *,
        contexts: dict[int, AcceptedContext],
        sender: Sender,
        limits: Limits,
        reply: Callable[[bytes], None],
        pass_on: Callable[[list[Fragment]], None],
        before_store: Callable[[], None] = lambda: None,
        peer_max_pdu_bytes: int = 0,
    ) -> None:
        self._contexts = contexts
        self._sender = sender
        self._limits = limits
        self._reply = reply
        self._pass_on = pass_on
        self._before_store = before_store
        self._peer_max_pdu_bytes = peer_max_pdu_bytes
        self._context_id = 0
        self._reads_command = True
        self._has_data_set = False
        self._command = bytearray()
        self._data = bytearray()
        self._store: IncomingStore | None = None
        self._began_at = 0.0
        self._size = 0
        self.in_message = False
        self.stored = 0
        self.refused = 0
        self.why_refused = ""
        self.bytes = 0
        self.service = ""
        """Name of the last request, for people."""

    @property
    def bytes_so_far(self) -> int:
        """Of data sets, also of the one that is being received."""
        store = self._store
        return self.bytes + (store.size if store is not None else 0)

    def begin_fragment(self, context_id: int, control: int) -> None:
        """Check the head of a presentation data value.

        Raises
        ------
        BadMessage
            It belongs to no context, or to another message than the one that is under way.
        """
        if not self.in_message:
            if context_id not in self._contexts:
                raise BadMessage("A message came under a presentation context that was not accepted.")
            self.in_message = True
            self._context_id = context_id
            self._began_at = time.monotonic()
            self._size = 0
        elif context_id != self._context_id:
            raise BadMessage("Fragments of two messages are mixed.")
        if bool(control & 1) != self._reads_command:
            raise BadMessage("A command fragment came where the data set was due, or the other way round.")

    def feed(self, data: memoryview) -> None:
        """Take bytes of the fragment that was begun.

        Raises
        ------
        BadMessage
            A limit is passed.
        """
        self._size += len(data)
        self._keep_pace()
        if self._store is not None:
            self._store.write(data)
        elif self._reads_command:
            self._command += data
            if len(self._command) > self._limits.command_set_bytes:
                raise BadMessage("The command set is longer than any that PS3.7 has.")
        else:
            self._data += data
            if len(self._data) > self._limits.identifier_bytes:
                raise BadMessage("The data set of a request is longer than the receiver takes.")

    def wants_now(self, control: int) -> bool:
        """Say whether a fragment must be fed before the next one is read: the last ones, and those of command sets."""
        return bool(control & 2) or self._reads_command

    def end_fragment(self, control: int) -> None:
        """Act on the last fragment of a command set or data set."""
        if not control & 2:
            return
        if self._reads_command:
            self._command_is_whole()
        else:
            self._message_is_whole()

    def abort(self) -> None:
        """Forget the message that is under way."""
        if self._store is not None:
            self._store.abort()
        self._reset()

    def close_in_child(self) -> None:
        """Close what a forked process inherited."""
        if self._store is not None:
            self._store.close_in_child()

    def _keep_pace(self) -> None:
        allowed = self._limits.message_slack_s + self._size / self._limits.slowest_bytes_s
        if time.monotonic() - self._began_at > allowed:
            raise BadMessage("The message comes too slowly.")

    def _command_is_whole(self) -> None:
        elements = read_command_set(self._command)
        self.service = SERVICES.get(us(elements, 0x0100), self.service)
        if us(elements, 0x0100) == C_STORE_RQ:
            self._before_store()
            request = StoreRequest.of(elements)
            self._store = IncomingStore(request, **self._contexts[self._context_id]._asdict(), sender=self._sender)
            has_data_set = request.has_data_set
        else:
            has_data_set = us(elements, 0x0800) != COMMAND_DATA_SET_ABSENT
        self._reads_command = False
        self._has_data_set = has_data_set
        if not has_data_set:
            self._message_is_whole()

    def _message_is_whole(self) -> None:
        store = self._store
        if store is not None:
            self._finish_store(store)
        else:
            fragments = [(self._context_id, b"\x03" + bytes(self._command))]
            if self._has_data_set:
                fragments.append((self._context_id, b"\x02" + bytes(self._data)))
            self._reset()
            self._pass_on(fragments)

    def _finish_store(self, store: IncomingStore) -> None:
        answer = store.finish()
        self.bytes += store.size
        if answer.status == SUCCESS:
            self.stored += 1
        else:
            self.refused += 1
            self.why_refused = answer.comment or f"status {answer.status:04X}"
        command = pack_store_response(store.request, status=answer.status, comment=answer.comment)
        context_id = self._context_id
        self._reset()
        self._reply(pack_command(context_id, command, self._peer_max_pdu_bytes))

    def _reset(self) -> None:
        self.in_message = False
        self._reads_command = True
        self._command = bytearray()
        self._data = bytearray()
        self._store = None
