import assert from "node:assert/strict";
import { test } from "node:test";
import { firstView, ownWindow, statedView, stateWindow, windowOn } from "../../../static/js/viewport/view_state.js";

const WINDOW = { center: 50, width: 120, function: "linear" };
const VIEW = {
  rotation: 0,
  flipped: false,
  area: { left: 0, top: 0, right: 400, bottom: 200 },
  mode: "SCALE TO FIT",
  magnification: 1,
  window: WINDOW,
};
const SIZE = { width: 1000, height: 800 };

function manifestWith(views, frames) {
  const state = { SOPInstanceUID: "1.2.9", ContentLabel: "LESION", views, frames };
  return {
    Rows: 200,
    Columns: 400,
    PixelAspectRatio: [1, 1],
    inverted: true,
    window: { center: 1, width: 2, function: "linear", name: "own" },
    presentation_states: [state],
  };
}

function stated(view, frame = 1) {
  const manifest = manifestWith([{ ...VIEW, ...view }], [0]);
  return statedView(manifest, manifest.presentation_states[0], frame, SIZE);
}

test("a state of the whole image fits, in its own polarity and window", () => {
  assert.deepEqual(stated({}), {
    window: { key: null, ...WINDOW, name: "presentation state LESION" },
    inverted: false,
    presentationState: "1.2.9",
    rotation: 0,
    flipped: false,
    zoom: "fit",
    center: { x: 200, y: 100 },
  });
});

test("an area is as large as the viewport allows, around its middle", () => {
  const view = stated({ area: { left: 100, top: 50, right: 200, bottom: 150 } });
  assert.deepEqual([view.zoom, view.center], [8, { x: 150, y: 100 }]);
  assert.equal(stated({ area: { left: 100, top: 50, right: 300, bottom: 150 }, mode: "TRUE SIZE" }).zoom, 5);
  // Turned, 200 columns are 200 high.
  assert.equal(stated({ area: { left: 100, top: 50, right: 300, bottom: 150 }, rotation: 90 }).zoom, 4);
});

test("a magnified area says itself how large it is", () => {
  assert.equal(stated({ mode: "MAGNIFY", magnification: 2.5 }).zoom, 2.5);
});

test("a turn and a flip are taken over", () => {
  const view = stated({ rotation: 270, flipped: true });
  assert.deepEqual([view.rotation, view.flipped], [270, true]);
});

test("a state that is not about a frame has no view of it", () => {
  const manifest = manifestWith([VIEW], [null, 0]);
  assert.equal(statedView(manifest, manifest.presentation_states[0], 1, SIZE), null);
});

test("numbers of a window are told only where they are those of every image", () => {
  const name = "presentation state LESION";
  assert.deepEqual(stateWindow({ views: [VIEW, { ...VIEW, window: { center: 1, width: 1 } }], ContentLabel: "LESION" }), { key: null, name });
});

test("the window of a view that has chosen none is that of its state, else the stack's", () => {
  const manifest = manifestWith([VIEW], [0]);
  assert.equal(ownWindow(firstView(manifest), manifest).name, "own");
  assert.equal(ownWindow({ presentationState: "1.2.9" }, manifest).name, "presentation state LESION");
});

test("an image that the state is not about has the window of the stack", () => {
  const manifest = manifestWith([VIEW], [null, 0]);
  const view = statedView(manifest, manifest.presentation_states[0], 2, SIZE);
  assert.equal(windowOn(view, manifest, 2).name, "presentation state LESION");
  assert.equal(windowOn(view, manifest, 1).name, "own");
  const bone = { key: "400,2000,linear", center: 400, width: 2000 };
  assert.equal(windowOn({ ...view, window: bone }, manifest, 1), bone);
});
