"""Another archive, a real Orthanc, as a radiologist uses it: ask it, pull a prior, see it arrive, send a study to it."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING

from archive.dicom.uids import new_uid
from tests.archive.exchange.conftest import Orthanc, orthanc  # noqa: F401 - a fixture
from tests.phantoms import ct_series, to_part10_bytes

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal

SignIn = Callable[["Page", str], None]


def forget(archive: Orthanc) -> None:
    """Delete everything that it holds."""
    for name in archive.ask("/studies"):
        address = f"http://127.0.0.1:{archive.http_port}/studies/{name}"
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE"), timeout=10).close()


def test_a_prior_is_found_elsewhere_pulled_and_opened_and_a_study_is_sent(
    page: Page,
    sign_in: SignIn,
    live_portal: LivePortal,
    orthanc: Orthanc,  # noqa: F811
) -> None:
    uid, title = new_uid(), f"ORTHANC{orthanc.dicom_port}"
    facts = {"PatientID": uid[-12:], "PatientName": "ELSEWHERE^Eve", "StudyDescription": "CT from elsewhere"}
    for ds in ct_series(3, StudyInstanceUID=uid, SeriesInstanceUID=new_uid(), **facts):
        ds.SOPInstanceUID = new_uid()
        orthanc.post("/instances", to_part10_bytes(ds))
    orthanc.knows(live_portal.ae_title, live_portal.dicom_port)
    added = live_portal.manage("add_peer", title, "127.0.0.1", str(orthanc.dicom_port))
    assert added.returncode == 0, added.stderr

    sign_in(page, "reader")
    page.goto(f"{live_portal.url}/peers/")
    page.get_by_label("Archive").select_option(title)
    page.get_by_label("Patient ID").fill(uid[-12:])
    page.get_by_role("button", name="Ask").click()
    row = page.locator(".peers-table tbody tr")
    row.get_by_text("3 images in 1 series").wait_for()
    row.get_by_role("button", name="Fetch").click()
    row.get_by_text(f"3 images came from {title}.").wait_for(timeout=60_000)

    # It may have to be indexed yet, which the page of the study cannot know of.
    page.wait_for_function(
        "address => fetch(address).then((answer) => answer.ok)", arg=f"/studies/{uid}/", polling=300, timeout=60_000
    )
    row.get_by_role("link", name="Open").click()
    page.get_by_text("CT from elsewhere").first.wait_for()

    forget(orthanc)
    page.goto(f"{live_portal.url}/studies/{uid}/send")
    page.get_by_role("radio", name=title).check()
    page.get_by_role("button", name="Send").click()
    page.get_by_text(f"3 images sent to {title}.").wait_for(timeout=60_000)
    assert page.get_by_text("3 of 3").is_visible()
    page.get_by_text("Show each image").click()
    assert page.locator(".job-results tbody tr").count() == 3
    assert len(orthanc.ask("/instances")) == 3
