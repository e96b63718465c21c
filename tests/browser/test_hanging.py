"""Studies as they are hung when they are opened, in Chromium: mammograms back to back, priors beside, MR in planes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from pydicom import dcmread
from pynetdicom import AE

from tests.browser.test_linking import pane
from tests.browser.test_viewer import IS_FULL
from viewer.demo.catalogue import demo_studies
from viewer.demo.mammography import VIEWS

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal
    from viewer.demo.objects import Maker

SignIn = Callable[["Page", str], None]
Open = Callable[..., "Page"]
NOW = datetime(2026, 11, 24, 12)  # noqa: DTZ001 - the site's time, as the demonstration takes it
SLICES = 12

# First and last column of a viewport in which anything is drawn, and its middle row, as shares of its size.
DRAWN = """(surface) => {
  const canvas = surface.querySelector('canvas');
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let [left, right] = [canvas.width, -1];
  for (let y = 0; y < canvas.height; y += 4) for (let x = 0; x < canvas.width; x += 1) {
    if (data[4 * (y * canvas.width + x)] < 24) continue;
    left = Math.min(left, x);
    right = Math.max(right, x);
  }
  return { left: left / canvas.width, right: right / canvas.width, width: canvas.width, height: canvas.height };
}"""


@dataclass(frozen=True)
class Sent:
    mammogram: str
    ct: str
    prior: str


@pytest.fixture(scope="module")
def sent(live_portal: LivePortal) -> Sent:
    """The demonstration's mammogram, and slices of its CT and of the CT of twenty months before."""
    plans = {study.visit.key: study.makers() for study in demo_studies(NOW)}
    uids = [send_objects(live_portal, plans["mg1"])]
    uids += [send_objects(live_portal, plans[key][:SLICES]) for key in ("ct2", "ct1")]
    return Sent(*uids)


def send_objects(live_portal: LivePortal, makers: Iterable[Maker]) -> str:
    """Send objects in their own transfer syntaxes; returns the study's UID."""
    found = [dcmread(io.BytesIO(make().to_bytes())) for make in makers]
    entity = AE()
    for abstract, syntax in {(ds.SOPClassUID, ds.file_meta.TransferSyntaxUID) for ds in found}:
        entity.add_requested_context(abstract, syntax)
    association = entity.associate("127.0.0.1", live_portal.dicom_port, ae_title=live_portal.ae_title)
    assert association.is_established
    statuses = [association.send_c_store(ds).Status for ds in found]
    association.release()
    assert statuses == [0] * len(found)
    return str(found[0].StudyInstanceUID)


@pytest.fixture
def hang(live_portal: LivePortal, sent: Sent, page: Page, sign_in: SignIn) -> Open:
    """Open a study as it is hung, once all of it has been indexed."""

    def open_study(name: str, images: int, *, is_waited_for: str = "") -> Page:
        if not page.context.cookies():
            sign_in(page, "reader")
        for study, count in ((getattr(sent, name), images), *((uid, SLICES) for uid in [is_waited_for] if uid)):
            for _ in range(200):
                answer = page.request.get(f"{live_portal.url}/studies/{study}/manifest.json")
                if answer.ok and answer.json()["instances"] == count:
                    break
                page.wait_for_timeout(100)
        page.goto(f"{live_portal.url}/studies/{getattr(sent, name)}/viewer/")
        page.wait_for_function(IS_FULL, timeout=30_000)
        return page

    return open_study


def letters(page: Page, number: int) -> list[str | None]:
    return [pane(page, number).locator(f".edge-{side}").text_content() for side in ("top", "right", "bottom", "left")]


def mm_on_screen(page: Page, number: int, spacing: float) -> float:
    """Device pixels for a millimetre, by the zoom that the viewport says."""
    text = pane(page, number).locator(".line-zoom").text_content() or ""
    return float(text.removeprefix("x")) / spacing


def test_mammograms_hang_back_to_back_turned_by_what_the_file_says(hang: Open) -> None:
    page = hang("mammogram", 4)
    expect(page.locator(".viewport")).to_have_count(4)
    shown = [pane(page, number).locator(".line-study").text_content() or "" for number in range(1, 5)]
    assert [re.findall(r"[RL] (?:CC|MLO)", text)[0] for text in shown] == ["R CC", "L CC", "R MLO", "L MLO"]
    # Chest walls (posterior) towards the middle, outer side or head up; also of the left MLO, which was sent mirrored.
    assert [letters(page, number)[1] for number in (1, 3)] == ["P", "P"]
    assert [letters(page, number)[3] for number in (2, 4)] == ["P", "P"]
    assert [letters(page, number)[0][:1] for number in range(1, 5)] == ["R", "L", "H", "H"]  # type: ignore[index]
    expect(pane(page, 4).locator(".line-placement")).to_have_text("flipped left-right")
    for number in (1, 3):
        assert pane(page, number).evaluate(DRAWN)["right"] > 0.99
    for number in (2, 4):
        assert pane(page, number).evaluate(DRAWN)["left"] < 0.01
    spacings = [next(view for view in VIEWS if view.name == name).drawing.spacing_mm for name in ("RCC", "LCC")]
    right, left = (mm_on_screen(page, number, spacing) for number, spacing in zip((1, 2), spacings, strict=True))
    # The zoom is said with two digits.
    assert right == pytest.approx(left, rel=0.05)
    page.set_viewport_size({"width": 1100, "height": 700})
    page.wait_for_function(IS_FULL)
    assert pane(page, 1).evaluate(DRAWN)["right"] > 0.99


def test_a_ct_opens_beside_its_prior_which_says_so_for_good(hang: Open, sent: Sent) -> None:
    page = hang("ct", SLICES, is_waited_for=sent.prior)
    expect(page.locator(".viewport")).to_have_count(2)
    expect(pane(page, 2).locator(".line-prior")).to_have_text("PRIOR, 20 months")
    expect(pane(page, 1).locator(".line-prior")).to_have_text("")
    expect(pane(page, 2).locator(".line-study")).to_contain_text("2025-03")
    expect(pane(page, 2).locator(".line-link")).to_have_text("linked: middles matched, not registered")
    page.keyboard.press("t")
    expect(pane(page, 2).locator(".line-prior")).to_be_visible()
    expect(page.locator(".prior[aria-pressed=true]")).to_have_count(1)
    # The reader puts both to the same place by hand and links again: from there on they go together.
    page.keyboard.press("x")
    pane(page, 1).focus()
    page.keyboard.press("Home")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(pane(page, 1).locator(".line-frame")).to_have_text(re.compile("Im 3/"))
    pane(page, 2).focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    expect(pane(page, 2).locator(".line-frame")).to_have_text(re.compile("Im 5/"))
    pane(page, 1).focus()
    page.keyboard.press("x")
    expect(pane(page, 2).locator(".line-link")).to_have_text("linked: matched by hand")
    # Slices of 2.5 mm here and of 5 mm there: two of these are one of those.
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(pane(page, 1).locator(".line-frame")).to_have_text(re.compile("Im 5/"))
    expect(pane(page, 2).locator(".line-frame")).to_have_text(re.compile("Im 6/"))


def test_a_measurement_in_a_prior_is_refused_in_words_and_not_lost_later(hang: Open, sent: Sent) -> None:
    page = hang("ct", SLICES, is_waited_for=sent.prior)
    expect(pane(page, 2).locator(".line-prior")).to_have_text("PRIOR, 20 months")
    expect(pane(page, 2).locator(".fidelity")).to_contain_text("full")
    box = pane(page, 2).bounding_box()
    assert box is not None
    pane(page, 2).focus()
    page.keyboard.press("l")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=4)
    page.mouse.up()
    expect(pane(page, 2).locator(".pointer-label")).to_contain_text("Not kept")
    expect(pane(page, 2).locator("[data-mark]")).to_have_count(0)


def test_a_link_with_a_prior_shows_the_prior_again(hang: Open, sent: Sent) -> None:
    page = hang("ct", SLICES, is_waited_for=sent.prior)
    page.wait_for_url(re.compile("prior="))
    page.reload()
    page.wait_for_function(IS_FULL, timeout=30_000)
    expect(pane(page, 2).locator(".line-prior")).to_have_text("PRIOR, 20 months")


def test_a_prior_is_opened_beside_by_a_key(hang: Open, sent: Sent, live_portal: LivePortal) -> None:
    page = hang("ct", SLICES, is_waited_for=sent.prior)
    page.wait_for_url(re.compile("view="))
    stack = page.url.split("view=")[1].split("~")[0].split("&")[0]
    page.goto(f"{live_portal.url}/studies/{sent.ct}/viewer/?view={stack}~2")
    page.wait_for_function(IS_FULL)
    expect(page.locator(".viewport")).to_have_count(1)
    page.locator(".viewport").first.focus()
    page.keyboard.press("[")
    expect(pane(page, 2).locator(".line-prior")).to_have_text("PRIOR, 20 months")
    expect(page.locator(".strip-heading")).to_have_text("PRIOR, 20 months")


def test_a_screen_is_hung_like_this_next_time(hang: Open, sent: Sent) -> None:
    page = hang("mammogram", 4)
    page.locator("[data-command=layout]").click()
    page.get_by_role("menuitemradio", name="1 row, 4 columns").click()
    page.locator("[data-command=hang-like-this]").click()
    expect(page.locator("#said")).to_contain_text("saved as")
    hang("mammogram", 4)
    expect(page.locator(".viewport")).to_have_count(4)
    assert page.locator("#viewports").evaluate("(grid) => grid.style.getPropertyValue('--layout-columns')") == "4"
    expect(pane(page, 4).locator(".line-placement")).to_have_text("flipped left-right")


def test_a_series_is_dragged_from_the_strip_into_a_viewport(hang: Open) -> None:
    page = hang("mammogram", 4)
    item = page.locator(".strip-item").nth(1)
    wanted = item.get_attribute("data-stack")
    item.drag_to(pane(page, 1))
    page.wait_for_url(re.compile(f"view={wanted}"))
