"""The main job, as its people see it: a scanner sends, the study shows up by itself, a radiologist reads it."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from PIL import Image

from tests.servers import LivePortal

if TYPE_CHECKING:
    from playwright.sync_api import Page

STORESCU, DCMJ2PNM, DCMDJPEG = "/usr/bin/storescu", "/usr/bin/dcmj2pnm", "/usr/bin/dcmdjpeg"


@pytest.fixture(scope="module")
def sent(live_portal: LivePortal, data_dir: Path) -> list[Path]:
    """A CT of 22 slices, sent by dcmtk; files in the order of their positions."""
    folder = data_dir / "ct_series" / "crlm_1004"
    command = [
        STORESCU,
        "-aec",
        live_portal.ae_title,
        "-xs",
        "+sd",
        "127.0.0.1",
        str(live_portal.dicom_port),
        str(folder),
    ]
    subprocess.run(command, check=True, timeout=60)
    headers = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in folder.iterdir()}
    by_number = sorted(headers, key=lambda path: int(headers[path].InstanceNumber))
    downwards = headers[by_number[0]].ImagePositionPatient[2] > headers[by_number[-1]].ImagePositionPatient[2]
    return sorted(headers, key=lambda path: float(headers[path].ImagePositionPatient[2]), reverse=bool(downwards))


def by_dcmtk(path: Path, folder: Path, *, center: int, width: int) -> np.ndarray:
    """The image as dcmtk shows it through a window: an independent decoder and an independent window."""
    raw, picture = folder / "raw.dcm", folder / "picture.pgm"
    subprocess.run([DCMDJPEG, str(path), str(raw)], check=True, timeout=60)
    window = ["+Ww", str(center), str(width)]
    subprocess.run([DCMJ2PNM, "+op", *window, str(raw), str(picture)], check=True, timeout=60)
    return np.asarray(Image.open(picture))


READ_CANVAS = """() => {
  const canvas = document.querySelector('#viewports canvas.viewport-canvas') ?? document.querySelector('#viewports canvas');
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const grey = new Array(width * height);
  for (let index = 0; index < grey.length; index++) grey[index] = data[4 * index];
  return { width, height, grey };
}"""


def canvas_of(page: Page) -> np.ndarray:
    found = page.evaluate(READ_CANVAS)
    return np.array(found["grey"], np.uint8).reshape(found["height"], found["width"])


def middle(canvas: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The image at 1:1 in the middle of the canvas; fully inside only where the canvas is larger."""
    top, left = math.ceil((canvas.shape[0] - rows) / 2), math.ceil((canvas.shape[1] - columns) / 2)
    return canvas[top : top + rows, left : left + columns]


def test_what_a_scanner_sends_is_read_on_the_screen_to_the_last_grey_level(
    live_portal: LivePortal, sent: list[Path], page: Page, sign_in: Callable[[Page, str], None], tmp_path: Path
) -> None:
    uid = str(pydicom.dcmread(sent[0], stop_before_pixels=True).StudyInstanceUID)
    sign_in(page, "reader")
    page.goto(f"{live_portal.url}/")
    page.get_by_text("CT CH/ABD/PEL W/ CONTRAST").first.wait_for(timeout=10_000)
    page.set_viewport_size({"width": 1440, "height": 900})

    page.goto(f"{live_portal.url}/studies/{uid}/viewer/")
    page.get_by_text("Im 1/22").wait_for(timeout=10_000)
    page.keyboard.press("o")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.get_by_text("Im 5/22").wait_for(timeout=10_000)

    expected = by_dcmtk(sent[4], tmp_path, center=40, width=400)
    page.wait_for_function("() => document.querySelector('#viewports')?.textContent.includes('full')", timeout=10_000)
    assert np.array_equal(middle(canvas_of(page), 512, 512), expected)

    page.keyboard.press("8")  # bone, W 2000 L 400
    page.get_by_text("W 2000 L 400").first.wait_for(timeout=10_000)
    page.wait_for_function("() => document.querySelector('#viewports')?.textContent.includes('full')", timeout=10_000)
    expected = by_dcmtk(sent[4], tmp_path, center=400, width=2000)
    assert np.array_equal(middle(canvas_of(page), 512, 512), expected)
