"""A CT series taken out again: WADO-RS, C-MOVE, C-GET and its metadata, our portal against Orthanc in the same run.

    python -m bench.retrieve [--slices 500] [--rounds 5] [--folder DIR]

Both hold the same series on the same disk, on loopback, ``TCP_NODELAY=1`` for dcmtk and Orthanc. C-MOVE goes to dcmtk's
storescp, C-GET to getscu; both drop what they receive. Our WADO-RS answer is read whole over one connection, with
``transfer-syntax=*``. Debian's Orthanc has no DICOMweb plug-in: its files are asked for one after the other over one
connection (``/instances/…/file``), and its tags of the series (``/series/…/instances-tags``) stand beside our metadata.
CPU is that of the server's processes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydicom import dcmread

from bench.ingest import ORTHANC, STORESCU, cpu_s, free_port, make_slices, peak_mib, running
from tests.servers import accepts, start_portal, wait_until

STORESCP, MOVESCU, GETSCU = "/usr/bin/storescp", "/usr/bin/movescu", "/usr/bin/getscu"
SINK = "SINK"
GOAL_METADATA_MS = 50.0
DCMTK = os.environ | {"TCP_NODELAY": "1"}


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two: where it listens, and how its series is asked for over HTTP."""

    name: str
    process: psutil.Process
    dicom_port: int
    files: Callable[[], int]
    """Reads every file; returns their bytes."""
    metadata: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Figure:
    """One retrieval."""

    seconds: float
    cpu_s: float


@contextmanager
def sink() -> Iterator[int]:
    """dcmtk's receiver, which drops what comes."""
    port = free_port()
    process = subprocess.Popen([STORESCP, "--ignore", "-aet", SINK, "-pdu", "131072", str(port)], env=DCMTK)
    try:
        wait_until(lambda: accepts(port), patience_s=20, what="storescp does not listen")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def store(files: list[Path], port: int) -> None:
    subprocess.run([STORESCU, "-R", "127.0.0.1", str(port), *map(str, files)], env=DCMTK, check=True)


def read_all(port: int, path: str, headers: dict[str, str]) -> int:
    """Read one answer to its end, without keeping it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        sys.exit(f"{path} was answered {answer.status}.")
    size = 0
    while block := answer.read(1 << 20):
        size += len(block)
    connection.close()
    return size


@contextmanager
def our_portal(folder: Path, files: list[Path], sink_port: int) -> Iterator[Server]:
    """A portal as an operator starts it, with the series settled and its metadata ready."""
    ds = dcmread(files[0], stop_before_pixels=True)
    portal = start_portal(folder)
    try:
        portal.manage("make_demo", "--users")
        portal.manage("add_peer", SINK, "127.0.0.1", str(sink_port))
        token = portal.manage("make_token", "reader", "--scope", "read").stdout.strip()
        bearer = {"Authorization": f"Bearer {token}"}
        store(files, portal.dicom_port)
        series = f"/dicom-web/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}"
        kept = portal.data / "cache" / "metadata"
        wait_until(lambda: any(kept.glob("*/*.json.gz")), patience_s=300, what="metadata is not made ready")
        dicom = bearer | {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
        as_json = bearer | {"Accept": "application/dicom+json", "Accept-Encoding": "gzip"}
        yield Server(
            "portal",
            psutil.Process(portal.process.pid),
            portal.dicom_port,
            lambda: read_all(portal.http_port, series, dicom),
            lambda: read_all(portal.http_port, f"{series}/metadata", as_json),
        )
    finally:
        portal.stop()


@contextmanager
def an_orthanc(folder: Path, files: list[Path], sink_port: int) -> Iterator[Server]:
    port, http_port = free_port(), free_port()
    configuration = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": http_port,
        "DicomPort": port,
        "DicomCheckCalledAet": False,
        **{f"DicomAlwaysAllow{service}": True for service in ("Echo", "Store", "Find", "Move", "Get")},
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "KeepAlive": True,
        "DicomModalities": {"sink": [SINK, "127.0.0.1", sink_port]},
        "Plugins": [],
    }
    folder.mkdir()
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration))
    with running([ORTHANC, str(path)], port, dict(DCMTK), folder / "log") as process:
        store(files, port)
        (series,) = json.loads(ask(http_port, "/series"))
        names = json.loads(ask(http_port, f"/series/{series}"))["Instances"]
        yield Server(
            "Orthanc",
            process,
            port,
            lambda: files_one_by_one(http_port, names),
            lambda: read_all(http_port, f"/series/{series}/instances-tags", {}),
        )


def ask(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path)
    return connection.getresponse().read()


def files_one_by_one(port: int, names: list[str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    size = 0
    for name in names:
        connection.request("GET", f"/instances/{name}/file")
        size += len(connection.getresponse().read())
    connection.close()
    return size


def retrieved(command: list[str], files: list[Path], port: int, *options: str) -> int:
    """C-MOVE or C-GET of the series by dcmtk."""
    ds = dcmread(files[0], stop_before_pixels=True)
    keys = {
        "QueryRetrieveLevel": "SERIES",
        "StudyInstanceUID": ds.StudyInstanceUID,
        "SeriesInstanceUID": ds.SeriesInstanceUID,
    }
    asked = [part for keyword, value in keys.items() for part in ("-k", f"{keyword}={value}")]
    done = subprocess.run(
        [*command, "-S", *options, *asked, "127.0.0.1", str(port)], env=DCMTK, capture_output=True, check=False
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.decode()[-1000:]}")
    return sum(path.stat().st_size for path in files)


def measured(server: Server, act: Callable[[], int]) -> Figure:
    before, begun = cpu_s(server.process), time.perf_counter()
    act()
    return Figure(time.perf_counter() - begun, cpu_s(server.process) - before)


def compare(what: str, acts: dict[str, tuple[Server, Callable[[], int]]], rounds: int, size: int, count: int) -> None:
    """One kind of retrieval from each in turns; the first of each is not counted."""
    figures: dict[str, list[Figure]] = {name: [] for name in acts}
    for number in range(rounds + 1):
        for name, (server, act) in acts.items():
            figure = measured(server, act)
            if number:
                figures[name].append(figure)
    medians = {name: statistics.median(one.seconds for one in found) for name, found in figures.items()}
    for name, found in figures.items():
        cpu_ms = 1000 * statistics.median(one.cpu_s for one in found) / count
        print(
            f"  {what:9}{name:8}{size / 1e6 / medians[name]:7.0f} MB/s{count / medians[name]:7.0f} instances/s"
            f"  CPU {cpu_ms:5.2f} ms an instance  fastest {size / 1e6 / min(one.seconds for one in found):5.0f} MB/s",
            flush=True,
        )
    print(f"  {what:9}{medians['Orthanc'] / medians['portal']:.2f} x Orthanc's rate", flush=True)


def compare_metadata(servers: list[Server], rounds: int) -> None:
    for server in servers:
        server.metadata()
        # Orthanc takes seconds; it needs no more to tell them apart.
        figures = [measured(server, server.metadata) for _ in range(3 * rounds if server.name == "portal" else 1)]
        median = 1000 * statistics.median(one.seconds for one in figures)
        cpu = 1000 * sum(one.cpu_s for one in figures) / len(figures)
        verdict = f"  to reach {GOAL_METADATA_MS:.0f} ms" if server.name == "portal" else ""
        fastest = 1000 * min(one.seconds for one in figures)
        print(f"  metadata {server.name:8}{median:7.1f} ms  fastest {fastest:5.1f} ms  CPU {cpu:5.1f} ms{verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="on the disk to be measured; the system's temporary folder otherwise")
    options = parser.parse_args()
    everything = Path(tempfile.mkdtemp(prefix="retrieve-", dir=options.folder))
    try:
        (everything / "series").mkdir()
        make_slices(everything / "series", options.slices)
        files = sorted((everything / "series").glob("*.dcm"))
        run(everything, files, options.rounds)
    finally:
        shutil.rmtree(everything, ignore_errors=True)


def run(folder: Path, files: list[Path], rounds: int) -> None:
    size = sum(path.stat().st_size for path in files)
    with ExitStack() as stack:
        port = stack.enter_context(sink())
        servers = [
            stack.enter_context(our_portal(folder, files, port)),
            stack.enter_context(an_orthanc(folder / "orthanc", files, port)),
        ]
        print(f"{len(files)} CT slices, {size / 1e6:.0f} MB, median of {rounds} rounds in turns")
        compare_metadata(servers, rounds)
        kinds: dict[str, Callable[[Server], int]] = {
            "WADO-RS": lambda server: server.files(),
            "C-MOVE": lambda server: retrieved([MOVESCU], files, server.dicom_port, "-aem", SINK),
            "C-GET": lambda server: retrieved([GETSCU, "--ignore"], files, server.dicom_port),
        }
        for what, act in kinds.items():
            acts = {one.name: (one, lambda one=one, act=act: act(one)) for one in servers}
            compare(what, acts, rounds, size, len(files))
        for server in servers:
            family = [server.process, *server.process.children(recursive=True)]
            print(f"  memory   {server.name:8}{max(map(peak_mib, family)):7.0f} MiB, the largest process at its peak")


if __name__ == "__main__":
    main()
