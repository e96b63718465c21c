"""Measuring as a reader does it, in Chromium, on a real CT: values against numpy's, and nothing is lost."""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from pydicom import dcmread

from tests.browser.test_viewer import IS_FULL, send

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from tests.servers import LivePortal

SignIn = Callable[["Page", str], None]
DCMDJPEG = "/usr/bin/dcmdjpeg"
SAVED = re.compile(r"^saved \d\d:\d\d$")


@pytest.fixture(scope="module")
def slices(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The real CT, decompressed by dcmtk."""
    folder = tmp_path_factory.mktemp("decompressed")
    for path in (data_dir / "ct_series" / "crlm_1004").iterdir():
        subprocess.run([DCMDJPEG, str(path), str(folder / path.name)], check=True, timeout=60)
    return [dcmread(path) for path in folder.iterdir()]


@pytest.fixture(scope="module")
def ct(live_portal: LivePortal, data_dir: Path, slices: list[Any]) -> str:
    address = ["-aec", live_portal.ae_title, "-xs", "127.0.0.1", str(live_portal.dicom_port)]
    send(address, data_dir / "ct_series" / "crlm_1004")
    return str(slices[0].StudyInstanceUID)


@pytest.fixture
def opened(live_portal: LivePortal, ct: str, page: Page, sign_in: SignIn) -> Iterator[Page]:
    """The viewer of the CT at 1:1, without measurements before and after."""
    sign_in(page, "reader")
    address = f"{live_portal.url}/studies/{ct}/"
    page.goto(address)
    for _ in range(100):
        if page.title() != "Not found" and page.locator(".stack").count():
            break
        page.wait_for_timeout(100)
        page.goto(address)
    page.evaluate(TAKE_ALL_OFF, ct)
    page.goto(f"{address}viewer/")
    page.wait_for_function(IS_FULL, timeout=15_000)
    page.keyboard.press("o")
    page.wait_for_url(re.compile("~1~"))
    page.wait_for_function(IS_FULL)
    yield page
    page.evaluate(TAKE_ALL_OFF, ct)


TAKE_ALL_OFF = """async (study) => {
  const url = `/api/studies/${study}/annotations`;
  const token = /csrftoken=([^;]+)/.exec(document.cookie)[1];
  const { annotations } = await (await fetch(url)).json();
  for (const { id, version } of annotations) {
    await fetch(`${url}/${id}`, { method: 'DELETE', headers: { 'X-CSRFToken': token }, body: JSON.stringify({ version }) });
  }
}"""


def place_of(page: Page, column: float, row: float) -> tuple[float, float]:
    """Where an image point of a 512 x 512 image lies on the page, at 1:1 and one device pixel a CSS pixel."""
    box = page.locator(".viewport-canvas").first.bounding_box()
    assert box is not None
    left, top = round(box["width"] / 2 - 256), round(box["height"] / 2 - 256)
    return box["x"] + left + column, box["y"] + top + row


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*place_of(page, *start))
    page.mouse.down()
    page.mouse.move(*place_of(page, *end), steps=6)
    page.mouse.up()


def lines(page: Page) -> list[str]:
    return page.locator(".mark-label:not(.mark-note)").all_text_contents()


def kept(page: Page, study: str) -> list[Any]:
    url = f"/api/studies/{study}/annotations"
    found = page.evaluate("async (url) => (await (await fetch(url)).json()).annotations", url)
    return list(found)


def until(page: Page, study: str, is_so: Callable[[list[Any]], bool]) -> list[Any]:
    """What the portal keeps, once it is so; five seconds at most."""
    for _ in range(100):
        if is_so(found := kept(page, study)):
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"The portal keeps {found}.")


def values_of(ds: Any) -> Any:
    return ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)


def ellipse_of(points: list[list[float]]) -> Any:
    """Pixels of a 512 x 512 image whose middles lie in the ellipse of a box, by its equation."""
    (x0, y0), (x1, y1) = points
    row, column = np.mgrid[0:512, 0:512]
    across = (column + 0.5 - (x0 + x1) / 2) / ((x1 - x0) / 2)
    down = (row + 0.5 - (y0 + y1) / 2) / ((y1 - y0) / 2)
    return across**2 + down**2 <= 1


def expected_lines(ds: Any, points: list[list[float]]) -> list[str]:
    inside = values_of(ds)[ellipse_of(points)]
    (x0, y0), (x1, y1) = points
    spacing = [float(part) for part in ds.PixelSpacing]
    area = math.pi / 4 * abs(x1 - x0) * spacing[1] * abs(y1 - y0) * spacing[0]
    shown = f"{area / 100:.2f} cm²" if area >= 100 else f"{area:.1f} mm²"
    return [f"mean {inside.mean():.1f} HU", f"SD {inside.std():.1f}", f"area {shown}"]


def test_an_ellipse_says_what_numpy_says_and_outlives_everything(opened: Page, ct: str, slices: list[Any]) -> None:
    page = opened
    page.keyboard.press("e")
    drag(page, (200, 220), (260, 260))
    expect(page.locator(".save-word")).to_have_text(SAVED)
    (one,) = kept(page, ct)
    assert one["kind"] == "ellipse"
    shown = next(ds for ds in slices if ds.SOPInstanceUID == one["SOPInstanceUID"])
    first = expected_lines(shown, one["geometry"]["points"])
    expect(page.locator(".mark-label").first).to_have_text(first[0])
    assert lines(page) == first

    page.reload()
    page.wait_for_function(IS_FULL)
    expect(page.locator(".mark-label").first).to_have_text(first[0])
    assert lines(page) == first

    # The right handle, twenty pixels further.
    drag(page, (260, 240), (280, 240))
    expect(page.locator(".mark-label").first).not_to_have_text(first[0])
    expect(page.locator(".save-word")).to_have_text(SAVED)
    page.wait_for_function("() => !document.querySelector('.mark-label').textContent.includes('…')")
    (moved,) = kept(page, ct)
    assert moved["version"] == 2
    assert moved["geometry"]["points"][1][0] == pytest.approx(one["geometry"]["points"][1][0] + 20)
    second = expected_lines(shown, moved["geometry"]["points"])
    expect(page.locator(".mark-label").first).to_have_text(second[0])
    assert lines(page) == second

    page.keyboard.press("Control+z")
    expect(page.locator(".mark-label").first).to_have_text(first[0])
    page.keyboard.press("Control+y")
    expect(page.locator(".mark-label").first).to_have_text(second[0])
    page.keyboard.press("Delete")
    expect(page.locator(".mark-shape")).to_have_count(0)
    until(page, ct, lambda found: not found)
    page.keyboard.press("Control+z")
    expect(page.locator(".mark-label").first).to_have_text(second[0])
    expect(page.locator(".save-word")).to_have_text(SAVED)
    until(page, ct, lambda found: len(found) == 1)


def test_a_turned_and_mirrored_viewport_changes_no_value(opened: Page) -> None:
    page = opened
    page.keyboard.press("e")
    drag(page, (200, 220), (260, 260))
    page.keyboard.press("l")
    drag(page, (150, 360), (190, 390))
    expect(page.locator(".mark-label:not(.mark-note)")).to_have_count(4)
    page.keyboard.press("Escape")
    before = lines(page)
    assert "…" not in " ".join(before)
    for key in ("r", "h", "z", "+"):
        page.keyboard.press(key)
    page.wait_for_function(IS_FULL)
    assert lines(page) == before


def test_every_tool_leaves_its_shape_and_its_values(opened: Page, ct: str) -> None:
    page = opened

    def choose(name: str) -> None:
        page.locator("[data-command=measure-tools]").click()
        page.get_by_role("menuitemradio", name=re.compile(f"^{name}")).click()

    choose("Bidirectional")
    drag(page, (60, 60), (100, 60))
    choose("Angle")
    drag(page, (300, 60), (300, 100))
    page.mouse.click(*place_of(page, 340, 100))
    choose("Cobb angle")
    drag(page, (60, 140), (110, 140))
    drag(page, (60, 150), (110, 200))
    choose("Rectangle")
    drag(page, (300, 140), (340, 170))
    choose("Circle")
    drag(page, (80, 260), (100, 260))
    choose("Polygon")
    for column, row in ((300, 240), (350, 240), (350, 280)):
        page.mouse.click(*place_of(page, column, row))
    page.keyboard.press("Enter")
    choose("Freehand")
    page.mouse.move(*place_of(page, 60, 340))
    page.mouse.down()
    for column, row in ((100, 340), (100, 380), (60, 380), (60, 345)):
        page.mouse.move(*place_of(page, column, row), steps=5)
    page.mouse.up()
    choose("Arrow")
    drag(page, (340, 370), (300, 340))
    page.keyboard.type("nodule")
    page.keyboard.press("Enter")
    choose("Text")
    page.mouse.click(*place_of(page, 300, 430))
    page.keyboard.type("see prior")
    page.keyboard.press("Enter")
    expect(page.locator(".mark-shape")).to_have_count(9)
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.mark-label')].some((one) => one.textContent.includes('…'))"
    )
    page.keyboard.press("Escape")
    found = lines(page)
    # 40 and 20 pixels of 0.796875 mm.
    assert found[:4] == ["long 31.9 mm", "short 15.9 mm", "90.0°", "Cobb 45.0°"]
    assert {"nodule", "see prior"} <= set(found)
    # 40 x 30, a radius of 20, half of 50 x 40, 40 x 40 pixels.
    areas = [text for text in found if text.startswith("area")]
    assert areas[:3] == [f"area {pixels * 0.796875**2 / 100:.2f} cm²" for pixels in (1200, math.pi * 400, 1000)]
    until(page, ct, lambda found: len(found) == 9)
    page.keyboard.press("Shift+h")
    expect(page.locator(".mark-shape")).to_have_count(0)
    page.keyboard.press("Shift+h")
    expect(page.locator(".mark-shape")).to_have_count(9)


def test_the_panel_jumps_names_and_deletes(opened: Page) -> None:
    page = opened
    page.keyboard.press("l")
    drag(page, (200, 200), (250, 200))
    page.keyboard.press("End")
    expect(page.locator(".line-frame").first).to_have_text("S2 · Im 22/22")
    page.locator("[data-command=measures]").click()
    row = page.locator(".measures-row")
    expect(row).to_contain_text("39.8 mm")
    row.get_by_role("button", name="Name: Length").click()
    page.keyboard.type("target 1")
    page.keyboard.press("Enter")
    expect(row.locator(".measures-name")).to_have_text("target 1")
    expect(row.locator("input")).to_have_count(0)
    row.get_by_role("button", name=re.compile("^target 1 S2")).click()
    expect(page.locator(".line-frame").first).to_have_text("S2 · Im 1/22")
    expect(page.locator(".mark-active .mark-label").first).to_have_text("target 1")
    row.get_by_role("button", name="Delete: target 1").click()
    expect(page.locator(".mark-shape")).to_have_count(0)
    expect(page.locator(".measures-empty")).to_be_visible()


def test_a_key_image_is_flagged_in_the_strip(opened: Page) -> None:
    page = opened
    page.keyboard.press("k")
    expect(page.locator(".mark-key")).to_have_text("★ key image")
    expect(page.locator(".strip-flag").first).to_have_text("★ 1 key")
    expect(page.locator(".save-word")).to_have_text(SAVED)
    page.reload()
    page.wait_for_function(IS_FULL)
    expect(page.locator(".mark-key")).to_have_count(1)
    page.keyboard.press("k")
    expect(page.locator(".strip-flag").first).to_be_hidden()


def test_a_nudge_moves_by_one_pixel_of_the_image_in_the_direction_of_the_screen(opened: Page, ct: str) -> None:
    page = opened
    page.keyboard.press("h")
    page.keyboard.press("l")
    drag(page, (200, 200), (250, 200))
    expect(page.locator(".save-word")).to_have_text(SAVED)
    (before,) = kept(page, ct)
    page.keyboard.press("Control+ArrowRight")
    (after,) = until(page, ct, lambda found: found[0]["version"] == 2)
    # Mirrored: to the right on the screen is to the left in the image.
    moved = [[x - 1, y] for x, y in before["geometry"]["points"]]
    assert np.allclose(after["geometry"]["points"], moved)


def test_what_is_drawn_without_a_connection_is_kept_and_sent_later(opened: Page, ct: str) -> None:
    page = opened

    def cut(route: Route) -> None:
        route.abort()

    page.route(re.compile("/annotations/"), cut)
    page.keyboard.press("l")
    drag(page, (200, 200), (250, 200))
    expect(page.locator(".save-word")).to_have_text("not saved yet: kept here and sent again")
    page.unroute(re.compile("/annotations/"), cut)
    page.reload()
    page.wait_for_function(IS_FULL)
    expect(page.locator(".mark-label").first).to_have_text("39.8 mm")
    expect(page.locator(".save-word")).to_have_text(SAVED)
    assert len(kept(page, ct)) == 1
    errors = page.portal_errors  # type: ignore[attr-defined]
    errors[:] = [error for error in errors if "ERR_FAILED" not in error]


def test_another_reader_s_change_is_shown_and_told(
    opened: Page, ct: str, live_portal: LivePortal, new_page: Callable[..., Page], sign_in: SignIn
) -> None:
    page = opened
    page.keyboard.press("l")
    drag(page, (200, 200), (250, 200))
    expect(page.locator(".save-word")).to_have_text(SAVED)
    other = new_page(viewport={"width": 1440, "height": 900})
    sign_in(other, "reader2")
    other.goto(f"{live_portal.url}/studies/{ct}/viewer/")
    other.wait_for_function(IS_FULL)
    other.keyboard.press("o")
    other.wait_for_function(IS_FULL)
    other.mouse.move(*place_of(other, 225, 200))
    # Somebody else's carries their name while it is looked at.
    expect(other.locator(".mark-note").last).to_contain_text("Reader")
    other.keyboard.press("F2")
    other.keyboard.type("theirs")
    other.keyboard.press("Enter")
    expect(other.locator(".save-word")).to_have_text(SAVED)
    page.keyboard.press("Control+ArrowDown")
    expect(page.locator(".save-word")).to_contain_text("Undo brings yours back")
    expect(page.locator(".mark-label").first).to_have_text("theirs")
    errors = page.portal_errors  # type: ignore[attr-defined]
    errors[:] = [error for error in errors if "409" not in error]


def test_values_are_charted_and_the_view_is_saved(opened: Page, ct: str, slices: list[Any], tmp_path: Path) -> None:
    page = opened
    page.keyboard.press("e")
    drag(page, (200, 220), (260, 260))
    expect(page.locator(".save-word")).to_have_text(SAVED)
    (one,) = kept(page, ct)
    shown = next(ds for ds in slices if ds.SOPInstanceUID == one["SOPInstanceUID"])
    inside = values_of(shown)[ellipse_of(one["geometry"]["points"])]
    page.keyboard.press("Shift+v")
    dialog = page.get_by_role("dialog", name="Ellipse")
    said = f"{inside.size} pixels from {inside.min():.4g} to {inside.max():.4g} HU"
    expect(dialog.locator("p.figures")).to_have_text(said)
    expect(dialog.get_by_role("img", name=re.compile("^Histogram"))).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()
    download.value.save_as(tmp_path / "view.png")
    saved = np.asarray(Image.open(tmp_path / "view.png").convert("RGB")).astype(int)
    # The green line of the selected ellipse, #5dff7f.
    assert (np.abs(saved - [0x5D, 0xFF, 0x7F]).max(axis=-1) < 40).sum() > 100
    box = page.locator(".viewport-canvas").first.bounding_box()
    assert box is not None
    assert saved.shape[:2] == (round(box["height"]), round(box["width"]))
    page.keyboard.press("Escape")


def test_a_polyline_is_copied_grouped_and_given_another_key(opened: Page, ct: str) -> None:
    page = opened
    page.keyboard.press("?")
    page.get_by_role("button", name=re.compile("^Polyline: no key")).click()
    page.keyboard.press("q")
    expect(page.locator(".keys-status")).to_have_text("q is now “Polyline”.")
    page.keyboard.press("Escape")
    page.locator(".viewport").first.focus()
    page.keyboard.press("q")
    for column, row in ((200, 200), (240, 200), (240, 230)):
        page.mouse.click(*place_of(page, column, row))
    page.keyboard.press("Enter")
    # 40 and 30 pixels of 0.796875 mm.
    expect(page.locator(".mark-label").first).to_have_text("55.8 mm")
    page.keyboard.press("Shift+c")
    page.keyboard.type("2-3")
    page.keyboard.press("Enter")
    found = until(page, ct, lambda found: len(found) == 3)
    assert len({one["SOPInstanceUID"] for one in found}) == 3
    page.locator("[data-command=measures]").click()
    page.get_by_role("button", name="More: Polyline").first.click()
    page.get_by_role("menuitem", name="New group …").click()
    page.keyboard.type("targets")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="targets")).to_be_visible()
    until(page, ct, lambda found: [one["group"] for one in found].count("targets") == 1)
    page.locator(".viewport").first.focus()
    page.keyboard.press("?")
    page.get_by_role("button", name="All keys as they were made").click()
    expect(page.locator(".keys-status")).to_have_text("All keys are as they were made.")
    page.keyboard.press("Escape")
