"""What came with a study besides its images, in Chromium: a report's measurements and a segmentation, at the right pixels."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import highdicom
import numpy as np
from playwright.sync_api import expect
from pydicom import dcmread

from tests.browser.test_viewer import IS_FULL, send

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal

SignIn = Callable[["Page", str], None]
COVERED = """() => {
  const canvas = document.querySelector(".viewport-overlay");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const rows = [];
  for (let row = 0; row < canvas.height; row++) {
    const found = [];
    for (let column = 0; column < canvas.width; column++) if (data[4 * (row * canvas.width + column) + 3]) found.push(column);
    if (found.length) rows.push([row, found]);
  }
  return { width: canvas.width, height: canvas.height, rows };
}"""


def open_study(page: Page, portal: LivePortal, image: Path, what: str) -> str:
    """The viewer of an image's study at 1:1, as soon as ``what`` of it is known."""
    ds = dcmread(image, stop_before_pixels=True)
    for _ in range(100):
        answer = page.request.get(f"{portal.url}/api/studies/{ds.StudyInstanceUID}/{what}")
        if answer.ok and any(answer.json().values()):
            break
        page.wait_for_timeout(100)
    page.goto(f"{portal.url}/studies/{ds.StudyInstanceUID}/viewer/?layout=1x1&view={ds.SeriesInstanceUID}")
    page.wait_for_function(IS_FULL, timeout=15_000)
    page.locator(".viewport").first.focus()
    page.keyboard.press("o")
    page.wait_for_url(re.compile("~1~"))
    page.wait_for_function(IS_FULL)
    return str(ds.StudyInstanceUID)


def test_a_ruler_and_a_segmentation_of_others_lie_at_their_pixels(
    live_portal: LivePortal, data_dir: Path, page: Page, sign_in: SignIn
) -> None:
    address = ["-R", "-aec", live_portal.ae_title, "-xs", "127.0.0.1", str(live_portal.dicom_port)]
    squares, liver = data_dir / "sr/dwv_tid1500", data_dir / "ct_series/liver_3slice"
    for path in (
        squares / "squares.dcm",
        squares / "sr-ruler.dcm",
        liver,
        data_dir / "seg_rt/liver_partial_overlaps.dcm",
    ):
        send(address, path)
    sign_in(page, "reader")

    # A length of 4.025 mm between two points 4.0253 pixels apart: at 1:1 that many pixels of the screen.
    open_study(page, live_portal, squares / "squares.dcm", "elsewhere")
    page.locator("[data-command=measures]").click()
    rows = page.get_by_role("region", name="Measurements from elsewhere").get_by_role("listitem")
    expect(rows).to_have_count(3)
    rows.first.get_by_role("button").click()
    drawn = page.locator(".foreign-shape.mark-active")
    expect(drawn).to_contain_text("Length 4.025 mm")
    (x0, y0), (x1, y1) = [
        tuple(map(float, point.split()))
        for point in re.findall(r"[ML]([\d. -]+)", drawn.locator(".foreign-line").get_attribute("d") or "")
    ]
    assert (round(x1 - x0, 2), round(y1 - y0, 2)) == (4.03, 0)

    study = open_study(page, live_portal, next(liver.iterdir()), "overlays")
    page.locator("[data-command=measures]").click()
    legend = page.get_by_role("region", name="Segments")
    expect(legend).to_be_visible()
    with page.expect_response(re.compile(r"/overlays/")) as answered:
        legend.locator(".overlay-name input").check()
    assert answered.value.ok
    expect(page.locator(".viewport-overlay")).to_be_visible()
    page.wait_for_function("() => new URL(location).search.includes('view=')")
    frame = int(re.search(r"/frames/(\d+)/", answered.value.url)[1])  # type: ignore[index]
    manifest = page.request.get(f"{live_portal.url}/stacks/{answered.value.url.split('/')[5]}/manifest.json").json()
    uid = manifest["frames"][frame - 1]["SOPInstanceUID"]
    seg = highdicom.seg.segread(data_dir / "seg_rt/liver_partial_overlaps.dcm")
    wanted = seg.get_pixels_by_source_instance([uid], ignore_spatial_locations=True).any(axis=-1)[0]
    assert wanted.any()
    page.wait_for_function(f"() => ({COVERED})().rows.length > 0")
    found = page.evaluate(COVERED)
    covered = np.zeros((found["height"], found["width"]), bool)
    for row, columns in found["rows"]:
        covered[row, columns] = True
    top, left = np.argwhere(covered).min(axis=0) - np.argwhere(wanted).min(axis=0)
    assert abs(left - (found["width"] - 512) / 2) <= 1 and abs(top - (found["height"] - 512) / 2) <= 1
    assert np.array_equal(covered[top : top + 512, left : left + 512], wanted)

    legend.get_by_role("button", name="Volume and values").click()
    expect(legend.locator(".overlay-numbers").first).to_contain_text(re.compile(r"[\d.]+ ml · mean -?[\d.]+ HU"))
    legend.locator(".overlay-name input").uncheck()
    expect(page.locator(".viewport-overlay")).to_be_hidden()
    assert study
