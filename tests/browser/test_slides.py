"""A whole slide of 20,000 columns in Chromium: fitted, one to one, panned and zoomed, each tissue where it lies."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.phantoms import to_part10_bytes
from tests.slides import JPEG_BASELINE, LARGE_COLUMNS, LARGE_ROWS, LARGE_TILE, kind_of_tile, large_slide, large_tile

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal

STORESCU = "/usr/bin/storescu"
IS_FULL = """() => {
  const words = [...document.querySelectorAll('.viewport:not([hidden]) .fidelity')].map((node) => node.textContent);
  return words.some(Boolean) && words.filter(Boolean).every((word) => /full|lossy/.test(word));
}"""
# Mean colours of squares of the canvas, with the place of each in the image's own pixels.
SQUARES = """(size) => {
  const canvas = document.querySelector('.viewport-canvas');
  const context = canvas.getContext('2d');
  const found = [];
  for (let top = size; top + size < canvas.height; top += 3 * size) {
    for (let left = size; left + size < canvas.width; left += 3 * size) {
      const { data } = context.getImageData(left, top, size, size);
      const sum = [0, 0, 0];
      for (let index = 0; index < data.length; index += 4) for (const part of [0, 1, 2]) sum[part] += data[index + part];
      found.push({ left, top, color: sum.map((value) => value / (size * size)) });
    }
  }
  return { width: canvas.width, height: canvas.height, found };
}"""


@pytest.fixture(scope="module")
def study(live_portal: LivePortal, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The slide at three resolutions, sent by dcmtk."""
    folder = tmp_path_factory.mktemp("slide")
    paths = []
    for number, ds in enumerate(large_slide()):
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.7001", "2.25.7002"
        paths.append(folder / f"{number}.dcm")
        paths[-1].write_bytes(to_part10_bytes(ds, JPEG_BASELINE))
    address = ["-aec", live_portal.ae_title, "127.0.0.1", str(live_portal.dicom_port)]
    subprocess.run([STORESCU, "-R", "-xy", *address, *map(str, paths)], check=True, timeout=120)
    return "2.25.7001"


@pytest.fixture
def page_of_slide(live_portal: LivePortal, study: str, page: Page, sign_in: Callable[[Page, str], None]) -> Page:
    sign_in(page, "reader")
    address = f"{live_portal.url}/studies/{study}/"
    page.goto(address)
    for _ in range(100):
        if page.title() != "Not found" and page.locator(".stack").count():
            break
        page.wait_for_timeout(100)
        page.goto(address)
    page.goto(f"{address}viewer/")
    page.wait_for_function(IS_FULL, timeout=20_000)
    return page


def expected_color(row: float, column: float, rows: float) -> np.ndarray | None:
    """Mean colour of a square of the slide inside one tile, None where it crosses several or lies beside the slide."""
    tile_row, tile_column = int(row // LARGE_TILE), int(column // LARGE_TILE)
    inside = row >= 0 and column >= 0 and row + rows <= LARGE_ROWS and column + rows <= LARGE_COLUMNS
    if not inside or int((row + rows) // LARGE_TILE) != tile_row or int((column + rows) // LARGE_TILE) != tile_column:
        return None
    tile = kind_of_tile(large_tile(tile_row, tile_column), 1)
    top, left = int(row - tile_row * LARGE_TILE), int(column - tile_column * LARGE_TILE)
    return np.asarray(tile[top : top + max(int(rows), 1), left : left + max(int(rows), 1)].mean(axis=(0, 1)))


def check_places(page: Page, zoom: float, center: tuple[float, float]) -> int:
    """Compare squares of the canvas with the slide; ``center`` is column, row. Returns how many were compared."""
    page.wait_for_function(IS_FULL, timeout=20_000)
    shown: dict[str, Any] = page.evaluate(SQUARES, 16)
    compared = 0
    for square in shown["found"]:
        column = center[0] + (square["left"] - shown["width"] / 2) / zoom
        row = center[1] + (square["top"] - shown["height"] / 2) / zoom
        wanted = expected_color(row, column, 16 / zoom)
        if wanted is None:
            continue
        compared += 1
        assert abs(np.array(square["color"]) - wanted).max() < 12, (row, column, square["color"], wanted)
    return compared


def place_of(page: Page, zoom: float) -> tuple[float, tuple[float, float]]:
    """Zoom and centre, column and row, once the address of the page says this zoom, rounded as it is there."""
    pattern = re.compile(r"~([0-9.]+)~([0-9.]+),([0-9.]+)")

    def is_said(address: str) -> bool:
        found = pattern.search(unquote(address))
        return found is not None and abs(float(found[1]) - zoom) <= 0.005

    page.wait_for_url(is_said)
    found = pattern.search(unquote(page.url))
    assert found is not None
    said, column, row = map(float, found.groups())
    return said, (column, row)


def test_a_slide_is_fitted_and_its_tissue_lies_where_it_should(page_of_slide: Page) -> None:
    page = page_of_slide
    size = page.evaluate(
        "() => { const { width, height } = document.querySelector('.viewport-canvas'); return [width, height]; }"
    )
    fitted = min(size[0] / LARGE_COLUMNS, size[1] / LARGE_ROWS)
    assert check_places(page, fitted, (LARGE_COLUMNS / 2, LARGE_ROWS / 2)) > 20
    expect(page.locator(".viewport").first).to_contain_text("mm")


def test_zoomed_in_at_the_tissue_and_panned_the_slide_stays_in_its_place(page_of_slide: Page) -> None:
    page = page_of_slide
    box = page.locator(".viewport-canvas").first.bounding_box()
    assert box is not None
    # The left island: column 5000, row 5600 of the slide.
    fitted = box["height"] / LARGE_ROWS
    page.mouse.move(
        box["x"] + box["width"] / 2 + (5000 - LARGE_COLUMNS / 2) * fitted,
        box["y"] + box["height"] / 2 + (5600 - LARGE_ROWS / 2) * fitted,
    )
    page.keyboard.down("Control")
    for _ in range(14):
        page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    # A notch of the wheel is a quarter; the address follows when the last one was drawn.
    zoom, center = place_of(page, fitted * 1.25**14)
    assert check_places(page, zoom, center) > 5
    page.keyboard.press("o")
    expect(page.locator(".line-zoom").first).to_have_text("1:1")
    zoom, center = place_of(page, 1)
    assert check_places(page, zoom, center) > 20
    expect(page.locator(".viewport").first).to_contain_text("µm")
    page.keyboard.press("p")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = page.url
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 500, middle[1] - 300, steps=10)
    page.mouse.up()
    page.wait_for_url(lambda url: url != before)
    zoom, moved = place_of(page, 1)
    assert (round(moved[0] - center[0]), round(moved[1] - center[1])) == (500, 300)
    assert check_places(page, zoom, moved) > 20
