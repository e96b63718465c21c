"""Receivers on free ports of loopback, and images to send to them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from archive.dimse.limits import DEFAULT_LIMITS
from archive.dimse.peers import PeerBook, PeerRule, SitePolicy
from archive.dimse.refusals import Refusal, RefusalLog
from archive.dimse.server import DicomServer
from archive.storage import layout

OPEN = SitePolicy(ae_title="PORTAL", open_to_unknown=True, check_called_ae_title=False)
CLOSED = SitePolicy(ae_title="PORTAL", open_to_unknown=False, check_called_ae_title=True)
DCMTK = {"TCP_NODELAY": "1", "PATH": "/usr/bin:/bin"}

StartReceiver = Callable[..., DicomServer]


@pytest.fixture
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.receiving.intake.announce_incoming", lambda: None)


@pytest.fixture
def refused() -> list[Refusal]:
    """What the receivers of a test would have written to the audit trail."""
    return []


@pytest.fixture
def start_receiver(portal_data: Path, no_messages: None, refused: list[Refusal]) -> Iterator[StartReceiver]:
    """Start receivers; ``rules`` are the peers, ``limits`` what differs from the usual limits."""
    servers: list[DicomServer] = []

    def start(
        rules: list[PeerRule] | None = None,
        policy: SitePolicy = OPEN,
        limits: dict[str, Any] | None = None,
        **options: Any,
    ) -> DicomServer:
        server = DicomServer(
            "127.0.0.1",
            0,
            policy.ae_title,
            peers=PeerBook(load=lambda: rules or [], note_seen=lambda _titles: None),
            policy=policy,
            limits=replace(DEFAULT_LIMITS, **({"linger_s": 0.5} | (limits or {}))),
            refusals=RefusalLog(write=lambda refusal, _count: refused.append(refusal)),
            **options,
        )
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop(timeout=2)


@pytest.fixture
def receiver(start_receiver: StartReceiver) -> DicomServer:
    """A receiver that takes everybody."""
    return start_receiver()


@pytest.fixture(scope="session")
def ct_file() -> Path:
    """CT_small of pydicom: explicit VR little endian, uncompressed."""
    return Path(str(get_testdata_file("CT_small.dcm", download=False)))


def data_set_of(path: Path) -> bytes:
    """The bytes after group 0002."""
    ds = pydicom.dcmread(path, stop_before_pixels=True)
    return path.read_bytes()[132 + 12 + ds.file_meta.FileMetaInformationGroupLength :]


def new_instance(source: Path, target: Path, **changes: Any) -> Path:
    """Write a copy under a new SOP Instance UID."""
    ds = pydicom.dcmread(source)
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    ds.save_as(target)
    return target


def incoming() -> list[Path]:
    """Acknowledged files, oldest first."""
    folder = layout.incoming_folder()
    return sorted(folder.iterdir()) if folder.is_dir() else []


def quarantined() -> list[Path]:
    return sorted((layout.archive_folder() / "quarantine").rglob("*.dcm"))


def echoscu(port: int, *options: str) -> subprocess.CompletedProcess[str]:
    return dcmtk("echoscu", port, *options)


def storescu(port: int, *files: Path | str, options: tuple[str, ...] = ("-R",)) -> subprocess.CompletedProcess[str]:
    return dcmtk("storescu", port, *options, files=files)


def dcmtk(tool: str, port: int, *options: str, files: tuple[Path | str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run one of dcmtk's tools verbosely; output and errors come together."""
    command = [f"/usr/bin/{tool}", "-v", *options, "127.0.0.1", str(port), *map(str, files)]
    return subprocess.run(
        command, env=DCMTK, text=True, timeout=60, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
