"""Two readers talk beside the images, and one shows the study of a list without names, in Chromium."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.test_reports import SignIn, open_from_worklist, picture, sent  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.test_reports import Sent
    from tests.servers import LivePortal

SHOWN = "() => { const c = document.querySelector('.viewport-canvas'); return c && c.width && c.toDataURL().length > 20000; }"


def drag_on_image(page: Page) -> None:
    box = page.locator(".viewport").first.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1] + 40, steps=4)
    page.mouse.up()


def test_readers_talk_about_a_region_live_hand_over_and_show_a_list_without_names(
    page: Page,
    new_page: Callable[..., Page],
    live_portal: LivePortal,
    sign_in: SignIn,
    sent: Sent,  # noqa: F811
) -> None:
    sign_in(page, "reader")
    page.goto(f"{live_portal.url}/")
    open_from_worklist(page, sent)
    page.wait_for_function(SHOWN)
    expect(page.locator("#bell")).to_be_visible()
    page.locator('[data-command="talk"]').click()
    panel = page.get_by_role("complementary", name="Discussion")
    expect(panel).to_contain_text("Nobody has said anything")
    panel.get_by_role("button", name="Draw an arrow on the image").click()
    drag_on_image(page)
    expect(panel).to_contain_text("with an arrow")
    panel.get_by_label("New remark").fill("A node <b>here</b>?")
    panel.get_by_role("button", name="Say it").click()
    expect(panel.locator(".talk-text")).to_have_text("A node <b>here</b>?")
    picture(page, "talk_panel")

    phone = new_page(viewport={"width": 390, "height": 844})
    sign_in(phone, "reader2")
    phone.goto(f"{live_portal.url}/studies/{sent.uid}/viewer/?layout=1x1")
    phone.wait_for_function(SHOWN)
    phone.keyboard.press("Shift+T")
    other = phone.get_by_role("complementary", name="Discussion")
    other.get_by_role("button", name="arrow on an image").click()
    expect(phone.locator('[data-foreign^="remark-"]')).to_have_count(1)
    picture(phone, "talk_panel_390")
    other.get_by_label("Answer").fill("A vessel.")
    other.get_by_role("button", name="Answer", exact=True).click()
    expect(panel.locator(".talk-answer")).to_contain_text("A vessel.", timeout=30_000)

    page.locator(".viewport").first.focus()
    page.keyboard.press("Shift+T")
    run(page, "put-on-list")
    dialog = page.get_by_role("dialog", name="Put on a list")
    name = f"Board {secrets.token_hex(4)}"
    dialog.get_by_label("List", exact=True).select_option(label="a new one")
    dialog.get_by_label("Its name").fill(name)
    picture(page, "talk_list_dialog")
    dialog.get_by_role("button", name="Put it on the list").click()
    expect(page.locator("#said")).to_contain_text(f"on the list “{name}”")

    run(page, "colleague")
    dialog = page.get_by_role("dialog", name="Ask a colleague")
    dialog.get_by_label("Reader").select_option(label="Dr Rowan Rereader")
    dialog.get_by_role("button", name="Hand over").click()
    expect(page.locator("#claim")).to_contain_text("handed over to Dr Rowan Rereader")

    page.goto(f"{live_portal.url}/studies/{sent.uid}/lists")
    page.get_by_label("List", exact=True).select_option(label=name)
    page.get_by_role("button", name="Put it on the list").click()
    expect(page.locator(".case")).to_have_count(2)
    picture(page, "talk_list")
    page.get_by_role("button", name="Show without names").first.click()
    page.wait_for_url(re.compile("/s/view/"))
    page.wait_for_function(SHOWN)
    expect(page.locator("#stepping")).to_contain_text("1 of 2")
    expect(page.locator("body")).not_to_contain_text(sent.family)
    picture(page, "talk_presented")
    page.locator(".viewport").first.focus()
    page.keyboard.press("n")
    expect(page.locator("#stepping")).to_contain_text("2 of 2")
    page.wait_for_function(SHOWN)
    page.locator(".viewport").first.focus()
    page.keyboard.press("Shift+N")
    expect(page.locator("#stepping")).to_contain_text("1 of 2")


def run(page: Page, command: str) -> None:
    """A command of the tool bar, or of the menu at its end where it has no room."""
    button = page.locator(f'[data-command="{command}"]')
    if button.is_visible():
        button.click()
        return
    label = button.get_attribute("aria-label") or ""
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name=label.split(" (")[0]).click()
