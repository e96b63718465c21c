"""The receiver in processes of its own: the command, and the worker's bootstep."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.archive.dimse.conftest import echoscu, storescu
from tests.archive.dimse.raw import RawPeer, echo_command, p_data
from tests.environment import LARGE, profile

ROOT = Path(__file__).resolve().parents[3]
START_S = 60
Start = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.usefixtures("portal_data")


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process of the portal with a data folder of its own."""
    processes: list[subprocess.Popen[str]] = []
    environment = os.environ | {"PORTAL_DATA": str(tmp_path / "data"), "PORTAL_LOG_LEVEL": "INFO"}

    def run(*arguments: str, **settings: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=environment | settings,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.communicate()


def receiver(port: int, *options: str) -> tuple[str, ...]:
    return ("django", "dicom_receiver", "--port", str(port), *options)


def worker(port: int) -> tuple[str, ...]:
    return ("celery", "-A", "pacs_portal", "worker", "-c", "2", "--dicom-port", str(port))


def wait_until_it_answers(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + START_S
    while echoscu(port).returncode:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end, "the receiver does not start"
        time.sleep(0.1)


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, str, str]:
    process.send_signal(number)
    output, errors = process.communicate(timeout=35)
    return process.returncode, output, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_receives_until_it_is_told_to_end(start: Start, port: int, ct_file: Path, number: int) -> None:
    process = start(*receiver(port, "--ae-title", "ARCHIVE"))
    wait_until_it_answers(port, process)
    assert storescu(port, ct_file).returncode == 0

    code, output, errors = end(process, number)

    assert code == 0
    assert f"ARCHIVE receives on 127.0.0.1:{port}." in output
    assert "Traceback" not in errors


def test_an_association_that_sends_nothing_does_not_hold_up_the_end(start: Start, port: int) -> None:
    process = start(*receiver(port))
    wait_until_it_answers(port, process)
    with RawPeer(port) as peer:
        peer.associate()
        code, _output, _errors = end(process)
        answer = peer.read_pdu()

    assert code == 0
    assert answer is not None
    assert answer[0] == 7


def test_of_two_receivers_on_one_port_one_is_killed_and_the_other_goes_on(
    start: Start, port: int, ct_file: Path
) -> None:
    one, other = (start(*receiver(port), PORTAL_RECEIVERS="2") for _ in range(2))
    deadline = time.monotonic() + START_S
    while not (listens(one, port) and listens(other, port)):
        assert time.monotonic() < deadline, "two receivers do not start on one port"
        time.sleep(0.1)
    # The kernel deals out by chance: of so many, each process gets some.
    peers = {peer.socket.getsockname()[1]: peer for peer in (RawPeer(port) for _ in range(24))}
    for peer in peers.values():
        peer.associate()
    left = peers.keys() & ports_of(other, port)
    assert 0 < len(left) < len(peers)

    one.kill()
    one.wait(10)

    for number in left:
        peers[number].send(p_data(1, 3, echo_command()))
        assert peers[number].status() == 0
    assert storescu(port, ct_file).returncode == 0
    again = start(*receiver(port), PORTAL_RECEIVERS="2")
    while not listens(again, port):
        assert again.poll() is None, again.communicate()[1]
        assert time.monotonic() < deadline + START_S, "the killed one does not come back"
        time.sleep(0.1)
    for peer in peers.values():
        peer.socket.close()


def listens(process: subprocess.Popen[str], port: int) -> bool:
    found = psutil.Process(process.pid).net_connections("tcp")
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in found)


def ports_of(process: subprocess.Popen[str], port: int) -> set[int]:
    """Ports of the peers that a receiver is connected to."""
    found = psutil.Process(process.pid).net_connections("tcp")
    return {one.raddr.port for one in found if one.raddr and one.laddr.port == port}


def test_a_taken_port_ends_the_command_with_a_sentence(start: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        _output, errors = (process := start(*receiver(taken))).communicate(timeout=START_S)

    assert process.returncode == 1
    assert f"port {taken} on 127.0.0.1 is taken by another program." in errors
    assert "Traceback" not in errors


def test_a_killed_receiver_leaves_no_temporary_file(start: Start, port: int, tmp_path: Path, ct_file: Path) -> None:
    from tests.archive.dimse.conftest import data_set_of
    from tests.archive.dimse.raw import p_data, store_command

    process = start(*receiver(port))
    wait_until_it_answers(port, process)
    with RawPeer(port) as peer:
        peer.associate()
        peer.send(p_data(3, 3, store_command("1.2.3")) + p_data(3, 0, data_set_of(ct_file)[:9000]))
        assert storescu(port, ct_file).returncode == 0
        process.kill()
        process.wait(10)

    found = [path for path in (tmp_path / "data" / "archive").rglob("*") if path.is_file()]
    assert len(found) == 1
    assert found[0].parent.name == "incoming"


@pytest.mark.skipif(
    profile() == LARGE,
    reason="with Redis the pool notices a dead child only when tasks come: tests/pacs_portal/test_supervisor.py has them",
)
def test_a_worker_receives_and_survives_a_crashed_child(start: Start, port: int, ct_file: Path) -> None:
    process = start(*worker(port))
    wait_until_it_answers(port, process)
    main = psutil.Process(process.pid)
    before = main.children()
    before[0].kill()
    known = {one.pid for one in before}
    stop = time.monotonic() + 20
    while not (others := [one for one in main.children() if one.pid not in known]):
        assert time.monotonic() < stop, "the pool does not replace its child"
        time.sleep(0.05)
    time.sleep(0.5)

    assert port not in {connection.laddr.port for connection in others[0].net_connections() if connection.laddr}
    assert storescu(port, ct_file).returncode == 0


def test_a_worker_ends_with_its_receiver(start: Start, port: int) -> None:
    process = start(*worker(port))
    wait_until_it_answers(port, process)

    code, _output, errors = end(process)

    assert code == 0
    assert "Traceback" not in errors
    assert echoscu(port).returncode != 0


def test_a_taken_port_ends_the_worker_with_a_sentence(start: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        process = start(*worker(taken))
        _output, errors = process.communicate(timeout=START_S)

    assert process.returncode == 1
    assert f"port {taken} on 127.0.0.1 is taken by another program." in errors
    assert "Traceback" not in errors


def test_a_worker_without_the_option_receives_nothing() -> None:
    from archive.dimse.bootstep import DicomReceiver

    class Worker:
        steps: list[object] = []

    assert not DicomReceiver(Worker(), dicom_port=None).include(Worker())  # type: ignore[arg-type]
    assert DicomReceiver(Worker(), dicom_port=11112).include(Worker())  # type: ignore[arg-type]
