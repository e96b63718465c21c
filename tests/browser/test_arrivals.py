"""Arrivals as a technologist uses them, in Chromium: an order, images that count up, "complete" and back by keyboard."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import Dataset

from archive.dicom.uids import new_uid
from tests.conftest import ROOT
from tests.phantoms import ct_series, to_part10_bytes

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal

SignIn = Callable[["Page", str], None]


def order(portal: LivePortal, tmp_path: Path, uid: str) -> None:
    """Put a CT of today on the modality worklist."""
    step = Dataset()
    step.Modality, step.ScheduledProcedureStepLocation = "CT", "CT 7"
    step.ScheduledProcedureStepStartDate = f"{datetime.now().astimezone():%Y%m%d}"
    step.ScheduledProcedureStepStartTime = "0930"
    ds = Dataset()
    ds.PatientName, ds.PatientID, ds.StudyInstanceUID = "EXPECTED^Eve", uid[-12:], uid
    ds.ScheduledProcedureStepSequence = [step]
    file = tmp_path / "step.json"
    file.write_text(json.dumps(ds.to_json_dict()), encoding="utf-8")
    command = [sys.executable, "manage.py", "add_scheduled_step", str(file)]
    subprocess.run(command, cwd=ROOT, env=portal.environment, check=True, timeout=60)


def send(portal: LivePortal, tmp_path: Path, images: list[Dataset]) -> None:
    paths = []
    for number, ds in enumerate(images):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(to_part10_bytes(ds))
        paths.append(str(path))
    command = ["/usr/bin/storescu", "-R", "-aec", portal.ae_title, "127.0.0.1", str(portal.dicom_port), *paths]
    subprocess.run(command, check=True, timeout=60)


def test_an_examination_is_expected_arrives_counts_up_and_is_said_to_be_complete(
    page: Page, sign_in: SignIn, live_portal: LivePortal, tmp_path: Path
) -> None:
    uid = new_uid()
    images = list(
        ct_series(3, StudyInstanceUID=uid, SeriesInstanceUID=new_uid(), PatientName="EXPECTED^Eve", PatientID=uid[-12:])
    )
    order(live_portal, tmp_path, uid)
    sign_in(page, "technologist")
    page.goto(f"{live_portal.url}/arrivals/?room=CT+7")
    entry = page.locator(f'[id="arrival-{uid}"]')
    entry.get_by_text("Expected", exact=True).wait_for()

    send(live_portal, tmp_path, images[:1])
    entry.locator(".arrival-figures", has_text="1").wait_for()
    send(live_portal, tmp_path, images[1:])
    entry.locator(".arrival-figures", has_text="3").wait_for()

    page.locator(f'[id="complete-{uid}"]').focus()
    page.keyboard.press("Enter")
    page.locator("section", has=page.locator("#arrivals-done")).locator(f'[id="undo-{uid}"]').wait_for()
    page.locator(f'[id="undo-{uid}"]').focus()
    page.keyboard.press("Enter")
    page.locator("section", has=page.locator("#arrivals-now")).locator(f'[id="complete-{uid}"]').wait_for()


def test_the_page_fits_a_phone(new_page: Callable[..., Page], sign_in: SignIn, live_portal: LivePortal) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    sign_in(page, "technologist")
    page.goto(f"{live_portal.url}/arrivals/")
    assert page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth") <= 0
