"""Every page as axe-core judges it: nothing that keeps a person from using it (WCAG 2.1 A and AA)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from tests.browser.test_object_pages import store
from tests.browser.test_viewer import send
from tests.network import axe

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal

SignIn = Callable[["Page", str], None]
RUN = """async () => {
  const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] });
  const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return bad.map(({ id, nodes }) => `${location.pathname} ${id}: ${nodes.map(({ target }) => target.join(' ')).slice(0, 4).join(' | ')}`);
}"""
PAGES = {
    "reader": [
        *("/worklist/", "/search/", "/account/", "/upload/", "/jobs/", "/peers/", "/display/"),
        *("/studies/{uid}/", "/studies/{uid}/viewer/", "/studies/{uid}/report/"),
        *("/studies/{uid}/send", "/studies/{uid}/rejecting"),
    ],
    "technologist": ["/arrivals/", "/quarantine/", "/worklist/"],
    "referrer": ["/referrals/", "/emergency/"],
    "admin": ["/admin/", "/audit/", "/quarantine/", "/jobs/"],
}


@pytest.fixture(scope="module")
def checker() -> str:
    try:
        return axe.script()
    except OSError as error:
        pytest.skip(f"axe-core cannot be had here: {error}")


@pytest.fixture(scope="module")
def study(live_portal: LivePortal, data_dir: Path) -> str:
    address = ["-aec", live_portal.ae_title, "-xs", "127.0.0.1", str(live_portal.dicom_port)]
    first = next((data_dir / "ct_series" / "crlm_1004").iterdir())
    send(address, data_dir / "ct_series" / "crlm_1004")
    return str(dcmread(first, stop_before_pixels=True).StudyInstanceUID)


@pytest.fixture(scope="module")
def objects(live_portal: LivePortal, data_dir: Path) -> list[str]:
    """Pages of a waveform and of a video."""
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    assert isinstance(path, str)
    sent = (store(live_portal, Path(path)), store(live_portal, data_dir / "video/derived_h264_us.dcm", "-xn"))
    return [f"/studies/{ds.StudyInstanceUID}/objects/{ds.SOPInstanceUID}/" for ds in sent]


def found_on(page: Page, checker: str, address: str) -> list[Any]:
    page.goto(address)
    page.evaluate(checker)
    return list(page.evaluate(RUN))


def test_no_page_keeps_anybody_out(
    live_portal: LivePortal,
    new_page: Callable[..., Page],
    sign_in: SignIn,
    checker: str,
    study: str,
    objects: list[str],
) -> None:
    page = new_page(viewport={"width": 1440, "height": 900})
    found = found_on(page, checker, f"{live_portal.url}/accounts/login/")
    for username, addresses in PAGES.items():
        page = new_page(viewport={"width": 1440, "height": 900})
        sign_in(page, username)
        for address in [*addresses, *(objects if username == "reader" else [])]:
            found += found_on(page, checker, f"{live_portal.url}{address.format(uid=study)}")
    assert found == []
