"""The gate before the DICOM network: accepts connections and reads the A-ASSOCIATE-RQ, within limits.

One thread holds every connection that has not yet said who it is. A silent one
costs a descriptor and a few bytes, never a thread; whoever has waited longest
makes room for whoever comes; what is no DICOM is closed with its first bytes.
Only a whole request is handed on.
"""

from __future__ import annotations

import errno
import logging
import os
import selectors
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archive.dimse.associate import FIXED_BYTES, HEAD_BYTES
from archive.dimse.connection import Wake, tune
from archive.dimse.limits import Limits
from archive.dimse.messages import (
    INVALID_PARAMETER,
    UNEXPECTED_PDU,
    UNRECOGNIZED_PDU,
    Abort,
    Rejection,
    pack_abort,
    pack_rejection,
)
from archive.dimse.peers import plain_address
from archive.dimse.tls import words_of

logger = logging.getLogger(__name__)

A_ASSOCIATE_RQ = 0x01
LAST_PDU_TYPE = 0x07
BACKLOG = 1024
"""Connections that the kernel holds until we accept them; its own limit (somaxconn) counts too."""
READ_BYTES = 64 * 1024
READ_AHEAD_BYTES = 256 * 1024
"""What a peer may have sent after its request before it was answered; the association's buffer holds more."""
ACCEPT_AT_ONCE = 64
PAUSE_WITHOUT_DESCRIPTORS_S = 0.05
PAUSE_AFTER_ERROR_S = 0.05


class PortTaken(Exception):
    """The receiver cannot listen where it was told to; the message is the one sentence for the operator."""


@dataclass(slots=True, eq=False)
class Caller:
    """A connection that has not yet asked for an association, or that is being sent away."""

    connection: socket.socket
    address: str
    deadline: float
    received: bytearray = field(default_factory=bytearray)
    shakes_hands: bool = False
    """TLS has not been agreed on yet."""
    leaving: bool = False
    """Told no; only waits until the peer closes, so that it reads why."""


HandOver = Callable[[socket.socket, str, bytes, bytes], Rejection | None]
"""Takes connection, address, request and the bytes after it; returns a rejection, or None and owns the connection."""


NoHandshake = Callable[[str, str], None]
"""Told of the address of a caller that TLS was not agreed on with, and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Door:
    """A port that is listened on; with a context what is spoken there is TLS."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None


def _not_noted(_address: str, _reason: str) -> None:
    """For gates that no site stands behind."""


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Bind and listen, alone on the port unless ``shared``.

    Raises
    ------
    PortTaken
        Another program listens there, or the address is not this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise PortTaken(f"The DICOM receiver cannot listen on {host}: the name has no address.") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # On Linux this only lets us return to a port whose old connections linger; a second listener is still refused.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(_why_not(error, host, port)) from error
    listener.setblocking(False)
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"The DICOM receiver cannot start: port {port} on {host} is taken by another program."
    if error.errno == errno.EACCES:
        return f"The DICOM receiver cannot start: this user may not listen on port {port}; choose one above 1023."
    return f"The DICOM receiver cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}."


class Gate:
    """Accepts connections in a thread of its own, until it is closed."""

    def __init__(
        self, doors: Sequence[Door], *, hand_over: HandOver, limits: Limits, no_handshake: NoHandshake = _not_noted
    ) -> None:
        self._doors = tuple(doors)
        self._hand_over = hand_over
        self._no_handshake = no_handshake
        self._limits = limits
        self._selector = selectors.DefaultSelector()
        self._callers: OrderedDict[socket.socket, Caller] = OrderedDict()
        """Oldest first."""
        self._by_address: dict[str, int] = {}
        self._wake = Wake()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="dicom-gate", daemon=True)
        for door in self._doors:
            self._selector.register(door.listener, selectors.EVENT_READ, door)
        self._selector.register(self._wake.descriptor, selectors.EVENT_READ)

    @property
    def waiting(self) -> int:
        """How many connections have not asked for an association yet."""
        return len(self._callers)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop accepting; connections without an association are closed."""
        self._closing = True
        self._wake.set()
        self._thread.join(5)

    def close_in_child(self) -> None:
        """Close what a forked process inherited; the parent goes on."""
        self._close_doors()
        for connection in list(self._callers):
            connection.close()
        self._selector.close()
        self._wake.close_in_child()

    def _run(self) -> None:
        while not self._closing:
            try:
                self._turn()
            except Exception:  # Whatever one caller did to it, the gate stays open for the others.
                logger.exception("the DICOM receiver's gate stumbled")
                time.sleep(PAUSE_AFTER_ERROR_S)
        self._close_doors()
        for caller in list(self._callers.values()):
            self._close(caller)
        self._selector.close()
        self._wake.close()

    def _close_doors(self) -> None:
        for door in self._doors:
            door.listener.close()

    def _turn(self) -> None:
        for key, _events in self._selector.select(self._until_next_deadline_s()):
            if isinstance(key.data, Door):
                self._accept(key.data)
            elif key.data is not None:
                self._read(key.data)
        self._cut_late_ones()

    # Coming

    def _accept(self, door: Door) -> None:
        for _ in range(ACCEPT_AT_ONCE):
            try:
                connection, address = door.listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self._accept_failed(error)
                return
            self._let_in(connection, plain_address(str(address[0])), door.tls)

    def _accept_failed(self, error: OSError) -> None:
        if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
            logger.warning("connections wait: %s", os.strerror(error.errno))
            if self._callers:
                self._close(next(iter(self._callers.values())))
            time.sleep(PAUSE_WITHOUT_DESCRIPTORS_S)

    def _let_in(self, connection: socket.socket, address: str, tls: ssl.SSLContext | None) -> None:
        try:
            connection.setblocking(False)
            tune(connection)
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        except OSError:
            connection.close()
            return
        if self._by_address.get(address, 0) >= self._limits.max_connections_by_address:
            self._close(next(caller for caller in self._callers.values() if caller.address == address))
        elif len(self._callers) >= self._limits.max_connections:
            self._close(next(iter(self._callers.values())))
        caller = Caller(connection, address, time.monotonic() + self._limits.associate_deadline_s)
        caller.shakes_hands = tls is not None
        self._callers[connection] = caller
        self._by_address[address] = self._by_address.get(address, 0) + 1
        self._selector.register(connection, selectors.EVENT_READ, caller)
        # Most peers speak at once: their request is often there already.
        self._read(caller)

    # Listening

    def _read(self, caller: Caller) -> None:
        if caller.connection not in self._callers:
            return
        if caller.shakes_hands and not self._shake_hands(caller):
            return
        try:
            data = caller.connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._close(caller)
            return
        if not data:
            self._close(caller)
        elif not caller.leaving:
            caller.received += data
            self._consider(caller)

    def _shake_hands(self, caller: Caller) -> bool:
        """Go on with the handshake; true where it is done."""
        connection = caller.connection
        if not isinstance(connection, ssl.SSLSocket):
            return True
        try:
            connection.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            # What we say in a handshake fits into any socket's buffer.
            return False
        except OSError as error:
            if not isinstance(error, ssl.SSLEOFError | ConnectionError):
                self._no_handshake(caller.address, f"no TLS: {words_of(error)}")
            caller.shakes_hands = False
            self._forget(caller)
            self._send_away(caller, b"")
            return False
        caller.shakes_hands = False
        return True

    def _consider(self, caller: Caller) -> None:
        """Look at what has come: nothing to do yet, a whole request, or no request at all."""
        received = caller.received
        if received[0] != A_ASSOCIATE_RQ:
            known = 0 < received[0] <= LAST_PDU_TYPE
            self._abort(caller, UNEXPECTED_PDU if known else UNRECOGNIZED_PDU)
            return
        if len(received) < HEAD_BYTES:
            return
        end = HEAD_BYTES + int.from_bytes(received[2:6], "big")
        if not FIXED_BYTES <= end <= self._limits.associate_ceiling_bytes:
            self._abort(caller, INVALID_PARAMETER)
        elif len(received) - end > READ_AHEAD_BYTES:
            self._abort(caller, UNEXPECTED_PDU)
        elif len(received) >= end:
            self._hand_on(caller, bytes(received[:end]), bytes(received[end:]))

    def _hand_on(self, caller: Caller, request: bytes, after: bytes) -> None:
        self._forget(caller)
        try:
            rejection = self._hand_over(caller.connection, caller.address, request, after)
        except OSError as error:
            # The peer has gone already, or the system has no more descriptors.
            logger.info("an association could not be begun: %s", error.strerror)
            caller.connection.close()
            return
        except Exception:
            logger.exception("an association could not be begun")
            caller.connection.close()
            return
        if rejection is not None:
            self._send_away(caller, pack_rejection(rejection))

    # Going

    def _abort(self, caller: Caller, abort: Abort) -> None:
        self._forget(caller)
        self._send_away(caller, pack_abort(abort))

    def _send_away(self, caller: Caller, last_words: bytes) -> None:
        """Say why and half-close; the peer has a moment to read it and to close."""
        try:
            caller.connection.setblocking(False)
            if last_words:
                caller.connection.send(last_words)
            caller.connection.shutdown(socket.SHUT_WR)
            self._selector.register(caller.connection, selectors.EVENT_READ, caller)
        except OSError:
            caller.connection.close()
            return
        caller.leaving = True
        caller.received = bytearray()
        caller.deadline = time.monotonic() + min(1.0, self._limits.linger_s)
        self._callers[caller.connection] = caller
        self._by_address[caller.address] = self._by_address.get(caller.address, 0) + 1

    def _cut_late_ones(self) -> None:
        now = time.monotonic()
        for caller in [caller for caller in self._callers.values() if caller.deadline <= now]:
            self._close(caller)

    def _until_next_deadline_s(self) -> float:
        if not self._callers:
            return 60.0
        return max(0.01, min(caller.deadline for caller in self._callers.values()) - time.monotonic())

    def _forget(self, caller: Caller) -> None:
        self._selector.unregister(caller.connection)
        del self._callers[caller.connection]
        left = self._by_address[caller.address] - 1
        if left:
            self._by_address[caller.address] = left
        else:
            del self._by_address[caller.address]

    def _close(self, caller: Caller) -> None:
        self._forget(caller)
        caller.connection.close()
