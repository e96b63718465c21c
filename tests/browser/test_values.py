"""Values drawn by the browser itself, in Chromium: the server's picture in every pixel, and what happens without WebGL2.

A view at 1:1 is opened by its address, drawn from value tiles, and compared with the server's own tiles of that view.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import expect
from pydicom import Dataset, dcmread

from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.phantoms import ct_image, to_part10_bytes
from tests.servers import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, Page

    from tests.servers import LivePortal

SignIn = Callable[["Page", str], None]

IMAGES = {
    "ct signed, padded": "ct_series/liver_3slice",
    "ct unsigned": "ct_series/head_5mm/0003.dcm",
    "ct, jpeg-ls": "petct/acrin_042/ct/0060.dcm",
    "mr": "mr_series/adc_cmb1/0041.dcm",
    "mr mosaic": "mr_series/mosaic/siemens_mosaic.dcm",
    "mr enhanced": "enhanced/BRTUM014.dcm",
    "pet, slopes by slice": "petct/acrin_042/pet_ac",
    "cr, monochrome1": "odd/no_preamble_CR-MONO1-10-chest.dcm",
    "cr, modality lut": "cr_dx_mg/CR-ModalitySequenceLUT.dcm",
    "dx of 8 bits": "cr_dx_mg/dx_image.dcm",
    "mg, sigmoid and voi lut": "cr_dx_mg/mg_sigmoid_voilut.dcm",
    "nm": "nm/NM-MONO2-16-13x-heart.dcm",
}

# What painted the viewport last, and the contexts, for the tests that take them away.
WATCH = """(() => {
  window.contexts = [];
  const getContext = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...others) {
    const context = getContext.call(this, kind, ...others);
    if (kind === 'webgl2' && context && !window.contexts.includes(context)) window.contexts.push(context);
    return context;
  };
  const drawImage = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (source, ...others) {
    if (this.canvas.classList.contains('viewport-canvas'))
      window.drawnFrom = window.contexts.some((context) => context.canvas === source) ? 'values' : 'tiles';
    return drawImage.call(this, source, ...others);
  };
  const putImageData = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...parts) {
    if (this.canvas.classList.contains('viewport-canvas')) window.drawnFrom = 'values';
    return putImageData.apply(this, parts);
  };
  // Without the name of the graphics card it counts as one.
  const isOnCard = new URLSearchParams(location.search).has('card');
  const getExtension = WebGL2RenderingContext.prototype.getExtension;
  WebGL2RenderingContext.prototype.getExtension = function (name) {
    return isOnCard && name === 'WEBGL_debug_renderer_info' ? null : getExtension.call(this, name);
  };
})();"""
IS_DRAWN_FROM = """(source) => {
  const words = [...document.querySelectorAll('.viewport:not([hidden]) .fidelity')].map((node) => node.textContent);
  return window.drawnFrom === source && words.some(Boolean) && words.filter(Boolean).every((word) => /full|lossy/.test(word));
}"""
# The canvas against the server's tiles of the same view, turned as the viewport turns them.
COMPARE = """async ({ stack, frame, query, rotation, flipped, center }) => {
  const canvas = document.querySelector('.viewport-canvas');
  const manifest = await (await fetch(`/stacks/${stack}/manifest.json`)).json();
  const href = (name) => document.querySelector(`link[href*="${name}"]`).href;
  const { imageToViewport } = await import(href('geometry/view_transform'));
  const level = manifest.levels.at(-1);
  const whole = new OffscreenCanvas(manifest.Columns, manifest.Rows).getContext('2d');
  for (let row = 0; row < level.rows; row += 1) for (let column = 0; column < level.columns; column += 1) {
    const address = manifest.tiles.replace('{frame}', frame).replace('{level}', level.level)
      .replace('{row}', row).replace('{column}', column);
    const answer = await fetch(`${address}?${query}`);
    if (!answer.ok) return { refused: await answer.text() };
    const bitmap = await createImageBitmap(await answer.blob(),
      { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
    whole.drawImage(bitmap, column * manifest.TileSize, row * manifest.TileSize);
  }
  const wanted = whole.getImageData(0, 0, manifest.Columns, manifest.Rows).data;
  const shown = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const view = { zoom: 1, rotation, flipped, center, shape: { width: 1, height: 1 } };
  const back = imageToViewport(view, canvas).inverse();
  const found = { different: 0, compared: 0, levels: new Set() };
  for (let y = 0; y < canvas.height; y += 1) for (let x = 0; x < canvas.width; x += 1) {
    const place = back.apply(x + 0.5, y + 0.5);
    const [row, column] = [Math.floor(place.y), Math.floor(place.x)];
    const isInside = row >= 0 && column >= 0 && row < manifest.Rows && column < manifest.Columns;
    for (let channel = 0; channel < 3; channel += 1) {
      const value = isInside ? wanted[4 * (row * manifest.Columns + column) + channel] : 0;
      if (value !== shown[4 * (y * canvas.width + x) + channel]) found.different += 1;
    }
    if (isInside) found.compared += 1;
    if (isInside && !(x & 3)) found.levels.add(wanted[4 * (row * manifest.Columns + column)]);
  }
  return { ...found, levels: found.levels.size };
}"""


@dataclass(frozen=True)
class Shown:
    """A stack with a picture, where to find it."""

    study: str
    stack: str
    manifest: dict[str, Any]

    @property
    def center(self) -> tuple[float, float]:
        return self.manifest["Columns"] / 2, self.manifest["Rows"] / 2


ROWS, COLUMNS = 300, 1100
"""Of the phantoms: three levels, three tiles side by side in the finest; columns 512 and 1024 begin a tile."""
SLOPE = 3
PLATEAU = 1124


def wedge() -> Dataset:
    """Stored values that grow by 3 with each column."""
    values = np.broadcast_to(SLOPE * np.arange(COLUMNS), (ROWS, COLUMNS))
    return ct_image(values, StudyInstanceUID="2.25.88001", SeriesInstanceUID="2.25.88002", SOPInstanceUID="2.25.88003")


def half_padded() -> Dataset:
    """100 HU everywhere, but padding left of column 500."""
    values = np.full((ROWS, COLUMNS), PLATEAU)
    values[:, :500] = 0
    uids = {"StudyInstanceUID": "2.25.88011", "SeriesInstanceUID": "2.25.88012", "SOPInstanceUID": "2.25.88013"}
    return ct_image(values, PixelPaddingValue=0, **uids)


PHANTOMS = {"wedge": wedge, "half padded": half_padded}


@pytest.fixture(scope="module")
def stored(live_portal: LivePortal, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Study Instance UIDs of the images, in the archive."""
    folder = tmp_path_factory.mktemp("images")
    for place, path in enumerate(IMAGES.values()):
        copy = shutil.copytree if (data_dir / path).is_dir() else shutil.copyfile
        copy(data_dir / path, folder / str(place))
    for name, make in PHANTOMS.items():
        (folder / name).write_bytes(to_part10_bytes(make()))
    took = live_portal.manage("import_folder", str(folder))
    assert took.returncode == 0, took.stderr
    places = {name: folder / str(place) for place, name in enumerate(IMAGES)}
    return {name: study_of(path) for name, path in {**places, **{one: folder / one for one in PHANTOMS}}.items()}


def study_of(path: Path) -> str:
    first = min(path.iterdir()) if path.is_dir() else path
    return str(dcmread(first, stop_before_pixels=True, force=True).StudyInstanceUID)


@pytest.fixture
def chromium_type(browser: Browser) -> BrowserType:
    """What launches browsers, for a test that needs one of its own."""
    return browser.browser_type


@pytest.fixture
def shown(live_portal: LivePortal, stored: dict[str, str], sign_in: SignIn) -> Callable[..., Shown]:
    """Sign in and find the stack of an image."""

    def find(name: str, on: Page) -> Shown:
        if not on.context.cookies():
            sign_in(on, "reader")
        address = f"{live_portal.url}/studies/{stored[name]}/manifest.json"

        def stacks() -> list[dict[str, Any]]:
            answer = on.request.get(address)
            return [one for one in answer.json()["stacks"] if one["drawable"]] if answer.ok else []

        wait_until(lambda: bool(stacks()), patience_s=60, what=f"{name} is not there")
        stack = stacks()[0]["stack"]
        return Shown(stored[name], stack, on.request.get(f"{live_portal.url}/stacks/{stack}/manifest.json").json())

    return find


def open_view(
    portal: LivePortal,
    page: Page,
    stack: Shown,
    *rest: str,
    frame: int = 1,
    source: str | None = "values",
    on_card: bool = False,
) -> None:
    """Open a view by its address and wait until it has been drawn from values, or from windowed tiles.

    ``on_card``: with the shader that looks values up, which the processor does where it has to do all the work.
    """
    view = "~".join([stack.stack, str(frame), *rest])
    page.goto(f"{portal.url}/studies/{stack.study}/viewer/?view={view}{'&card=1' if on_card else ''}")
    if source:
        page.wait_for_function(IS_DRAWN_FROM, arg=source, timeout=20_000)


def query_of(window: str, *, inverted: bool, own_inverted: bool, color_map: str) -> str:
    """The query by which the server draws the same."""
    parts = [f"window={window}"] if window else []
    if inverted != (own_inverted if not window else False):
        parts.append(f"invert={int(inverted)}")
    return "&".join([*parts, *([f"map={color_map}"] if color_map else [])])


def window_of(stack: Shown) -> tuple[float, float]:
    """Centre and width in which the image is not one grey."""
    known = [stack.manifest["window"], *stack.manifest["values"]["vois"], stack.manifest["values"]["automatic"]]
    found = next((one for one in known if one and one.get("width")), None)
    return (found["center"], found["width"]) if found else (500.0, 1000.0)


# --- The same picture -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IMAGES)
def test_a_picture_of_values_equals_the_server_s_in_every_pixel(
    live_portal: LivePortal, shown: Callable[..., Shown], new_page: Callable[..., Page], name: str
) -> None:
    page = new_page(viewport={"width": 900, "height": 640})
    page.add_init_script(WATCH)
    stack = shown(name, page)
    center, width = window_of(stack)
    own = stack.manifest["inverted"]
    last = len(stack.manifest["frames"])
    # window, placement, inverted, colour map, frame
    views: list[tuple[str, str, bool, str, int]] = [
        ("", "", own, "", 1),
        (f"{center + 0.25},{width * 0.8 + 1.3},linear", "90", False, "", last),
        (f"{center},{width},sigmoid", "f", True, "", 1),
        (f"{center - 0.125 * width},{width / 3},linear-exact", "270f", False, "hot-iron", last),
        ("auto", "180", True, "pet-20-step", 1),
        ("lut-1" if stack.manifest["values"]["luts"] != [[]] else "file", "", False, "", last),
    ]
    for number, (window, placement, inverted, color_map, frame) in enumerate(views, list(IMAGES).index(name)):
        polarity = "" if inverted == own else "i" if inverted else "n"
        x, y = stack.center
        rest = (window, "1", f"{x},{y}", placement, polarity, "", color_map)
        open_view(live_portal, page, stack, *rest, frame=frame, on_card=number % 2 == 0)
        if window == "auto":
            expect(page.locator(".line-window").first).to_have_text(re.compile("^W .* automatic"))
        found = page.evaluate(
            COMPARE,
            {
                "stack": stack.stack,
                "frame": frame,
                "query": query_of(window, inverted=inverted, own_inverted=own, color_map=color_map),
                "rotation": int(re.sub(r"\D", "", placement) or 0),
                "flipped": placement.endswith("f"),
                "center": {"x": x, "y": y},
            },
        )
        assert found["different"] == 0, (name, window, placement, color_map, frame)
        assert found["compared"] > 400 and found["levels"] > 2, (name, window, found)


# --- Scaled -----------------------------------------------------------------------------------------------------------

ROW_OF_CANVAS = """() => {
  const canvas = document.querySelector('.viewport-canvas');
  const { data } = canvas.getContext('2d').getImageData(0, canvas.height >> 1, canvas.width, 1);
  return Array.from({ length: canvas.width }, (_, x) => data[4 * x]);
}"""


def columns_shown(width: int, zoom: float, center: float) -> np.ndarray:
    """Image columns at the middle of the canvas's pixels; the picture lies on whole pixels."""
    left = np.floor(width / 2 - center * zoom + 0.5)
    return (np.arange(width) + 0.5 - left) / zoom


@pytest.mark.parametrize(("zoom", "on_card"), [(3.3, True), (1.5, False), (0.7, True)])
def test_values_are_interpolated_across_tiles_without_a_seam(
    live_portal: LivePortal, shown: Callable[..., Shown], page: Page, zoom: float, on_card: bool
) -> None:
    page.add_init_script(WATCH)
    stack = shown("wedge", page)
    center, width = SLOPE * 512 - 1024, 60
    open_view(live_portal, page, stack, f"{center},{width},linear-exact", str(zoom), "512,150", on_card=on_card)
    greys = np.array(page.evaluate(ROW_OF_CANVAS), float)
    columns = columns_shown(len(greys), zoom, 512)
    # Values belong to the middle of a pixel; a column is 12.75 grey levels.
    expected = 255 * ((SLOPE * (columns - 0.5) - SLOPE * 512) / width + 0.5)
    near = np.abs(columns - 512) < 8
    assert near.sum() > 10
    # Entries of the table are truncated, the level between two of them is rounded; a box that covers parts of pixels is
    # off the straight line by up to an eighth of a column.
    assert np.abs(greys[near] - expected[near]).max() <= (1.5 if zoom > 1 else 1.5 + 12.75 / 8)


@pytest.mark.parametrize("polarity", ["", "i"])
@pytest.mark.parametrize("zoom", [3.3, 0.7, 0.4])
def test_padding_stays_black_and_bleeds_into_nothing(
    live_portal: LivePortal, shown: Callable[..., Shown], page: Page, zoom: float, polarity: str
) -> None:
    page.add_init_script(WATCH)
    stack = shown("half padded", page)
    open_view(live_portal, page, stack, "40,400,linear", str(zoom), "500,150", "", polarity, on_card=not polarity)
    greys = np.array(page.evaluate(ROW_OF_CANVAS))
    # PS3.3 C.11.2.1.2.1: ((100 - 39.5) / 399 + 0.5) * 255 = 166.2
    level = 255 - 166 if polarity else 166
    assert set(greys.tolist()) == {0, level}
    columns = columns_shown(len(greys), zoom, 500)
    edge = columns[np.argmax(greys > 0)]
    assert abs(edge - 500) <= max(1, 1 / zoom) + 1


def test_pixels_are_squares_where_the_reader_wants_them(
    live_portal: LivePortal, shown: Callable[..., Shown], page: Page
) -> None:
    page.add_init_script(WATCH)
    stack = shown("wedge", page)
    open_view(live_portal, page, stack, f"{SLOPE * 512 - 1024},60,linear-exact", "8", "512,150")
    assert len(set(page.evaluate(ROW_OF_CANVAS))) > 100
    x, y = middle_of(page)
    page.mouse.click(x, y, button="right")
    page.get_by_role("menuitemcheckbox", name="Pixels as squares").click()
    page.wait_for_function(f"() => ({ROW_OF_CANVAS})().filter((grey, x, all) => x && grey !== all[x - 1]).length < 30")
    assert len(set(page.evaluate(ROW_OF_CANVAS))) <= 22


# --- Which painter ----------------------------------------------------------------------------------------------------


def middle_of(page: Page) -> tuple[float, float]:
    box = page.locator(".viewport").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def tiles_asked(page: Page) -> list[str]:
    """Addresses of tiles that the page asks for from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/tiles/" in request.url else None)
    return asked


def hold(page: Page, addresses: re.Pattern[str]) -> Callable[[], None]:
    """Hold requests back until the function that is returned is called."""
    held: list[Any] = []
    is_open = False

    def pass_or_hold(route: Any) -> None:
        if is_open:
            route.continue_()
        else:
            held.append(route)

    def release() -> None:
        nonlocal is_open
        is_open = True
        for route in held:
            route.continue_()

    page.route(addresses, pass_or_hold)
    return release


def wait_until_still(page: Page) -> None:
    """Wait until everything that lies ahead has been fetched."""
    page.wait_for_load_state("networkidle")


def test_a_window_drag_asks_for_no_tile(live_portal: LivePortal, shown: Callable[..., Shown], page: Page) -> None:
    page.add_init_script(WATCH)
    stack = shown("ct signed, padded", page)
    open_view(live_portal, page, stack)
    wait_until_still(page)
    asked = tiles_asked(page)
    before = page.locator(".viewport-canvas").first.screenshot()
    x, y = middle_of(page)
    page.mouse.move(x, y)
    page.mouse.down(button="right")
    page.mouse.move(x + 90, y - 60, steps=30)
    expect(page.locator(".fidelity").first).to_contain_text("full")
    page.mouse.up(button="right")
    page.wait_for_function(IS_DRAWN_FROM, arg="values")
    assert page.locator(".viewport-canvas").first.screenshot() != before
    wait_until_still(page)
    assert asked == []


def test_the_first_picture_stands_until_the_values_have_come(
    live_portal: LivePortal, shown: Callable[..., Shown], page: Page
) -> None:
    page.add_init_script(WATCH)
    stack = shown("ct signed, padded", page)
    release = hold(page, re.compile("values=1"))
    page.goto(f"{live_portal.url}/studies/{stack.study}/viewer/")
    page.wait_for_function(IS_DRAWN_FROM, arg="tiles")
    release()
    page.wait_for_function(IS_DRAWN_FROM, arg="values")


def test_the_reader_can_have_all_pictures_drawn_on_the_server(
    live_portal: LivePortal, shown: Callable[..., Shown], page: Page
) -> None:
    page.add_init_script(WATCH)
    stack = shown("ct signed, padded", page)
    open_view(live_portal, page, stack)
    for source in ("tiles", "values"):
        page.locator("[data-command=windows]").click()
        page.get_by_role("menuitemcheckbox", name="Draw on the server").click()
        page.wait_for_function(IS_DRAWN_FROM, arg=source)


def test_a_lost_context_leaves_the_picture_and_comes_back(
    live_portal: LivePortal, shown: Callable[..., Shown], page: Page
) -> None:
    page.add_init_script(WATCH)
    stack = shown("ct signed, padded", page)
    open_view(live_portal, page, stack)
    picture = "() => document.querySelector('.viewport-canvas').toDataURL()"
    before = page.evaluate(picture)
    page.evaluate("window.taken = window.contexts[0].getExtension('WEBGL_lose_context'); window.taken.loseContext()")
    page.wait_for_function(IS_DRAWN_FROM, arg="tiles")
    page.keyboard.press("4")
    expect(page.locator(".line-window").first).to_have_text(re.compile("W 1500 L -600"))
    page.wait_for_function(IS_DRAWN_FROM, arg="tiles")
    page.evaluate("window.taken.restoreContext()")
    page.wait_for_function(IS_DRAWN_FROM, arg="values")
    page.keyboard.press("Space")
    page.wait_for_function(IS_DRAWN_FROM, arg="values")
    page.wait_for_function("(before) => document.querySelector('.viewport-canvas').toDataURL() === before", arg=before)


def test_nine_viewports_share_one_context(live_portal: LivePortal, shown: Callable[..., Shown], page: Page) -> None:
    page.add_init_script(WATCH)
    stack = shown("ct signed, padded", page)
    views = "&".join(f"view={stack.stack}~{1 + index % 3}~{40 * index},400,linear" for index in range(9))
    page.goto(f"{live_portal.url}/studies/{stack.study}/viewer/?layout=3x3&{views}")
    page.wait_for_function(IS_DRAWN_FROM, arg="values", timeout=20_000)
    assert page.evaluate("window.contexts.length") == 1
    pictures = page.evaluate("[...document.querySelectorAll('.viewport-canvas')].map((one) => one.toDataURL())")
    assert len(set(pictures)) == 9


@pytest.mark.parametrize("name", ["ct signed, padded", "mg, sigmoid and voi lut"])
def test_without_webgl_the_server_draws_and_the_viewer_works(
    live_portal: LivePortal,
    shown: Callable[..., Shown],
    page: Page,
    sign_in: SignIn,
    chromium_type: BrowserType,
    name: str,
) -> None:
    stack = shown(name, page)
    arguments = [*CHROMIUM_ARGUMENTS, "--disable-gpu", "--disable-webgl"]
    chromium = chromium_type.launch(executable_path=CHROMIUM, headless=True, args=arguments)
    other = chromium.new_page(viewport={"width": 900, "height": 640})
    try:
        sign_in(other, "reader")
        assert other.evaluate("document.createElement('canvas').getContext('webgl2')") is None
        other.add_init_script(WATCH)
        open_view(live_portal, other, stack, source="tiles")
        other.keyboard.press("Alt+ArrowRight")
        other.wait_for_function(IS_DRAWN_FROM, arg="tiles")
        asked = tiles_asked(other)
        other.keyboard.press("i")
        expect(other.locator(".line-window").first).to_have_text(re.compile("inverted"))
        other.wait_for_function(IS_DRAWN_FROM, arg="tiles")
        assert asked and not any("values=1" in address for address in asked)
    finally:
        chromium.close()


def test_a_large_image_is_reduced_first_and_says_so(
    live_portal: LivePortal, shown: Callable[..., Shown], page: Page
) -> None:
    page.add_init_script(WATCH)
    stack = shown("mg, sigmoid and voi lut", page)
    last = stack.manifest["levels"][-1]["level"]
    release = hold(page, re.compile(rf"/tiles/[0-9.]+/1/{last}/.*values=1"))
    x, y = stack.center
    open_view(live_portal, page, stack, "", "1", f"{x},{y}", source=None)
    expect(page.locator(".fidelity").first).to_contain_text("reduced")
    assert page.evaluate("window.drawnFrom") == "values"
    release()
    page.wait_for_function(IS_DRAWN_FROM, arg="values")
