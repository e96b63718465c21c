"""Presentation states in the viewer, in Chromium: chosen from a menu, seen on the image, said in words, kept in links."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from pydicom import dcmread

from tests.browser.test_viewer import IS_FULL, line, send

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal

SignIn = Callable[["Page", str], None]


@pytest.fixture
def opened(live_portal: LivePortal, data_dir: Path, page: Page, sign_in: SignIn) -> Page:
    """An MR series of the head in the viewer, and a state about its seventh image."""
    address = ["-aec", live_portal.ae_title, "-xs", "127.0.0.1", str(live_portal.dicom_port)]
    images = data_dir / "mr_series" / "mister_mr" / "cor_t1"
    send(address, images)
    send(address, data_dir / "presentation" / "derived_gsps_mister_cor7.dcm")
    study = str(dcmread(images / "0007.dcm", stop_before_pixels=True).StudyInstanceUID)
    sign_in(page, "reader")
    manifest = f"{live_portal.url}/studies/{study}/manifest.json"
    # Sent a moment ago: it is there as soon as it has been indexed.
    for _ in range(100):
        answer = page.request.get(manifest)
        if answer.ok and answer.json()["presentation_states"] and answer.json()["presentation_states"][0]["stacks"]:
            break
        page.wait_for_timeout(100)
    # Other tests send other series of this study, and which of them hangs first is not ours to say.
    series = str(dcmread(images / "0007.dcm", stop_before_pixels=True).SeriesInstanceUID)
    page.goto(f"{live_portal.url}/studies/{study}/viewer/?layout=1x1&view={series}")
    page.wait_for_function(IS_FULL, timeout=15_000)
    return page


def choose_state(page: Page, name: str) -> None:
    page.locator("[data-command=states]").click()
    page.get_by_role("menuitemradio", name=name).click()
    page.locator(".viewport").first.focus()


def test_a_state_is_chosen_seen_and_left_again(opened: Page) -> None:
    first = line(opened, "frame").inner_text()

    with opened.expect_response(re.compile(r"/tiles/.*pr=")) as drawn:
        choose_state(opened, "derived GSPS")

    assert drawn.value.status == 200
    expect(line(opened, "window")).to_have_text("W 900 L 600 presentation state FINDINGS")
    expect(opened.locator("[data-command=windows]")).to_contain_text("W 900 L 600")
    opened.wait_for_function(IS_FULL)
    expect(opened.locator("[data-command=states]")).to_have_attribute("aria-pressed", "true")
    # It is about one image of the series: that one is shown.
    assert line(opened, "frame").inner_text() != first

    choose_state(opened, "None")
    expect(line(opened, "window")).not_to_contain_text("presentation state")
    opened.wait_for_function(IS_FULL)


def test_a_window_of_the_reader_goes_over_the_state_which_stays_said(opened: Page) -> None:
    choose_state(opened, "derived GSPS")
    opened.wait_for_function(IS_FULL)

    with opened.expect_response(re.compile(r"/tiles/.*pr=[0-9.]+&window=")) as drawn:
        opened.keyboard.press("Alt+ArrowUp")

    assert drawn.value.status == 200
    expect(line(opened, "window")).to_have_text("W 900 L 645 · presentation state")


def test_an_image_that_the_state_is_not_about_is_shown_without_it_and_says_so(opened: Page) -> None:
    own = line(opened, "window").inner_text()
    choose_state(opened, "derived GSPS")
    opened.wait_for_function(IS_FULL)

    opened.keyboard.press("ArrowDown")

    expect(line(opened, "window")).to_have_text(f"{own} · without the presentation state")
    opened.wait_for_function(IS_FULL)


def test_a_link_shows_the_state_again(opened: Page) -> None:
    choose_state(opened, "derived GSPS")
    opened.wait_for_function(IS_FULL)
    opened.wait_for_url(re.compile(r"view=[^&]*~[0-9.]{20,}$"))

    opened.reload()

    opened.wait_for_function(IS_FULL, timeout=15_000)
    expect(line(opened, "window")).to_have_text("W 900 L 600 presentation state FINDINGS")
