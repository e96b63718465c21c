"""Stock OHIF reads from the portal across origins, with a token: it lists studies, opens and draws them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from pydicom import dcmread

from tests.network import ohif
from tests.servers import ROOT, LivePortal, free_port, start_portal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("ohif"), pytest.mark.timeout(600)]
FOLDERS = ("ct_series/crlm_1004", "mr_series/adc_cmb1", "petct/acrin_042", "sr/dwv_tid1500")
GREYS_OF_CANVASES = """() => [...document.querySelectorAll('.cornerstone-canvas')].map((canvas) => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4) seen.add(data[at]);
  return seen.size;
})"""


class Site:
    """A portal with studies, OHIF on another origin, and a token."""

    def __init__(self, portal: LivePortal, address: str) -> None:
        self.portal, self.address = portal, address
        self.token = manage(portal, "make_token", "reader", "--scope", "read").strip().splitlines()[-1]


def manage(portal: LivePortal, *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    environment = os.environ | portal.environment
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Site]:
    try:
        ohif.unpacked()
    except OSError as error:
        pytest.skip(f"OHIF's package is not to be had: {error}")
    port = free_port()
    portal = start_portal(
        tmp_path_factory.mktemp("ohif"), PORTAL_CORS_ORIGINS=f"http://127.0.0.1:{port}", PORTAL_SETTLE_S="1"
    )
    try:
        for folder in FOLDERS:
            manage(portal, "import_folder", str(data_dir / folder))
        with ohif.served(port, portal.url) as address:
            yield Site(portal, address)
    finally:
        portal.stop()


@pytest.fixture
def refused() -> list[str]:
    return []


@pytest.fixture
def ohif_page(browser: Browser, site: Site, refused: list[str]) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_page(path: str, *, token_in_header: bool = False) -> Page:
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on(
            "response",
            lambda answer: refused.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
        )
        if token_in_header:
            context.set_extra_http_headers({"Authorization": f"Bearer {site.token}"})
            page.goto(f"{site.address}{path}")
        else:
            page.goto(f"{site.address}{path}&token={site.token}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def study_of(data_dir: Path, folder: str) -> str:
    return str(dcmread(sorted((data_dir / folder).rglob("*.dcm"))[0], stop_before_pixels=True).StudyInstanceUID)


def test_ohif_lists_and_filters_studies(ohif_page: Callable[..., Page], refused: list[str]) -> None:
    page = ohif_page("/", token_in_header=True)
    for name in ("CRLM-CT-1004", "ACRIN-NSCLC-FDG-PET-042"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible(timeout=60_000)
    page.goto(f"{page.url.partition('?')[0]}?mrn=CRLM-CT-1004")
    expect(page.get_by_text("CRLM-CT-1004", exact=True).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("ACRIN-NSCLC-FDG-PET-042", exact=True)).to_have_count(0)
    assert refused == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_ohif_opens_and_draws_a_study(
    folder: str, ohif_page: Callable[..., Page], data_dir: Path, refused: list[str]
) -> None:
    page = ohif_page(f"/viewer?StudyInstanceUIDs={study_of(data_dir, folder)}")
    page.wait_for_function(f"() => ({GREYS_OF_CANVASES})().some((greys) => greys > 50)", timeout=120_000)
    assert refused == []
