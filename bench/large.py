"""First tile and pan of large images, against a CT slice and against Orthanc, in one run.

    python -m bench.large [--rounds 3] [--no-orthanc]

Mammograms of 4664 x 3064, native and JPEG-LS, and slides of 20,000 x 16,000 in JPEG baseline at three resolutions, are
sent to the running portal, which makes their levels as they arrive. Every round asks for the first tile of images that
nobody has looked at: CT slices of 512 x 512, mammograms, slides; in turns, so that all have the same neighbours on the
machine. Then for tiles that a pan reaches, each a new one. Then the levels are removed and asked for again. Orthanc
renders the whole mammogram, and one frame of the slide: it knows no slides.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from archive.dicom.uids import new_uid
from bench.tiles import (
    CT,
    DX,
    STORESCU,
    Server,
    ask,
    cpu_of,
    orthanc,
    orthanc_id,
    report,
    save_anew,
    send,
    sign_in,
    stack_is_there,
    web_processes,
    write_image,
)
from tests.phantoms import to_part10_bytes
from tests.servers import LivePortal, start_portal, wait_until
from tests.slides import JPEG_BASELINE, large_slide
from viewer.rendering.tiles import levels

ROWS, COLUMNS = 4664, 3064
KINDS = ("native", "jpeg-ls")
LOST = 2
"""Images of each kind that are asked for again when their levels are gone."""
KEPT_OF_A_SLIDE = 1 + 2 + 20
"""Tiles of ours of a slide with resolutions 1:1, 1:4 and 1:16: levels 1:64, 1:32 and 1:8."""


class Images:
    """What is written, sent and asked for: as many images of each kind as there are rounds, and some to be lost."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self.native: list[Path] = [folder / "ct-0.dcm"]
        ct = write_image(self.native[0], CT, 512, 512)
        self.series, self.slices = str(ct.SeriesInstanceUID), 8 * rounds
        for number in range(1, self.slices):
            ct.InstanceNumber, ct.ImagePositionPatient = number + 1, [0, 0, float(number)]
            self.native.append(folder / f"ct-{number}.dcm")
            save_anew(ct, self.native[-1], series=False)
        self.plates: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self.jpeg_ls: list[Path] = []
        for kind in KINDS:
            ds = write_image(folder / f"mg-{kind}.dcm", DX, ROWS, COLUMNS, jpeg_ls=kind == "jpeg-ls")
            for number in range(rounds + LOST):
                path = folder / f"mg-{kind}-{number}.dcm"
                self.plates[kind].append(str(save_anew(ds, path, series=False).SOPInstanceUID))
                (self.native if kind == "native" else self.jpeg_ls).append(path)
        self.slides = [self._slide(folder, number) for number in range(rounds + LOST)]

    def _slide(self, folder: Path, number: int) -> tuple[str, list[Path], str]:
        """Series, files, and the finest instance of a slide."""
        study, series, paths, finest = new_uid(), new_uid(), [], ""
        for ds in large_slide():
            ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
            finest = finest or str(ds.SOPInstanceUID)
            paths.append(folder / f"slide-{number}-{len(paths)}.dcm")
            paths[-1].write_bytes(to_part10_bytes(ds, JPEG_BASELINE))
        return series, paths, finest

    def send(self, title: str, port: int) -> None:
        send([*self.native, *self.jpeg_ls], title, port)
        files = [str(path) for _, paths, _ in self.slides for path in paths]
        subprocess.run([STORESCU, "-R", "-xy", "-aec", title, "127.0.0.1", str(port), *files], check=True)

    def are_there(self, portal: LivePortal, headers: dict[str, str]) -> bool:
        plates = [one for some in self.plates.values() for one in some]
        return (
            kept_files(portal) >= 2 * len(plates) + KEPT_OF_A_SLIDE * len(self.slides)
            and stack_is_there(portal, self.series, headers, self.slices)
            and all(stack_is_there(portal, one, headers) for one in plates)
            and all(stack_is_there(portal, series, headers) for series, _, _ in self.slides)
        )


def first_tile(stack: str, frame: int = 1) -> str:
    return f"/tiles/{stack}/{frame}/0/0/0.png"


def pan(stack: str, level: int, rows: range, columns: range, window: str = "") -> list[str]:
    return [f"/tiles/{stack}/1/{level}/{row}/{column}.png{window}" for row in rows for column in columns]


def opened(portal: LivePortal, server: Server, stack: str, frames: int = 1) -> str:
    """Ask for the manifest first, as a viewport does; returns the stack."""
    assert stack_is_there(portal, stack, server.headers, frames)
    return stack


def each(server: Server, paths: list[str]) -> float:
    """Milliseconds of one tile, asked one after the other."""
    return 1000 / ask(server.port, paths, server.headers)


def run(folder: Path, options: argparse.Namespace) -> None:
    images = Images(folder, options.rounds)
    with ExitStack() as stack:
        portal = start_portal(folder)
        stack.callback(portal.stop)
        headers = sign_in(portal)
        images.send(portal.ae_title, portal.dicom_port)
        wait_until(lambda: images.are_there(portal, headers), patience_s=300, what="an image or a level is not there")
        ours = Server(portal.http_port, headers, web_processes(portal))
        whole: dict[str, float] = {}
        if not options.no_orthanc:
            http_port, dicom_port, process = stack.enter_context(orthanc(folder))
            images.send("ORTHANC", dicom_port)
            whole = of_orthanc(images, Server(http_port, {"Accept": "image/png"}, [process]))
        report_first_tiles(images, portal, ours, whole)
        report_pans(images, ours, whole)
        shutil.rmtree(portal.data / "cache" / "levels")
        report_lost(images, portal, ours, whole)


def of_orthanc(images: Images, theirs: Server) -> dict[str, float]:
    """Milliseconds of Orthanc's pictures, the fastest of three."""
    found = {}
    for kind in KINDS:
        name = orthanc_id(theirs.port, images.plates[kind][0])
        paths = [f"/instances/{name}/rendered?window-center=8000&window-width={width}" for width in (8000, 8100, 8200)]
        before = cpu_of(theirs.processes)
        found[kind] = min(theirs.milliseconds(path) for path in paths)
        cpu = (cpu_of(theirs.processes) - before) * 1000 / len(paths)
        report(f"Orthanc: mammogram, {kind}, rendered, ms, best of 3 (CPU)", f"{found[kind]:.0f} ({cpu:.0f})")
    name = orthanc_id(theirs.port, images.slides[0][2])
    theirs.milliseconds(f"/instances/{name}/frames/400/rendered")
    found["slide"] = each(theirs, [f"/instances/{name}/frames/{frame}/rendered" for frame in range(410, 430)])
    report("Orthanc: one frame of the slide, rendered, ms", f"{found['slide']:.1f}")
    return found


def report_first_tiles(images: Images, portal: LivePortal, ours: Server, whole: dict[str, float]) -> None:
    """Images that nobody has looked at, of every kind in every round."""
    rounds = images.slices // 8
    opened(portal, ours, images.series, images.slices)
    ours.milliseconds(first_tile(images.series))
    found: dict[str, list[float]] = {name: [] for name in ("CT slice", *KINDS, "slide")}
    for number in range(rounds):
        some = range(8 * number + 2, 8 * number + 9)
        found["CT slice"] += [ours.milliseconds(first_tile(images.series, n)) for n in some if n <= images.slices]
        for kind in KINDS:
            found[kind].append(ours.milliseconds(first_tile(opened(portal, ours, images.plates[kind][number]))))
        found["slide"].append(ours.milliseconds(first_tile(opened(portal, ours, images.slides[number][0]))))
    slice_ms = statistics.median(found["CT slice"])
    report("first tile: CT slice, ms", f"{slice_ms:.1f}")
    for name, times in list(found.items())[1:]:
        middle = statistics.median(times)
        label = name if name == "slide" else f"mammogram, {name}"
        report(
            f"first tile: {label}, ms",
            f"{middle:.1f} = {middle / slice_ms:.1f} x a CT slice{times_faster(whole, name, middle)}",
        )


def report_pans(images: Images, ours: Server, whole: dict[str, float]) -> None:
    for kind in KINDS:
        last = levels(ROWS, COLUMNS)[-1].level
        paths = pan(images.plates[kind][0], last, range(9), range(5), "?window=8000,8000")
        middle = each(ours, paths)
        report(f"pan at 1:1: mammogram, {kind}, ms a tile", f"{middle:.1f}{times_faster(whole, kind, middle)}")
    # Inside the left island of tissue, at 1:1 frame by frame, at 1:2 four frames a tile, at 1:4 from the second resolution.
    for level, what, place in ((6, "1:1", 9), (5, "1:2", 4), (4, "1:4", 2)):
        paths = pan(images.slides[0][0], level, range(place, place + 3), range(place, place + 4))
        middle = each(ours, paths)
        report(f"pan at {what}: slide, ms a tile", f"{middle:.1f}{times_faster(whole, 'slide', middle)}")


def report_lost(images: Images, portal: LivePortal, ours: Server, whole: dict[str, float]) -> None:
    """What a full disk or an operator removed is made again when it is asked for; CPU says it without the neighbours."""
    for name, stacks in [*images.plates.items(), ("slide", [series for series, _, _ in images.slides])]:
        times, cpu = [], []
        for stack in stacks[-LOST:]:
            opened(portal, ours, stack)
            kept, before = kept_files(portal), cpu_of(ours.processes)
            times.append(ours.milliseconds(first_tile(stack)))
            cpu.append((cpu_of(ours.processes) - before) * 1000)
            wait_until(lambda kept=kept: kept_files(portal) > kept, patience_s=60, what="the levels are not kept")
        label = name if name == "slide" else f"mammogram, {name}"
        faster = "" if name == "slide" else times_faster(whole, name, min(times))
        report(f"levels lost, first tile: {label}, ms (CPU)", f"{min(times):.0f} ({min(cpu):.0f}){faster}")


def kept_files(portal: LivePortal) -> int:
    return len(list((portal.data / "cache" / "levels").glob("*/*.levels")))


def times_faster(whole: dict[str, float], name: str, ours: float) -> str:
    if name not in whole:
        return ""
    what = "frame" if name == "slide" else "rendered image"
    return f"; {whole[name] / ours:.1f} x faster than Orthanc's {what}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-orthanc", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        run(Path(name), options)


if __name__ == "__main__":
    main()
