"""Tiles in the engine and over HTTP, against the same work by hand and against Orthanc, in one run.

    python -m bench.tiles [--tiles 400] [--no-orthanc]

The engine: a windowed tile of a native 512 x 512 CT, against a positioned read, a window by numpy and an encoder done
by hand. Over HTTP: a signed-in reader of the real portal, every tile with a window that nobody has asked for before;
then the same tile again and again. Orthanc renders the same image with the same windows. A 4096 x 3328 radiograph: its
first tile and each further one. CPU is that of the server's processes; throughput is what one or eight clients get.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pydicom
from isal import isal_zlib
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from archive.dicom.header import scan_header
from archive.dicom.part10 import read_file_meta
from archive.pixels.decode import decode_frame
from archive.pixels.describe import describe
from archive.pixels.frames import index_frames, read_frame
from tests.servers import LivePortal, free_port, start_portal, wait_until
from viewer.rendering.parameters import parse_parameters
from viewer.rendering.pipeline import render_tile
from viewer.rendering.png import encode_png

ORTHANC, STORESCU = "/usr/sbin/Orthanc", "/usr/bin/storescu"
CT, DX = "CT", "DX"


def write_image(path: Path, modality: str, rows: int, columns: int) -> pydicom.FileDataset:
    """A native image with structure and noise."""
    ds = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    chance = np.random.default_rng(1)
    down, across = np.mgrid[0:rows, 0:columns]
    values = 1000 + 600 * np.sin(down / 90) * np.cos(across / 70) + chance.normal(0, 12, (rows, columns))
    if modality == DX:
        values = values * 4 + 4000
    ds.PixelData = values.astype("<i2").tobytes()
    ds.Rows, ds.Columns, ds.Modality = rows, columns, modality
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.SeriesInstanceUID, ds.StudyInstanceUID = generate_uid(), generate_uid()
    ds.PatientID = f"BENCH-{modality}"
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword in ("PixelPaddingValue", "SmallestImagePixelValue", "LargestImagePixelValue"):
        if keyword in ds:
            delattr(ds, keyword)
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
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for path in part:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or not body.startswith(b"\x89PNG"):
                wrong.append(f"{answer.status} {path} {body[:200]!r}")
                return

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


def send(path: Path, title: str, port: int) -> None:
    subprocess.run([STORESCU, "-aec", title, "127.0.0.1", str(port), str(path)], check=True)


def stack_is_there(portal: LivePortal, stack: str, headers: dict[str, str]) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", portal.http_port)
    connection.request("GET", f"/stacks/{stack}/manifest.json", headers=headers)
    return connection.getresponse().status == 200


def report(label: str, figure: str, target: str = "") -> None:
    print(f"{label:<64} {figure}{f'   (target: {target})' if target else ''}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=400)
    parser.add_argument("--no-orthanc", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        run(Path(name), options.tiles, with_orthanc=not options.no_orthanc)


def run(folder: Path, tiles: int, *, with_orthanc: bool) -> None:
    slice_, radiograph = folder / "ct.dcm", folder / "dx.dcm"
    ct, dx = write_image(slice_, CT, 512, 512), write_image(radiograph, DX, 3328, 4096)
    hand, tile, values = engine(slice_)
    report("engine: by hand, CPU ms", f"{hand:.2f}")
    report("engine: windowed tile, CPU ms", f"{tile:.2f} = {tile / hand:.2f} x by hand", "at most 1.5 x")
    report(
        "engine: value tile, CPU ms", f"{values:.2f} = {1000 / values:.0f} a second a core", "300 a second over HTTP"
    )
    portal = start_portal(folder)
    try:
        over_http(folder, portal, ct, dx, slice_, radiograph, tiles, with_orthanc=with_orthanc)
    finally:
        portal.stop()


def over_http(
    folder: Path,
    portal: LivePortal,
    ct: pydicom.FileDataset,
    dx: pydicom.FileDataset,
    slice_: Path,
    radiograph: Path,
    tiles: int,
    *,
    with_orthanc: bool,
) -> None:
    headers = sign_in(portal)
    for path in (slice_, radiograph):
        send(path, portal.ae_title, portal.dicom_port)
    stack, plate = str(ct.SeriesInstanceUID), str(dx.SOPInstanceUID)
    for one in (stack, plate):
        wait_until(lambda one=one: stack_is_there(portal, one, headers), patience_s=60, what=f"{one} does not appear")
    time.sleep(3)
    web = web_processes(portal)

    def windows(start: int, count: int) -> list[str]:
        return [
            f"/tiles/{stack}/1/0/0/0.png?window={number / 7 + 40:.3f},{400 + number % 97}"
            for number in range(start, start + count)
        ]

    ask(portal.http_port, windows(10**6, 100), headers)
    ours = {
        clients: measured(portal.http_port, windows(10000 * clients, tiles), headers, web, clients)
        for clients in (1, 8)
    }
    again = measured(portal.http_port, [f"/tiles/{stack}/1/0/0/0.png"] * tiles, headers, web)
    value = measured(
        portal.http_port,
        [f"/tiles/{stack}/1/0/0/0.png?values=1"] * 1 + [f"/tiles/{stack}/1/0/0/0.png?values=1&rev=1"] * (tiles - 1),
        headers,
        web,
    )
    report("HTTP: a new tile, CPU ms", f"{ours[1][1]:.2f}", "at most 1.2")
    report("HTTP: new tiles a second, one client / eight", f"{ours[1][0]:.0f} / {ours[8][0]:.0f}")
    report("HTTP: the same tile again, a second / CPU ms", f"{again[0]:.0f} / {again[1]:.2f}")
    report("HTTP: value tiles a second", f"{value[0]:.0f}", "300 a second a core")
    plates = [f"/tiles/{plate}/1/3/{row}/{column}.png" for row in range(7) for column in range(8)]
    start = time.monotonic()
    ask(portal.http_port, [f"/tiles/{plate}/1/0/0/0.png"], headers)
    first = (time.monotonic() - start) * 1000
    rate = ask(portal.http_port, plates, headers)
    report("HTTP: radiograph 4096 x 3328, first tile / each further, ms", f"{first:.1f} / {1000 / rate:.1f}")
    if not with_orthanc:
        return
    with orthanc(folder) as (http_port, dicom_port, process):
        for path in (slice_, radiograph):
            send(path, "ORTHANC", dicom_port)
        image = orthanc_id(http_port, str(ct.SOPInstanceUID))
        large = orthanc_id(http_port, str(dx.SOPInstanceUID))
        accept = {"Accept": "image/png"}

        def rendered(start: int, count: int) -> list[str]:
            return [
                f"/instances/{image}/rendered?window-center={number % 211 + 40}&window-width={400 + number % 97}"
                for number in range(start, start + count)
            ]

        count = max(50, tiles // 4)
        theirs = {clients: measured(http_port, rendered(0, count), accept, [process], clients) for clients in (1, 8)}
        report(
            "Orthanc: the same image rendered, CPU ms", f"{theirs[1][1]:.2f} = {theirs[1][1] / ours[1][1]:.1f} x ours"
        )
        for clients, target in ((1, 6), (8, 5)):
            report(
                f"Orthanc: a second, {clients} client(s)",
                f"{theirs[clients][0]:.0f}; ours is {ours[clients][0] / theirs[clients][0]:.1f} x",
                f"{target} x",
            )
        report("ours from memory against Orthanc", f"{again[0] / theirs[1][0]:.1f} x", "10 x")
        times = []
        for _ in range(3):
            start = time.monotonic()
            ask(http_port, [f"/instances/{large}/rendered?window-center=8000&window-width=8000"], accept)
            times.append((time.monotonic() - start) * 1000)
        whole = statistics.median(times)
        report(
            "Orthanc: radiograph rendered, ms",
            f"{whole:.0f}; first tile {whole / first:.0f} x, further {whole * rate / 1000:.0f} x",
            "50 x",
        )


if __name__ == "__main__":
    main()
