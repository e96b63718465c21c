"""The portal as an operator starts it: one sentence when it cannot, everything up when it can, nothing left after."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_portal.processes import is_running
from pacs_portal.supervisor import TRIES, Child
from tests.environment import LARGE, profile
from tests.servers import LivePortal, accepts, free_port, portal_environment, start_portal, wait_until

ROOT = Path(__file__).resolve().parents[2]
WEB, WORKER, BEAT = "-m granian", "-A pacs_portal worker", "-A pacs_portal beat"
pytestmark = [pytest.mark.profiles, pytest.mark.xdist_group("live")]


def family(data: Path) -> dict[int, str]:
    """Every running process that works on a data folder, however it is related to whom, with its command line."""
    wanted = f"PORTAL_DATA={data}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0") and is_running(int(entry.name)):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # It has ended meanwhile.
    return found


def members(data: Path, word: str) -> set[int]:
    return {pid for pid, command in family(data).items() if word in command}


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def leader(portal: LivePortal, word: str) -> int:
    """The process of that kind whose parent is the supervisor."""
    (pid,) = {pid for pid in members(portal.data, word) if parent_of(pid) == portal.process.pid}
    return pid


def start_in_vain(environment: dict[str, str], *, code: str = "") -> str:
    """Start a portal that cannot start, and return what it says."""
    command = [sys.executable, "-c", code] if code else [sys.executable, "manage.py", "run"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return ended.stderr.strip()


@pytest.fixture(scope="module")
def sturdy_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    """A portal whose parts are killed one after another."""
    portal = start_portal(tmp_path_factory.mktemp("sturdy"))
    yield portal
    portal.stop()


# --- What is in the way is a sentence ---------------------------------------------------------------------------------


def test_a_second_start_on_one_data_folder_is_refused_in_a_sentence(sturdy_portal: LivePortal) -> None:
    other_ports = {"PORTAL_HTTP": f"127.0.0.1:{free_port()}", "PORTAL_DICOM_PORT": str(free_port())}
    said = start_in_vain(sturdy_portal.environment | other_ports)
    assert said == (f"The portal is already running on {sturdy_portal.data} (process {sturdy_portal.process.pid}).")
    assert sturdy_portal.answers()


@pytest.mark.parametrize("variable", ["PORTAL_HTTP", "PORTAL_DICOM_PORT"])
def test_a_taken_port_is_refused_in_a_sentence(tmp_path: Path, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        value = f"127.0.0.1:{port}" if variable == "PORTAL_HTTP" else str(port)
        said = start_in_vain(portal_environment(tmp_path / "portal", **{variable: value}))
    what = {"PORTAL_HTTP": "the web", "PORTAL_DICOM_PORT": "the DICOM receiver"}[variable]
    assert said == f"The address 127.0.0.1:{port} of {what} is taken; set {variable} to another."


def test_an_unwritable_data_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    said = start_in_vain(portal_environment(tmp_path / "file" / "portal"))
    assert said.startswith("The data folder cannot be written: ")
    assert said.endswith("Not a directory. Set PORTAL_DATA to another.")


def test_a_wrong_setting_is_refused_in_a_sentence(tmp_path: Path) -> None:
    said = start_in_vain(portal_environment(tmp_path / "portal", PORTAL_DICOM_PORT="many"))
    assert said == "PORTAL_DICOM_PORT is 'many'; it must be a whole number from 1 to 65535."


def test_a_missing_package_is_refused_in_a_sentence(tmp_path: Path) -> None:
    code = "import sys; sys.modules['celery'] = None; sys.argv = ['manage.py', 'run']; import manage; manage.main()"
    said = start_in_vain(portal_environment(tmp_path / "portal"), code=code)
    assert said == "The Python package 'celery' is missing: 'make setup' installs what requirements.txt lists."


def test_a_database_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    url = f"postgres://portal@127.0.0.1:{free_port()}/portal"
    said = start_in_vain(portal_environment(tmp_path / "portal", DATABASE_URL=url))
    assert said.startswith("The database cannot be used: connection failed")


def test_a_demo_on_the_network_is_refused_unless_told_twice(tmp_path: Path) -> None:
    said = start_in_vain(portal_environment(tmp_path / "portal", PORTAL_HTTP=f"0.0.0.0:{free_port()}"))
    assert said == (
        "PORTAL_HTTP is 0.0.0.0, which other machines can reach, and the demo profile is open to anybody."
        " Set PORTAL_PROFILE=production, or PORTAL_DEMO_ANYWHERE=1 if that is really meant."
    )


# --- Up, and up again -------------------------------------------------------------------------------------------------


def test_the_start_prints_address_users_and_password(sturdy_portal: LivePortal) -> None:
    wait_until(lambda: "Ctrl-C" in sturdy_portal.log(), patience_s=20, what="no greeting")
    log = sturdy_portal.log()
    assert f"The portal is at {sturdy_portal.url}/" in log
    assert f"DICOM: PORTAL at 127.0.0.1:{sturdy_portal.dicom_port}" in log
    password = sturdy_portal.passwords["reader"]
    assert f"Users: reader, reader2, referrer, referrer2, technologist, admin; password: {password}" in log
    assert "not for clinical use" in log


def test_threads_of_a_web_process_share_one_heap(sturdy_portal: LivePortal) -> None:
    for pid in members(sturdy_portal.data, WEB):
        assert b"MALLOC_ARENA_MAX=1" in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


def test_what_a_process_is_given_yields_to_what_the_operator_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    command = f"echo $MALLOC_ARENA_MAX $OTHER > {told}"
    child = Child("web", ["/bin/sh", "-c", command], environment={"MALLOC_ARENA_MAX": "1", "OTHER": "2"})
    child.start()
    assert child.process is not None
    os.waitpid(child.process.pid, 0)
    assert told.read_text() == "4 2\n"


def test_an_answer_that_lies_in_memory_says_its_length(sturdy_portal: LivePortal) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sturdy_portal.http_port, timeout=60)
    for method in ("GET", "HEAD"):
        connection.request(method, "/tiles/1.2.3/1/0/0/0.png")
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 401
        assert answer.getheader("Transfer-Encoding") is None
        assert int(answer.getheader("Content-Length", "0")) == len(b'{"error": "Please sign in."}')
        assert body == (b'{"error": "Please sign in."}' if method == "GET" else b"")
    connection.close()


@pytest.mark.parametrize("word", [WEB, WORKER, BEAT])
def test_what_is_killed_starts_again_and_leaves_no_orphan(sturdy_portal: LivePortal, word: str) -> None:
    before = members(sturdy_portal.data, word)
    os.kill(leader(sturdy_portal, word), signal.SIGKILL)
    wait_until(
        lambda: not before & set(family(sturdy_portal.data)), patience_s=10, what="children of the killed live on"
    )
    wait_until(
        lambda: len(members(sturdy_portal.data, word)) == len(before), patience_s=60, what="it did not start again"
    )
    wait_until(
        lambda: sturdy_portal.answers() and accepts(sturdy_portal.dicom_port), patience_s=60, what="it does not answer"
    )


@pytest.mark.parametrize("word", [WEB, WORKER])
def test_a_killed_pool_process_is_replaced(sturdy_portal: LivePortal, word: str) -> None:
    chief = leader(sturdy_portal, word)
    pool = members(sturdy_portal.data, word) - {chief}
    assert len(pool) == 2
    os.kill(min(pool), signal.SIGKILL)
    wait_until(
        lambda: len(members(sturdy_portal.data, word) - {chief} - {min(pool)}) == 2,
        patience_s=30,
        what="the pool is not whole again",
    )
    assert leader(sturdy_portal, word) == chief
    assert sturdy_portal.answers()


@pytest.mark.parametrize(("command", "starts"), [("true", 1), ("false", TRIES)])
def test_work_that_ends_by_itself_is_tried_until_it_ends_well_or_failed_too_often(command: str, starts: int) -> None:
    child = Child("work", [f"/bin/{command}"], is_needed=False)
    while not child.is_done:
        child.start()
        assert child.process is not None
        child.has_ended(os.waitpid(child.process.pid, 0)[1])
    assert child.starts == starts


def test_pauses_between_starts_double_up_to_a_limit() -> None:
    child = Child("web", ["/bin/false"])
    pauses = []
    for _ in range(9):
        child.start()
        assert child.process is not None
        child.has_ended(os.waitpid(child.process.pid, 0)[1])
        pauses.append(child.pause_s)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert not child.is_done


# --- Nothing left -----------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    portal = start_portal(tmp_path)
    try:
        portal.process.send_signal(signal.SIGINT)
        assert portal.process.wait(40) == 0
        assert family(portal.data) == {}
        assert not accepts(portal.http_port)
        assert not accepts(portal.dicom_port)
        assert "Traceback" not in portal.log()
    finally:
        portal.stop()


def test_a_killed_supervisor_leaves_no_process_and_the_next_start_needs_no_hand(tmp_path: Path) -> None:
    portal = start_portal(tmp_path)
    try:
        assert len(family(portal.data)) >= 8  # The supervisor, web and two, worker and two, beat.
        kept = {path.name: path.read_bytes() for path in (portal.data / "keys").iterdir()}
        portal.process.kill()
        portal.process.wait(10)
        wait_until(lambda: not family(portal.data), patience_s=10, what="processes live on")
        ports = {"PORTAL_HTTP": portal.environment["PORTAL_HTTP"], "PORTAL_DICOM_PORT": str(portal.dicom_port)}
        database = {name: portal.environment[name] for name in ("DATABASE_URL", "REDIS_URL") if profile() == LARGE}
        again = start_portal(tmp_path, **ports, **database)
        assert {path.name: path.read_bytes() for path in (portal.data / "keys").iterdir()} == kept
        again.stop()
        assert family(portal.data) == {}
    finally:
        portal.stop()
