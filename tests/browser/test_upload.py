"""Uploading as a person does: files, a folder, a drop, a ZIP file with its index, a change of mind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from archive.dicom.uids import new_uid
from tests.archive.receiving.sending import zip_of
from tests.archive.receiving.test_upload import medium
from tests.phantoms import ct_image, ct_series, ramp, to_part10_bytes
from tests.servers import LivePortal

SignIn = Callable[[Page, str], None]
PATIENCE_MS = 30_000


def own_study(count: int, **attributes: str) -> list[bytes]:
    """Images of a study that no other test has."""
    uids = {"StudyInstanceUID": new_uid(), "SeriesInstanceUID": new_uid(), "PatientID": new_uid()[-12:], **attributes}
    return [to_part10_bytes(ds) for ds in ct_series(count, **uids)]


def count(page: Page, name: str) -> str:
    return page.locator(f"[data-count='{name}']").inner_text()


def wait_for_the_end(page: Page, words: str = "All files were sent") -> None:
    expect(page.locator("#upload-progress-title")).to_have_text(re.compile(words), timeout=PATIENCE_MS)


def test_files_are_listed_with_what_became_of_them_and_lead_to_the_study(
    page: Page, sign_in: SignIn, live_portal: LivePortal, tmp_path: Path
) -> None:
    for number, data in enumerate(own_study(3, StudyDescription="Brought by hand")):
        (tmp_path / f"{number}.dcm").write_bytes(data)
    (tmp_path / "letter.txt").write_text("Dear colleague")
    (tmp_path / "viewer.exe").write_bytes(b"MZ" + bytes(500))
    sign_in(page, "reader")
    page.goto(f"{live_portal.url}/upload/")
    page.locator("#upload-files").set_input_files(sorted(tmp_path.glob("*.*")))
    wait_for_the_end(page)
    assert [count(page, name) for name in ("taken", "already there", "held for a look", "refused")] == [
        "3",
        "0",
        "0",
        "2",
    ]
    refused = page.locator("[data-group=refused] li")
    # In the order of the answers: what is no file of ours is refused before anything is sent.
    for words in ("letter.txt It is no DICOM file", "viewer.exe A program, no image."):
        expect(refused.filter(has_text=words)).to_have_count(1)
    study = page.locator("[data-studies] a")
    expect(study).to_contain_text("Brought by hand", timeout=PATIENCE_MS)
    expect(page.locator("[data-studies] li")).to_contain_text("3 images")
    study.click()
    expect(page).to_have_url(re.compile("/studies/"))


def test_a_second_time_everything_is_already_there(
    page: Page, sign_in: SignIn, live_portal: LivePortal, tmp_path: Path
) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(own_study(1)[0])
    sign_in(page, "technologist")
    page.goto(f"{live_portal.url}/upload/")
    page.locator("#upload-files").set_input_files(path)
    wait_for_the_end(page)
    expect(page.locator("[data-studies] a")).to_be_visible(timeout=PATIENCE_MS)
    page.locator("#upload-files").set_input_files(path)
    expect(page.locator("[data-count='already there']")).to_have_text("1", timeout=PATIENCE_MS)
    assert count(page, "taken") == "0"


def test_a_chosen_folder_is_taken_with_everything_in_it(
    page: Page, sign_in: SignIn, live_portal: LivePortal, tmp_path: Path
) -> None:
    for number, data in enumerate(own_study(4)):
        inside = tmp_path / "cd" / f"part{number % 2}"
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"IM{number}").write_bytes(data)
    sign_in(page, "reader")
    page.goto(f"{live_portal.url}/upload/")
    page.locator("#upload-folder").set_input_files(tmp_path / "cd")
    wait_for_the_end(page)
    assert count(page, "taken") == "4"


def test_a_dropped_folder_is_walked_through(
    page: Page, sign_in: SignIn, live_portal: LivePortal, tmp_path: Path
) -> None:
    """A real drop of the system, not an event made by a script: only that one knows folders."""
    for number, data in enumerate(own_study(3)):
        inside = tmp_path / "dropped" / "deep" / f"{number}"
        inside.mkdir(parents=True)
        (inside / "image").write_bytes(data)
    sign_in(page, "reader")
    page.goto(f"{live_portal.url}/upload/")
    box = page.locator("#upload-drop").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data_ = {"items": [], "files": [str(tmp_path / "dropped")], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 50, "y": box["y"] + 50, "data": data_})
    wait_for_the_end(page)
    assert count(page, "taken") == "3"


def test_a_zip_with_its_index_is_unpacked_on_the_way_in(
    page: Page, sign_in: SignIn, live_portal: LivePortal, tmp_path: Path
) -> None:
    images = list(ct_series(2, StudyInstanceUID=new_uid(), SeriesInstanceUID=new_uid()))
    files = medium(tmp_path / "cd", images)
    path = tmp_path / "cd.zip"
    path.write_bytes(zip_of(files))
    sign_in(page, "reader")
    page.goto(f"{live_portal.url}/upload/")
    page.locator("#upload-files").set_input_files(path)
    wait_for_the_end(page)
    assert [count(page, name) for name in ("taken", "refused")] == ["2", "0"]
    expect(page.locator("[data-group=index] summary")).to_have_text("1 index files (DICOMDIR)")


def test_cancelling_keeps_nothing_of_what_was_under_way(
    page: Page, sign_in: SignIn, live_portal: LivePortal, tmp_path: Path
) -> None:
    rows = 2048
    large = ct_image(
        np.tile(ramp(64, 64), (rows // 64, rows // 64)),
    )
    path = tmp_path / "large.dcm"
    path.write_bytes(to_part10_bytes(large))
    sign_in(page, "reader")
    page.goto(f"{live_portal.url}/upload/")
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)
    page.locator("#upload-files").set_input_files(path)
    expect(page.locator("#upload-progress-title")).to_have_text("Sending one file")
    expect(page.locator("[data-bar]")).not_to_have_js_property("value", 0)
    page.get_by_role("button", name="Cancel").click()
    wait_for_the_end(page, "Cancelled; what was taken stays.")
    assert [count(page, name) for name in ("taken", "refused")] == ["0", "0"]
    session.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    page.locator("#upload-files").set_input_files(path)
    wait_for_the_end(page)
    assert count(page, "taken") == "1"


def test_on_a_phone_a_clinician_is_told_that_it_waits(
    new_page: Callable[..., Page], sign_in: SignIn, live_portal: LivePortal, tmp_path: Path
) -> None:
    page = new_page(viewport={"width": 360, "height": 740}, has_touch=True)
    path = tmp_path / "a.dcm"
    path.write_bytes(own_study(1)[0])
    sign_in(page, "referrer")
    page.goto(f"{live_portal.url}/upload/")
    expect(page.locator(".message-warning")).to_contain_text("waits for a technologist")
    page.locator("#upload-files").set_input_files(path)
    wait_for_the_end(page)
    assert count(page, "held for a look") == "1"
    expect(page.locator("[data-settling]")).to_contain_text("held back", timeout=PATIENCE_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
