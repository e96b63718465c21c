"""A peer's socket with a buffer of ours: few system calls, no copies, and a deadline on every wait.

pynetdicom's own reads 4,096 bytes at a time without any deadline and believes
whatever length a PDU claims.
"""

from __future__ import annotations

import mmap
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pynetdicom.transport import AssociationSocket

from archive.dimse.tls import TlsSocket

if TYPE_CHECKING:
    from pynetdicom.association import Association

    from archive.dimse.limits import Limits

BUFFER_BYTES = 1024 * 1024
"""Several PDUs of the length we announce: the busier we are, the more comes with one system call.

Anonymous memory, so pages that are not used cost nothing.
"""
WAKE_EVERY_S = 5
"""A blocking receive returns after this long at most, to look at its deadline."""

Socket = socket.socket
"""Under a name that the class below does not hide."""

_TIMEVAL = struct.Struct("@ll")


class ConnectionClosed(Exception):
    """The peer closed the connection, or it broke."""


class Stalled(Exception):
    """The peer began something and did not go on with it in time."""


class Wake:
    """Wakes a thread that waits in ``poll``; safe to use after it was closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.descriptor = -1
        self.descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def set(self) -> None:
        # The lock: a descriptor that was closed may by now be somebody's image.
        with self._lock:
            if self.descriptor >= 0:
                os.eventfd_write(self.descriptor, 1)

    def clear(self) -> None:
        try:
            os.eventfd_read(self.descriptor)
        except BlockingIOError:
            pass

    def close(self) -> None:
        with self._lock:
            self.close_in_child()

    def close_in_child(self) -> None:
        """Close without the lock, which a thread that was not forked along may hold."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __del__(self) -> None:
        # For an association that could not be begun.
        self.close_in_child()


def tune(connection: socket.socket) -> None:
    """Set up an accepted socket: answers at once, and dead peers are noticed."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4)):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _drop(_data: memoryview) -> None:
    """What a connection's bytes go to before there is an association."""


class Connection(AssociationSocket):
    """The socket of one accepted association.

    Reading belongs to the upper layer's thread alone.

    Parameters
    ----------
    received
        Bytes that came right after the A-ASSOCIATE-RQ; fewer than the buffer holds.
    """

    def __init__(self, assoc: Association, client_socket: Socket, *, limits: Limits, received: bytes = b"") -> None:
        super().__init__(assoc, client_socket=client_socket)
        self._limits = limits
        self._buffer = memoryview(mmap.mmap(-1, BUFFER_BYTES))
        self._buffer[: len(received)] = received
        self._start, self._end = 0, len(received)
        self._held_start = self._held_end = 0
        self.sink: Callable[[memoryview], None] = _drop
        """Takes the bytes that were held."""
        self._set_timeouts(client_socket)
        self._poll = select.poll()
        self._poll.register(client_socket, select.POLLIN)

    def _set_timeouts(self, connection: Socket) -> None:
        if isinstance(connection, TlsSocket):
            connection.settimeout(WAKE_EVERY_S)
            connection.send_timeout_s = self._limits.send_deadline_s
            return
        connection.setblocking(True)
        # The kernel's own timeouts: with Python's every receive would be a poll and a receive.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEVAL.pack(WAKE_EVERY_S, 0))
        seconds = int(self._limits.send_deadline_s)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL.pack(seconds, 0))

    @property
    def tls_version(self) -> str:
        """``TLSv1.2`` or ``TLSv1.3``; empty for a plain connection."""
        connection = self.socket
        return (connection.version() or "") if isinstance(connection, TlsSocket) else ""

    @property
    def has_bytes(self) -> bool:
        """Say whether received bytes wait in the buffer."""
        return self._end > self._start

    def wait(self, wake: Wake) -> bool:
        """Wait for bytes or for ``wake``; true where there are bytes (or the end of them)."""
        if self._arrived():
            return True
        self._poll.register(wake.descriptor, select.POLLIN)
        events = dict(self._poll.poll())
        if wake.descriptor in events:
            wake.clear()
        connection = self._open_socket()
        if isinstance(connection, TlsSocket):
            return self._arrived()
        return connection.fileno() in events

    def _arrived(self) -> bool:
        """Whether a TLS connection has a whole record for us, or its end: what came may be for TLS itself."""
        connection = self._open_socket()
        if not isinstance(connection, TlsSocket):
            return False
        self.flush()
        self._start = self._end = 0
        connection.settimeout(0)
        try:
            self._end = connection.recv_into(self._buffer)
        except BlockingIOError:
            return False
        except OSError:
            return True  # The next receive says so too.
        finally:
            connection.settimeout(WAKE_EVERY_S)
        return True

    def take(self, count: int, deadline: float) -> bytes:
        """Return exactly ``count`` bytes, at most the buffer's size.

        Raises
        ------
        ConnectionClosed, Stalled
        """
        while self._end - self._start < count:
            self._fill(deadline)
        start = self._start
        self._start += count
        return bytes(self._buffer[start : start + count])

    def hold(self, count: int, deadline: float) -> None:
        """Hold the next ``count`` bytes for the sink, next to those that are held already.

        One write and one digest of many fragments costs less than many of each: at every
        system call threads compete for the interpreter. The sink gets them when the
        buffer must be filled, or with ``flush``.

        Raises
        ------
        ConnectionClosed, Stalled
            And whatever the sink raises.
        """
        while count:
            if self._end == self._start:
                self._fill(deadline)
            start = self._start
            self._start = min(self._end, start + count)
            size = self._start - start
            count -= size
            if self._held_end == self._held_start:
                self._held_start, self._held_end = start, start + size
            else:
                if start != self._held_end:
                    # Over the heads between two fragments; the two views may overlap, which memoryview allows.
                    self._buffer[self._held_end : self._held_end + size] = self._buffer[start : self._start]
                self._held_end += size

    def flush(self) -> None:
        """Give what is held to the sink."""
        if self._held_end > self._held_start:
            held = self._buffer[self._held_start : self._held_end]
            self._held_start = self._held_end = 0
            self.sink(held)

    def forget(self) -> None:
        """Drop what is held."""
        self._held_start = self._held_end = 0

    def _fill(self, deadline: float) -> None:
        """Receive what there is, at least a byte."""
        self.flush()
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == BUFFER_BYTES:
            rest = bytes(self._buffer[self._start : self._end])
            self._buffer[: len(rest)] = rest
            self._start, self._end = 0, len(rest)
        while True:
            if time.monotonic() > deadline:
                raise Stalled("The peer did not go on in time.")
            room = self._buffer[self._end :]
            try:
                count = self._open_socket().recv_into(room)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ConnectionClosed("The connection broke.") from error
            break
        if count == 0:
            raise ConnectionClosed("The peer closed the connection.")
        self._end += count
        if count < len(room):
            self._acknowledge()

    def _acknowledge(self) -> None:
        """Acknowledge at once: a sender with Nagle's algorithm on waits 40 ms an image for it (dcmtk, modalities)."""
        try:
            self._open_socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError as error:
            raise ConnectionClosed("The connection broke.") from error

    def _open_socket(self) -> Socket:
        if self.socket is None:
            raise ConnectionClosed("The connection is closed.")
        return self.socket

    def send_now(self, data: bytes) -> None:
        """Send all of it.

        Raises
        ------
        ConnectionClosed
            The connection broke, or the peer does not read.
        """
        try:
            self._open_socket().sendall(data)
        except OSError as error:
            raise ConnectionClosed("The peer does not take our answer.") from error

    def send(self, bytestream: bytes) -> None:
        """Send a PDU of pynetdicom's; its state machine hears of a broken connection (Evt17)."""
        try:
            self.send_now(bytestream)
        except ConnectionClosed:
            self.event_queue.put("Evt17")

    def interrupt(self) -> None:
        """Make a wait for bytes end, from another thread."""
        connection = self.socket
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                pass  # It is closed already.

    def linger(self) -> None:
        """After our last PDU: let the peer close first, so that it reads what we sent (PS3.8 Sta13)."""
        deadline = time.monotonic() + self._limits.linger_s
        left = 64 * BUFFER_BYTES
        try:
            connection = self._open_socket()
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(self._limits.linger_s)
            while left > 0 and time.monotonic() < deadline:
                count = connection.recv_into(self._buffer)
                if count == 0:
                    return
                left -= count
        except (OSError, ConnectionClosed):
            return

    def close_in_child(self) -> None:
        """Close the descriptor in a forked process without ending the parent's connection."""
        if self.socket is not None:
            self.socket.close()
