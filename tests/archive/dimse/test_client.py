"""We as the service class user, against receivers of ours and of others."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.dimse.client import PeerUnreachable, echo, send
from archive.dimse.peers import PeerRule
from archive.dimse.server import DicomServer
from tests.archive.dimse.conftest import CLOSED, DCMTK, StartReceiver, data_set_of, incoming, new_instance

US = {"called_ae_title": "PORTAL", "calling_ae_title": "PORTAL"}


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """dcmtk's receiver: its port and the folder it writes to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path / "storescp"
    folder.mkdir()
    process = subprocess.Popen(["/usr/bin/storescp", "+B", "-od", str(folder), str(port)], env=DCMTK)
    end = time.monotonic() + 10
    while socket.socket().connect_ex(("127.0.0.1", port)):
        assert time.monotonic() < end, "storescp does not start"
        time.sleep(0.05)
    yield port, folder
    process.terminate()
    process.wait(10)


def test_our_own_receiver_verifies(receiver: DicomServer) -> None:
    echo("127.0.0.1", receiver.port, **US)


def test_the_readiness_check_passes_where_the_site_is_closed(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(policy=CLOSED)

    echo("127.0.0.1", receiver.port, **US)


def test_nobody_there_is_said_in_words() -> None:
    with pytest.raises(PeerUnreachable, match="does not answer"):
        echo("127.0.0.1", 1, **US, timeout_s=1)


def test_a_rejection_is_said_in_words(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(policy=CLOSED)

    with pytest.raises(PeerUnreachable, match="rejected the association"):
        echo("127.0.0.1", receiver.port, called_ae_title="PORTAL", calling_ae_title="STRANGER")


def test_a_peer_without_the_right_is_said_in_words(start_receiver: StartReceiver) -> None:
    receiver = start_receiver([PeerRule("CT1", check_address=False, may_echo=False)], CLOSED)

    with pytest.raises(PeerUnreachable, match="status 0124"):
        echo("127.0.0.1", receiver.port, called_ae_title="PORTAL", calling_ae_title="CT1")


def test_files_arrive_byte_for_byte(receiver: DicomServer, ct_file: Path) -> None:
    (result,) = send([ct_file], "127.0.0.1", receiver.port, **US)

    assert result.is_stored
    assert data_set_of(incoming()[0]) == data_set_of(ct_file)


def test_files_are_sent_to_a_receiver_of_others(storescp: tuple[int, Path], ct_file: Path, tmp_path: Path) -> None:
    port, folder = storescp
    files = [new_instance(ct_file, tmp_path / f"{number}.dcm") for number in range(3)]

    results = list(send(files, "127.0.0.1", port, called_ae_title="ANY", calling_ae_title="PORTAL"))

    assert [result.status for result in results] == [0, 0, 0]
    assert {data_set_of(path) for path in folder.iterdir()} == {data_set_of(path) for path in files}


def test_a_refusal_is_a_result_with_its_status(start_receiver: StartReceiver, ct_file: Path) -> None:
    receiver = start_receiver([PeerRule("RIS", check_address=False, may_store=False)], CLOSED)

    (result,) = send([ct_file], "127.0.0.1", receiver.port, called_ae_title="PORTAL", calling_ae_title="RIS")

    assert not result.is_stored
    assert (result.status, result.comment) == (0x0124, "This AE title may not store here.")
