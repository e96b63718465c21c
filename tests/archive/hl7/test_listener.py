"""MLLP over real sockets: framing, several messages a connection, limits, senders that mean harm or say nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from archive.hl7.listener import MllpLimits, MllpListener
from archive.models import ScheduledStep
from tests.archive.hl7.test_orders import message

Start = Callable[..., MllpListener]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start listeners that answer with what they were sent, unless a test says otherwise."""
    listeners: list[MllpListener] = []

    def begin(**options: object) -> MllpListener:
        given: dict[str, object] = {"answer": lambda data, _address: b"got " + data}
        listener = MllpListener("127.0.0.1", 0, **given | options)  # type: ignore[arg-type]
        listener.start()
        listeners.append(listener)
        return listener

    yield begin
    for listener in listeners:
        listener.close()


def connect(listener: MllpListener) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", listener.port), timeout=10)
    connection.settimeout(10)
    return connection


def read(connection: socket.socket, until: bytes = b"\x1c\r") -> bytes:
    """What comes until the end of a message, or of the connection."""
    found = b""
    while until not in found:
        try:
            data = connection.recv(4096)
        except ConnectionResetError:
            break
        if not data:
            break
        found += data
    return found


def test_messages_of_one_connection_are_answered_in_their_order(start: Start) -> None:
    with connect(start()) as connection:
        connection.sendall(b"\x0bone\x1c\r\x0btw")
        assert read(connection) == b"\x0bgot one\x1c\r"
        connection.sendall(b"o\x1c")
        connection.sendall(b"\r")
        assert read(connection) == b"\x0bgot two\x1c\r"


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"\r\n\x0bone\x1c\r"])
def test_what_is_no_mllp_is_hung_up_on(start: Start, noise: bytes) -> None:
    with connect(start()) as connection:
        connection.sendall(noise)
        assert read(connection) == b""


def test_a_message_that_does_not_end_is_hung_up_on(start: Start) -> None:
    listener = start(limits=MllpLimits(message_bytes=1000, message_s=0.3))
    with connect(listener) as connection:
        connection.sendall(b"\x0b" + b"x" * 20_000)
        assert read(connection) == b""
    with connect(listener) as connection:
        connection.sendall(b"\x0bslow")
        assert read(connection) == b""


def test_a_silent_sender_and_one_too_many_are_hung_up_on_and_others_are_served(start: Start) -> None:
    listener = start(limits=MllpLimits(connections=2, idle_s=0.5))
    with connect(listener) as one, connect(listener) as other, connect(listener) as third:
        assert read(third) == b""
        assert read(one) == b"" and read(other) == b""
    with connect(listener) as connection:
        connection.sendall(b"\x0bone\x1c\r")
        assert read(connection) == b"\x0bgot one\x1c\r"


def test_only_named_senders_may_connect(start: Start) -> None:
    with connect(start(peers=frozenset({"10.0.0.5"}))) as connection:
        assert read(connection) == b""


@pytest.mark.django_db(transaction=True)
def test_an_order_sent_over_mllp_is_on_the_worklist() -> None:
    listener = MllpListener("127.0.0.1", 0)
    listener.start()
    with connect(listener) as connection:
        connection.sendall(b"\x0b" + message() + b"\x1c\r")
        assert b"MSA|AA|MSG42" in read(connection)
    listener.close()
    assert ScheduledStep.objects.get().accession_number == "ACC1"
