"""A receiver in a process of its own, to be abused: what it holds can be counted from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.network.abuse import ANSWER_S, Check, checks
from tests.servers import ROOT, free_port

MORE_MEMORY = 32 << 20
"""What the allocator may keep after a group; a leak of what the checks send would be far more."""
SETTLES_S = 10.0


@dataclass(frozen=True, slots=True)
class Victim:
    """The receiver and what it held when it was new."""

    process: psutil.Process
    port: int
    descriptors: int
    memory: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found after one group."""

    group: str
    count: int
    failed: list[str]
    seconds: float
    echo_s: float
    descriptors_more: int
    memory_more: int


@contextmanager
def victim(folder: Path) -> Iterator[Victim]:
    """Start ``manage.py dicom_receiver`` on loopback, warm it, and end it."""
    port = free_port()
    environment = {**os.environ, "PORTAL_DATA": str(folder), "PORTAL_PROFILE": "demo", "PORTAL_DICOM_HOST": "127.0.0.1"}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, str(ROOT / "manage.py"), "dicom_receiver", "--port", str(port)]
    with (
        (folder / "receiver.log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as started,
    ):
        try:
            end = time.monotonic() + 60
            while echoscu(port):
                assert time.monotonic() < end, (folder / "receiver.log").read_text()
                assert started.poll() is None, (folder / "receiver.log").read_text()
                time.sleep(0.1)
            process = psutil.Process(started.pid)
            yield Victim(process, port, held(process), process.memory_info().rss)
        finally:
            started.terminate()
            started.wait(40)


def held(process: psutil.Process) -> int:
    """Descriptors that a process holds, without those of its database, which stays open once it has been asked."""
    folder = Path(f"/proc/{process.pid}/fd")
    targets = []
    for name in os.listdir(folder):
        try:
            targets.append(os.readlink(folder / name))
        except FileNotFoundError:
            continue
    return sum(1 for target in targets if "db.sqlite3" not in target)


def echoscu(port: int) -> int:
    """Exit code of dcmtk's echoscu; 0 where it was answered."""
    command = ["/usr/bin/echoscu", "127.0.0.1", str(port)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode


def groups() -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in checks():
        found.setdefault(check.group, []).append(check)
    return found


def abuse(receiver: Victim, group: str, members: list[Check]) -> Outcome:
    """Run a group, then look at the receiver with dcmtk's echoscu and from the system's side."""
    began, failed = time.monotonic(), []
    for check in members:
        try:
            check.run(receiver.port)
        except (AssertionError, OSError) as error:
            failed.append(f"{check.name}: {type(error).__name__} {error}")
    seconds = time.monotonic() - began
    asked = time.monotonic()
    if echoscu(receiver.port) or time.monotonic() - asked > ANSWER_S:
        failed.append("another peer's C-ECHO was not answered in time")
    echo_s = time.monotonic() - asked
    end = time.monotonic() + SETTLES_S
    while held(receiver.process) > receiver.descriptors + 2 and time.monotonic() < end:
        time.sleep(0.05)
    more = held(receiver.process) - receiver.descriptors
    return Outcome(
        group, len(members), failed, seconds, echo_s, more, receiver.process.memory_info().rss - receiver.memory
    )
