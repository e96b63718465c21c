"""Several viewports at once, in Chromium: linked scrolling, reference lines and the 3D cursor on real studies."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import expect
from pydicom import dcmread

from tests.browser.test_viewer import IS_FULL, send

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pydicom import Dataset

    from tests.servers import LivePortal

SignIn = Callable[["Page", str], None]
Open = Callable[..., "Page"]


@dataclass(frozen=True)
class Sent:
    mr: str
    pet_ct: str


@pytest.fixture(scope="module")
def sent(live_portal: LivePortal, data_dir: Path) -> Sent:
    """An MR study with three planes in one frame of reference, and a PET/CT, sent by dcmtk."""
    address = ["-aec", live_portal.ae_title, "-xs", "127.0.0.1", str(live_portal.dicom_port)]
    uids = []
    for folder in (("mr_series/mister_mr", ("cor_t1", "sag_t1", "loc")), ("petct/acrin_042", ("ct", "pet_ac"))):
        for part in folder[1]:
            send(address, data_dir / folder[0] / part)
        uids.append(str(slices_of(data_dir / folder[0] / folder[1][0])[0].StudyInstanceUID))
    return Sent(*uids)


def slices_of(folder: Path) -> list[Dataset]:
    """Headers of a series along its normal, the first acquired first."""
    found = [dcmread(path, stop_before_pixels=True) for path in folder.iterdir()]
    row, column = np.split(np.array(found[0].ImageOrientationPatient, dtype=float), 2)
    normal = np.cross(row, column)
    found.sort(key=lambda one: float(normal @ np.array(one.ImagePositionPatient, dtype=float)))
    return found if found[0].InstanceNumber < found[-1].InstanceNumber else found[::-1]


@pytest.fixture
def open_views(live_portal: LivePortal, sent: Sent, page: Page, sign_in: SignIn) -> Open:
    """Open a study with certain series and frames side by side."""

    def open_study(study: str, layout: str, views: list[tuple[Dataset, int]]) -> Page:
        if not page.context.cookies():
            sign_in(page, "reader")
        address = f"{live_portal.url}/studies/{getattr(sent, study)}/"
        wanted = {str(ds.SeriesInstanceUID) for ds, _ in views}
        for _ in range(150):
            answer = page.request.get(f"{address}manifest.json")
            if answer.ok and wanted <= {entry["SeriesInstanceUID"] for entry in answer.json()["stacks"]}:
                break
            page.wait_for_timeout(100)
        query = "&".join(f"view={ds.SeriesInstanceUID}~{frame}" for ds, frame in views)
        page.goto(f"{address}viewer/?layout={layout}&{query}")
        page.wait_for_function(IS_FULL, timeout=20_000)
        return page

    return open_study


def pane(page: Page, number: int) -> Any:
    return page.locator(f".viewport[data-pane='{number}']")


def frame_of(page: Page, number: int) -> int:
    text = pane(page, number).locator(".line-frame").text_content() or ""
    found = re.search(r"Im (\d+)/", text)
    assert found is not None
    return int(found[1])


def line_on_screen(page: Page, number: int) -> dict[str, float]:
    found: dict[str, float] = (
        pane(page, number)
        .locator(".reference-line:not(.reference-line-end)")
        .evaluate("(line) => Object.fromEntries(['x1','y1','x2','y2'].map((name) => [name, +line.getAttribute(name)]))")
    )
    return found


def to_screen(page: Page, number: int, ds: Dataset, point: np.ndarray) -> tuple[float, float]:
    """Where the foot of a patient point lies in a viewport whose image is fitted, in CSS pixels (PS3.3 C.7.6.2.1.1)."""
    box = pane(page, number).bounding_box()
    assert box is not None
    row, column = np.split(np.array(ds.ImageOrientationPatient, dtype=float), 2)
    offset = point - np.array(ds.ImagePositionPatient, dtype=float)
    between_rows, between_columns = (float(part) for part in ds.PixelSpacing)
    x, y = offset @ row / between_columns + 0.5, offset @ column / between_rows + 0.5
    zoom = min(box["width"] / ds.Columns, box["height"] / ds.Rows)
    return (
        box["width"] / 2 + (x - ds.Columns / 2) * zoom,
        box["height"] / 2 + (y - ds.Rows / 2) * zoom,
    )


def middle_of(ds: Dataset) -> np.ndarray:
    """Middle of an image in the patient."""
    row, column = np.split(np.array(ds.ImageOrientationPatient, dtype=float), 2)
    between_rows, between_columns = (float(part) for part in ds.PixelSpacing)
    origin = np.array(ds.ImagePositionPatient, dtype=float)
    return np.asarray(origin + row * between_columns * (ds.Columns - 1) / 2 + column * between_rows * (ds.Rows - 1) / 2)


def normal_of(ds: Dataset) -> np.ndarray:
    row, column = np.split(np.array(ds.ImageOrientationPatient, dtype=float), 2)
    return np.cross(row, column)


def test_the_reference_line_lies_where_the_headers_say(open_views: Open, data_dir: Path) -> None:
    coronal = slices_of(data_dir / "mr_series/mister_mr/cor_t1")
    sagittal = slices_of(data_dir / "mr_series/mister_mr/sag_t1")
    page = open_views("mr", "1x2", [(sagittal[0], 4), (coronal[0], 11)])
    for frame in (4, 9):
        pane(page, 1).focus()
        while frame_of(page, 1) != frame:
            page.keyboard.press("ArrowDown")
            page.wait_for_timeout(20)
        source, image = sagittal[frame - 1], coronal[10]
        # A point of the sagittal slice that also lies in the coronal plane: two ends of the line where both planes meet.
        along = np.cross(normal_of(source), normal_of(image))
        normals = np.array([normal_of(source), normal_of(image), along])
        point = np.linalg.solve(
            normals,
            [normal_of(source) @ middle_of(source), normal_of(image) @ middle_of(image), along @ middle_of(image)],
        )
        drawn = line_on_screen(page, 2)
        start, end = np.array([drawn["x1"], drawn["y1"]]), np.array([drawn["x2"], drawn["y2"]])
        direction = (end - start) / np.linalg.norm(end - start)
        for way in (-40.0, 0.0, 40.0):
            wanted = np.array(to_screen(page, 2, image, point + way * along / np.linalg.norm(along)))
            off = (wanted - start) - ((wanted - start) @ direction) * direction
            assert np.linalg.norm(off) < 1.5
    expect(pane(page, 2).locator(".reference-label").last).to_have_text(f"S{sagittal[0].SeriesNumber}")
    expect(pane(page, 2).locator(".reference-line-end")).to_have_count(2)
    expect(pane(page, 1).locator(".reference-line")).to_have_count(0)


def test_reference_lines_can_be_taken_away(open_views: Open, data_dir: Path) -> None:
    coronal = slices_of(data_dir / "mr_series/mister_mr/cor_t1")
    sagittal = slices_of(data_dir / "mr_series/mister_mr/sag_t1")
    page = open_views("mr", "1x2", [(sagittal[0], 4), (coronal[0], 11)])
    expect(pane(page, 2).locator(".reference-line")).not_to_have_count(0)
    pane(page, 1).focus()
    page.keyboard.press("Shift+X")
    expect(pane(page, 2).locator(".reference-line")).to_have_count(0)


def test_linked_scrolling_keeps_positions_and_leaves_other_planes_alone(open_views: Open, data_dir: Path) -> None:
    ct = slices_of(data_dir / "petct/acrin_042/ct")
    pet = slices_of(data_dir / "petct/acrin_042/pet_ac")
    page = open_views("pet_ct", "1x2", [(ct[0], 1), (pet[0], 1)])
    pane(page, 1).focus()
    page.keyboard.press("x")
    expect(page.locator(".link-mark")).to_have_count(1)
    expect(pane(page, 2).locator(".line-link")).to_have_text("linked")
    for _ in range(9):
        page.keyboard.press("ArrowDown")
    shown = float(ct[9].ImagePositionPatient[2])
    heights = [abs(float(one.ImagePositionPatient[2]) - shown) for one in pet]
    expect(pane(page, 2).locator(".line-frame")).to_have_text(re.compile(rf"Im {heights.index(min(heights)) + 1}/"))
    page.keyboard.press("x")
    page.keyboard.press("Home")
    expect(pane(page, 1).locator(".line-frame")).to_have_text(re.compile("Im 1/"))
    assert frame_of(page, 2) == heights.index(min(heights)) + 1


def test_linked_zoom_shows_the_same_millimetres(open_views: Open, data_dir: Path) -> None:
    ct = slices_of(data_dir / "petct/acrin_042/ct")
    pet = slices_of(data_dir / "petct/acrin_042/pet_ac")
    page = open_views("pet_ct", "1x2", [(ct[0], 1), (pet[0], 1)])
    pane(page, 1).focus()
    page.keyboard.press("x")
    page.keyboard.press("o")
    # One device pixel is one CT pixel; a PET pixel of 4.6875 mm takes as many as CT pixels go into it.
    ratio = float(pet[0].PixelSpacing[0]) / float(ct[0].PixelSpacing[0])
    expect(pane(page, 1).locator(".line-zoom")).to_have_text("1:1")
    expect(pane(page, 2).locator(".line-zoom")).to_have_text(f"x{ratio:.1f}")


def test_scrolling_a_coronal_never_moves_a_sagittal(open_views: Open, data_dir: Path) -> None:
    coronal = slices_of(data_dir / "mr_series/mister_mr/cor_t1")
    sagittal = slices_of(data_dir / "mr_series/mister_mr/sag_t1")
    page = open_views("mr", "1x2", [(coronal[0], 5), (sagittal[0], 6)])
    pane(page, 1).focus()
    page.keyboard.press("x")
    page.keyboard.press("End")
    expect(pane(page, 1).locator(".line-frame")).to_have_text(re.compile("Im 20/"))
    assert frame_of(page, 2) == 6
    expect(pane(page, 2).locator(".line-link")).to_have_text("")


def test_the_cursor_shows_the_same_point_of_the_patient_elsewhere(open_views: Open, data_dir: Path) -> None:
    coronal = slices_of(data_dir / "mr_series/mister_mr/cor_t1")
    sagittal = slices_of(data_dir / "mr_series/mister_mr/sag_t1")
    page = open_views("mr", "1x2", [(coronal[0], 5), (sagittal[0], 1)])
    # The middle of sagittal slice 8 lies in that slice, wherever its foot on the coronal image may be.
    point = middle_of(sagittal[7])
    x, y = to_screen(page, 1, coronal[4], point)
    foot = point - (normal_of(coronal[4]) @ (point - middle_of(coronal[4]))) * normal_of(coronal[4])
    box = pane(page, 1).bounding_box()
    assert box is not None
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + x - 3, box["y"] + y)
    page.mouse.move(box["x"] + x, box["y"] + y)
    away = [abs(normal_of(one) @ (foot - middle_of(one))) for one in sagittal]
    nearest = away.index(min(away)) + 1
    expect(pane(page, 2).locator(".line-frame")).to_have_text(re.compile(rf"Im {nearest}/13$"))
    drawn = pane(page, 2).locator(".patient-cursor").get_attribute("d") or ""
    place = [float(part) for part in re.findall(r"-?\d+\.?\d*", drawn)[:2]]
    wanted = to_screen(page, 2, sagittal[nearest - 1], foot)
    assert abs(place[0] + 14 - wanted[0]) < 2
    assert abs(place[1] - wanted[1]) < 2
    page.keyboard.up("Shift")
    expect(page.locator(".patient-cursor")).to_have_count(0)


def test_windows_on_several_monitors_go_together_and_close_together(
    open_views: Open, data_dir: Path, live_portal: LivePortal
) -> None:
    sagittal = slices_of(data_dir / "mr_series/mister_mr/sag_t1")
    coronal = slices_of(data_dir / "mr_series/mister_mr/cor_t1")
    page = open_views("mr", "1x1", [(sagittal[0], 1)])
    with page.context.expect_page() as opened:
        page.keyboard.press("Shift+N")
    other = opened.value
    other.wait_for_function(IS_FULL, timeout=20_000)
    expect(other).to_have_url(re.compile(r"[?]screen=2&"))
    viewer = page.url.partition("?")[0]
    # A window is gone without a trace, and another one takes its place.
    other.goto(
        f"{viewer}?screen=2&layout=1x2&view={sagittal[0].SeriesInstanceUID}~1&view={coronal[0].SeriesInstanceUID}~5"
    )
    other.wait_for_function(IS_FULL, timeout=20_000)
    page.bring_to_front()
    pane(page, 1).focus()
    expect(page.locator("[data-command=link]")).to_be_enabled()
    page.keyboard.press("x")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(pane(page, 1).locator(".line-frame")).to_contain_text("Im 4/")
    expect(pane(other, 1).locator(".line-frame")).to_contain_text("Im 4/")
    expect(pane(other, 1).locator(".line-link")).to_have_text("linked")
    # Never across orientations, which show where the other window is instead.
    assert frame_of(other, 2) == 5
    expect(pane(other, 2).locator(".reference-line:not(.reference-line-end)")).to_have_count(1)
    keys = other.locator(f"[data-stack='{sagittal[0].SeriesInstanceUID}'] .strip-flag")
    page.keyboard.press("k")
    expect(keys).to_have_text("★ 1 key")
    page.keyboard.press("k")
    expect(keys).to_be_hidden()
    with page.context.expect_page() as opened:
        page.keyboard.press("Shift+N")
    third = opened.value
    third.wait_for_function(IS_FULL, timeout=20_000)
    third.close()
    pane(page, 1).focus()
    page.keyboard.press("ArrowDown")
    expect(pane(other, 1).locator(".line-frame")).to_contain_text("Im 5/")
    account = page.context.new_page()
    account.goto(f"{live_portal.url}/account/")
    account.locator(".site-user summary").click()
    with other.expect_event("close"):
        account.locator(".site-user-menu").get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))
