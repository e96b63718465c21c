import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkSaver } from "../../../static/js/annotations/mark_saver.js";
import { MarkStore } from "../../../static/js/annotations/mark_store.js";
import { Linker } from "../../../static/js/linking/linker.js";
import { stackForScreen } from "../../../static/js/pages/viewer_parts/other_screens.js";
import { InStep } from "../../../static/js/screens/in_step.js";
import { featuresHere, windowFeatures } from "../../../static/js/screens/screen_places.js";
import { Screens } from "../../../static/js/screens/screens.js";

globalThis.document = { hasFocus: () => true };

/** A channel between windows of one process: what is said is heard by all others at once, as a copy. */
function air() {
  const ends = [];
  return () => {
    const end = new EventTarget();
    end.postMessage = (data) => {
      for (const other of ends) if (other !== end) other.dispatchEvent(Object.assign(new Event("message"), { data: structuredClone(data) }));
    };
    end.close = () => ends.splice(ends.indexOf(end), 1);
    ends.push(end);
    return end;
  };
}

const AXIAL = [1, 0, 0, 0, 1, 0];
function stack(name, first) {
  const frames = Array.from({ length: 10 }, (_, index) => ({ ImagePositionPatient: [0, 0, first + index], ImageOrientationPatient: AXIAL }));
  return { stack: name, StudyInstanceUID: "1", FrameOfReferenceUID: "f", Columns: 10, Rows: 10, PixelSpacing: { row_mm: 1, column_mm: 1 }, Modality: "CT", unit: "HU", frames };
}

/** As much of a viewport as linking needs. */
class Shown extends EventTarget {
  askedFrame = 1;
  view = { zoom: "fit", center: { x: 5, y: 5 }, window: { key: "400,40", width: 400, center: 40 }, rotation: 0, flipped: false };
  size = { width: 100, height: 100, ratio: 1 };

  constructor(manifest) {
    super();
    this.manifest = manifest;
  }

  jump(frame) {
    this.askedFrame = frame;
    this.dispatchEvent(new Event("asked"));
  }

  setView(changes) {
    this.view = { ...this.view, ...changes };
    this.dispatchEvent(new Event("view"));
  }
}

function openWindow(channel, number, manifests, shown) {
  const viewer = new EventTarget();
  const panes = [{ viewport: new Shown(shown) }];
  const library = { studyOf: () => ({}), manifest: async (name) => manifests[name] };
  Object.assign(viewer, { panes, active: panes[0], library });
  const linker = new Linker(viewer);
  for (const name of ["stack", "asked"]) panes[0].viewport.dispatchEvent(new Event(name));
  const [lines, store] = [new EventTarget(), new MarkStore()];
  let version = 0;
  const send = async (_url, _body, { method }) => ({ version: (version += 1), author: method === "PUT" ? "Dr Reader" : "" });
  const saver = new MarkSaver(store, { url: "/a", key: `${number}`, storage: null, send, fetch: async () => ({ annotations: [] }) });
  const screens = new Screens({ user: 1, study: "1", number }, channel);
  new InStep(screens, { viewer, linker, lines, priors: null, store, saver });
  return { viewport: panes[0].viewport, linker, store, saver, screens };
}

function two() {
  const manifests = { a: stack("a", 0), b: stack("b", 3) };
  const channel = air();
  const one = openWindow(channel, 1, manifests, manifests.a);
  one.linker.setLinks({ scroll: true, zoom: false, window: true });
  return [one, openWindow(channel, 2, manifests, manifests.b), manifests];
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("what is scrolled and windowed in one window moves what is linked in the other, and comes not back", async () => {
  const [one, other, manifests] = two();
  assert.equal(other.linker.has("scroll"), true);
  let answers = 0;
  one.viewport.addEventListener("asked", () => (answers += 1));
  one.viewport.jump(6);
  one.viewport.setView({ window: { key: "1500,-600", width: 1500, center: -600 } });
  await settled();
  assert.equal(other.viewport.askedFrame, 3);
  assert.deepEqual([other.viewport.view.window.width, other.viewport.view.window.center], [1500, -600]);
  assert.deepEqual([other.linker.elsewhere.manifest, other.linker.elsewhere.frame], [manifests.a, 6]);
  assert.deepEqual([answers, one.linker.elsewhere], [1, null]);
});

test("who works in the other window is followed back, and links that are undone are undone in both", async () => {
  const [one, other] = two();
  other.viewport.jump(2);
  await settled();
  assert.deepEqual([one.viewport.askedFrame, other.linker.elsewhere], [5, null]);
  other.linker.setLinks({ scroll: false, window: false });
  other.viewport.jump(7);
  await settled();
  assert.deepEqual([one.viewport.askedFrame, one.linker.isOn], [5, false]);
});

test("a measurement is seen in both windows at once, and the other one may go on with it", async () => {
  const [one, other] = two();
  const id = one.store.add({ kind: "length", stack: "a", SOPInstanceUID: "9", FrameNumber: 1, points: [{ x: 0, y: 0 }, { x: 1, y: 1 }] });
  assert.equal(other.store.get(id).kind, "length");
  await one.saver.flush();
  assert.equal(other.store.get(id).author, "Dr Reader");
  other.store.change(id, { text: "nodule" });
  assert.equal(one.store.get(id).text, "nodule");
  await other.saver.flush();
  one.store.remove(id);
  assert.equal(other.store.get(id), undefined);
});

test("a window that is closed is gone, and the one that stays works in itself", async () => {
  const [one, other] = two();
  assert.deepEqual([one.screens.hasOthers, one.screens.nextNumber], [true, 3]);
  other.viewport.jump(4);
  await settled();
  assert.notEqual(one.linker.elsewhere, null);
  other.screens.disconnect();
  assert.deepEqual([one.screens.hasOthers, one.screens.nextNumber, one.linker.elsewhere], [false, 2, null]);
});

test("a window goes to a monitor that has none, and to the browser's choice where nobody tells of monitors", async () => {
  const desk = [
    { left: 0, top: 0, width: 1280, height: 1024 },
    { left: 3840, top: 0, width: 2560, height: 2048 },
    { left: 1280, top: 0, width: 2560, height: 2048 },
  ];
  assert.equal(windowFeatures(desk, 0, 2), "popup,noopener,left=1280,top=0,width=2560,height=2048");
  assert.equal(windowFeatures(desk, 0, 3), "popup,noopener,left=3840,top=0,width=2560,height=2048");
  assert.equal(windowFeatures(desk.slice(0, 1), 0, 2), "noopener");
  const refusing = { screen: { isExtended: true }, getScreenDetails: async () => Promise.reject(new Error("NotAllowedError")) };
  assert.equal(await featuresHere(2, refusing), "noopener");
});

test("every further window begins with a series that is not shown yet", () => {
  const drawable = ["a", "b", "c", "d"].map((name) => ({ stack: name }));
  assert.equal(stackForScreen(drawable, ["a"], 2), "b");
  assert.equal(stackForScreen(drawable, ["a"], 4), "d");
  assert.equal(stackForScreen(drawable, ["a"], 5), "b");
  assert.equal(stackForScreen(drawable, ["a", "b", "c", "d"], 2), undefined);
});
