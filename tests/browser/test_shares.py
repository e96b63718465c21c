"""A link in a browser without an account, on a phone: pictures and nothing else, and gone when it is taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.test_reports import SignIn, picture, sent  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.test_reports import Sent
    from tests.servers import LivePortal


def test_a_link_shows_pictures_on_a_phone_and_dies_while_it_is_open(
    page: Page,
    new_page: Callable[..., Page],
    live_portal: LivePortal,
    sign_in: SignIn,
    sent: Sent,  # noqa: F811
) -> None:
    sign_in(page, "reader")
    page.goto(f"{live_portal.url}/")
    page.locator(f'.worklist-row[data-study="{sent.uid}"]').locator(".col-images", has_text="ready").wait_for()
    page.goto(f"{live_portal.url}/studies/{sent.uid}/")
    page.get_by_role("link", name="Share").click()
    page.get_by_label("For whom").fill("Dr Visitor")
    page.get_by_label("Passcode").fill("open sesame")
    page.get_by_role("button", name="Make the link").click()
    address = page.get_by_label("Address of the link").input_value()
    picture(page, "share_made")

    phone = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(address)
    phone.get_by_label("Passcode").fill("open sesame")
    picture(phone, "share_landing_390")
    phone.get_by_role("button", name="Open the images").click()
    phone.wait_for_url(re.compile(r"/s/view/"))
    expect(phone.get_by_text("for Dr Visitor, not for diagnosis")).to_be_visible()
    phone.wait_for_function(
        "() => document.querySelector('.viewport')?.getAttribute('aria-label')?.includes('image 1 of 6')"
    )
    phone.wait_for_function(
        "() => { const c = document.querySelector('.viewport-canvas');"
        " return c && c.width && c.toDataURL().length > 20000; }"
    )
    picture(phone, "share_viewer_390")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for word in ("Report", "DICOM elements", "Download original", "Length", "List"):
        expect(phone.get_by_role("button", name=word)).to_have_count(0)
    own = re.compile(rf"{re.escape(live_portal.url)}/(s|static)/")
    assert [url for url in asked if not own.match(url) and not url.startswith(("blob:", "data:"))] == []
    assert [url for url in asked if "values=1" in url or sent.uid in url] == []

    page.get_by_role("button", name="Revoke").click()
    expect(phone.get_by_role("heading", name="This link is not open")).to_be_visible(timeout=6000)
    assert phone.locator("canvas").count() == 0
    picture(phone, "share_ended_390")
    phone.reload()
    expect(phone.get_by_role("heading", name="This link is not open")).to_be_visible()
    errors: list[str] = phone.portal_errors  # type: ignore[attr-defined]
    # The refusals of the ended link are said on the browser's console too.
    errors[:] = [error for error in errors if "404" not in error]
