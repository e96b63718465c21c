"""How smoothly a window is dragged in Chromium, with value tiles and with tiles that the server draws.

    python -m bench.window_drag [--seconds 5] [--rounds 3]

A reader opens a CT of 512 x 512, a radiograph of 3000 x 2400 pixels, and nine CT viewports, and drags the window all the
time: one pointer move with each frame of the screen, so that no picture can be left out for want of a move. Counted are
the frames of the screen, the pictures in a window that had not been shown before, and the requests for tiles. The last
figure asks for value tiles over HTTP, one client, each of another slice.

Chromium draws without a graphics card here (SwiftShader), on the same cores as the portal: the frame rate is that of the
slowest machine a reader may have.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from bench.first_picture import make_study, send, signed_in_state
from bench.tiles import cpu_of, report, sign_in, web_processes
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.phantoms import image, to_part10_bytes
from tests.servers import LivePortal, start_portal, wait_until

SLICES = 120
RADIOGRAPH = {"StudyInstanceUID": "2.25.91001", "SeriesInstanceUID": "2.25.91002", "SOPInstanceUID": "2.25.91003"}
SCENES = {"CT 512 x 512": "1x1", "nine CT viewports": "3x3", "radiograph 3000 x 2400": "1x1"}

# Each frame of the screen moves the pointer once; a canvas that was painted is one picture.
DRAG = """async (seconds) => {
  const viewport = document.querySelector('.viewport');
  const canvas = viewport.querySelector('canvas');
  const { left, top, width, height } = viewport.getBoundingClientRect();
  let frames = 0, painted = 0, isPainted = false;
  for (const name of ['drawImage', 'putImageData']) {
    const draw = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...parts) {
      if (this.canvas === canvas) isPainted = true;
      return draw.apply(this, parts);
    };
  }
  const windows = new Set();
  const tell = (kind, x, y) => viewport.dispatchEvent(new PointerEvent(kind, { pointerId: 1, pointerType: 'mouse',
    isPrimary: true, bubbles: true, cancelable: true, button: kind === 'pointermove' ? -1 : 2,
    buttons: kind === 'pointerup' ? 0 : 2, clientX: left + x, clientY: top + y }));
  const [x, y] = [width / 2, height / 2];
  viewport.setPointerCapture = () => {};
  tell('pointerdown', x, y);
  const began = performance.now();
  const requestsBefore = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/tiles/')).length;
  const waits = [];
  let before = began;
  await new Promise((resolve) => {
    const tick = (now) => {
      if (isPainted) painted += 1;
      isPainted = false;
      frames += 1;
      waits.push(now - before);
      before = now;
      windows.add(viewport.querySelector('.line-window').textContent);
      if (performance.now() - began > 1000 * seconds) return resolve();
      const turn = frames / 40;
      tell('pointermove', x + 120 * Math.sin(turn), y + 90 * Math.cos(turn * 1.3));
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const elapsed = (performance.now() - began) / 1000;
  tell('pointerup', x, y);
  const requests = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/tiles/')).length;
  waits.sort((one, other) => one - other);
  return { frames: frames / elapsed, painted: painted / elapsed, windows: windows.size,
    slow: waits[Math.floor(waits.length * 0.95)], requests: requests - requestsBefore };
}"""
IS_FULL = """() => {
  const words = [...document.querySelectorAll('.viewport:not([hidden]) .fidelity')].map((node) => node.textContent);
  return words.some(Boolean) && words.filter(Boolean).every((word) => /full|lossy/.test(word));
}"""


class Drag(NamedTuple):
    """What one drag gave, a second."""

    frames: float
    painted: float
    slow_ms: float
    requests: int
    cpu_share: float


def make_radiograph(folder: Path) -> str:
    """Write an image of 14 bits with structure and noise; returns the study's UID."""
    row, column = np.mgrid[0:3000, 0:2400]
    smooth = 6000 + 3000 * np.sin(row / 300) * np.cos(column / 240)
    values = (smooth + np.random.default_rng(2).integers(-60, 60, smooth.shape)).astype(np.uint16)
    attributes = {
        "Modality": "DX",
        "BitsStored": 14,
        "WindowCenter": 6000,
        "WindowWidth": 7000,
        "PatientID": "BENCH-DX",
    }
    (folder / "dx.dcm").write_bytes(to_part10_bytes(image(values, **attributes, **RADIOGRAPH)))
    return RADIOGRAPH["StudyInstanceUID"]


def drag(browser: Browser, portal: LivePortal, state: Any, address: str, seconds: float, *, on_server: bool) -> Drag:
    """Open a view and drag its window for some seconds."""
    context = browser.new_context(storage_state=state, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('portal:preference:drawOnServer', '{str(on_server).lower()}')")
    # Requests are counted, and a page keeps 250 of them.
    page.add_init_script("performance.setResourceTimingBufferSize(100000)")
    page.goto(f"{portal.url}{address}")
    wait_until(lambda: bool(page.evaluate(IS_FULL)), patience_s=60, what="no full picture")
    page.wait_for_load_state("networkidle")
    web = web_processes(portal)
    before, began = cpu_of(web), time.monotonic()
    found = page.evaluate(DRAG, seconds)
    cpu = (cpu_of(web) - before) / (time.monotonic() - began)
    context.close()
    return Drag(found["frames"], found["painted"], found["slow"], found["requests"], cpu)


def value_tiles_a_second(portal: LivePortal, stack: str, slices: int) -> tuple[float, float]:
    """Value tiles a second that one client gets, and CPU milliseconds of each."""
    headers = sign_in(portal)
    connection = http.client.HTTPConnection("127.0.0.1", portal.http_port)
    web = web_processes(portal)
    before, began = cpu_of(web), time.monotonic()
    for frame in range(1, slices + 1):
        connection.request("GET", f"/tiles/{stack}/{frame}/0/0/0.png?values=1", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200 or not answer.read():
            raise AssertionError(f"Frame {frame} has no value tile: {answer.status}.")
    elapsed = time.monotonic() - began
    return slices / elapsed, (cpu_of(web) - before) / slices * 1000


def stack_of(portal: LivePortal, study: str) -> str:
    """The first stack of a study that can be drawn."""
    connection = http.client.HTTPConnection("127.0.0.1", portal.http_port)
    connection.request("GET", f"/studies/{study}/manifest.json", headers=sign_in(portal))
    return next(str(one["stack"]) for one in json.load(connection.getresponse())["stacks"] if one["drawable"])


def address_of(study: str, stack: str, layout: str) -> str:
    rows, _, columns = layout.partition("x")
    views = "&".join(f"view={stack}~{1 + number}" for number in range(int(rows) * int(columns)))
    return f"/studies/{study}/viewer/?layout={layout}&{views}"


def measure(portal: LivePortal, browser: Browser, studies: dict[str, str], seconds: float, rounds: int) -> None:
    """Drag every scene in turns, with values and with windowed tiles."""
    state = signed_in_state(browser, portal)
    for scene, layout in SCENES.items():
        address = address_of(studies[scene], stack_of(portal, studies[scene]), layout)
        found: dict[str, list[Drag]] = {"values": [], "windowed": []}
        for _ in range(rounds):
            for name, drags in found.items():
                drags.append(drag(browser, portal, state, address, seconds, on_server=name == "windowed"))
        for name, drags in found.items():
            middle = Drag(*(statistics.median(column) for column in zip(*drags, strict=True)))
            report(
                f"{scene}, {name}: pictures a second",
                f"{middle.painted:.1f}, of {middle.frames:.1f} frames of the screen; 95 % of frames within "
                f"{middle.slow_ms:.0f} ms; {middle.requests:.0f} tile requests in {seconds:g} s; "
                f"web processes {100 * middle.cpu_share:.0f} % of a core",
            )


def run(folder: Path, seconds: float, rounds: int) -> None:
    files = folder / "files"
    files.mkdir()
    ct = make_study(files, SLICES)
    radiograph = make_radiograph(folder)
    portal = start_portal(folder)
    try:
        send(files, portal, [ct], SLICES)
        taken = portal.manage("import_folder", str(folder / "dx.dcm"))
        if taken.returncode:
            raise subprocess.CalledProcessError(taken.returncode, "import_folder", taken.stdout, taken.stderr)
        studies = dict.fromkeys(SCENES, ct) | {"radiograph 3000 x 2400": radiograph}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=CHROMIUM_ARGUMENTS)
            rate, cpu_ms = value_tiles_a_second(portal, stack_of(portal, ct), SLICES)
            report(
                "value tiles over HTTP, one client, slices never asked for", f"{rate:.0f} a second, {cpu_ms:.2f} ms CPU"
            )
            measure(portal, browser, studies, seconds, rounds)
            browser.close()
    finally:
        portal.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        run(Path(name), options.seconds, options.rounds)


if __name__ == "__main__":
    main()
