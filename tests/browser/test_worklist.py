"""The worklist as a reader uses it, in Chromium, while images arrive over the network."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.servers import LivePortal

STORESCU = "/usr/bin/storescu"
SignIn = Callable[["Page", str], None]


@dataclass(frozen=True)
class Sent:
    """A study that was sent."""

    uid: str
    family: str
    patient_id: str


@pytest.fixture
def send(live_portal: LivePortal, tmp_path: Path) -> Callable[[], Sent]:
    """Send a CT study of one image, of a patient nobody has heard of."""

    def send_one() -> Sent:
        # Letters only, and of no other family: what is typed finds this study alone.
        family = "Q" + "".join("ABCDEFGHIJKLMNOP"[int(digit, 16)] for digit in secrets.token_hex(6))
        sent = Sent(str(generate_uid()), family, secrets.token_hex(6))
        ds = dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
        ds.StudyInstanceUID, ds.SeriesInstanceUID = sent.uid, generate_uid()
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = f"{family}^Live", sent.patient_id, "19720301"
        path = tmp_path / f"{family}.dcm"
        ds.save_as(path)
        address = ["127.0.0.1", str(live_portal.dicom_port)]
        subprocess.run([STORESCU, "-aec", live_portal.ae_title, *address, str(path)], check=True, timeout=60)
        return sent

    return send_one


def row_of(page: Page, sent: Sent) -> Locator:
    return page.locator(f'.worklist-row[data-study="{sent.uid}"]')


def wait_until_ready(page: Page, sent: Sent) -> None:
    page.locator(f'.worklist-row[data-study="{sent.uid}"] .col-images', has_text="ready").wait_for()


def test_a_study_that_is_sent_appears_by_itself_and_becomes_ready(
    page: Page, sign_in: SignIn, send: Callable[[], Sent]
) -> None:
    sign_in(page, "reader")
    sent = send()
    row = page.locator(f'.worklist-row[data-study="{sent.uid}"]')
    row.wait_for(timeout=10_000)
    assert row.locator(".col-patient").inner_text().startswith(f"{sent.family}, Live")
    assert (row.locator(".col-id").inner_text(), row.locator(".col-born").inner_text()) == (
        sent.patient_id,
        "1972-03-01",
    )
    wait_until_ready(page, sent)
    expect(row.locator(".col-images")).to_have_text("1 ready")


def test_typing_filters_at_once_and_no_address_carries_the_name(
    page: Page, sign_in: SignIn, send: Callable[[], Sent]
) -> None:
    first, second = send(), send()
    sign_in(page, "reader")
    row_of(page, first).wait_for()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.keyboard.press("/")
    page.keyboard.type(first.family.lower())
    row_of(page, second).wait_for(state="detached")
    expect(page.locator(".worklist-row")).to_have_count(1)
    assert first.family.lower() not in "".join([page.url, *requested]).lower()
    page.locator("#worklist-text").fill("nobody has this name")
    page.get_by_text("No study matches").wait_for()


def test_chips_and_order_are_in_the_address_and_come_back_with_it(
    page: Page, sign_in: SignIn, send: Callable[[], Sent]
) -> None:
    sent = send()
    sign_in(page, "reader")
    row_of(page, sent).wait_for()
    page.locator("#chip-CT").check(force=True)
    page.wait_for_url(re.compile(r"modality=CT"))
    page.get_by_role("columnheader", name="Patient").get_by_role("link").click()
    page.wait_for_url(re.compile(r"modality=CT&sort=patient"))
    page.reload()
    assert page.locator("#chip-CT").is_checked()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Patient")


def test_space_previews_without_claiming(page: Page, sign_in: SignIn, send: Callable[[], Sent]) -> None:
    sent = send()
    sign_in(page, "reader")
    wait_until_ready(page, sent)
    page.locator(f'.worklist-row[data-study="{sent.uid}"] .col-state').click()
    page.keyboard.press("Space")
    preview = page.locator(f'.preview[data-study="{sent.uid}"]')
    preview.wait_for()
    picture = preview.locator("img").first
    picture.wait_for()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    expect(row_of(page, sent)).to_have_attribute("data-state", "unread")
    page.keyboard.press("Space")
    preview.wait_for(state="detached")


def test_enter_opens_and_claims_and_the_second_reader_is_told(
    new_page: Callable[..., Page], sign_in: SignIn, send: Callable[[], Sent]
) -> None:
    sent = send()
    first, second = new_page(), new_page()
    for page, name in ((first, "reader"), (second, "reader2")):
        sign_in(page, name)
        wait_until_ready(page, sent)
    first.locator(f'.worklist-row[data-study="{sent.uid}"] .col-state').click()
    first.keyboard.press("Enter")
    first.wait_for_url(f"**/studies/{sent.uid}/viewer/")

    row = second.locator(f'.worklist-row[data-study="{sent.uid}"]')
    row.locator(".col-state", has_text="being read").wait_for()
    row.locator(".col-state").click()
    second.keyboard.press("Enter")
    note = second.locator(".worklist-note")
    note.wait_for()
    expect(note).to_contain_text("is reading this study")
    assert second.url.endswith("/")
    # A refusal is said by the browser's console too.
    second.portal_errors[:] = [error for error in second.portal_errors if "409" not in error]  # type: ignore[attr-defined]
    second.keyboard.press("Enter")
    second.wait_for_url(f"**/studies/{sent.uid}/viewer/")


def test_arrows_move_through_the_rows(page: Page, sign_in: SignIn, send: Callable[[], Sent]) -> None:
    send(), send()
    sign_in(page, "reader")
    page.locator(".worklist-row").nth(1).wait_for()
    ids = page.locator(".worklist-row").evaluate_all("rows => rows.map((row) => row.id)")
    selected = '.worklist-row[aria-selected="true"]'
    page.keyboard.press("ArrowDown")
    assert page.locator(selected).get_attribute("id") == ids[0]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    assert page.locator(selected).get_attribute("id") == ids[1]
    assert page.evaluate("document.activeElement.id") == ids[1]
    page.keyboard.press("f")
    assert page.evaluate("document.activeElement.id") == "chip-mine"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == ids[1]


def place_of(row: Locator) -> tuple[float, float]:
    box = row.bounding_box()
    assert box is not None
    return box["x"], box["y"]


def test_the_row_under_the_pointer_never_moves(page: Page, sign_in: SignIn, send: Callable[[], Sent]) -> None:
    sent = send()
    sign_in(page, "reader")
    wait_until_ready(page, sent)
    row = page.locator(f'.worklist-row[data-study="{sent.uid}"]')
    row.scroll_into_view_if_needed()
    row.locator(".col-state").hover()
    before = place_of(row)
    late = send()
    page.get_by_role("button", name=re.compile("new stud")).wait_for()
    assert place_of(row) == before
    page.locator("#worklist-text").hover()
    page.locator(f'.worklist-row[data-study="{late.uid}"]').wait_for()


def test_a_list_that_is_no_longer_live_says_so_and_stays(page: Page, sign_in: SignIn, send: Callable[[], Sent]) -> None:
    sent = send()
    sign_in(page, "reader")
    row_of(page, sent).wait_for()
    page.route("**/worklist/rows", lambda route: route.abort())
    page.locator("#worklist-live", has_text="not live since").wait_for()
    assert row_of(page, sent).is_visible()
    page.unroute("**/worklist/rows")
    page.locator("#worklist-live:not(.is-stale)").wait_for()
    # A request that gets no answer is said by the browser's console too.
    provoked = ("ERR_FAILED", "htmx:")
    page.portal_errors[:] = [  # type: ignore[attr-defined]
        error
        for error in page.portal_errors  # type: ignore[attr-defined]
        if not any(sign in error for sign in provoked)
    ]


def test_back_from_a_study_brings_back_what_was_typed_and_the_row(
    page: Page, sign_in: SignIn, send: Callable[[], Sent]
) -> None:
    sent, other = send(), send()
    sign_in(page, "reader")
    wait_until_ready(page, sent)
    page.keyboard.press("/")
    page.keyboard.type(sent.family.lower())
    row_of(page, other).wait_for(state="detached")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/studies/{sent.uid}/viewer/")
    page.go_back()
    row_of(page, other).wait_for(state="detached")
    expect(page.locator("#worklist-text")).to_have_value(sent.family.lower())
    expect(row_of(page, sent)).to_have_attribute("aria-selected", "true")


def test_a_phone_shows_a_clinician_their_cards_without_scrolling_sideways(
    new_page: Callable[..., Page], sign_in: SignIn
) -> None:
    page = new_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    sign_in(page, "referrer")
    page.get_by_role("heading", name="My referrals").wait_for()
    for path in ("/", "/emergency/", "/account/", "/search/"):
        page.goto(page.url.partition("/")[0] + "//" + page.url.split("/")[2] + path)
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_worklist_fits_every_width(
    new_page: Callable[..., Page], sign_in: SignIn, send: Callable[[], Sent]
) -> None:
    sent = send()
    page = new_page()
    sign_in(page, "reader")
    for width in (360, 768, 1280, 1920, 3840):
        page.set_viewport_size({"width": width, "height": 900})
        row_of(page, sent).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        row = page.locator(f'.worklist-row[data-study="{sent.uid}"]')
        assert row.locator(".col-id").is_visible() and row.locator(".col-born").is_visible()


def test_the_next_study_is_one_key_and_what_is_handed_over_arrives_at_the_colleague_s(
    new_page: Callable[..., Page], sign_in: SignIn, send: Callable[[], Sent]
) -> None:
    sent = send()
    first, second = new_page(), new_page()
    for page, name in ((first, "reader"), (second, "reader2")):
        sign_in(page, name)
        wait_until_ready(page, sent)
    first.locator("#worklist-text").press_sequentially(sent.family.lower())
    first.wait_for_function("() => document.querySelectorAll('.worklist-row').length === 1")
    beside = first.context.new_page()
    row_of(first, sent).press("n")
    first.wait_for_url(f"**/studies/{sent.uid}/viewer/**")
    first.get_by_text("you are reading this").wait_for()

    beside.goto(first.url.partition("/studies/")[0])
    row_of(beside, sent).locator(".col-state", has_text="being read").click()
    beside.keyboard.press("Space")
    beside.get_by_label("Hand over to").select_option(label=second.locator(".site-user summary").inner_text().strip())
    row_of(second, sent).locator(".col-reader", has_text="for you").wait_for(state="attached")
    row_of(second, sent).locator(".col-state", has_text="unread").wait_for()


def test_a_filter_is_kept_under_a_name_and_figures_are_drawn(page: Page, sign_in: SignIn) -> None:
    sign_in(page, "reader2")
    page.locator("#chip-stat").check(force=True)
    page.wait_for_url(re.compile(r"stat=1"))
    page.get_by_text("Filters under a name").locator("..").click()
    name = secrets.token_hex(4)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Keep").click()
    page.wait_for_url(re.compile(r"stat=1&list=\d+"))
    assert page.locator("#chip-stat").is_checked()
    expect(page.locator(".worklist-saved", has_text=name)).to_have_attribute("aria-current", "true")
    page.get_by_text("Filters under a name").locator("..").click()
    page.get_by_role("button", name=f"Delete {name}").click()
    page.locator(".worklist-saved", has_text=name).wait_for(state="detached")
    page.context.clear_cookies()
    sign_in(page, "admin")
    page.goto(page.url.partition("/admin")[0] + "/worklist/figures/?days=1")
    page.locator("#plot-backlog canvas").wait_for()
