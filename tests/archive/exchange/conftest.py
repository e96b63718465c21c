"""A real Orthanc, dcmtk's receiver, and our own, on free ports of loopback."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from archive.models import Peer
from tests.archive.dimse.conftest import DCMTK, no_messages, refused, start_receiver  # noqa: F401 - fixtures
from tests.servers import accepts, free_port, wait_until

ORTHANC = "/usr/sbin/Orthanc"


@dataclass
class Orthanc:
    """A running one: its ports, and what its REST interface says."""

    dicom_port: int
    http_port: int
    modalities: dict[str, list[Any]] = field(default_factory=dict)

    def ask(self, path: str) -> Any:
        return json.loads(self.read(path))

    def read(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=10) as answer:
            return bytes(answer.read())

    def put(self, path: str, value: Any) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}", json.dumps(value).encode(), method="PUT"
        )
        urllib.request.urlopen(request, timeout=10).close()

    def delete(self, path: str) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", method="DELETE")
        urllib.request.urlopen(request, timeout=10).close()

    def post(self, path: str, body: bytes) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", body, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def knows(self, ae_title: str, port: int) -> None:
        """Tell it where an AE title listens."""
        self.put(f"/modalities/{ae_title}", {"AET": ae_title, "Host": "127.0.0.1", "Port": port})

    def files(self) -> list[bytes]:
        return [self.read(f"/instances/{name}/file") for name in self.ask("/instances")]


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    """Orthanc with an empty storage of its own."""
    if not Path(ORTHANC).exists():
        pytest.skip("Orthanc is not installed: apt-get install orthanc.")
    folder = tmp_path / "orthanc"
    folder.mkdir()
    running = Orthanc(free_port(), free_port())
    configuration = {
        "Name": "ORTHANC",
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "HttpPort": running.http_port,
        "DicomPort": running.dicom_port,
        "DicomAet": "ORTHANC",
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowEcho": True,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True,
        "DicomAlwaysAllowGet": True,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [],
    }
    path = folder / "configuration.json"
    path.write_text(json.dumps(configuration))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [ORTHANC, str(path)], stdout=log, stderr=subprocess.STDOUT, env=os.environ | {"TCP_NODELAY": "1"}
        )
    try:
        wait_until(
            lambda: accepts(running.dicom_port) and accepts(running.http_port), patience_s=60, what="Orthanc starts"
        )
        yield running
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[Callable[..., tuple[int, Path]]]:
    """Start dcmtk's receiver with options; its port and the folder it writes to."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> tuple[int, Path]:
        port = free_port()
        folder = tmp_path / f"storescp-{port}"
        folder.mkdir()
        command = ["/usr/bin/storescp", *options, "-od", str(folder), str(port)]
        running.append(subprocess.Popen(command, env=DCMTK))
        wait_until(lambda: accepts(port), patience_s=10, what="storescp starts")
        return port, folder

    yield start
    for process in running:
        process.terminate()
        process.wait(10)


@pytest.fixture(autouse=True)
def no_wake_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.jobs.queue.wake_worker", lambda: None)


def peer(port: int, ae_title: str = "ORTHANC", **values: Any) -> Peer:
    """A row of the table of peers, with every right."""
    rights = {"may_store": True, "may_receive": True, "may_be_searched": True}
    return Peer.objects.create(ae_title=ae_title, host="127.0.0.1", port=port, **(rights | values))
