"""A report from the worklist to the referrer's phone, in Chromium, against the real portal."""

from __future__ import annotations

import os
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
from pydicom.uid import generate_uid

from tests.browser.test_viewer import IS_FULL

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal

STORESCU = "/usr/bin/storescu"
SignIn = Callable[["Page", str], None]


@dataclass(frozen=True)
class Sent:
    uid: str
    family: str


@pytest.fixture
def sent(live_portal: LivePortal, data_dir: Path, tmp_path: Path) -> Sent:
    """A real CT series as a study of a patient nobody has heard of, referred by the demo's clinician."""
    family = "Q" + "".join("ABCDEFGHIJKLMNOP"[int(digit, 16)] for digit in secrets.token_hex(6))
    made = Sent(str(generate_uid()), family)
    series = generate_uid()
    for path in sorted((data_dir / "ct_series" / "crlm_1004").iterdir())[:6]:
        ds = dcmread(path)
        ds.StudyInstanceUID, ds.SeriesInstanceUID = made.uid, series
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = f"{family}^Jane", family, "19720301"
        ds.StudyDescription, ds.AccessionNumber, ds.BodyPartExamined = "CT chest", "A-77", "CHEST"
        ds.save_as(tmp_path / path.name)
    address = ["-aec", live_portal.ae_title, "-xs", "127.0.0.1", str(live_portal.dicom_port)]
    files = sorted(map(str, tmp_path.glob("*.dcm")))
    subprocess.run([STORESCU, *address, *files], check=True, timeout=60)
    return made


def picture(page: Page, name: str) -> None:
    """Keep a picture for people to look at, where they have asked for it."""
    folder = os.environ.get("PORTAL_TEST_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def open_from_worklist(page: Page, sent: Sent) -> None:
    row = page.locator(f'.worklist-row[data-study="{sent.uid}"]')
    row.locator(".col-images", has_text="ready").wait_for()
    row.locator(".col-state").click()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/studies/{re.escape(sent.uid)}/viewer/"))


def give_to_referrer(live_portal: LivePortal, sent: Sent) -> None:
    code = (
        "from archive.models import Grant, Study, User;"
        "Grant.objects.create(user=User.objects.get(username='referrer'), "
        f"study=Study.objects.get(study_instance_uid='{sent.uid}'))"
    )
    done = live_portal.manage("shell", "-c", code)
    assert done.returncode == 0, done.stderr


def measure_into_the_report(page: Page) -> str:
    """Draw a length, and put it where the caret was, into the findings, by its key; returns the words in the text."""
    page.locator("#report-findings").press("Control+End")
    page.wait_for_function(IS_FULL, timeout=30_000)
    page.locator(".viewport").first.focus()
    page.keyboard.press("l")
    box = page.locator(".viewport-canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 40, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    expect(page.locator(".save-word")).to_have_text(re.compile(r"^saved \d\d:\d\d$"), timeout=15_000)
    page.keyboard.press("Shift+d")
    findings = page.locator("#report-findings")
    expect(findings).to_have_value(re.compile(r"Length [\d.]+ mm \(.*Im 1\)"), timeout=15_000)
    found = re.search(r"Length [\d.]+ mm \(.*Im 1\)", findings.input_value())
    assert found is not None
    return found[0]


def forget_refusals(page: Page, *statuses: str) -> None:
    """A refusal is said by the browser's console too."""
    errors: list[str] = page.portal_errors  # type: ignore[attr-defined]
    errors[:] = [error for error in errors if not any(status in error for status in statuses)]


def is_saved(page: Page) -> None:
    expect(page.locator(".report-saved")).to_have_attribute("data-state", "saved", timeout=15_000)
    expect(page.locator(".report-saved")).to_have_text(re.compile(r"^saved \d\d:\d\d$"))


def test_a_report_is_typed_saved_signed_and_read_on_a_phone(
    live_portal: LivePortal, new_page: Callable[..., Page], sign_in: SignIn, sent: Sent
) -> None:
    page = new_page(viewport={"width": 1440, "height": 900})
    sign_in(page, "reader")
    open_from_worklist(page, sent)
    panel = page.locator("#report-side")
    expect(panel.locator(".report-identity")).to_contain_text("1972-03-01 · accession A-77")
    panel.locator(".report-templates").select_option(label="CT chest")
    findings, impression = panel.locator("#report-findings"), panel.locator("#report-impression")
    expect(findings).to_have_value(re.compile("No consolidation"))
    findings.press("Control+End")
    page.keyboard.type("\nNodule of 8 mm in the right upper lobe.")
    impression.fill("1. Nodule of 8 mm.")
    is_saved(page)
    words = measure_into_the_report(page)
    is_saved(page)
    picture(page, "viewer-draft-1440")

    page.reload()
    expect(findings).to_have_value(re.compile("Nodule of 8 mm in the right upper lobe"))
    expect(impression).to_be_editable()
    expect(panel.get_by_role("link", name=words)).to_have_attribute("href", re.compile(r"\?view=[\d.]+~1"))

    panel.get_by_role("button", name="Sign final").click()
    dialog = page.get_by_role("dialog", name="Sign as final")
    dialog.get_by_label("Your password").fill("a guess that is wrong")
    dialog.get_by_role("button", name="Sign as final").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Nothing was signed")
    picture(page, "sign-dialog-1440")
    dialog.get_by_label("Your password").fill(live_portal.passwords["reader"])
    dialog.get_by_label("Your password").press("Enter")
    expect(panel.locator(".report-document")).to_contain_text("Signed as final by")
    expect(panel.locator(".report-title")).to_have_text("Final report")
    expect(panel.locator(".report-document").get_by_role("link", name=words)).to_be_visible()
    expect(findings).to_be_hidden()
    picture(page, "viewer-final-1440")
    forget_refusals(page, "403")

    second = new_page(viewport={"width": 1440, "height": 900})
    sign_in(second, "reader2")
    second.goto(f"{live_portal.url}/studies/{sent.uid}/report/")
    second.get_by_role("button", name="Addendum", exact=True).click()
    second.keyboard.type("Also an old rib fracture.")
    is_saved(second)
    second.get_by_role("button", name="Sign addendum").click()
    second.get_by_label("Your password").fill(live_portal.passwords["reader2"])
    second.get_by_label("Your password").press("Enter")
    expect(second.locator(".report-document")).to_contain_text("Addendum signed by")
    picture(second, "report-page-1440")
    second.goto(f"{live_portal.url}/?state=all")
    expect(second.locator(f'.worklist-row[data-study="{sent.uid}"]')).to_have_attribute("data-state", "addendum")
    picture(second, "worklist-1440")

    give_to_referrer(live_portal, sent)
    phone = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    sign_in(phone, "referrer")
    card = phone.locator(".referral", has_text=sent.family)
    expect(card).to_contain_text("report ready, with addendum")
    picture(phone, "referrals-390")
    card.click()
    expect(phone.locator(".referral-report")).to_contain_text("Nodule of 8 mm in the right upper lobe.")
    expect(phone.locator(".referral-report")).to_contain_text("Also an old rib fracture.")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    top = phone.locator(".referral-report").bounding_box()
    assert top is not None and top["y"] < 500
    picture(phone, "referral-390")
    phone.goto(f"{live_portal.url}/studies/{sent.uid}/report/")
    expect(phone.locator(".report-document")).to_contain_text("Nodule of 8 mm")
    picture(phone, "report-390")


def test_a_critical_result_reaches_the_phone_and_its_acknowledgement_the_reader(
    live_portal: LivePortal, new_page: Callable[..., Page], sign_in: SignIn, sent: Sent
) -> None:
    page = new_page(viewport={"width": 1440, "height": 900})
    sign_in(page, "reader")
    open_from_worklist(page, sent)
    give_to_referrer(live_portal, sent)
    phone = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    sign_in(phone, "referrer")
    card = phone.locator(".referral", has_text=sent.family)
    expect(card).to_contain_text("being read")

    panel = page.locator("#report-side")
    panel.locator("#report-impression").fill("Pulmonary embolism.")
    is_saved(page)
    panel.get_by_role("button", name="Critical result…").click()
    dialog = page.get_by_role("dialog", name="Critical result")
    expect(dialog.get_by_label("Who must know").locator("option:checked")).to_contain_text("(referred this)")
    dialog.get_by_label("What was found").fill("Central pulmonary embolism <b>on both sides</b>.")
    dialog.get_by_role("button", name="Tell when signed").click()
    expect(panel.locator(".critical-state")).to_contain_text("is told when the report is signed")
    panel.get_by_role("button", name="Sign final").click()
    page.get_by_label("Your password").fill(live_portal.passwords["reader"])
    page.get_by_label("Your password").press("Enter")
    expect(panel.locator(".report-document")).to_contain_text("Signed as final by")

    expect(card).to_contain_text("A critical result waits to be acknowledged", timeout=5000)
    expect(card).to_contain_text("report ready")
    picture(phone, "referrals-critical-390")
    card.click()
    expect(phone.locator(".critical-text")).to_have_text("Central pulmonary embolism <b>on both sides</b>.")
    expect(phone.locator(".referral-report")).to_contain_text("Pulmonary embolism.")
    expect(phone.locator("#bell [data-count]")).not_to_be_empty()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    picture(phone, "referral-critical-390")
    phone.get_by_role("button", name="I know of this and see to it").click()
    expect(phone.locator(".critical-state")).to_have_text(
        re.compile(r"Acknowledged by .+ at \d{4}-\d\d-\d\d \d\d:\d\d")
    )
    expect(panel.locator(".critical-state")).to_have_text(re.compile(r"^Acknowledged by .+ at "), timeout=6000)
    picture(page, "viewer-acknowledged-1440")

    phone.get_by_label("Ask the radiologist").fill("Is the right heart strained?")
    phone.get_by_role("button", name="Ask", exact=True).click()
    expect(phone.locator(".question")).to_contain_text("Not answered yet.")
    page.goto(f"{live_portal.url}/studies/{sent.uid}/report/")
    page.get_by_label("Your answer").fill("Yes.")
    page.get_by_role("button", name="Answer").click()
    expect(phone.locator(".question-answer")).to_have_text("Yes.", timeout=6000)
    phone.goto(f"{live_portal.url}/account/")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    picture(phone, "account-390")


def test_of_two_windows_the_second_sees_both_texts_and_chooses(
    live_portal: LivePortal, page: Page, sign_in: SignIn, sent: Sent
) -> None:
    sign_in(page, "reader")
    open_from_worklist(page, sent)
    page.locator("#report-findings").fill("first window")
    is_saved(page)
    other = page.context.new_page()
    other.goto(f"{live_portal.url}/studies/{sent.uid}/report/")
    expect(other.locator("#report-findings")).to_have_value("first window")
    other.locator("#report-findings").fill("second window")
    is_saved(other)

    page.locator("#report-findings").fill("first window, longer")
    dialog = page.get_by_role("dialog", name="Two texts of this draft")
    expect(dialog).to_contain_text("second window")
    expect(dialog).to_contain_text("first window, longer")
    picture(page, "conflict-1440")
    page.keyboard.press("Escape")
    expect(page.locator(".report-saved")).to_have_text("not saved: there are two texts")
    page.get_by_role("button", name="Show both texts").click()
    dialog.get_by_role("button", name="Keep both, mine below").click()
    is_saved(page)
    expect(page.locator("#report-findings")).to_have_value("second window\n\nfirst window, longer")
    forget_refusals(page, "409")


def test_a_second_reader_is_told_who_has_the_study_and_sees_no_draft(
    live_portal: LivePortal, new_page: Callable[..., Page], sign_in: SignIn, sent: Sent
) -> None:
    page, second = new_page(), new_page()
    sign_in(page, "reader")
    open_from_worklist(page, sent)
    page.locator("#report-findings").fill("not for anybody yet")
    is_saved(page)
    sign_in(second, "reader2")
    second.goto(f"{live_portal.url}/studies/{sent.uid}/report/")
    expect(second.locator(".report-notice")).to_contain_text("has this study")
    expect(second.locator("#report-findings")).to_be_hidden()
    assert "not for anybody yet" not in second.content()


def test_while_the_portal_is_away_the_text_stays_and_is_saved_when_it_is_back(
    page: Page, sign_in: SignIn, sent: Sent
) -> None:
    sign_in(page, "reader")
    open_from_worklist(page, sent)
    expect(page.locator("#report-findings")).to_be_visible()
    page.context.set_offline(True)
    page.locator("#report-findings").fill("typed in the basement")
    expect(page.locator(".report-saved")).to_contain_text("not saved yet")
    page.context.set_offline(False)
    is_saved(page)
    page.reload()
    expect(page.locator("#report-findings")).to_have_value("typed in the basement")
    forget_refusals(page, "ERR_INTERNET_DISCONNECTED")


def test_a_macro_expands_and_the_key_shows_and_hides_the_panel(
    live_portal: LivePortal, page: Page, sign_in: SignIn, sent: Sent
) -> None:
    code = "from viewer.models import Macro; Macro.objects.get_or_create(word='nl', defaults={'text': 'Within normal limits.'})"
    assert live_portal.manage("shell", "-c", code).returncode == 0
    sign_in(page, "reader")
    open_from_worklist(page, sent)
    page.locator("#report-findings").click()
    page.keyboard.type("Lungs: .nl next")
    expect(page.locator("#report-findings")).to_have_value("Lungs: Within normal limits. next")
    is_saved(page)
    page.keyboard.press("Escape")
    expect(page.locator(".viewport").first).to_be_focused()
    page.keyboard.press("d")
    expect(page.locator("#report-side")).to_be_hidden()
    page.keyboard.press("d")
    expect(page.locator("#report-findings")).to_be_focused()


def test_text_is_refused_while_another_window_shows_another_patient(
    live_portal: LivePortal, page: Page, sign_in: SignIn, sent: Sent
) -> None:
    sign_in(page, "reader")
    open_from_worklist(page, sent)
    expect(page.locator("#report-findings")).to_be_visible()
    page.evaluate(
        "new BroadcastChannel('portal-current-patient').postMessage({ patient: '999999', study: '2.25.9', previous: null })"
    )
    expect(page.locator(".patient-cover")).to_be_visible()
    expect(page.locator("#report-findings")).not_to_be_editable()
    page.get_by_role("button", name="Go on with this patient").click()
    expect(page.locator("#report-findings")).to_be_editable()
