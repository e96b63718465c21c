"""Tiles in the engine and over HTTP, against the same work by hand and against Orthanc, in one run.

    python -m bench.tiles [--tiles 400] [--rounds 3] [--no-orthanc]

The engine: a windowed tile of a native 512 x 512 CT, against a positioned read, a window by numpy and an encoder done
by hand. Over HTTP: a signed-in reader of the real portal, every tile with a window that nobody has asked for before;
then the same tile again and again; then value tiles, each of another slice. Orthanc renders the same image with the
same windows, in turns with the portal, by the same client (``bench.client``). Radiographs of 4096 x 3328, native and
JPEG-LS: the first tile when the levels have been made at arrival, as they are, when the large ones went to make room,
and when all have been lost; and each further tile. CPU is that of the server's processes; throughput is what one or
eight clients get, on the cores that server and clients share.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pydicom
from isal import isal_zlib
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, generate_uid

from archive.dicom.header_scan import scan_header
from archive.dicom.part10 import read_file_meta
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.encode import encode_frame
from archive.pixels.frames import index_frames, read_frame
from bench.client import Client
from tests.servers import LivePortal, free_port, start_portal, wait_until
from viewer.rendering.parameters import parse_parameters
from viewer.rendering.pipeline import render_tile
from viewer.rendering.png import encode_png

ORTHANC, STORESCU = "/usr/sbin/Orthanc", "/usr/bin/storescu"
CT, DX = "CT", "DX"
SLICES = 128
PLATES = 4
BLOCK = 40
"""Pictures that one client asks of a server before it is the other's turn."""
LARGE_FILE = 8 << 20
"""All levels of a radiograph take 36 MiB, the small ones 2."""


def write_image(path: Path, modality: str, rows: int, columns: int, *, jpeg_ls: bool = False) -> pydicom.FileDataset:
    """An image with structure and noise; a DX has 14 bits."""
    ds = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    chance = np.random.default_rng(1)
    down, across = np.mgrid[0:rows, 0:columns]
    values = 1000 + 600 * np.sin(down / 90) * np.cos(across / 70) + chance.normal(0, 12, (rows, columns))
    if modality == DX:
        values = values * 4 + 4000
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 14, 13, 0
        ds.RescaleIntercept, ds.WindowCenter, ds.WindowWidth = 0, 8000, 8000
    pixels = values.astype("<u2" if modality == DX else "<i2")
    ds.PixelData = pixels.tobytes()
    ds.Rows, ds.Columns, ds.Modality = rows, columns, modality
    ds.StudyInstanceUID, ds.PatientID = generate_uid(), f"BENCH-{modality}"
    for keyword in ("PixelPaddingValue", "SmallestImagePixelValue", "LargestImagePixelValue"):
        if keyword in ds:
            delattr(ds, keyword)
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if jpeg_ls:
        frame = encode_frame(pixels, transfer_syntax_uid=JPEGLSLossless)
        ds.PixelData, ds.file_meta.TransferSyntaxUID = encapsulate([frame]), JPEGLSLossless
        ds["PixelData"].VR = "OB"
    return save_anew(ds, path, series=True)


def save_anew(ds: pydicom.FileDataset, path: Path, *, series: bool) -> pydicom.FileDataset:
    """Write the image under new UIDs."""
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    if series:
        ds.SeriesInstanceUID = generate_uid()
    ds.save_as(path, enforce_file_format=True)
    return ds


# --- The engine -----------------------------------------------------------------------------------------------------


def best_of(work: Callable[[int], object], repeats: int = 300, rounds: int = 5) -> float:
    """CPU milliseconds of one call, the best of some rounds."""
    found = []
    for part in range(rounds):
        start = time.process_time()
        for number in range(repeats):
            work(part * repeats + number)
        found.append((time.process_time() - start) * 1000 / repeats)
    return min(found)


def engine(path: Path) -> tuple[float, float, float]:
    """Milliseconds by hand, of a windowed tile, and of a value tile."""
    with path.open("rb") as file:
        meta = read_file_meta(file)
        header = scan_header(file, start=meta.data_set_offset, transfer_syntax_uid=meta.transfer_syntax_uid)
        description = describe(pydicom.dcmread(path))
        index = index_frames(file, header, description, meta.transfer_syntax_uid)
    descriptor = os.open(path, os.O_RDONLY)
    assert header.pixel_data is not None
    offset, size = header.pixel_data.offset, header.pixel_data.length

    def by_hand(number: int) -> bytes:
        values = np.frombuffer(os.pread(descriptor, size, offset), "<i2").reshape(512, 512).astype(np.float32)
        values -= 1024 + 40 + number % 200 - 200
        values *= 255 / 400
        np.clip(values, 0, 255, out=values)
        image = values.astype(np.uint8)
        lines = np.zeros((512, 513), np.uint8)
        lines[:, 0] = 1
        lines[:, 1] = image[:, 0]
        np.subtract(image[:, 1:], image[:, :-1], out=lines[:, 2:])
        return isal_zlib.compress(lines, 1)

    def tile(number: int) -> bytes:
        data = read_frame(descriptor, index, 1)
        decoded = decode_frame(data, transfer_syntax_uid=meta.transfer_syntax_uid, description=description)
        parameters = parse_parameters({"window": f"{40 + number % 200},400"})
        return encode_png(render_tile(decoded, description, 1, parameters, level=0, row=0, column=0))

    def value_tile(_number: int) -> bytes:
        data = read_frame(descriptor, index, 1)
        decoded = decode_frame(data, transfer_syntax_uid=meta.transfer_syntax_uid, description=description)
        parameters = parse_parameters({"values": "1"})
        return encode_png(render_tile(decoded, description, 1, parameters, level=0, row=0, column=0), filtered=False)

    for number in range(200):
        tile(number)
    result = best_of(by_hand), best_of(tile), best_of(value_tile)
    os.close(descriptor)
    return result


# --- HTTP -----------------------------------------------------------------------------------------------------------


def sign_in(portal: LivePortal) -> dict[str, str]:
    """Headers of a signed-in reader."""
    connection = http.client.HTTPConnection("127.0.0.1", portal.http_port)
    connection.request("GET", "/accounts/login/")
    answer = connection.getresponse()
    answer.read()
    token = answer.getheader("Set-Cookie", "").partition("csrftoken=")[2].partition(";")[0]
    body = f"login=reader&password={portal.passwords['reader']}&csrfmiddlewaretoken={token}"
    headers = {
        "Cookie": f"csrftoken={token}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": portal.url,
    }
    connection.request("POST", "/accounts/login/", body, headers)
    answer = connection.getresponse()
    answer.read()
    cookies = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    session = next(one.partition(";")[0] for one in cookies if one.startswith("sessionid="))
    return {"Cookie": session}


def ask(port: int, paths: list[str], headers: dict[str, str], clients: int = 1) -> float:
    """Answers a second; every answer must be a picture."""
    parts = [paths[number::clients] for number in range(clients)]
    wrong: list[str] = []

    def client(part: list[str]) -> None:
        connection = Client(port, headers)
        for path in part:
            status, body = connection.get(path)
            if status != 200 or not body.startswith(b"\x89PNG"):
                wrong.append(f"{status} {path} {body[:200]!r}")
                break
        connection.close()

    threads = [threading.Thread(target=client, args=(part,)) for part in parts]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(wrong[0])
    return len(paths) / (time.monotonic() - start)


def cpu_of(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def measured(
    port: int, paths: list[str], headers: dict[str, str], processes: list[psutil.Process], clients: int = 1
) -> tuple[float, float]:
    """Answers a second, and CPU milliseconds an answer."""
    before = cpu_of(processes)
    rate = ask(port, paths, headers, clients)
    return rate, (cpu_of(processes) - before) * 1000 / len(paths)


def web_processes(portal: LivePortal) -> list[psutil.Process]:
    children = psutil.Process(portal.process.pid).children(recursive=True)
    return [one for one in children if any("granian" in part for part in one.cmdline()) or "granian" in one.name()]


@contextmanager
def orthanc(folder: Path) -> Iterator[tuple[int, int, psutil.Process]]:
    """Orthanc with its own storage: HTTP port, DICOM port, process."""
    http_port, dicom_port = free_port(), free_port()
    settings = {
        "StorageDirectory": str(folder / "orthanc"),
        "IndexDirectory": str(folder / "orthanc"),
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": "ORTHANC",
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    process = subprocess.Popen(
        [ORTHANC, str(folder / "orthanc.json")],
        env=os.environ | {"TCP_NODELAY": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(http_port), patience_s=60, what="Orthanc does not answer")
        yield http_port, dicom_port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/system")
        return connection.getresponse().status == 200
    except OSError:
        return False


def orthanc_id(port: int, uid: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/tools/lookup", uid)
    return next(str(one["ID"]) for one in json.load(connection.getresponse()) if one["Type"] == "Instance")


def send(paths: list[Path], title: str, port: int) -> None:
    for option, some in (("-x=", paths_of(paths, native=True)), ("-xt", paths_of(paths, native=False))):
        if some:
            subprocess.run([STORESCU, option, "-aec", title, "127.0.0.1", str(port), *map(str, some)], check=True)


def paths_of(paths: list[Path], *, native: bool) -> list[Path]:
    return [path for path in paths if ("jpeg-ls" not in path.name) == native]


def stack_is_there(portal: LivePortal, stack: str, headers: dict[str, str], frames: int = 1) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", portal.http_port)
    connection.request("GET", f"/stacks/{stack}/manifest.json", headers=headers)
    answer = connection.getresponse()
    return answer.status == 200 and len(json.load(answer)["frames"]) == frames


def report(label: str, figure: str, target: str = "") -> None:
    print(f"{label:<66} {figure}{f'   (target: {target})' if target else ''}", flush=True)


# --- The run --------------------------------------------------------------------------------------------------------


class Images:
    """What is written, sent and asked for."""

    def __init__(self, folder: Path) -> None:
        self.slices = [folder / f"ct-{number}.dcm" for number in range(SLICES)]
        ct = write_image(self.slices[0], CT, 512, 512)
        self.series, self.slice = str(ct.SeriesInstanceUID), str(ct.SOPInstanceUID)
        for number, path in enumerate(self.slices[1:], 1):
            ct.InstanceNumber, ct.ImagePositionPatient = number + 1, [0, 0, float(number)]
            save_anew(ct, path, series=False)
        self.plates: dict[str, list[str]] = {}
        self.files = list(self.slices)
        for kind in ("native", "jpeg-ls"):
            path = folder / f"dx-{kind}-0.dcm"
            dx = write_image(path, DX, 3328, 4096, jpeg_ls=kind == "jpeg-ls")
            self.plates[kind] = [str(dx.SOPInstanceUID)]
            self.files.append(path)
            for number in range(1, PLATES):
                self.files.append(folder / f"dx-{kind}-{number}.dcm")
                self.plates[kind].append(str(save_anew(dx, self.files[-1], series=False).SOPInstanceUID))

    def are_there(self, portal: LivePortal, headers: dict[str, str]) -> bool:
        """Indexed, and the levels of the radiographs made."""
        plates = [one for some in self.plates.values() for one in some]
        levels = len(list((portal.data / "cache" / "levels").glob("*/*.levels")))
        return (
            levels >= 2 * len(plates)
            and stack_is_there(portal, self.series, headers, SLICES)
            and all(stack_is_there(portal, one, headers) for one in plates)
        )


@dataclass
class Server:
    """A server with what its clients send and its processes."""

    port: int
    headers: dict[str, str]
    processes: list[psutil.Process]

    def measured(self, paths: list[str], clients: int = 1) -> tuple[float, float]:
        return measured(self.port, paths, self.headers, self.processes, clients)

    def milliseconds(self, path: str) -> float:
        return 1000 / ask(self.port, [path], self.headers)


def run(folder: Path, options: argparse.Namespace) -> None:
    images = Images(folder)
    report_engine(images.slices[0], options.rounds)
    with ExitStack() as stack:
        portal = start_portal(folder)
        stack.callback(portal.stop)
        headers = sign_in(portal)
        send(images.files, portal.ae_title, portal.dicom_port)
        wait_until(lambda: images.are_there(portal, headers), patience_s=120, what="an image or a level is not there")
        ours = Server(portal.http_port, headers, web_processes(portal))
        theirs = None
        if not options.no_orthanc:
            http_port, dicom_port, process = stack.enter_context(orthanc(folder))
            send(images.files, "ORTHANC", dicom_port)
            theirs = Server(http_port, {"Accept": "image/png"}, [process])
        report_tiles(images, ours, theirs, options)
        whole = {kind: whole_plate(images, kind, theirs) for kind in images.plates} if theirs else {}
        for kind in images.plates:
            report_plates(images, kind, ours, whole.get(kind))
        # What went to make room leaves the levels that fill a screen.
        for path in (portal.data / "cache" / "levels").glob("*/*.levels"):
            if path.stat().st_size > LARGE_FILE:
                path.unlink()
        for kind in images.plates:
            gone = images.plates[kind][-2:-1]
            report_first(f"radiograph, {kind}, large levels gone: first tile, ms", gone, ours, whole.get(kind))
        # What a full disk or an operator removed is made again when it is asked for.
        shutil.rmtree(portal.data / "cache" / "levels")
        for kind in images.plates:
            lost = images.plates[kind][-1]
            report_first(f"radiograph, {kind}, levels lost: first tile, ms", [lost], ours, whole.get(kind))


def report_engine(path: Path, rounds: int) -> None:
    found = [engine(path) for _ in range(rounds)]
    ratio = statistics.median(tile / hand for hand, tile, _values in found)
    hand, tile, values = (min(one[place] for one in found) for place in range(3))
    report("engine: by hand, CPU ms", f"{hand:.2f}")
    report("engine: windowed tile, CPU ms", f"{tile:.2f}; median ratio {ratio:.2f} x by hand", "at most 1.5 x")
    report("engine: value tile, CPU ms", f"{values:.2f}")


def report_tiles(images: Images, ours: Server, theirs: Server | None, options: argparse.Namespace) -> None:
    """New tiles by one and eight clients, in turns with Orthanc; then tiles from memory, and value tiles."""
    next_window = itertools.count()

    def tiles(count: int) -> list[str]:
        numbers = (next(next_window) for _ in range(count))
        return [f"/tiles/{images.series}/1/0/0/0.png?window={n / 7 + 40:.3f},{400 + n % 97}" for n in numbers]

    def rendered(count: int) -> list[str]:
        name = orthanc_id(theirs.port, images.slice) if theirs else ""
        numbers = (next(next_window) for _ in range(count))
        return [f"/instances/{name}/rendered?window-center={n % 211 + 40}&window-width={400 + n % 97}" for n in numbers]

    again = [f"/tiles/{images.series}/1/0/0/0.png"] * options.tiles
    ours.measured([*tiles(64), *again[:64]], 8)
    figures: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(options.rounds):
        # One client asks both in turns, a few pictures at a time: what else the machine does falls on both alike.
        blocks: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(max(1, options.tiles // BLOCK)):
            blocks["ours 1"].append(ours.measured(tiles(BLOCK)))
            if theirs:
                blocks["theirs 1"].append(theirs.measured(rendered(BLOCK // 4)))
            blocks["again"].append(ours.measured(again[:BLOCK]))
        for name, some in blocks.items():
            rates, cpus = zip(*some, strict=True)
            figures[name].append((statistics.median(rates), statistics.mean(cpus)))
        figures["ours 8"].append(ours.measured(tiles(options.tiles), 8))
        if theirs:
            figures["theirs 8"].append(theirs.measured(rendered(options.tiles // 4), 8))
    rate = {name: statistics.median(one[0] for one in some) for name, some in figures.items()}
    cpu = {name: min(one[1] for one in some) for name, some in figures.items()}
    report("HTTP: a new tile, CPU ms, best of the rounds", f"{cpu['ours 1']:.2f}", "at most 1.2")
    report("HTTP: new tiles a second, one client / eight", f"{rate['ours 1']:.0f} / {rate['ours 8']:.0f}")
    report("HTTP: the same tile again, a second / CPU ms", f"{rate['again']:.0f} / {cpu['again']:.2f}")
    values = ours.measured([f"/tiles/{images.series}/{number}/0/0/0.png?values=1" for number in range(1, SLICES + 1)])
    report(
        "HTTP: value tiles of new slices, a second / CPU ms",
        f"{values[0]:.0f} / {values[1]:.2f} = {1000 / values[1]:.0f} a second a core",
        "300",
    )
    if not theirs:
        return
    report("Orthanc: the same rendered, a second with one / eight", f"{rate['theirs 1']:.0f} / {rate['theirs 8']:.0f}")
    report("Orthanc: CPU ms", f"{cpu['theirs 1']:.2f} = {cpu['theirs 1'] / cpu['ours 1']:.1f} x ours")
    for name, other, target in (("ours 1", "theirs 1", 6), ("ours 8", "theirs 8", 5), ("again", "theirs 1", 10)):
        ratios = sorted(one[0] / two[0] for one, two in zip(figures[name], figures[other], strict=True))
        label = {"ours 1": "one client", "ours 8": "eight clients", "again": "from memory"}[name]
        report(
            f"throughput against Orthanc, {label}",
            f"{statistics.median(ratios):.1f} x (rounds {ratios[0]:.1f} to {ratios[-1]:.1f})",
            f"{target} x",
        )


def whole_plate(images: Images, kind: str, theirs: Server) -> float:
    """Milliseconds of Orthanc's rendered radiograph, the fastest of some."""
    name = orthanc_id(theirs.port, images.plates[kind][0])
    path = f"/instances/{name}/rendered?window-center=8000&window-width={{}}"
    return min(theirs.milliseconds(path.format(width)) for width in (8000, 8100, 8200))


def report_first(label: str, plates: list[str], ours: Server, whole: float | None) -> None:
    first = statistics.median(ours.milliseconds(f"/tiles/{plate}/1/0/0/0.png") for plate in plates)
    report(label, f"{first:.1f}{f' = {whole / first:.0f} x faster than Orthanc' if whole else ''}", "50 x")


def report_plates(images: Images, kind: str, ours: Server, whole: float | None) -> None:
    """First and further tiles of a radiograph whose levels were made when it arrived."""
    if whole:
        report(f"Orthanc: radiograph, {kind}, rendered, ms, best of 3", f"{whole:.0f}")
    report_first(f"radiograph, {kind}: first tile, ms", images.plates[kind][:-2], ours, whole)
    plate = images.plates[kind][0]
    paths = [
        f"/tiles/{plate}/1/3/{row}/{column}.png?window={center},8000"
        for center in (8000, 8001)
        for row in range(7)
        for column in range(8)
    ]
    further = 1000 / ask(ours.port, paths, ours.headers)
    ratio = f" = {whole / further:.0f} x faster than Orthanc" if whole else ""
    report(f"radiograph, {kind}: each further tile at 1:1, ms", f"{further:.1f}{ratio}", "50 x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-orthanc", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        run(Path(name), options)


if __name__ == "__main__":
    main()
