"""A small MLLP listener (HL7 v2 transport, minimal lower layer protocol): bounded in everything.

A thread accepts, one thread serves each connection, message by message. What is not
acknowledged is sent again by its sender, so that nothing is kept here.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from archive.errors import ArchiveError
from archive.hl7.messages import UnreadableMessage, acknowledge, read_header, read_message
from archive.hl7.taking import take_message
from archive.scheduling.orders import Source

logger = logging.getLogger(__name__)

BEGIN = b"\x0b"
END = b"\x1c\r"
READ_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class MllpLimits:
    """What a sender may take of us."""

    connections: int = 32
    message_bytes: int = 256 * 1024
    message_s: float = 30.0
    """From a message's first byte to its last."""
    idle_s: float = 600.0
    """Interfaces keep their connection open between orders."""
    send_s: float = 10.0


class TooMuch(Exception):
    """A sender passed a limit, or sent what is no MLLP: its connection is closed."""


def answer_message(data: bytes, address: str) -> bytes:
    """Take one message and return its acknowledgement: AA, AE (cannot be taken as it is) or AR (is none that we take)."""
    header = read_header(data)
    try:
        segments = read_message(data)
        count = take_message(header, segments, source=Source(header.sending_application or "HL7", address=address))
    except UnreadableMessage as error:
        return acknowledge(header, "AR", str(error))
    except (DatabaseError, InterfaceError) as error:
        logger.error("a message could not be kept: %s", type(error).__name__)
        return acknowledge(header, "AE", "The portal cannot keep messages now; send it again.")
    except ArchiveError as error:
        return acknowledge(header, "AE", str(error))
    except Exception:
        logger.exception("a message could not be taken")
        return acknowledge(header, "AE", "The portal could not process the message.")
    logger.info("a message was taken", extra={"type": header.message_type, "count": count, "address": address})
    return acknowledge(header, "AA")


class MllpListener:
    """Listens until it is closed.

    Parameters
    ----------
    host, port
        Where; port 0 takes a free one.
    peers
        Addresses that may connect; empty lets everybody who reaches the port.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        peers: frozenset[str] = frozenset(),
        limits: MllpLimits = MllpLimits(),
        answer: Callable[[bytes, str], bytes] = answer_message,
    ) -> None:
        self._listener = socket.create_server((host, port), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._peers = peers
        self._limits = limits
        self._answer = answer
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._accept, name="mllp", daemon=True)

    def start(self) -> None:
        self._thread.start()
        logger.info("messages are taken over MLLP", extra={"port": self.port})

    def close(self) -> None:
        """Take no further message; one that is being answered is answered."""
        self._closing = True
        self._listener.close()
        with self._lock:
            for connection in self._open:
                _end_reading(connection)
        self._thread.join(5)

    def close_in_child(self) -> None:
        """Close in a forked process what it inherited; the parent goes on."""
        self._listener.close()
        for connection in list(self._open):
            connection.close()

    def _accept(self) -> None:
        # A closed listener does not wake a waiting accept everywhere: look up now and then.
        self._listener.settimeout(0.5)
        while not self._closing:
            try:
                connection, address = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                if not self._closing:
                    time.sleep(0.05)
                continue
            self._let_in(connection, str(address[0]))

    def _let_in(self, connection: socket.socket, address: str) -> None:
        with self._lock:
            may_come = len(self._open) < self._limits.connections and (not self._peers or address in self._peers)
            if may_come:
                self._open.add(connection)
        if not may_come:
            logger.warning("an MLLP connection was refused", extra={"address": address})
            connection.close()
            return
        try:
            threading.Thread(target=self._serve, args=(connection, address), name="mllp-sender", daemon=True).start()
        except RuntimeError:  # The system has no more threads.
            self._forget(connection)

    def _serve(self, connection: socket.socket, address: str) -> None:
        buffer = bytearray()
        try:
            while not self._closing and (message := self._next_message(connection, buffer)) is not None:
                close_old_connections()
                connection.settimeout(self._limits.send_s)
                connection.sendall(BEGIN + self._answer(message, address) + END)
        except TooMuch as error:
            logger.warning("an MLLP connection is closed: %s", error, extra={"address": address})
        except OSError:
            pass  # The sender has gone; what it got no answer to it sends again.
        finally:
            self._forget(connection)
            connections.close_all()

    def _next_message(self, connection: socket.socket, buffer: bytearray) -> bytes | None:
        """The next whole message; None where the sender has closed."""
        deadline = time.monotonic() + (self._limits.message_s if buffer else self._limits.idle_s)
        while True:
            if buffer and buffer[:1] != BEGIN:
                raise TooMuch("What came is no MLLP.")
            end = buffer.find(END)
            if end >= 0:
                message = bytes(buffer[1:end])
                del buffer[: end + len(END)]
                return message
            if len(buffer) > self._limits.message_bytes:
                raise TooMuch(f"A message is longer than {self._limits.message_bytes} bytes.")
            left = deadline - time.monotonic()
            if left <= 0:
                raise TooMuch("Nothing came in time.")
            connection.settimeout(left)
            data = connection.recv(READ_BYTES)
            if not data:
                return None
            if not buffer:
                deadline = time.monotonic() + self._limits.message_s
            buffer += data

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)
        connection.close()


def _end_reading(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        pass  # It has gone already.
