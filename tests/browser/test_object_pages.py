"""A waveform and a video on their pages, in Chromium: calipers by mouse, keys and finger, and the frame that is meant."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from tests.browser.test_viewer import STORESCU

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal

SignIn = Callable[["Page", str], None]
PX_PER_MM = 96 / 25.4
MV_PER_STEP = 0.00125
"""1.25 µV, correction 1, baseline 0."""
EVERY_EIGHTH = """() => {
  const video = document.querySelector("video");
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data).filter((_, at) => at % 32 === 1);
}"""


def store(portal: LivePortal, path: Path, *proposal: str) -> Dataset:
    address = ["-R", *proposal, "-aec", portal.ae_title, "127.0.0.1", str(portal.dicom_port), str(path)]
    subprocess.run([STORESCU, *address], check=True, capture_output=True, timeout=60)
    return dcmread(path)


def open_object(page: Page, portal: LivePortal, ds: Dataset) -> None:
    address = f"{portal.url}/studies/{ds.StudyInstanceUID}/objects/{ds.SOPInstanceUID}/"
    for _ in range(100):
        if page.request.get(address).ok:
            break
        page.wait_for_timeout(100)
    page.goto(address)


def on_paper(page: Page, seconds: float, row: int) -> tuple[float, float]:
    """Where a time of a row is on the screen: 12 mm of margin, 25 mm a second, rows of 30 mm."""
    box = page.locator(".wave-sheet").bounding_box()
    assert box
    return box["x"] + (12 + 25 * seconds) * PX_PER_MM, box["y"] + (row * 30 + 15) * PX_PER_MM


def read_out(page: Page, lead: str) -> tuple[float, float, float]:
    """Milliseconds, beats a minute and millivolts of the calipers."""
    output = page.locator("#wave-reading")
    expect(output).to_have_text(re.compile(rf"^{lead}: "))
    ms, bpm, mv = re.findall(r"-?[\d.]+", output.inner_text().partition(": ")[2])
    return float(ms), float(bpm), float(mv)


def test_an_ecg_is_measured_on_millimetre_paper_by_keys_mouse_and_finger(
    live_portal: LivePortal, page: Page, new_page: Callable[..., Page], sign_in: SignIn
) -> None:
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    assert isinstance(path, str)
    ds = store(live_portal, Path(path))
    lead_2 = np.frombuffer(ds.WaveformSequence[0].WaveformData, "<i2").reshape(-1, 12)[:, 1] * MV_PER_STEP
    sign_in(page, "reader")
    open_object(page, live_portal, ds)
    expect(page.locator("#wave-note")).to_have_text("25 mm/s · 10 mm/mV · 0.05 to 300 Hz · 1000 samples/s")
    box = page.locator(".wave-sheet").bounding_box()
    assert box and abs(box["width"] - (12 + 250) * PX_PER_MM) < 1 and abs(box["height"] - 360 * PX_PER_MM) < 1

    second = page.get_by_role("slider", name="Second end of the calipers")
    second.focus()
    page.keyboard.press("PageDown")
    assert read_out(page, "II") == pytest.approx((1000, 60.0, lead_2[2000] - lead_2[1000]), abs=0.0051)
    for key in ("ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(second).to_have_attribute("aria-valuenow", "2011")
    assert read_out(page, "II") == pytest.approx((1011, 59.3, lead_2[2011] - lead_2[1000]), abs=0.051)

    # Between two fiducial points that the device marked: its RR interval is 982 ms.
    page.mouse.move(*on_paper(page, 2.506, 1))
    page.mouse.down()
    page.mouse.move(*on_paper(page, 3.0, 1))
    page.mouse.move(*on_paper(page, 3.488, 1))
    page.mouse.up()
    ms, bpm, _ = read_out(page, "II")
    assert abs(ms - 982) <= 3 and abs(bpm - 60_000 / ms) < 0.1
    page.get_by_label("Speed").select_option("50")
    expect(page.locator("#wave-note")).to_contain_text("50 mm/s")
    assert read_out(page, "II")[0] == ms
    page.get_by_label("Sheet").select_option("short")
    expect(page.locator(".wave-name")).to_have_count(13)
    page.get_by_label("Recording").select_option("1")
    expect(page.locator("#wave-note")).to_contain_text("computed by the device")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()

    phone = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    sign_in(phone, "reader")
    open_object(phone, live_portal, ds)
    phone.get_by_role("slider", name="First end of the calipers").scroll_into_view_if_needed()
    phone.touchscreen.tap(*on_paper(phone, 2.6, 0))
    # A finger is taken at whole pixels, and one is 10.6 ms wide.
    expect(phone.locator("#wave-reading")).not_to_contain_text("1000 ms")
    assert abs(read_out(phone, "I")[0] - 1600) <= 12


def test_a_video_is_stepped_through_frame_by_frame(
    live_portal: LivePortal, data_dir: Path, page: Page, sign_in: SignIn
) -> None:
    ds = store(live_portal, data_dir / "video/derived_h264_us.dcm", "-xn")
    frames = dcmread(data_dir / "us/I_000001.dcm").pixel_array[..., 1].reshape(34, -1)[:, ::8].astype(float)
    sign_in(page, "reader")
    open_object(page, live_portal, ds)
    shown = page.locator("[data-frame]")
    expect(shown).to_have_text("Frame 1 of 34 · 66.7 ms each")

    page.get_by_role("button", name="One frame on").dblclick()
    expect(shown).to_contain_text("Frame 3 of")
    page.keyboard.press("ArrowLeft")
    expect(shown).to_contain_text("Frame 2 of")
    page.get_by_role("slider", name="Frame").fill("20")
    expect(shown).to_contain_text("Frame 20 of")
    page.wait_for_function("() => !document.querySelector('video').seeking")
    # Lossy twice, and still most like the frame that it was made from.
    assert np.abs(frames - page.evaluate(EVERY_EIGHTH)).mean(axis=1).argmin() == 19

    page.get_by_label("Speed").select_option("0.5")
    page.get_by_role("button", name="Play").click()
    expect(shown).not_to_contain_text("Frame 20 of")
    page.get_by_role("button", name="Stop").click()
    assert page.evaluate(
        "() => { const { loop, playbackRate } = document.querySelector('video'); return [loop, playbackRate]; }"
    ) == [True, 0.5]
    page.goto(f"{live_portal.url}/studies/{ds.StudyInstanceUID}/viewer/")
    page.locator(".strip-item", has_text="XC").click()
    expect(page.locator("video")).to_be_visible()
