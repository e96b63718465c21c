"""What a broken or hostile peer may do to the receiver: a table of checks, in groups, all bounded and on loopback.

Each check says something wrong, or nothing, on connections of its own, and what may come back. After each group
the receiver must still be the same process, answer another peer's C-ECHO, and hold no more than before.
"""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from tests.archive.dimse.raw import (
    CT_CLASS,
    EXPLICIT,
    IMPLICIT,
    RELEASE,
    USUAL,
    VERIFICATION,
    RawPeer,
    associate_request,
    command_set,
    echo_command,
    element,
    find_command,
    item,
    p_data,
    pdu,
    store_command,
    us,
)

UID: Final = "1.2.826.0.1.3680043.8.498.1"
MANY: Final = 200
ANSWER_S: Final = 2.0
ABORT: Final = pdu(7, bytes(4))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is done to a receiver on a port; raises AssertionError where it answers as it must not."""

    group: str
    name: str
    run: Callable[[int], None]


# --- What is done -----------------------------------------------------------------------------------------------------


def at_once(data: bytes) -> Callable[[int], None]:
    """Say this before any association: closed, aborted or rejected within a second."""

    def run(port: int) -> None:
        with RawPeer(port, ANSWER_S) as peer:
            peer.send(data)
            ended(peer, {3, 7})

    return run


def associated(data: bytes, contexts: list[tuple[int, str, list[str]]] = USUAL) -> Callable[[int], None]:
    """Say this over an association: it ends, and nothing else."""

    def run(port: int) -> None:
        with RawPeer(port, ANSWER_S) as peer:
            peer.associate(contexts=contexts)
            try:
                peer.send(data)
            except ConnectionError:
                return
            ended(peer, {7})

    return run


def left(data: bytes, *, is_associated: bool = True) -> Callable[[int], None]:
    """Say this and go, without a word."""

    def run(port: int) -> None:
        with RawPeer(port, ANSWER_S) as peer:
            if is_associated:
                peer.associate()
            peer.send(data)

    return run


def reset(data: bytes) -> Callable[[int], None]:
    """Say this and break the connection."""

    def run(port: int) -> None:
        with RawPeer(port, ANSWER_S) as peer:
            peer.associate()
            peer.send(data)
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return run


def answered(request: bytes) -> Callable[[int], None]:
    """An odd request that gets some answer, an acceptance, a rejection or an abort, in time."""

    def run(port: int) -> None:
        with RawPeer(port, ANSWER_S) as peer:
            peer.send(request)
            answer = peer.read_pdu()
            assert answer is None or answer[0] in {2, 3, 7}, answer

    return run


def many(data: bytes) -> Callable[[int], None]:
    """200 connections that say this and stay while another peer verifies."""

    def run(port: int) -> None:
        with ExitStack() as stack:
            for _ in range(MANY):
                stack.enter_context(RawPeer(port, ANSWER_S)).send(data)
            verify(port)

    return run


def ended(peer: RawPeer, allowed: set[int]) -> None:
    """The receiver ends it in time; a TimeoutError says that it did not."""
    answer = peer.read_pdu()
    assert answer is None or answer[0] in allowed, f"PDU type {answer[0]} came."


def verify(port: int) -> float:
    """Another peer's C-ECHO over PDUs of our own; the seconds it took."""
    began = time.monotonic()
    with RawPeer(port, ANSWER_S) as peer:
        peer.associate()
        peer.send(p_data(1, 3, echo_command()))
        assert peer.status() == 0
        peer.send(RELEASE)
        assert peer.read_pdu() == (6, bytes(4))
    return time.monotonic() - began


def silent_and_gone(port: int) -> None:
    for _ in range(MANY):
        RawPeer(port, ANSWER_S).socket.close()


def open_associations(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(MANY):
            answer = stack.enter_context(RawPeer(port, ANSWER_S)).associate()
            assert answer is not None
            assert answer[0] == 2
        verify(port)


def aborted_associations(port: int) -> None:
    for _ in range(MANY // 4):
        with RawPeer(port, ANSWER_S) as peer:
            peer.associate()
            peer.send(ABORT)


def flood_of_echoes(port: int) -> None:
    with RawPeer(port, ANSWER_S) as peer:
        peer.associate()
        try:
            peer.send(p_data(1, 3, echo_command()) * 500)
            for _ in range(500):
                answer = peer.read_pdu()
                if answer is None or answer[0] == 7:
                    return
        except ConnectionError:
            return


def flood_that_is_not_read(port: int) -> None:
    """Answers are never taken; what we send ends in a full socket, or in the end of the connection."""
    with RawPeer(port, 0.5) as peer:
        peer.associate()
        try:
            for _ in range(300):
                peer.send(p_data(3, 3, store_command(UID, data_set=0x0101)) * 50)
        except (TimeoutError, ConnectionError):
            return


def dripping(port: int) -> None:
    """Requests that come byte by byte, from many."""
    request = associate_request()
    with ExitStack() as stack:
        peers = [stack.enter_context(RawPeer(port, ANSWER_S)) for _ in range(50)]
        for number in range(12):
            for peer in peers:
                peer.send(request[number : number + 1])
        verify(port)


def data_that_drips(port: int) -> None:
    message = p_data(3, 3, store_command(UID)) + p_data(3, 0, bytes(200))
    with RawPeer(port, ANSWER_S) as peer:
        peer.associate()
        for number in range(len(message) - 5):
            peer.send(message[number : number + 1])
        verify(port)


def mutated(seed: int) -> Callable[[int], None]:
    """Bytes of a request and of a message are changed at random."""

    def run(port: int) -> None:
        chance = random.Random(seed)
        for _ in range(8):
            request = bytearray(associate_request())
            message = bytearray(p_data(3, 3, store_command(UID)) + p_data(3, 2, chance.randbytes(300)))
            victim = chance.choice((request, message))
            for _ in range(chance.randint(1, 8)):
                victim[chance.randrange(len(victim))] = chance.randrange(256)
            with RawPeer(port, 0.1) as peer:
                try:
                    peer.send(bytes(request + message))
                    peer.read_pdu()
                    peer.read_pdu()
                except (TimeoutError, ConnectionError):
                    continue

    return run


def refused_data_set(data: bytes) -> Callable[[int], None]:
    """A data set that cannot be stored is answered with a failure, and the association lives."""

    def run(port: int) -> None:
        with RawPeer(port, 5) as peer:
            peer.associate()
            peer.send(p_data(3, 3, store_command(UID)) + p_data(3, 2, data))
            assert peer.status() >= 0xA700
            peer.send(p_data(1, 3, echo_command()))
            assert peer.status() == 0

    return run


# --- Data -------------------------------------------------------------------------------------------------------------


def user_information(items: bytes) -> bytes:
    """A request whose user information is this."""
    usual = associate_request()
    at = usual.index(b"\x50\x00")
    return pdu(1, usual[6:at] + item(0x50, items))


def nested(depth: int) -> bytes:
    """Sequences within sequences, of undefined length (PS3.5 7.5)."""
    begin = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 2**32 - 1
    )
    return begin * depth


def nested_in_command() -> bytes:
    inner = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" * 100
    return command_set(element(0x0002, CT_CLASS.encode()), element(0x0100, us(1)), element(0x1140, inner))


def head(kind: int, length: int) -> bytes:
    return struct.pack(">BBI", kind, 0, length)


def value(size: int, context: int = 3, control: int = 3, data: bytes = bytes(100)) -> bytes:
    return pdu(4, struct.pack(">IBB", size, context, control) + data)


STORE: Final = p_data(3, 3, store_command(UID))
REQUEST: Final = associate_request()
WITH_DATA: Final = echo_command().replace(element(0x0800, us(0x0101)), element(0x0800, us(1)))

BEFORE: Final = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "zeros": bytes(100),
    "ones": b"\xff" * 5000,
    "data without association": p_data(1, 3, echo_command()),
    "release without association": RELEASE,
    "abort without association": ABORT,
    "acceptance without request": pdu(2, REQUEST[6:]),
    "rejection without request": pdu(3, bytes(4)),
    "request of 4 GiB": head(1, 0xFFFFFFFF) + bytes(1000),
    "request of 10 MiB": head(1, 10 << 20) + bytes(1000),
    "request of nothing": pdu(1, b""),
    "request too short": pdu(1, bytes(10)),
    "protocol version 2": associate_request(version=2),
    "no application context": associate_request(application_context=""),
    "another application context": associate_request(application_context="1.2.3"),
    "calling title of spaces": associate_request(calling=""),
    "calling title with control characters": associate_request(calling="A\x07B"),
}
"""What cannot become an association."""

ODD_REQUESTS: Final = {
    "no presentation context": associate_request(contexts=[]),
    "presentation context twice": associate_request(contexts=[USUAL[0], USUAL[0]]),
    "even context ID": associate_request(contexts=[(2, VERIFICATION, [IMPLICIT])]),
    "context without transfer syntax": associate_request(contexts=[(1, VERIFICATION, [])]),
    "context without a UID": associate_request(contexts=[(1, "", [IMPLICIT])]),
    "UID of 10,000 digits": associate_request(contexts=[(1, "1" * 10_000, [IMPLICIT])]),
    "128 contexts with 40 syntaxes": associate_request(
        contexts=[(n * 2 + 1, CT_CLASS, [EXPLICIT] * 40) for n in range(128)]
    ),
    "128 contexts with one ID": associate_request(contexts=[(1, CT_CLASS, [EXPLICIT])] * 128),
    "largest PDU of 0": associate_request(max_pdu=0),
    "largest PDU of 1": associate_request(max_pdu=1),
    "largest PDU of 4 GiB": associate_request(max_pdu=0xFFFFFFFF),
    "user information of 60,000 bytes": user_information(item(0x51, bytes(4)) + item(0x59, bytes(60_000))),
    "10,000 empty user items": user_information(item(0x51, bytes(4)) + item(0x99, b"") * 10_000),
    "user identity whose length lies": user_information(item(0x51, bytes(4)) + item(0x58, b"\x01\x00\xff\xffabc")),
    "extended negotiation whose length lies": user_information(item(0x51, bytes(4)) + item(0x56, b"\xff\xff1.2")),
    "no user information": pdu(1, REQUEST[6 : REQUEST.index(b"\x50\x00")]),
    "last item longer than the request": pdu(1, REQUEST[6:-3]),
    "request cut inside an item, whole by its length": pdu(1, REQUEST[6:120]),
}
"""Requests that are answered somehow."""

IN_ASSOCIATION: Final = {
    **{
        f"PDU of type {kind:02X} that claims 4 GiB": head(kind, 0xFFFFFFF0) + bytes(1000) for kind in (1, 4, 5, 7, 0x99)
    },
    "second request": REQUEST,
    "acceptance": pdu(2, bytes(200)),
    "rejection": pdu(3, bytes(4)),
    "release response": pdu(6, bytes(4)),
    "release of the wrong length": pdu(5, bytes(400)),
    "value longer than its PDU": value(5000),
    "value of 4 GiB": value(0xFFFFFFFF),
    "value without header": value(1),
    "half a value head": pdu(4, b"\0\0"),
    "unknown context": p_data(99, 3, store_command(UID)),
    "data set first": p_data(3, 2, bytes(100)),
    "contexts mixed": STORE + p_data(1, 2, bytes(100)),
    "command in the data set": STORE + p_data(3, 3, echo_command()),
    "command whose length lies": p_data(3, 3, b"\0\0\0\0\xff\xff\xff\xff"),
    "command of another group": p_data(3, 3, b"\x10\0\x10\0\4\0\0\0ABCD"),
    "half a command element": p_data(3, 3, b"\0\0"),
    "empty command": p_data(3, 3, b""),
    "command without end": p_data(3, 1, bytes(4000)) * 10,
    "command without a field": p_data(3, 3, command_set(element(2, CT_CLASS.encode()))),
    "unknown command field": p_data(1, 3, command_set(element(0x0100, us(0x7777)), element(0x0800, us(0x0101)))),
    "query under storage": p_data(3, 3, find_command(CT_CLASS)),
    "sequences in the command": p_data(3, 3, nested_in_command()),
    "data set of an echo without end": p_data(1, 3, WITH_DATA) + p_data(1, 0, bytes(100_000)) * 90,
}
"""What ends an association."""

LEFT: Final = {
    "half a head": b"\4\0\0",
    "half a PDU": p_data(3, 3, store_command(UID))[:-10],
    "after the command": STORE,
    "inside the data set": STORE + p_data(3, 0, bytes(20_000)),
    "release and gone": RELEASE,
    "abort inside the data set": STORE + p_data(3, 0, bytes(20_000)) + ABORT,
    "abort twice": ABORT + ABORT,
}

DATA_SETS: Final = {
    "HTTP": b"GET / HTTP/1.1\r\n" * 100,
    "nothing": b"",
    "sequences in sequences": nested(5000),
    "element that claims 4 GiB": struct.pack("<HH2sHI", 0x0008, 0x2111, b"UT", 0, 0xFFFFFFF0) + bytes(100),
    "elements in falling order": struct.pack("<HH2sH", 0x0020, 0x000D, b"UI", 4) + b"1.2\0" * 2,
}
"""What a C-STORE carries instead of a data set."""


def checks() -> Iterator[Check]:
    """All of them, group by group."""
    for name, data in BEFORE.items():
        yield Check("before an association", name, at_once(data))
    for name, data in ODD_REQUESTS.items():
        yield Check("odd requests", name, answered(data))
    for name, data in IN_ASSOCIATION.items():
        yield Check("in an association", name, associated(data))
    for name, data in LEFT.items():
        yield Check("gone in the middle", name, left(data))
        yield Check("gone in the middle", f"{name}, broken off", reset(data))
    yield Check("gone in the middle", "half a request", left(REQUEST[:50], is_associated=False))
    for name, data in DATA_SETS.items():
        yield Check("data sets", name, refused_data_set(data))
    for seed in range(1, 6):
        yield Check("mutated bytes", f"seed {seed}", mutated(seed))
    yield Check("many", "200 silent connections", many(b""))
    yield Check("many", "200 half requests", many(REQUEST[:50]))
    yield Check("many", "200 half PDU heads", many(REQUEST[:4]))
    yield Check("many", "200 connections that close at once", silent_and_gone)
    yield Check("many", "200 open associations", open_associations)
    yield Check("many", "50 aborted associations", aborted_associations)
    yield Check("slow and fast", "requests that drip", dripping)
    yield Check("slow and fast", "a message that drips", data_that_drips)
    yield Check("slow and fast", "flood of C-ECHO", flood_of_echoes)
    yield Check("slow and fast", "flood whose answers nobody reads", flood_that_is_not_read)
