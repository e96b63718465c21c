"""Durable C-STORE of a CT series, one and four associations at once: our receiver against Orthanc, in the same run.

    python -m bench.ingest [--slices 500] [--rounds 3] [--folder DIR] [--no-orthanc] [--patience S] [--worker]
                           [--receivers N] [--associations N ...]

Both start empty for every round, on loopback, with every image fsynced before it
is acknowledged. The sender is dcmtk's storescu with ``TCP_NODELAY=1``, as is
Orthanc: with Nagle's algorithm on, 40 ms an image would be all that is measured
(``--nagle`` measures that). Ours is acknowledged into incoming/; Orthanc writes its
index before it answers. With ``--worker`` ours runs inside a worker that indexes
at the same time; with ``--receivers N`` it is so many processes on one port, as with
``PORTAL_RECEIVERS``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

ROOT = Path(__file__).resolve().parent.parent
STORESCU, ECHOSCU, ORTHANC = "/usr/bin/storescu", "/usr/bin/echoscu", "/usr/sbin/Orthanc"
ASSOCIATIONS = (1, 4)
START_S = 60
TARGET = 2.0
QUIET_WAIT_S, QUIET_PERCENT = 60, 10
TRIES, MOST_BY_OTHERS = 4, 0.2


@dataclass(frozen=True, slots=True)
class Figure:
    """What one round took."""

    seconds: float
    cpu_ms: float
    """Of the receiver and its children, for one instance."""
    peak_mib: float
    others: float
    """Share of the machine's CPU time that neither receiver nor senders used: kernel threads, and other programs."""


def make_slices(folder: Path, count: int) -> int:
    """Write a CT series of 512 x 512 slices with noise; returns the bytes of one file."""
    source = dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    pixels = source.pixel_array.repeat(4, axis=0).repeat(4, axis=1)
    noise = np.random.default_rng(1)
    source.Rows, source.Columns = pixels.shape
    source.StudyInstanceUID, source.SeriesInstanceUID = generate_uid(), generate_uid()
    for number in range(1, count + 1):
        source.SOPInstanceUID = source.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        source.InstanceNumber = number
        source.PixelData = (pixels + noise.integers(-20, 20, pixels.shape)).astype("<i2").tobytes()
        source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        source.save_as(folder / f"{number:05d}.dcm", enforce_file_format=True)
    return (folder / "00001.dcm").stat().st_size


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, environment: dict[str, str], log: Path) -> Iterator[psutil.Process]:
    """Run a receiver until the block ends; it must answer a C-ECHO first."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_S
        while subprocess.run([ECHOSCU, "127.0.0.1", str(port)], capture_output=True, check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"The receiver does not answer; the end of its log:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


@contextmanager
def portal(folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[list[psutil.Process], int]]:
    """Our receivers with a data folder of their own."""
    port = free_port()
    environment = os.environ | {
        "PORTAL_DATA": str(folder / "data"),
        "PORTAL_LOG_LEVEL": "WARNING",
        "PORTAL_RECEIVERS": str(arguments.receivers),
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "pacs_portal.settings"),
    }
    alone = [sys.executable, "-m", "django", "dicom_receiver", "--port", str(port), "--skip-checks"]
    command = alone
    if arguments.worker:
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
        command = [sys.executable, "-m", "celery", "-A", "pacs_portal", "worker", "-c", "1"]
        command += ["--dicom-port", str(port)]
    with ExitStack() as stack:
        commands = [command] + [alone] * (arguments.receivers - 1)
        yield (
            [
                stack.enter_context(running(one, port, environment, folder / f"log-{number}"))
                for number, one in enumerate(commands)
            ],
            port,
        )


@contextmanager
def orthanc(folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[list[psutil.Process], int]]:
    """Orthanc with a storage of its own, on the same disk."""
    port = free_port()
    configuration = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "SyncStorageArea": True,
        "HttpServerEnabled": False,
        "DicomPort": port,
        "DicomAet": "ORTHANC",
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowStore": True,
        "RemoteAccessAllowed": False,
        "Plugins": [],
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration))
    environment = os.environ | ({} if arguments.nagle else {"TCP_NODELAY": "1"})
    with running([ORTHANC, str(path)], port, environment, folder / "log") as process:
        yield [process], port


def cpu_s(processes: list[psutil.Process]) -> float:
    """CPU time of processes and their living children."""
    family = [one for process in processes for one in (process, *process.children(recursive=True))]
    return sum(sum(member.cpu_times()[:2]) for member in family)


def peak_mib(processes: list[psutil.Process]) -> float:
    """Largest resident size so far, of the largest process."""
    return max(map(peak_of, processes))


def peak_of(process: psutil.Process) -> float:
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def send(files: list[Path], port: int, associations: int, *, nagle: bool) -> float:
    """Send the files over so many associations at once; returns seconds."""
    environment = os.environ | ({} if nagle else {"TCP_NODELAY": "1"})
    command = [STORESCU, "-R", "127.0.0.1", str(port)]
    os.sync()
    started = time.perf_counter()
    senders = [
        subprocess.Popen([*command, *map(str, files[number::associations])], env=environment, stderr=subprocess.PIPE)
        for number in range(associations)
    ]
    for sender in senders:
        _, errors = sender.communicate()
        if sender.returncode or b"E:" in errors:
            sys.exit(f"storescu failed: {errors.decode()[-1000:]}")
    return time.perf_counter() - started


def busy_s() -> float:
    """CPU time of the whole machine since it started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def senders_s() -> float:
    """CPU time of the processes that have been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def wait_for_quiet(patience_s: float) -> None:
    """Let other programs finish, but not for ever: what they take is in the figures."""
    deadline = time.monotonic() + patience_s
    while psutil.cpu_percent(interval=2) > QUIET_PERCENT and time.monotonic() < deadline:
        pass


def measure(receiver: str, files: list[Path], associations: int, arguments: argparse.Namespace) -> Figure:
    """One round: a fresh receiver, the whole series; again while other programs take too much of the machine."""
    for _ in range(TRIES):
        figure = measure_once(receiver, files, associations, arguments)
        if figure.others < MOST_BY_OTHERS:
            break
    return figure


def measure_once(receiver: str, files: list[Path], associations: int, arguments: argparse.Namespace) -> Figure:
    """Start, send, look what it took, stop."""
    folder = Path(tempfile.mkdtemp(prefix=f"{receiver}-", dir=files[0].parent.parent))
    start = portal if receiver == "portal" else orthanc
    with start(folder, arguments) as (processes, port):
        wait_for_quiet(arguments.patience)
        ours, senders, all_ = cpu_s(processes), senders_s(), busy_s()
        seconds = send(files, port, associations, nagle=arguments.nagle)
        ours, senders, all_ = cpu_s(processes) - ours, senders_s() - senders, busy_s() - all_
        others = max(0.0, all_ - ours - senders) / (seconds * (os.cpu_count() or 1))
        figure = Figure(seconds, 1000 * ours / len(files), peak_mib(processes), others)
        if receiver == "portal":
            check_all_there(folder / "data", len(files))
    return figure


def every_file(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Images below a folder, while others move them."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from every_file(Path(entry.path))
            elif entry.name.endswith(".dcm"):
                yield entry


def check_all_there(data: Path, count: int) -> None:
    """Every acknowledged image is a file, waiting or indexed; for a moment it may have both names."""
    found = len({entry.inode() for entry in every_file(data / "archive")})
    if found != count:
        sys.exit(f"{count} images were acknowledged, {found} are on disk.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="on the disk to be measured; the system's temporary folder otherwise")
    parser.add_argument("--no-orthanc", action="store_true")
    parser.add_argument("--nagle", action="store_true", help="leave Nagle's algorithm on in sender and Orthanc")
    parser.add_argument("--patience", type=float, default=QUIET_WAIT_S, help="seconds to wait for a quiet machine")
    parser.add_argument("--worker", action="store_true", help="run the receiver inside a worker that indexes")
    parser.add_argument("--receivers", type=int, default=1, help="processes of ours on one port")
    parser.add_argument("--associations", type=int, nargs="+", default=list(ASSOCIATIONS))
    arguments = parser.parse_args()
    receivers = ["portal"] if arguments.no_orthanc else ["portal", "orthanc"]
    # Everything is removed at the end: ext4 is slow to make files while many were deleted a moment ago.
    everything = Path(tempfile.mkdtemp(prefix="ingest-", dir=arguments.folder))
    series = everything / "series"
    series.mkdir()
    try:
        size = make_slices(series, arguments.slices)
        files = sorted(series.glob("*.dcm"))
        print(f"{len(files)} CT slices of {size / 1e6:.2f} MB, durable, median of {arguments.rounds} rounds")
        for associations in arguments.associations:
            figures: dict[str, list[Figure]] = {receiver: [] for receiver in receivers}
            for _ in range(arguments.rounds):
                for receiver in receivers:
                    figures[receiver].append(measure(receiver, files, associations, arguments))
            report(figures, associations, len(files), size)
    finally:
        shutil.rmtree(everything, ignore_errors=True)


def report(figures: dict[str, list[Figure]], associations: int, count: int, size: int) -> None:
    medians = {receiver: statistics.median(one.seconds for one in some) for receiver, some in figures.items()}
    for receiver, some in figures.items():
        rates = " ".join(f"{count * size / 1e6 / one.seconds:.0f}" for one in some)
        print(
            f"  {receiver:8} {associations} association{'s' if associations > 1 else ' '}"
            f"  {count * size / 1e6 / medians[receiver]:6.0f} MB/s  {count / medians[receiver]:6.0f} instances/s"
            f"  CPU {statistics.median(one.cpu_ms for one in some):5.2f} ms an instance"
            f"  peak {max(one.peak_mib for one in some):4.0f} MiB"
            f"  others {100 * max(one.others for one in some):3.0f} %   (rounds: {rates} MB/s)"
        )
    if "orthanc" in medians:
        ratio = medians["orthanc"] / medians["portal"]
        verdict = "reached" if ratio >= TARGET else "MISSED"
        print(f"  ratio    {ratio:.2f} x Orthanc (target {TARGET:.0f}) {verdict}", flush=True)


if __name__ == "__main__":
    main()
