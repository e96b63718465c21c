"""What a hostile or broken network does to the receiver: nothing that others notice."""

from __future__ import annotations

import random
import socket
import struct
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pydicom
import pytest

from archive.dimse.server import DicomServer
from tests.archive.dimse.conftest import StartReceiver, data_set_of, echoscu, incoming
from tests.archive.dimse.raw import (
    CT_CLASS,
    EXPLICIT,
    RELEASE,
    RawPeer,
    associate_request,
    echo_command,
    p_data,
    pdu,
    store_command,
)

UID = "1.2.826.0.1.3680043.8.498.1"
ANSWER_S = 2.0
"""Within this time another peer's C-ECHO is answered, whatever goes on."""


def answered_in_time(receiver: DicomServer) -> bool:
    began = time.monotonic()
    return echoscu(receiver.port).returncode == 0 and time.monotonic() - began < ANSWER_S


def test_200_silent_connections_keep_nobody_out(receiver: DicomServer) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(RawPeer(receiver.port))
        assert answered_in_time(receiver)


def test_200_half_requests_keep_nobody_out(receiver: DicomServer) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(RawPeer(receiver.port)).send(associate_request()[:50])
        assert answered_in_time(receiver)


def test_200_connections_that_close_at_once_keep_nobody_out(receiver: DicomServer) -> None:
    for _ in range(200):
        RawPeer(receiver.port).socket.close()

    assert answered_in_time(receiver)


def test_200_open_associations_keep_nobody_out(receiver: DicomServer) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            answer = stack.enter_context(RawPeer(receiver.port)).associate()
            assert answer is not None
            assert answer[0] == 2
        assert answered_in_time(receiver)


def test_whoever_waits_longest_makes_room(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(limits={"max_connections_by_address": 3})
    with ExitStack() as stack:
        silent = [stack.enter_context(RawPeer(receiver.port)) for _ in range(3)]
        assert echoscu(receiver.port).returncode == 0
        assert silent[0].read_pdu() is None
        silent[2].socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            silent[2].read_pdu()


def test_silent_and_trickling_connections_are_cut_at_the_deadline(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(limits={"associate_deadline_s": 1.0})
    with RawPeer(receiver.port) as silent, RawPeer(receiver.port) as trickling:
        request = associate_request()
        for number in range(40):
            try:
                trickling.send(request[number : number + 1])
            except OSError:
                break
            time.sleep(0.1)
        else:
            pytest.fail("A trickling connection lived for 4 s.")
        assert silent.read_pdu() is None


def test_the_usual_deadlines_are_those_of_the_contract(receiver: DicomServer) -> None:
    limits = receiver._limits

    assert limits.associate_deadline_s < 40
    assert limits.pdu_deadline_s + 5 < 40  # A blocking receive looks at the clock every 5 s.
    assert limits.idle_s + limits.linger_s < 75


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        bytes(100),
        random.Random(1).randbytes(5000).replace(b"\x01", b"\x02"),
        p_data(1, 3, echo_command()),
        RELEASE,
        pdu(1, bytes(10)),
    ],
    ids=["http", "tls", "ssh", "zeros", "noise", "data first", "release first", "too short"],
)
def test_what_is_no_request_is_closed_at_once(receiver: DicomServer, noise: bytes) -> None:
    with RawPeer(receiver.port) as peer:
        peer.send(noise)
        began = time.monotonic()
        answer = peer.read_pdu()
        assert time.monotonic() - began < 1

    assert answer is None or answer[0] == 7


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0x7FFFFFFF, 10 * 2**20])
def test_a_request_that_claims_to_be_huge_is_cut_before_it_is_read(receiver: DicomServer, claimed: int) -> None:
    with RawPeer(receiver.port) as peer:
        peer.send(b"\1\0" + struct.pack(">I", claimed) + bytes(1000))
        answer = peer.read_pdu()

    assert answer is None or answer[0] == 7


@pytest.mark.parametrize("kind", [1, 4, 5, 6, 7, 0x99])
def test_a_pdu_that_claims_to_be_huge_is_cut_before_it_is_read(receiver: DicomServer, kind: int) -> None:
    before = psutil.Process().memory_info().rss
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(bytes((kind, 0)) + struct.pack(">I", 0xFFFFFFF0) + bytes(100_000))
        answer = peer.read_pdu()

    assert answer is None or answer[0] == 7
    assert psutil.Process().memory_info().rss - before < 50 * 2**20
    assert answered_in_time(receiver)


@pytest.mark.parametrize("size", [0, 1, 0xFFFFFFFF, 5000])
def test_a_value_that_does_not_fit_its_pdu_ends_the_association(receiver: DicomServer, size: int) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(pdu(4, struct.pack(">IBB", size, 3, 3) + bytes(100)))
        answer = peer.read_pdu()

    assert answer is None or answer[0] == 7


def test_a_command_set_that_does_not_end_is_cut(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        for _ in range(10):
            peer.send(p_data(3, 1, bytes(4000)))
        answer = peer.read_pdu()

    assert answer is None or answer[0] == 7


def test_a_data_set_of_another_request_that_does_not_end_is_cut(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(limits={"identifier_bytes": 100_000})
    command = echo_command().replace(struct.pack("<HHIH", 0, 0x0800, 2, 0x0101), struct.pack("<HHIH", 0, 0x0800, 2, 1))
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(1, 3, command))
        for _ in range(10):
            peer.send(p_data(1, 0, bytes(16000)))
        answer = peer.read_pdu()

    assert answer is None or answer[0] == 7


@pytest.mark.parametrize(
    "data",
    [
        p_data(3, 3, b"\0\0\0\0\xff\xff\xff\xff"),
        p_data(3, 3, b"\x10\0\x10\0\4\0\0\0ABCD"),
        p_data(3, 3, b"\0\0"),
        p_data(3, 3, b""),
        p_data(3, 2, bytes(100)),
        p_data(99, 3, store_command(UID)),
        p_data(3, 3, store_command(UID)) + p_data(1, 2, bytes(100)),
        p_data(3, 3, store_command(UID)) + p_data(3, 3, echo_command()),
        p_data(1, 3, echo_command().replace(b"\0\x01\x02\0\0\0\x30\0", b"\0\x01\x02\0\0\0\x77\x77")),
        associate_request(),
        pdu(2, bytes(200)),
        pdu(3, bytes(4)),
        pdu(6, bytes(4)),
    ],
    ids=[
        "length that lies",
        "another group",
        "half an element",
        "empty command",
        "data set first",
        "unknown context",
        "mixed contexts",
        "command in the data set",
        "unknown command field",
        "second request",
        "accept",
        "reject",
        "release response",
    ],
)
def test_messages_that_break_the_rules_end_their_association_only(receiver: DicomServer, data: bytes) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(data)
        answer = peer.read_pdu()
        assert answer is None or answer[0] == 7

    assert answered_in_time(receiver)
    assert incoming() == []


def test_a_peer_that_stalls_inside_a_pdu_is_cut(start_receiver: StartReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.dimse.connection.WAKE_EVERY_S", 1)
    receiver = start_receiver(limits={"pdu_deadline_s": 0.5})
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(UID)) + p_data(3, 0, bytes(1000))[:-10])
        answer = peer.read_pdu()

    assert answer is not None
    assert answer[0] == 7


def test_a_peer_that_stalls_between_the_pdus_of_a_message_is_cut(
    start_receiver: StartReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.dimse.connection.WAKE_EVERY_S", 1)
    receiver = start_receiver(limits={"pdu_deadline_s": 0.5})
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(UID)) + p_data(3, 0, bytes(1000)))
        answer = peer.read_pdu()

    assert answer is not None
    assert answer[0] == 7


def test_a_message_that_trickles_is_cut(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(limits={"message_slack_s": 0.5, "slowest_bytes_s": 1_000_000})
    with RawPeer(receiver.port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(UID)))
        peer.socket.settimeout(0.1)
        answer: tuple[int, bytes] | None = None
        for _ in range(50):
            peer.send(p_data(3, 0, b"x"))
            try:
                answer = peer.read_pdu()
            except TimeoutError:
                continue
            break

    assert answer is not None
    assert answer[0] == 7


def test_an_idle_association_is_aborted(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(limits={"idle_s": 0.5})
    with RawPeer(receiver.port) as peer:
        peer.associate()
        answer = peer.read_pdu()

    assert answer is not None
    assert answer[0] == 7


def test_a_peer_that_does_not_read_its_answers_is_cut(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(limits={"send_deadline_s": 1})
    with RawPeer(receiver.port) as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.associate()
        flood = p_data(3, 3, store_command("1.2.x", data_set=0x0101)) * 200
        with pytest.raises(OSError):
            for _ in range(2000):
                peer.send(flood)

    assert answered_in_time(receiver)


def test_a_flood_of_echo_requests_is_answered_or_cut(receiver: DicomServer) -> None:
    with RawPeer(receiver.port) as peer:
        peer.associate()
        try:
            peer.send(p_data(1, 3, echo_command()) * 500)
        except OSError:
            pass
        statuses = 0
        while (answer := peer.read_pdu()) is not None and answer[0] == 4:
            statuses += 1
            if statuses == 500:
                break

    assert statuses == 500 or answer is None or answer[0] == 7
    assert answered_in_time(receiver)


def test_too_many_associations_are_told_so(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(limits={"max_associations": 2})
    with RawPeer(receiver.port) as one, RawPeer(receiver.port) as two, RawPeer(receiver.port) as three:
        one.associate()
        two.associate()
        answer = three.associate()

    # PS3.8 table 9-21: transient, presentation related, local limit exceeded.
    assert answer == (3, bytes((0, 2, 3, 2)))


def test_the_longest_idle_association_makes_room(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(limits={"max_associations": 2, "crowded_idle_s": 0.2})
    with RawPeer(receiver.port) as one, RawPeer(receiver.port) as two, RawPeer(receiver.port) as three:
        one.associate()
        time.sleep(0.3)
        two.associate()
        answer = three.associate()
        gone = one.read_pdu()

    assert answer is not None
    assert answer[0] == 2
    assert gone is not None
    assert gone[0] == 7


def test_mutated_requests_and_messages_do_no_harm(receiver: DicomServer, ct_file: Path) -> None:
    """A seeded, short form of fuzzing: every byte string ends in an answer or a closed connection."""
    chance = random.Random(20261124)
    data, uid = data_set_of(ct_file), str(pydicom.dcmread(ct_file).SOPInstanceUID)
    for round_ in range(60):
        request = bytearray(associate_request(contexts=[(1, CT_CLASS, [EXPLICIT])]))
        message = bytearray(p_data(1, 3, store_command(uid)) + p_data(1, 2, data[:15000]))
        for victim in (request, message)[round_ % 2 :]:
            for _ in range(chance.randint(1, 8)):
                victim[chance.randrange(min(len(victim), 300))] = chance.randrange(256)
        with RawPeer(receiver.port, timeout_s=0.5) as peer:
            try:
                peer.send(bytes(request + message))
                peer.read_pdu()
                peer.read_pdu()
            except (TimeoutError, ConnectionError):
                pass

    assert answered_in_time(receiver)
    assert incoming() == []


def test_memory_stays_flat_for_a_large_object(receiver: DicomServer, tmp_path: Path) -> None:
    """200 MB of one instance; the process keeps next to nothing of it."""
    head = _large_head(pixel_bytes=200 * 2**20)
    piece = p_data(3, 0, bytes(2**17 - 6))
    process = psutil.Process()
    with RawPeer(receiver.port, timeout_s=60) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command(UID)) + p_data(3, 0, head))
        before, most = process.memory_info().rss, 0
        left = 200 * 2**20
        while left:
            size = min(left, 2**17 - 6)
            peer.send(piece if size == 2**17 - 6 else p_data(3, 0, bytes(size)))
            left -= size
            most = max(most, process.memory_info().rss)
        peer.send(p_data(3, 2, b""))
        assert peer.status() == 0

    assert most - before < 16 * 2**20
    assert incoming()[0].stat().st_size > 200 * 2**20


def _large_head(*, pixel_bytes: int) -> bytes:
    """An explicit VR data set up to the pixels' first byte."""

    def short(group: int, element: int, vr: bytes, value: bytes) -> bytes:
        value += (b"\0" if vr == b"UI" else b" ") * (len(value) % 2)
        return struct.pack("<HH2sH", group, element, vr, len(value)) + value

    return b"".join(
        (
            short(8, 0x16, b"UI", CT_CLASS.encode()),
            short(8, 0x18, b"UI", UID.encode()),
            short(8, 0x60, b"CS", b"CT"),
            short(0x20, 0x0D, b"UI", b"1.2.3"),
            short(0x20, 0x0E, b"UI", b"1.2.3.4"),
            struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, pixel_bytes),
        )
    )
