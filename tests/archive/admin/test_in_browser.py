"""Every page of the administration in Chromium: none breaks the content security policy, and actions ask first.

The ``page`` fixture fails on any error of the console, and a violation of the policy is one.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from archive.dicom.uids import new_uid
from tests.phantoms import ct_image, to_part10_bytes
from tests.servers import LivePortal, wait_until

SignIn = Callable[[Page, str], None]
LISTS = (
    *(
        f"archive/{name}/"
        for name in ("user", "peer", "grant", "personidentifier", "namemapping", "breakglass", "patient", "study")
    ),
    *(f"archive/{name}/" for name in ("series", "instance", "storedfile", "quarantinedfile", "job", "auditevent")),
    "auth/group/",
    "viewer/windowpreset/",
    "viewer/readingtask/",
    "axes/accessattempt/",
)
FORMS = tuple(
    f"{name}add/"
    for name in LISTS
    if name.split("/")[1] in {"user", "peer", "grant", "personidentifier", "namemapping", "group", "windowpreset"}
)


@pytest.fixture
def stored(live_portal: LivePortal, tmp_path: Path) -> str:
    """Study Instance UID of an image that is in the archive, with one more that is held back."""
    study = new_uid()
    paths = [tmp_path / "1.dcm", tmp_path / "2.dcm"]
    for number, path in enumerate(paths, start=1):
        uids = {"StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1"}
        ds = ct_image(number=number, PatientID=f"ADMIN{number}", PatientName=f"Admin^Test{number}", **uids)
        path.write_bytes(to_part10_bytes(ds))
    address = ["-aec", live_portal.ae_title, "127.0.0.1", str(live_portal.dicom_port)]
    subprocess.run(["/usr/bin/storescu", *address, *map(str, paths)], check=True, timeout=60)
    wait_until(lambda: is_indexed(live_portal, study), patience_s=30, what="the images are not indexed")
    return study


def is_indexed(portal: LivePortal, study: str) -> bool:
    """Say whether the database knows the study, and the file of the other patient that is held back."""
    tables = ("archive_study", "archive_quarantinedfile")
    with closing(sqlite3.connect(f"file:{portal.data}/db.sqlite3?mode=ro", uri=True)) as connection:
        return all(
            connection.execute(f"SELECT 1 FROM {table} WHERE study_instance_uid = ?", [study]).fetchone()  # noqa: S608
            for table in tables
        )


@pytest.fixture
def admin(page: Page, sign_in: SignIn, live_portal: LivePortal) -> Page:
    sign_in(page, "admin")
    page.goto(f"{live_portal.url}/admin/")
    return page


def test_the_first_page_says_whether_all_is_well(admin: Page) -> None:
    figures = admin.locator(".portal-figure")
    expect(figures.filter(has_text="Receiver")).to_contain_text("The receiver answered a C-ECHO.")
    expect(figures.filter(has_text="Database")).to_contain_text("well")
    expect(admin.locator(".portal-spark").first).to_be_visible()


def test_every_list_and_form_keeps_the_content_security_policy(
    admin: Page, live_portal: LivePortal, stored: str
) -> None:
    for path in (*LISTS, *FORMS):
        response = admin.goto(f"{live_portal.url}/admin/{path}")
        assert response is not None and response.status == 200, path
        expect(admin.locator("#content h1")).to_be_visible()
        assert admin.portal_errors == [], path  # type: ignore[attr-defined]
        row = admin.locator("#result_list tbody th a").first
        if row.count():
            row.click()
            expect(admin.locator("#content h1")).to_be_visible()
            assert admin.portal_errors == [], path  # type: ignore[attr-defined]


def test_a_study_is_rejected_with_numbers_a_code_and_a_reason(
    admin: Page, live_portal: LivePortal, stored: str
) -> None:
    admin.goto(f"{live_portal.url}/admin/archive/study/?q={stored}")
    admin.locator("input.action-select").check()
    admin.locator("select[name=action]").select_option("reject")
    admin.get_by_role("button", name="Go").click()
    expect(admin.locator(".portal-touches")).to_contain_text("1 images of 1 series in 1 studies")
    admin.get_by_label("Why they are rejected").select_option("113038")
    admin.get_by_label("Reason", exact=True).fill("Wrong patient at the console")
    admin.get_by_role("button", name="Reject images").click()
    expect(admin.locator(".messagelist")).to_contain_text("1 images of 1 studies are rejected")
    expect(admin.locator("#result_list")).to_contain_text("0 in 0")


def test_a_user_is_made_and_given_a_role(admin: Page, live_portal: LivePortal) -> None:
    name = f"user{new_uid()[-10:]}"
    admin.goto(f"{live_portal.url}/admin/archive/user/add/")
    admin.locator("#id_username").fill(name)
    for field in ("password1", "password2"):
        admin.locator(f"#id_{field}").fill("a long enough password 7")
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.locator("#id_modalities").fill("ct, mr")
    admin.locator("#id_groups_from").select_option(label="administrator")
    admin.get_by_role("link", name="Choose selected groups").or_(
        admin.locator("#id_groups_add, #id_groups_add_link")
    ).first.click()
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("may now open the administration")
    row = admin.locator("#result_list tr", has_text=name)
    expect(row).to_contain_text("administrator")
    expect(row).to_contain_text("CT, MR")


def test_a_person_is_found_for_a_grant_and_a_study_in_its_popup(
    admin: Page, live_portal: LivePortal, stored: str
) -> None:
    admin.goto(f"{live_portal.url}/admin/archive/grant/add/")
    admin.locator(".field-user .select2-selection").click()
    admin.locator(".select2-search__field").fill("referrer2")
    admin.locator(".select2-results__option[aria-selected]").first.click()
    with admin.expect_popup() as popup:
        admin.locator("#lookup_id_study").click()
    popup.value.goto(f"{live_portal.url}/admin/archive/study/?_to_field=id&_popup=1&q={stored}")
    popup.value.locator("#result_list tbody th a").first.click()
    expect(admin.locator("#id_study")).not_to_have_value("")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("was added successfully")
    expect(admin.locator("#result_list")).to_contain_text("Admin, Test1 (ADMIN1)")


@pytest.fixture
def other_peer(tmp_path: Path) -> Iterator[int]:
    """A real storescp of dcmtk on a free port."""
    from tests.servers import accepts, free_port

    port = free_port()
    process = subprocess.Popen(
        ["/usr/bin/storescp", "-aet", "OTHER", "-od", str(tmp_path), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: accepts(port), patience_s=10, what="storescp does not listen")
    yield port
    process.terminate()
    process.wait(10)


def test_a_peer_is_added_and_verified(admin: Page, live_portal: LivePortal, other_peer: int) -> None:
    for title, port in (("OTHER", other_peer), ("NOBODY", 9)):
        done = live_portal.manage("add_peer", title, "127.0.0.1", str(port))
        assert done.returncode == 0, done.stderr
    admin.goto(f"{live_portal.url}/admin/archive/peer/")
    for title in ("OTHER", "NOBODY"):
        admin.locator("#result_list tr", has_text=title).locator("input.action-select").check()
    admin.locator("select[name=action]").select_option("verify")
    admin.get_by_role("button", name="Go").click()
    expect(admin.locator(".messagelist")).to_contain_text(f"OTHER on 127.0.0.1:{other_peer} answered.")
    expect(admin.locator(".messagelist")).to_contain_text("NOBODY does not answer: connection refused (127.0.0.1:9).")


def test_the_held_back_file_leads_to_the_quarantine_page(admin: Page, live_portal: LivePortal, stored: str) -> None:
    admin.goto(f"{live_portal.url}/admin/archive/quarantinedfile/")
    admin.get_by_role("link", name="Decide about").click()
    held = admin.locator(".held", has_text=stored).first
    expect(held).to_contain_text("Names another patient than the study it belongs to")
    expect(held.locator("tr.differs", has_text="Patient ID")).to_contain_text("ADMIN1ADMIN2 differs")
    held.get_by_role("button", name="Keep both").click()
    admin.get_by_label("Reason").fill("Two people, one study UID")
    admin.get_by_role("button", name="Keep both").click()
    expect(admin.locator("#messages")).to_contain_text("1 file is decided")


def test_jobs_move_without_a_reload(admin: Page, live_portal: LivePortal, stored: str) -> None:
    admin.goto(f"{live_portal.url}/jobs/")
    expect(admin.locator("#jobs-live")).to_contain_text("live", timeout=10_000)
    expect(admin.locator("#jobs tbody tr", has_text="Thumbnails and first pictures").first).to_be_visible()
    admin.evaluate("window.wasLoaded = true")
    code = "from archive.jobs.queue import enqueue; enqueue('nothing that exists')"
    assert live_portal.manage("shell", "-c", code).returncode == 0
    expect(admin.locator("#jobs tbody tr", has_text="unknown to this version").first).to_be_visible(timeout=30_000)
    assert admin.evaluate("window.wasLoaded") is True


def test_the_audit_page_filters_and_checks_its_chain(admin: Page, live_portal: LivePortal) -> None:
    admin.goto(f"{live_portal.url}/audit/")
    admin.get_by_label("Event").select_option("signed-in")
    admin.get_by_role("button", name="Filter").click()
    expect(admin.locator(".audit-table tbody tr").first).to_contain_text("signed-in")
    admin.get_by_role("link", name="Check the chain").click()
    expect(admin.locator("#audit-chain")).to_contain_text("is whole")
    with admin.expect_download() as download:
        admin.get_by_role("link", name="Export what is shown").click()
    assert Path(download.value.path()).read_text("utf-8-sig").startswith("happened_at,event")


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_pages_fit_the_width_of_the_screen(
    width: int, new_page: Callable[..., Page], sign_in: SignIn, live_portal: LivePortal, stored: str
) -> None:
    page = new_page(viewport={"width": width, "height": 900})
    sign_in(page, "admin")
    for path in ("/upload/", "/quarantine/", "/jobs/", "/admin/"):
        page.goto(f"{live_portal.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
