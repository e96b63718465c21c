"""What harmful images cost, what the codec child costs, and how much memory a web process takes at most.

    python -m bench.abuse [--frames 60] [--images 10] [--only harmful|overhead|portal]

Each harmful image of ``tests/abuse.py`` is indexed and decoded in a process of its own: time on the clock, processor
time of the process and of its codec child, and how far the memory of each grew above what it had before. Then frames
of 512 x 512 and 4664 x 3064 pixels, decoded in this process and in the child, in turns. Then a running portal: fifty
clients ask at once for the tiles of one image of 4664 x 3064 pixels whose levels have been removed, and each for another
one of several images; the memory of the web processes is looked at every few milliseconds.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import psutil
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from archive.errors import ArchiveError
from archive.pixels.child import Request, children
from bench.tiles import DX, ask, save_anew, sign_in, stack_is_there, web_processes, write_image
from tests.abuse import ABUSES, Abuse, draw
from tests.servers import LivePortal, start_portal, wait_until

ROWS, COLUMNS = 4664, 3064
CLIENTS = 50
STORESCU = "/usr/bin/storescu"
MIB = 1 << 20
PICKS: dict[str, Callable[[tuple[float, ...]], float]] = {"median": statistics.median, "best": min}


# --- Harmful images ---------------------------------------------------------------------------------------------------


def cost_of(abuse: Abuse) -> dict[str, Any]:
    """Index and decode one harmful image in a forked process."""
    reading, writing = os.pipe()
    forked = os.fork()
    if forked == 0:
        os.write(writing, json.dumps(_cost(abuse)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found: dict[str, Any] = json.loads(pipe.read())
    os.waitpid(forked, 0)
    return found


def _cost(abuse: Abuse) -> dict[str, Any]:
    file = abuse.file()
    children.start_ahead()
    # The first answer says that the child has begun.
    children.decode(*small_frame())
    (pid,) = children.process_ids
    child = psutil.Process(pid)
    before = {"child": sum(child.cpu_times()[:2]), "self": time.process_time()}
    memory, child_memory = peak_bytes(os.getpid()), peak_bytes(pid)
    started = time.perf_counter()
    try:
        draw(file, abuse.frame)
        answer = "a picture"
    except ArchiveError as error:
        answer = str(error)
    clock = time.perf_counter() - started
    alive = pid in children.process_ids
    return {
        "answer": answer,
        "clock_ms": clock * 1000,
        "cpu_ms": (time.process_time() - before["self"]) * 1000,
        "child_cpu_ms": (sum(child.cpu_times()[:2]) - before["child"]) * 1000 if alive else float("nan"),
        "memory": peak_bytes(os.getpid()) - memory,
        "child_memory": peak_bytes(pid) - child_memory if alive else float("nan"),
    }


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever held."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def small_frame() -> tuple[Request, bytes]:
    values = np.zeros((16, 16), np.uint16)
    data = bytes(imagecodecs.jpeg2k_encode(values, level=0, codecformat="J2K"))
    return Request("jpeg2k_decode", values.shape, values.dtype.str, values.nbytes, {"planar": False}), data


def harmful() -> None:
    print(f"{'harmful image':<46} {'clock':>8} {'CPU':>8} {'child':>8} {'memory':>9} {'child':>9}  answer")
    for abuse in ABUSES:
        cost = cost_of(abuse)
        print(
            f"{abuse.name:<46} {cost['clock_ms']:>5.0f} ms {cost['cpu_ms']:>5.0f} ms {cost['child_cpu_ms']:>5.0f} ms "
            f"{cost['memory'] / MIB:>5.0f} MiB {cost['child_memory'] / MIB:>5.0f} MiB  {cost['answer']}",
            flush=True,
        )


# --- The child's overhead ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """One frame and the codec for it."""

    name: str
    data: bytes
    request: Request

    def here(self) -> Any:
        return getattr(imagecodecs, self.request.codec)(self.data, **self.request.options)

    def in_child(self) -> Any:
        return children.decode(self.request, self.data)


def frames() -> Iterator[Frame]:
    chance = np.random.default_rng(2)
    for rows, columns in ((512, 512), (ROWS, COLUMNS)):
        down, across = np.mgrid[0:rows, 0:columns]
        values = 1000 + 600 * np.sin(down / 90) * np.cos(across / 70) + chance.normal(0, 12, (rows, columns))
        words, size = values.astype(np.uint16), f"{rows} x {columns}"
        bytes_of = (words >> 3).astype(np.uint8)
        progressive = io.BytesIO()
        Image.fromarray(bytes_of).save(progressive, "JPEG", quality=90, progressive=True)
        plain = {"planar": False}
        for name, codec, data, of, options in (
            ("HTJ2K", "htj2k_decode", imagecodecs.htj2k_encode(words, reversible=True), words, plain),
            ("JPEG 2000", "jpeg2k_decode", imagecodecs.jpeg2k_encode(words, level=0, codecformat="J2K"), words, plain),
            ("JPEG XL", "jpegxl_decode", imagecodecs.jpegxl_encode(words, lossless=True), words, {"index": 0}),
            ("progressive JPEG", "jpeg8_decode", progressive.getvalue(), bytes_of, {}),
        ):
            dtype = None if codec == "jpegxl_decode" else of.dtype.str
            yield Frame(f"{name} {size}", bytes(data), Request(codec, of.shape, dtype, of.nbytes, options))


def cpu_milliseconds() -> float:
    """Processor time of this process and its codec children."""
    ran_ns = sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in children.process_ids)
    return time.process_time() * 1000 + ran_ns / 1e6


def mean_cpu(work: Callable[[], object], count: int) -> float:
    before = cpu_milliseconds()
    for _ in range(count):
        work()
    return (cpu_milliseconds() - before) / count


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def overhead(repeats: int) -> None:
    print(f"\n{'frame':<38} {'here':>10} {'in a child':>11} {'more':>10}")
    for frame in frames():
        assert np.array_equal(frame.here(), frame.in_child())
        count = repeats if "512 x 512" in frame.name else max(3, repeats // 12)
        pairs = [(milliseconds(frame.here), milliseconds(frame.in_child)) for _ in range(count)]
        figures = {name: tuple(pick(side) for side in zip(*pairs, strict=True)) for name, pick in PICKS.items()}
        figures["CPU"] = mean_cpu(frame.here, count), mean_cpu(frame.in_child, count)
        for name, (here, there) in figures.items():
            label = f"{frame.name}, {name}"
            print(f"{label:<38} {here:>7.2f} ms {there:>8.2f} ms {there - here:>+7.2f} ms", flush=True)
    children.end_all()
    started = time.perf_counter()
    children.start_ahead()
    children.decode(*small_frame())
    print(f"from nothing to the first frame of a new child: {(time.perf_counter() - started) * 1000:.0f} ms")


# --- A running portal -------------------------------------------------------------------------------------------------


@contextmanager
def watched(processes: list[psutil.Process]) -> Iterator[dict[int, int]]:
    """The most memory of each process in the meantime, shared pages counted once for each."""
    most = {one.pid: one.memory_info().rss for one in processes}
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.005):
            for one in processes:
                most[one.pid] = max(most[one.pid], one.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    yield most
    done.set()
    thread.join()


def large_images(folder: Path, count: int) -> tuple[list[Path], list[str]]:
    """Images of 4664 x 3064 pixels of 14 bits in JPEG 2000, the dearest of the usual codecs; files and stack ids."""
    paths = [folder / f"dx-{number}.dcm" for number in range(count)]
    ds = write_image(paths[0], DX, ROWS, COLUMNS)
    values = np.frombuffer(ds.PixelData, "<u2").reshape(ROWS, COLUMNS)
    stream = bytes(imagecodecs.jpeg2k_encode(values, level=0, codecformat="J2K"))
    ds.PixelData, ds.file_meta.TransferSyntaxUID = encapsulate([stream]), JPEG2000Lossless
    ds["PixelData"].VR = "OB"
    stacks = []
    for path in paths:
        stacks.append(str(save_anew(ds, path, series=True).SOPInstanceUID))
    return paths, stacks


def tiles_of(stack: str, number: int) -> list[str]:
    """Tiles at 1:1, each with a window of its own."""
    rows, columns = -(-ROWS // 512), -(-COLUMNS // 512)
    places = [(one // columns % rows, one % columns) for one in range(number)]
    return [f"/tiles/{stack}/1/4/{row}/{column}.png?window={8000 + row},{8000 + column}" for row, column in places]


def portal_memory(folder: Path, images: int) -> None:
    paths, stacks = large_images(folder, images)
    (folder / "portal").mkdir()
    portal = start_portal(folder / "portal")
    try:
        subprocess.run(
            [STORESCU, "-xv", "-aec", "PORTAL", "127.0.0.1", str(portal.dicom_port), *map(str, paths)], check=True
        )
        headers = sign_in(portal)
        wait_until(
            lambda: all(stack_is_there(portal, stack, headers) for stack in stacks), patience_s=600, what="no stacks"
        )
        kept = portal.data / "cache" / "levels"
        wait_until(lambda: len(list(kept.glob("*/*.levels"))) >= 2 * images, patience_s=900, what="no levels")
        _ask_at_once(portal, headers, kept, stacks)
    finally:
        portal.stop()


def _ask_at_once(portal: LivePortal, headers: dict[str, str], kept: Path, stacks: list[str]) -> None:
    processes = web_processes(portal)
    print(f"\n{'fifty tiles at once':<58} {'clock':>8} {'most memory of a web process':>30}")
    cases = (
        ("before", []),
        ("levels kept", tiles_of(stacks[0], CLIENTS)),
        ("levels removed", tiles_of(stacks[1], CLIENTS)),
        (
            f"levels removed, of {len(stacks) - 2} images",
            [tiles_of(stacks[2 + number % (len(stacks) - 2)], CLIENTS)[number] for number in range(CLIENTS)],
        ),
    )
    for name, paths in cases:
        if "removed" in name:
            shutil.rmtree(kept)
        with watched(processes) as most:
            clock = milliseconds(lambda paths=paths: ask(portal.http_port, paths, headers, CLIENTS)) if paths else 0.0
        print(f"{name:<58} {clock:>5.0f} ms {max(most.values()) / MIB:>26.0f} MiB", flush=True)
    family = {one.pid: one for web in processes for one in web.children(recursive=True)}
    codec = [one for one in family.values() if any("child_main" in part for part in one.cmdline())]
    print(
        f"codec children: {len(codec)}, the largest ever {max(map(peak_bytes, (one.pid for one in codec))) / MIB:.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=60, help="of each codec, for the child's overhead")
    parser.add_argument("--images", type=int, default=10, help="of 4664 x 3064 pixels")
    parser.add_argument("--only", choices=["harmful", "overhead", "portal"])
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.only in (None, "harmful"):
        harmful()
    if options.only in (None, "overhead"):
        overhead(options.frames)
    if options.only in (None, "portal"):
        with tempfile.TemporaryDirectory() as folder:
            portal_memory(Path(folder), options.images)


if __name__ == "__main__":
    main()
