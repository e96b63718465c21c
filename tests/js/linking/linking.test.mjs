import assert from "node:assert/strict";
import { test } from "node:test";
import { heightOf, matchingFrame, Offsets } from "../../../static/js/linking/matching.js";
import { referenceLines } from "../../../static/js/linking/reference_lines.js";
import { matchingWindow, matchingZoom } from "../../../static/js/linking/view_matching.js";
import { planeOf } from "../../../static/js/geometry/planes.js";

const AXIAL = [1, 0, 0, 0, 1, 0];
const CORONAL = [1, 0, 0, 0, 0, -1];

function stack(name, orientation, heights, changes = {}) {
  const place = orientation === AXIAL ? (height) => [0, 0, height] : (height) => [0, height, 0];
  const frames = heights.map((height) => ({ ImagePositionPatient: place(height), ImageOrientationPatient: orientation }));
  return {
    stack: name, FrameOfReferenceUID: name, SeriesNumber: 7, Modality: "CT", Columns: 100, Rows: 100,
    PixelSpacing: { row_mm: 1, column_mm: 1 }, frames, ...changes,
  };
}

test("in one frame of reference the nearest position is the same place", () => {
  const thin = stack("1", AXIAL, [0, 1, 2, 3, 4, 5, 6]);
  const thick = stack("2", AXIAL, [6, 3, 0], { FrameOfReferenceUID: "1" });
  assert.deepEqual(matchingFrame({ manifest: thin, frame: 6 }, thick, new Offsets()), { frame: 1, how: "position" });
  assert.deepEqual(matchingFrame({ manifest: thin, frame: 5 }, thick, new Offsets()), { frame: 2, how: "position" });
});

test("nothing is matched across orientations, or across frames of reference before somebody has said how", () => {
  const axial = stack("1", AXIAL, [0, 1, 2]);
  assert.equal(matchingFrame({ manifest: axial, frame: 1 }, stack("1", CORONAL, [0, 1]), new Offsets()), null);
  assert.equal(matchingFrame({ manifest: axial, frame: 1 }, stack("2", AXIAL, [0, 1]), new Offsets()), null);
  assert.equal(new Offsets().set({ manifest: axial, frame: 1 }, { manifest: stack("2", CORONAL, [0]), frame: 1 }, "hand"), false);
});

test("an offset set by hand holds in both directions, and for other stacks of the same frame of reference", () => {
  const offsets = new Offsets();
  const now = stack("1", AXIAL, [100, 105, 110, 115]);
  const prior = stack("2", AXIAL, [0, 5, 10, 15, 20]);
  // 105 is where the prior says 10.
  assert.ok(offsets.set({ manifest: now, frame: 2 }, { manifest: prior, frame: 3 }, "hand"));
  assert.deepEqual(matchingFrame({ manifest: now, frame: 3 }, prior, offsets), { frame: 4, how: "hand" });
  assert.deepEqual(matchingFrame({ manifest: prior, frame: 2 }, now, offsets), { frame: 1, how: "hand" });
  const another = stack("3", AXIAL, [9, 19], { FrameOfReferenceUID: "2" });
  assert.deepEqual(matchingFrame({ manifest: now, frame: 4 }, another, offsets), { frame: 2, how: "hand" });
});

test("heights are counted the same way whichever way the rows run", () => {
  const flipped = [1, 0, 0, 0, -1, 0];
  const frames = [{ ImagePositionPatient: [0, 0, 12], ImageOrientationPatient: flipped }];
  assert.equal(heightOf(planeOf({ ...stack("1", AXIAL, [0]), frames }, 1)), 12);
  assert.equal(heightOf(planeOf(stack("1", AXIAL, [12]), 1)), 12);
});

test("the lines are those of the shown frame and of both ends of its stack", () => {
  const coronal = stack("1", CORONAL, [50]);
  const axial = stack("1", AXIAL, [-90, -50, -20, -10]);
  const lines = referenceLines({ manifest: coronal, frame: 1 }, { manifest: axial, frame: 3 });
  // Heights below 0 are so many rows down, from the centre of the first.
  assert.deepEqual(lines.map(({ from, label, isEnd }) => [from.y, label, isEnd]), [[90.5, "1", true], [10.5, "4", true], [20.5, "S7", false]]);
  assert.equal(referenceLines({ manifest: coronal, frame: 1 }, { manifest: axial, frame: 4 }).length, 2);
  assert.deepEqual(referenceLines({ manifest: coronal, frame: 1 }, { manifest: { ...axial, FrameOfReferenceUID: "2" }, frame: 3 }), []);
});

const shown = (manifest, view) => ({ manifest, frame: 1, size: { width: 100, height: 100 }, view: { rotation: 0, flipped: false, zoom: 2, center: { x: 50, y: 50 }, ...view } });

test("zoom is matched in millimetres around the same point of the patient", () => {
  const fine = stack("1", AXIAL, [0], { Columns: 200, Rows: 200, PixelSpacing: { row_mm: 0.5, column_mm: 0.5 } });
  const coarse = stack("1", AXIAL, [0]);
  // 2 device pixels for 1 mm are 1 for half a millimetre; the centre of pixel 10 (10 mm) is that of pixel 20.
  assert.deepEqual(matchingZoom(shown(coarse, { center: { x: 10.5, y: 10.5 } }), shown(fine)), { zoom: 1, center: { x: 20.5, y: 20.5 } });
  assert.equal(matchingZoom(shown(coarse), shown(stack("1", CORONAL, [0]))), null);
});

test("a window goes to stacks of the same modality only", () => {
  const lung = { key: "-600,1500,linear", center: -600, width: 1500, function: "linear", name: "lung" };
  const ct = stack("1", AXIAL, [0], { unit: "HU" });
  assert.deepEqual(matchingWindow(shown(ct, { window: lung }), shown(ct)), lung);
  assert.equal(matchingWindow(shown(ct, { window: lung }), shown({ ...ct, Modality: "MR" })), null);
  assert.equal(matchingWindow(shown(ct, { window: { key: "auto" } }), shown(ct)), null);
});
