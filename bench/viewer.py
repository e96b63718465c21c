"""What a reader waits for and what a read costs, in Chromium, over loopback and over a slow line.

    python -m bench.viewer [--slices 500] [--seconds 5] [--rounds 1] [--ohif]

One CT of 512 x 512 slices is opened by a fresh browser profile, read from the first slice to the last with one wheel notch
for each frame of the screen, and its window is dragged. Then the same over 10 Mbit/s with 80 ms (the browser's own
throttling, Network.emulateNetworkConditions).

first picture     from the start of the navigation until a picture is painted
scroll            images shown a second, and how often no picture stood on the canvas
window drag       windows shown a second
bytes             of all answers from the opening until the last slice was full (encoded, as they went over the line)
memory            JavaScript heap of the tab, and resident memory of its renderer process, after the read
--ohif: stock OHIF reads the same study of the same portal, in turns. It scrolls by skipping what is not here yet, so that
its images a second and ours mean different things: beside them stands how many of the images were shown at all.

Chromium draws without a graphics card here (SwiftShader), on the same cores as the portal.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from bench import ohif_reader
from bench.first_picture import WATCH, make_study, send, signed_in_state
from bench.window_drag import DRAG
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.servers import LivePortal, free_port, start_portal

MIB = 2**20
LONGEST_MS = 600_000


class Line(NamedTuple):
    """A connection between browser and portal."""

    name: str
    bits_per_second: float = 0
    latency_ms: float = 0


LINES = (Line("loopback"), Line("10 Mbit/s, 80 ms", 10e6, 80))

# Each frame of the screen asks for one image more; a canvas without a picture is counted.
SCROLL = """async () => {
  const viewport = document.querySelector('.viewport');
  const { left, top, width, height } = viewport.getBoundingClientRect();
  const at = () => Number(/Im (\\d+)/.exec(viewport.querySelector('.line-frame').textContent)?.[1] ?? 0);
  const last = Number(/\\/(\\d+)/.exec(viewport.querySelector('.line-frame').textContent)[1]);
  const isEmpty = () => Boolean(viewport.querySelector('.viewport-loading:not([hidden]), .viewport-problem:not([hidden])'));
  const began = performance.now();
  let seen = at(), shown = 0, empty = 0, frames = 0;
  await new Promise((resolve) => {
    const tick = () => {
      frames += 1;
      if (at() !== seen) shown += 1;
      seen = at();
      if (isEmpty()) empty += 1;
      if (seen >= last || performance.now() - began > 300000) return resolve();
      viewport.dispatchEvent(new WheelEvent('wheel', { deltaY: 100, bubbles: true, cancelable: true,
        clientX: left + width / 2, clientY: top + height / 2 }));
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const seconds = (performance.now() - began) / 1000;
  return { shown, seconds, empty, frames };
}"""
IS_FULL = "() => document.querySelector('.fidelity')?.textContent.includes('full')"


def renderers(browser_pid: int) -> list[psutil.Process]:
    children = psutil.Process(browser_pid).children(recursive=True)
    return [one for one in children if "--type=renderer" in " ".join(one.cmdline())]


@contextmanager
def opened(browser: Browser, state: Any, line: Line) -> Iterator[tuple[Page, CDPSession, list[int]]]:
    """A fresh profile on a line, and the bytes that come over it."""
    context = browser.new_context(storage_state=state, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    received = [0]
    devtools.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))
    if line.bits_per_second:
        rate = line.bits_per_second / 8
        limits = {"offline": False, "latency": line.latency_ms, "downloadThroughput": rate, "uploadThroughput": rate}
        devtools.send("Network.emulateNetworkConditions", limits)
    yield page, devtools, received
    context.close()


def measure(browser: Browser, portal: LivePortal, study: str, state: Any, line: Line, seconds: float) -> dict[str, str]:
    with opened(browser, state, line) as (page, devtools, received):
        page.goto(f"{portal.url}/studies/{study}/viewer/", timeout=LONGEST_MS)
        page.wait_for_function("() => window.seenAt?.picture && window.seenAt?.viewer", timeout=LONGEST_MS)
        first, viewer = page.evaluate("() => [seenAt.picture, seenAt.viewer]")
        scroll = page.evaluate(SCROLL)
        page.wait_for_function(IS_FULL, timeout=LONGEST_MS)
        read = sum(received)
        drag = page.evaluate(DRAG, seconds)
        memory = memory_of(browser, devtools)
    return {
        "first picture": f"{first:.0f} ms",
        "tools ready": f"{viewer:.0f} ms",
        "scroll": f"{scroll['shown'] / scroll['seconds']:.0f} images/s, {scroll['shown'] + 1} shown",
        "without a picture": f"{scroll['empty']} of {scroll['frames']} screen frames",
        "window drag": f"{drag['painted']:.0f} pictures/s, 95 % of screen frames within {drag['slow']:.0f} ms",
        "bytes": f"{read / MIB:.1f} MiB",
        **memory,
    }


def measure_ohif(
    browser: Browser, site: tuple[str, str], study: str, line: Line, *, slices: int, seconds: float
) -> dict[str, str]:
    """The same of OHIF, as far as it tells."""
    with opened(browser, None, line) as (page, devtools, received):
        first, scroll = ohif_reader.read(page, *site, study, slices=slices, longest_ms=LONGEST_MS)
        read = sum(received)
        drag = ohif_reader.drag(page, seconds)
        memory = memory_of(browser, devtools)
    return {
        "first picture": f"{first:.0f} ms",
        "scroll": f"{scroll['shown'] / scroll['seconds']:.0f} images/s, {scroll['shown']} shown",
        "window drag": f"{drag['painted']:.0f} pictures/s, 95 % of screen frames within {drag['slow']:.0f} ms",
        "bytes": f"{read / MIB:.1f} MiB, its own files included",
        **memory,
    }


def memory_of(browser: Browser, devtools: CDPSession) -> dict[str, str]:
    """JavaScript heap and resident memory of the tab."""
    devtools.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    resident = max((one.memory_info().rss for one in renderers(pid_of(browser))), default=0)
    return {"heap": f"{metrics['JSHeapUsedSize'] / MIB:.0f} MiB", "renderer": f"{resident / MIB:.0f} MiB"}


def pid_of(browser: Browser) -> int:
    devtools = browser.new_browser_cdp_session()
    processes = devtools.send("SystemInfo.getProcessInfo")["processInfo"]
    devtools.detach()
    return next(int(one["id"]) for one in processes if one["type"] == "browser")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--ohif", action="store_true", help="measure OHIF beside, in turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), options)


def run(place: Path, options: argparse.Namespace) -> None:
    for name in ("files", "data"):
        (place / name).mkdir()
    study = make_study(place / "files", options.slices)
    port = free_port()
    portal = start_portal(place / "data", PORTAL_CORS_ORIGINS=f"http://127.0.0.1:{port}")
    try:
        send(place / "files", portal, [study], options.slices)
        with ExitStack() as stack:
            site = stack.enter_context(ohif_reader.served_beside(port, portal)) if options.ohif else None
            browser = stack.enter_context(sync_playwright()).chromium.launch(
                executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS
            )
            state = signed_in_state(browser, portal)
            for line, number in itertools.product(LINES, range(options.rounds)):
                show(f"{line.name}, round {number + 1}", measure(browser, portal, study, state, line, options.seconds))
                if site:
                    found = measure_ohif(browser, site, study, line, slices=options.slices, seconds=options.seconds)
                    show(f"{line.name}, round {number + 1}, OHIF", found)
    finally:
        portal.stop()


def show(title: str, figures: dict[str, str]) -> None:
    print(f"{title}:")
    for name, figure in figures.items():
        print(f"  {name:20} {figure}", flush=True)


if __name__ == "__main__":
    main()
