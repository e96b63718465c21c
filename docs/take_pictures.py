"""Take the pictures of the README and of reading.md of a running demonstration: ``python docs/take_pictures.py URL PASSWORD``."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 720}


def signed_in(browser: Browser, url: str, user: str, password: str, viewport: dict[str, int]) -> Page:
    page = browser.new_context(viewport=viewport).new_page()  # type: ignore[arg-type]
    page.goto(f"{url}/accounts/login/")
    page.locator("input[name=login]").fill(user)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda address: "/accounts/login/" not in address)
    return page


def keep(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png")


def study_of(page: Page, url: str, words: str) -> str:
    """Address of the first study of the worklist whose row has these words."""
    page.goto(f"{url}/")
    row = page.locator("tr[data-study]", has_text=words).first
    row.wait_for()
    return f"{url}/studies/{row.get_attribute('data-study')}"


def main(url: str, password: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = signed_in(browser, url, "reader", password, DESK)
        chest = study_of(page, url, "CT chest abdomen")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        page.wait_for_timeout(1500)
        keep(page, "worklist")
        page.goto(f"{chest}/")
        page.wait_for_timeout(1500)
        keep(page, "study")
        page.goto(f"{chest}/viewer/")
        page.get_by_text("Im 1/").first.wait_for()
        for _ in range(70):
            page.keyboard.press("ArrowDown")
        page.wait_for_timeout(1500)
        keep(page, "viewer")
        breast = study_of(page, url, "Mammography")
        page.goto(f"{breast}/viewer/")
        page.wait_for_timeout(3000)
        keep(page, "mammography")
        page.goto(f"{study_of(page, url, 'ECG')}/")
        page.locator("a.stack[href*='/objects/']").first.click()
        page.wait_for_timeout(1500)
        keep(page, "ecg")
        admin = signed_in(browser, url, "admin", password, DESK)
        admin.goto(f"{url}/admin/")
        keep(admin, "administration")
        phone = signed_in(browser, url, "referrer", password, PHONE)
        phone.goto(f"{url}/")
        phone.wait_for_timeout(1000)
        keep(phone, "phone")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
