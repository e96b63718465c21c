"""C-STORE requests over an association that stands: the data set goes from an open file to the network in pieces.

pynetdicom negotiates and reads the responses; what is sent is packed here, as it has no way to send a file
without either holding all of it in memory or waiting a millisecond a PDU.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from archive.dicom.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from archive.dimse.connection import ConnectionClosed
from archive.dimse.messages import data_room, pack_command, pack_data, pack_store_request

if TYPE_CHECKING:
    from pynetdicom.association import Association

    from archive.dimse.association import ReceiverAssociation

AT_ONCE_BYTES: Final = 1024 * 1024
"""Of a data set that are read and sent with one call."""
SEND_DEADLINE_S: Final = 60
HOLD_S: Final = 5.0
"""The loop comes round every millisecond; on a busy machine it is not let run for a while."""
_TIMEVAL = struct.Struct("@ll")


class ChannelLost(Exception):
    """The association broke, was aborted, or its peer did not answer in time."""


@dataclass(frozen=True, slots=True)
class AcceptedSyntax:
    """A presentation context as a way to send."""

    context_id: int
    transfer_syntax_uid: str


@dataclass(slots=True)
class StoreChannel:
    """An association on which we are the SCU of storage.

    Parameters
    ----------
    accepted
        Contexts by SOP class, in the order of the negotiation.
    write
        Sends whole PDUs; raises OSError or ConnectionClosed.
    """

    assoc: Any
    accepted: dict[str, list[AcceptedSyntax]]
    write: Callable[[bytes], None]
    max_pdu_bytes: int
    message_id: int = 0

    def choose(self, sop_class_uid: str, stored_syntax_uid: str) -> AcceptedSyntax | None:
        """The context to send an object under: as it is stored, else without compression; None where neither is."""
        ways = {way.transfer_syntax_uid: way for way in reversed(self.accepted.get(sop_class_uid, []))}
        for uid in (stored_syntax_uid, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN):
            if uid in ways:
                return ways[uid]
        return None

    def store(
        self,
        file: BinaryIO,
        way: AcceptedSyntax,
        *,
        sop_class_uid: str,
        sop_instance_uid: str,
        originator: tuple[str, int] | None = None,
    ) -> int:
        """Send what is left of a file as a data set and return the response's status.

        Raises
        ------
        ChannelLost
        """
        self.message_id = self.message_id % 0xFFFF + 1
        command = pack_store_request(
            message_id=self.message_id,
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            originator=originator,
        )
        try:
            self._send(command, file, way.context_id)
            return self._status()
        except (OSError, ConnectionClosed) as error:
            raise ChannelLost("The association broke.") from error

    def _send(self, command: bytes, file: BinaryIO, context_id: int) -> None:
        self.write(pack_command(context_id, command, self.max_pdu_bytes))
        room = data_room(self.max_pdu_bytes)
        at_once = max(1, AT_ONCE_BYTES // room) * room
        block = file.read(at_once)
        while True:
            following = file.read(at_once)
            self.write(pack_data(context_id, block, is_last=not following, max_pdu_bytes=self.max_pdu_bytes))
            if not following:
                return
            block = following

    def _status(self) -> int:
        while True:
            _, response = self.assoc.dimse.get_msg(block=True)
            if response is None:
                raise ChannelLost("The peer did not answer the C-STORE.")
            if response.MessageIDBeingRespondedTo == self.message_id and response.Status is not None:
                return int(response.Status)

    def hold(self) -> None:
        """Keep pynetdicom's own loop from taking our responses, until ``let_go``.

        Its flag may still say that it pauses from the time before; so it is taken back, and the loop, which comes
        round every millisecond, sets it anew, or has been standing at the checkpoint all along.
        """
        self.assoc._reactor_checkpoint.clear()
        self.assoc._is_paused = False
        deadline = time.monotonic() + HOLD_S
        while not self.assoc._is_paused and self.assoc.is_alive() and time.monotonic() < deadline:
            time.sleep(0.0005)

    def let_go(self) -> None:
        """Let pynetdicom's loop see to releases, aborts and silence again."""
        self.assoc._reactor_checkpoint.set()

    def drop(self) -> None:
        """Give the association up."""
        self.let_go()
        if self.assoc.is_established:
            self.assoc.abort()


def channel_to(assoc: Association) -> StoreChannel:
    """The channel of an association that we opened."""
    connection = cast(socket.socket, cast(Any, assoc.dul.socket).socket)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL.pack(SEND_DEADLINE_S, 0))
    return StoreChannel(assoc, _by_class(assoc), connection.sendall, assoc.acceptor.maximum_length or 0)


def channel_back(assoc: ReceiverAssociation) -> StoreChannel:
    """The channel of an association that a peer opened to retrieve with C-GET, as far as it takes that role."""
    return StoreChannel(assoc, _by_class(assoc), assoc.dul.reply, assoc.requestor.maximum_length or 0)


def _by_class(assoc: Association) -> dict[str, list[AcceptedSyntax]]:
    found: dict[str, list[AcceptedSyntax]] = {}
    for context in assoc.accepted_contexts:
        if context.as_scu:
            way = AcceptedSyntax(cast(int, context.context_id), str(context.transfer_syntax[0]))
            found.setdefault(str(context.abstract_syntax), []).append(way)
    return found
