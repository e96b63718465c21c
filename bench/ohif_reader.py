"""Stock OHIF doing the same read as `bench.viewer`: the same study of the same portal, over DICOMweb with a token."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

from tests.network import ohif
from tests.servers import ROOT, LivePortal

# When a picture with greys stands on a canvas of Cornerstone's, in milliseconds of the page's clock.
WATCH = """
(() => {
  const look = () => {
    for (const canvas of document.querySelectorAll('.cornerstone-canvas')) {
      if (!canvas.width) continue;
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      const seen = new Set();
      for (let at = 0; at < data.length; at += 64) seen.add(data[at]);
      if (seen.size > 50) { window.ohifSeen = performance.now(); return; }
    }
    setTimeout(look, 30);
  };
  look();
})();
"""
# One notch for each frame of the screen until the last image; an image that Cornerstone shows is told by its event.
SCROLL = """async (slices) => {
  const canvas = document.querySelector('.cornerstone-canvas');
  const element = canvas.closest('.viewport-element').parentElement;
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const shown = new Set();
  let last = 0;
  element.addEventListener('CORNERSTONE_STACK_NEW_IMAGE', ({ detail }) => {
    last = Math.max(last, detail.imageIdIndex ?? 0);
    shown.add(detail.imageId);
  });
  const began = performance.now();
  let frames = 0;
  await new Promise((resolve) => {
    const tick = () => {
      frames += 1;
      if (last >= slices - 1 || performance.now() - began > 300000) return resolve();
      canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: 100, bubbles: true, cancelable: true,
        clientX: left + width / 2, clientY: top + height / 2 }));
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  return { shown: shown.size, seconds: (performance.now() - began) / 1000, frames, last };
}"""
# The left button windows, as OHIF opens; a canvas that was painted is one picture.
DRAG = """async (seconds) => {
  const canvas = document.querySelector('.cornerstone-canvas');
  const element = canvas.closest('.viewport-element').parentElement;
  const { left, top, width, height } = canvas.getBoundingClientRect();
  let painted = 0, frames = 0;
  element.addEventListener('CORNERSTONE_IMAGE_RENDERED', () => (painted += 1));
  const tell = (on, kind, x, y) => on.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true, view: window,
    button: 0, buttons: kind === 'mouseup' ? 0 : 1, clientX: left + x, clientY: top + y }));
  const [x, y] = [width / 2, height / 2];
  tell(canvas, 'mousedown', x, y);
  const began = performance.now();
  const waits = [];
  let before = began;
  await new Promise((resolve) => {
    const tick = (now) => {
      frames += 1;
      waits.push(now - before);
      before = now;
      if (performance.now() - began > 1000 * seconds) return resolve();
      const turn = frames / 40;
      tell(document, 'mousemove', x + 120 * Math.sin(turn), y + 90 * Math.cos(turn * 1.3));
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const elapsed = (performance.now() - began) / 1000;
  tell(document, 'mouseup', x, y);
  waits.sort((one, other) => one - other);
  return { painted: painted / elapsed, slow: waits[Math.floor(waits.length * 0.95)] };
}"""


def token_of(portal: LivePortal) -> str:
    """A token of the reader's that may read."""
    command = [sys.executable, "manage.py", "make_token", "reader", "--scope", "read"]
    answer = subprocess.run(
        command, cwd=ROOT, env=os.environ | portal.environment, check=True, capture_output=True, text=True
    )
    return answer.stdout.strip().splitlines()[-1]


@contextmanager
def served_beside(port: int, portal: LivePortal) -> Iterator[tuple[str, str]]:
    """OHIF on loopback, whose origin the portal allows; yields its address and a token."""
    with ohif.served(port, portal.url) as address:
        yield address, token_of(portal)


def read(
    page: Page, address: str, token: str, study: str, *, slices: int, longest_ms: int
) -> tuple[float, dict[str, Any]]:
    """Open the study and scroll to its end: milliseconds to the first picture, and what was shown meanwhile."""
    page.add_init_script(WATCH)
    page.goto(f"{address}/viewer?StudyInstanceUIDs={study}&token={token}", timeout=longest_ms)
    page.wait_for_function("() => window.ohifSeen", timeout=longest_ms)
    return float(page.evaluate("() => window.ohifSeen")), page.evaluate(SCROLL, slices)


def drag(page: Page, seconds: float) -> dict[str, float]:
    found: dict[str, float] = page.evaluate(DRAG, seconds)
    return found
