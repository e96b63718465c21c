"""The viewer as a reader uses it, in Chromium: hands, keys, windows, links, and what covers the pictures."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from pydicom import dcmread

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.servers import LivePortal

STORESCU = "/usr/bin/storescu"
SignIn = Callable[["Page", str], None]
Open = Callable[..., "Page"]

IS_FULL = """() => {
  const words = [...document.querySelectorAll('.viewport:not([hidden]) .fidelity')].map((node) => node.textContent);
  return words.some(Boolean) && words.filter(Boolean).every((word) => /full|lossy/.test(word));
}"""

# The canvas against the tiles of the finest level, put together pixel by pixel.
COMPARE_ONE_TO_ONE = """async () => {
  const canvas = document.querySelector('.viewport-canvas');
  const stack = new URLSearchParams(location.search).get('view').split('~')[0];
  const manifest = await (await fetch(`/stacks/${stack}/manifest.json`)).json();
  const level = manifest.levels.at(-1);
  const whole = new OffscreenCanvas(manifest.Columns, manifest.Rows);
  const context = whole.getContext('2d');
  for (let row = 0; row < level.rows; row += 1) for (let column = 0; column < level.columns; column += 1) {
    const address = manifest.tiles.replace('{frame}', 1).replace('{level}', level.level)
      .replace('{row}', row).replace('{column}', column);
    const bitmap = await createImageBitmap(await (await fetch(address)).blob(),
      { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
    context.drawImage(bitmap, column * manifest.TileSize, row * manifest.TileSize);
  }
  const wanted = context.getImageData(0, 0, manifest.Columns, manifest.Rows).data;
  const shown = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const left = Math.round(canvas.width / 2 - manifest.Columns / 2);
  const top = Math.round(canvas.height / 2 - manifest.Rows / 2);
  let different = 0;
  for (let y = 0; y < canvas.height; y += 1) for (let x = 0; x < canvas.width; x += 1) {
    const [row, column] = [y - top, x - left];
    const isInside = row >= 0 && column >= 0 && row < manifest.Rows && column < manifest.Columns;
    const grey = isInside ? wanted[4 * (row * manifest.Columns + column)] : 0;
    if (grey !== shown[4 * (y * canvas.width + x)]) different += 1;
  }
  const box = canvas.getBoundingClientRect();
  return { different, width: canvas.width, height: canvas.height, css: [box.width, box.height] };
}"""


@dataclass(frozen=True)
class Sent:
    """Studies by a short name."""

    ct: str
    mammogram: str
    ultrasound: str


@pytest.fixture(scope="module")
def sent(live_portal: LivePortal, data_dir: Path) -> Sent:
    """A CT of 22 slices, a mammogram in several levels and an ultrasound loop, sent by dcmtk."""
    paths = {
        "ct": data_dir / "ct_series" / "crlm_1004",
        "mammogram": data_dir / "cr_dx_mg" / "mg_sigmoid_voilut.dcm",
        "ultrasound": loop_of(data_dir / "us"),
    }
    address = ["-aec", live_portal.ae_title, "-xs", "127.0.0.1", str(live_portal.dicom_port)]
    uids = {}
    for name, path in paths.items():
        send(address, path)
        first = next(iter(sorted(path.iterdir()))) if path.is_dir() else path
        uids[name] = str(dcmread(first, stop_before_pixels=True).StudyInstanceUID)
    return Sent(**uids)


def loop_of(folder: Path) -> Path:
    """A multi-frame ultrasound image that says its rate."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            ds = dcmread(path, stop_before_pixels=True, force=True)
            if int(ds.get("NumberOfFrames") or 1) > 5 and ds.get("FrameTime"):
                return path
    raise AssertionError("There is no loop among the ultrasound files.")


def send(address: list[str], path: Path) -> None:
    scan = ["+sd"] if path.is_dir() else []
    proposals: list[list[str]] = [["-xs"], ["-xy"], ["-xr"], ["-xv"], ["-xi"], ["-xt"], []]
    plain = [word for word in address if word != "-xs"]
    for proposal in proposals:
        command = [STORESCU, *scan, *proposal, *plain, str(path)]
        if subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0:
            return
    raise AssertionError(f"{path.name} could not be sent.")


@pytest.fixture
def open_viewer(live_portal: LivePortal, sent: Sent, page: Page, sign_in: SignIn) -> Open:
    """Open a study's viewer as the reader and wait for the full picture."""

    def open_study(name: str = "ct", query: str = "", on: Page | None = None, username: str = "reader") -> Page:
        shown = on or page
        if not shown.context.cookies():
            sign_in(shown, username)
        address = f"{live_portal.url}/studies/{getattr(sent, name)}/"
        shown.goto(address)
        # Sent a moment ago: the study is there as soon as it has been indexed.
        for _ in range(100):
            if shown.title() != "Not found" and shown.locator(".stack").count():
                break
            shown.wait_for_timeout(100)
            shown.goto(address)
        shown.goto(f"{address}viewer/{query}")
        shown.wait_for_function(IS_FULL, timeout=15_000)
        return shown

    return open_study


def middle_of(page: Page) -> tuple[float, float]:
    box = page.locator(".viewport").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def line(page: Page, name: str) -> Any:
    return page.locator(f".line-{name}").first


def test_one_notch_is_one_image_and_every_image_is_shown(open_viewer: Open) -> None:
    page = open_viewer()
    page.evaluate(
        """() => {
          window.shown = [];
          const frame = document.querySelector('.line-frame');
          // The line also changes when another image is asked for: "Im 1/22 → 13".
          const note = () => {
            const number = Number(/Im (\\d+)/.exec(frame.textContent)[1]);
            if (number !== (window.shown.at(-1) ?? 1)) window.shown.push(number);
          };
          new MutationObserver(note).observe(frame, { childList: true, characterData: true, subtree: true });
          const viewport = document.querySelector('.viewport');
          const { left, top } = viewport.getBoundingClientRect();
          for (let notch = 0; notch < 12; notch += 1) viewport.dispatchEvent(
            new WheelEvent('wheel', { deltaY: 100, clientX: left + 200, clientY: top + 200, cancelable: true }));
        }"""
    )
    expect(line(page, "frame")).to_have_text("S2 · Im 13/22")
    assert page.evaluate("window.shown") == list(range(2, 14))


@pytest.mark.parametrize("ratio", [1, 1.25, 1.5, 2])
@pytest.mark.parametrize("name", ["ct", "mammogram"])
def test_one_image_pixel_is_one_device_pixel(
    open_viewer: Open, new_page: Callable[..., Page], name: str, ratio: float
) -> None:
    page = new_page(viewport={"width": 1113, "height": 777}, device_scale_factor=ratio)
    open_viewer(name, on=page)
    page.keyboard.press("o")
    expect(line(page, "zoom")).to_have_text("1:1")
    page.wait_for_function(IS_FULL)
    page.wait_for_url(re.compile("view=[0-9.]+~1~"))
    found = page.evaluate(COMPARE_ONE_TO_ONE)
    width, height = found["css"]
    assert found["different"] == 0
    assert abs(found["width"] - width * ratio) < 1
    assert abs(found["height"] - height * ratio) < 1


def test_a_right_drag_windows_and_a_right_click_opens_the_menu(open_viewer: Open) -> None:
    page = open_viewer()
    x, y = middle_of(page)
    page.mouse.move(x, y)
    page.mouse.down(button="right")
    page.mouse.move(x + 75, y - 30, steps=10)
    page.mouse.up(button="right")
    expect(line(page, "window")).to_have_text("W 500 L 80")
    expect(page.get_by_role("menu")).to_have_count(0)
    page.mouse.click(x, y, button="right")
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".viewport").first).to_be_focused()


def test_a_drag_on_a_voi_lut_begins_from_the_curve_that_looks_like_it(open_viewer: Open) -> None:
    page = open_viewer("mammogram")
    expect(line(page, "window")).to_have_text("NORMAL")
    x, y = middle_of(page)
    page.mouse.move(x, y)
    page.mouse.down(button="right")
    page.mouse.move(x + 30, y, steps=10)
    page.mouse.up(button="right")
    # The table looks like W 891.1 L 2651 sigmoid; 30 of 300 pixels are a tenth of its width.
    expect(line(page, "window")).to_have_text("W 980 L 2651 sigmoid")


def test_a_picture_of_an_overtaken_window_never_comes_back(open_viewer: Open, page: Page) -> None:
    # Of pictures that the server draws: with values there is only one tile for every window.
    page.add_init_script("localStorage.setItem('portal:preference:drawOnServer', 'true')")
    open_viewer()
    held: list[Any] = []
    page.route(re.compile(r"/tiles/.*window=40,80,"), lambda route: held.append(route))
    page.keyboard.press("1")
    expect(page.locator(".fidelity").first).to_contain_text("loading")
    page.keyboard.press("8")
    expect(line(page, "window")).to_have_text("W 2000 L 400 bone")
    page.wait_for_function(IS_FULL)
    grey = "() => document.querySelector('.viewport-canvas').toDataURL()"
    before = page.evaluate(grey)
    for route in held:
        route.continue_()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    expect(line(page, "frame")).to_have_text("S2 · Im 1/22")
    page.wait_for_function(IS_FULL)
    assert page.evaluate(grey) == before


def test_keys_act_only_while_a_viewport_has_the_focus(open_viewer: Open) -> None:
    page = open_viewer()
    page.locator("[data-command=tags]").click()
    page.get_by_role("searchbox", name="Filter").fill("Pixel Spacing")
    expect(page.locator(".tags tbody tr")).to_have_count(1)
    page.keyboard.press("i")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(line(page, "window")).to_have_text("W 400 L 40")
    page.locator(".viewport").first.focus()
    page.keyboard.press("i")
    expect(line(page, "window")).to_have_text("W 400 L 40 · inverted")


def test_a_turned_or_flipped_picture_says_so_and_its_letters_go_with_it(open_viewer: Open) -> None:
    page = open_viewer()

    def letters() -> list[str | None]:
        return [page.locator(f".edge-{side}").first.text_content() for side in ("top", "right", "bottom", "left")]

    assert letters() == ["A", "L", "P", "R"]
    page.keyboard.press("h")
    expect(line(page, "placement")).to_have_text("flipped left-right")
    assert letters() == ["A", "R", "P", "L"]
    page.keyboard.press("r")
    expect(line(page, "placement")).to_have_text("flipped, rotated 90°")
    page.keyboard.press("t")
    expect(line(page, "placement")).to_be_visible()
    expect(page.locator(".corner-identity").first).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.press("Space")
    expect(line(page, "placement")).to_have_text("")
    assert letters() == ["A", "L", "P", "R"]


def test_a_length_is_in_millimetres_of_the_file_and_can_be_undone(open_viewer: Open) -> None:
    page = open_viewer()
    page.keyboard.press("o")
    page.keyboard.press("l")
    x, y = middle_of(page)
    page.mouse.move(x - 50, y)
    page.mouse.down()
    page.mouse.move(x + 50, y, steps=5)
    page.mouse.up()
    # 100 pixels of 0.796875 mm.
    expect(page.locator(".mark-label").first).to_have_text("79.7 mm")
    expect(page.locator(".save-word")).to_have_text(re.compile("^saved"))
    page.reload()
    page.wait_for_function(IS_FULL)
    expect(page.locator(".mark-label").first).to_have_text("79.7 mm")
    page.mouse.move(x + 1, y)
    page.keyboard.press("Delete")
    expect(page.locator(".mark-shape")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(page.locator(".mark-shape")).to_have_count(1)
    # It is kept: the next test must not find it under the pointer.
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.keyboard.press("Delete")


def test_the_value_under_the_pointer_has_its_unit(open_viewer: Open) -> None:
    page = open_viewer()
    page.mouse.move(*middle_of(page))
    expect(line(page, "value")).to_have_text(re.compile(r"^-?\d+ HU$"))


def test_a_link_shows_the_same_view(open_viewer: Open) -> None:
    page = open_viewer()
    page.keyboard.press("4")
    page.keyboard.press("End")
    page.keyboard.press("h")
    page.keyboard.press("o")
    page.wait_for_url(re.compile("~22~-600,1500,linear~1~"))
    page.locator("[data-command=layout]").click()
    page.get_by_role("menuitemradio", name="1 row, 2 columns").click()
    page.wait_for_url(re.compile("layout=1x2"))
    page.reload()
    page.wait_for_function(IS_FULL)
    expect(page.locator(".viewport")).to_have_count(2)
    expect(line(page, "frame")).to_have_text("S2 · Im 22/22")
    expect(line(page, "window")).to_have_text(re.compile("^W 1500 L -600"))
    expect(line(page, "placement")).to_have_text("flipped left-right")
    expect(line(page, "zoom")).to_have_text("1:1")


def test_a_cine_goes_round_by_itself_until_it_is_stopped(open_viewer: Open) -> None:
    page = open_viewer("ultrasound")
    page.keyboard.press("c")
    expect(page.locator("[data-command=cine]")).to_have_attribute("aria-pressed", "true")
    expect(line(page, "frame")).to_have_text(re.compile(r"Im [2-9]/"))
    page.keyboard.press("c")
    expect(page.locator("[data-command=cine]")).to_have_attribute("aria-pressed", "false")


def test_what_cannot_be_drawn_is_a_sentence_where_the_picture_would_be(open_viewer: Open, page: Page) -> None:
    sentence = "The pixel data cannot be decoded: the code stream is damaged."
    answer = {"status": 422, "json": {"error": sentence}}
    page.route(re.compile("/tiles/.*/3/0/0/0.png"), lambda route: route.fulfill(**answer))
    open_viewer()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(line(page, "frame")).to_have_text("S2 · Im 3/22")
    expect(page.locator(".viewport-problem")).to_have_text(sentence)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".viewport-problem")).to_be_hidden()
    errors = page.portal_errors  # type: ignore[attr-defined]
    errors[:] = [error for error in errors if "422" not in error]


def test_an_ended_session_covers_the_picture_and_the_view_stays(open_viewer: Open, sign_in: SignIn, page: Page) -> None:
    open_viewer()
    page.keyboard.press("End")
    page.wait_for_url(re.compile("~22"))
    page.context.clear_cookies()
    for _ in range(10):
        page.keyboard.press("ArrowUp")
    expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
    shown = re.match(r"S2 · Im \d+/22", line(page, "frame").inner_text())
    assert shown is not None
    other = page.context.new_page()
    sign_in(other, "reader")
    other.close()
    page.get_by_role("button", name="I have signed in").click()
    page.wait_for_function(IS_FULL)
    expect(line(page, "frame")).to_contain_text(shown[0])
    errors = page.portal_errors  # type: ignore[attr-defined]
    errors[:] = [error for error in errors if "401" not in error]


def test_a_window_left_on_another_patient_is_covered_and_says_whose_it_is(open_viewer: Open, page: Page) -> None:
    open_viewer()
    other = page.context.new_page()
    open_viewer("mammogram", on=other)
    cover = page.get_by_role("alertdialog")
    expect(cover).to_contain_text("This window shows CRLM-CT-1004")
    expect(other.get_by_role("alertdialog")).to_be_hidden()
    page.get_by_role("button", name="Go on with this patient").click()
    expect(cover).to_be_hidden()
    expect(other.get_by_role("alertdialog")).to_be_visible()


def test_new_images_are_announced_and_never_sorted_in_silently(open_viewer: Open, page: Page) -> None:
    open_viewer()
    page.keyboard.press("End")
    expect(line(page, "frame")).to_have_text("S2 · Im 22/22")

    def changed(route: Any) -> None:
        manifest = route.fetch().json()
        manifest["revision"] += 1
        manifest["instances"] += 3
        route.fulfill(json=manifest)

    page.route(re.compile(r"/studies/.*/manifest\.json"), changed)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    news = page.get_by_role("button", name="3 new images have arrived: show")
    expect(news).to_be_visible()
    expect(line(page, "frame")).to_have_text("S2 · Im 22/22")
    news.click()
    expect(news).to_be_hidden()
    expect(line(page, "frame")).to_have_text("S2 · Im 22/22")


def test_a_phone_shows_the_picture_and_obeys_fingers(open_viewer: Open, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport={"width": 360, "height": 740}, device_scale_factor=2, has_touch=True, is_mobile=True)
    open_viewer(on=page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    x, y = middle_of(page)
    touch(page, [[(x, y + step)] for step in range(0, 121, 10)])
    expect(line(page, "frame")).to_have_text(re.compile(r"Im ([4-9]|1\d)/22"))
    zoom = line(page, "zoom").text_content()
    touch(page, [[(x - 50 - step, y), (x + 50 + step, y)] for step in range(0, 61, 10)])
    expect(line(page, "zoom")).not_to_have_text(zoom)
    touch(page, [[(x - 50 + step, y), (x + step, y), (x + 50 + step, y)] for step in range(0, 61, 10)])
    expect(line(page, "window")).not_to_have_text("W 400 L 40")


def touch(page: Page, moments: list[list[tuple[float, float]]]) -> None:
    """Put fingers down, move them from moment to moment, and lift them."""
    session = page.context.new_cdp_session(page)
    for index, fingers in enumerate(moments):
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
        kind = "touchMove" if index else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
