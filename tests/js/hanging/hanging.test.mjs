import assert from "node:assert/strict";
import { test } from "node:test";
import { mostLike } from "../../../static/js/hanging/likeness.js";
import { zoomsOf } from "../../../static/js/hanging/one_scale.js";
import { placementFor } from "../../../static/js/hanging/placement.js";

const view = { zoom: "fit", rotation: 0, flipped: false, center: { x: 0, y: 0 } };

/** Edges as Patient Orientation (row, column) gives them: row towards the right edge, column towards the bottom. */
const SENT_AP = { left: "P", right: "A", top: "R", bottom: "L" };

test("a right CC has its chest wall at the right edge and its outer side up", () => {
  const wanted = { right: "P", top: "R" };
  // Sent with the chest wall at the left and the outer side down: half a turn.
  assert.deepEqual(placementFor({ left: "P", right: "A", top: "L", bottom: "R" }, wanted), { rotation: 180, flipped: false });
  // Sent as it is hung.
  assert.deepEqual(placementFor({ left: "A", right: "P", top: "R", bottom: "L" }, wanted), { rotation: 0, flipped: false });
  // Sent mirrored: no turn alone does it.
  assert.deepEqual(placementFor(SENT_AP, wanted), { rotation: 0, flipped: true });
});

test("an MLO is hung by its first letters, and a picture without letters by none", () => {
  const edges = { left: "P", right: "A", top: "HL", bottom: "FR" };
  assert.deepEqual(placementFor(edges, { right: "A", top: "H" }), { rotation: 0, flipped: false });
  assert.equal(placementFor(null, { right: "A" }), null);
  assert.equal(placementFor(edges, { right: "L" }), null);
});

test("pictures of different detectors get one scale at which all are seen whole", () => {
  const hung = (columns, rows, mm, align) => ({
    manifest: { Columns: columns, Rows: rows, PixelSpacing: { row_mm: mm, column_mm: mm } },
    view,
    size: { width: 500, height: 1000 },
    align,
  });
  // 1000 x 2000 pixels of 0.1 mm need 0.5 a pixel, 5 in a mm; 1000 x 1000 of 0.2 mm need 0.5 a pixel, 2.5 in a mm.
  const [fine, coarse] = zoomsOf([hung(1000, 2000, 0.1, "right"), hung(1000, 1000, 0.2, "left")], { isOneScale: true });
  assert.deepEqual([fine.zoom, coarse.zoom], [0.25, 0.5]);
  // 1000 pixels at 0.25 are 250 of 500: the right edge of the picture is 250 from the middle of the viewport, so the
  // middle of the viewport lies 250 / 0.25 = 1000 pixels left of the right edge: at column 0.
  assert.deepEqual(fine.center, { x: 0, y: 1000 });
  assert.deepEqual(coarse.center, { x: 500, y: 500 });
});

test("a mirrored picture is put at the same side of the viewport", () => {
  const one = {
    manifest: { Columns: 100, Rows: 400, PixelSpacing: { row_mm: 1, column_mm: 1 } },
    view: { ...view, flipped: true },
    size: { width: 200, height: 400 },
    align: "right",
  };
  // Column 0 is at the right edge of the picture now: the middle of the viewport is 100 pixels away from it.
  assert.deepEqual(zoomsOf([one], { isOneScale: true }), [{ zoom: 1, center: { x: 100, y: 200 } }]);
});

test("without millimetres there is no one scale", () => {
  const one = { manifest: { Columns: 100, Rows: 100, PixelSpacing: null }, view, size: { width: 200, height: 200 }, align: "" };
  const other = { ...one, manifest: { Columns: 400, Rows: 400, PixelSpacing: { row_mm: 1, column_mm: 1 } } };
  assert.deepEqual(zoomsOf([one, other], { isOneScale: true }).map(({ zoom }) => zoom), [2, 0.5]);
});

test("the prior's stack is of the same modality and plane, and of the likest name", () => {
  const entry = (changes) => ({ drawable: true, derived: false, frames: 20, Modality: "MR", plane: "axial", SeriesDescription: "", ...changes });
  const now = entry({ SeriesDescription: "t2 tse tra" });
  const found = [
    entry({ SeriesDescription: "loc tra" }),
    entry({ SeriesDescription: "T2 TSE cor", plane: "coronal" }),
    entry({ SeriesDescription: "t1 tra" }),
    entry({ SeriesDescription: "T2_TSE tra fs" }),
    entry({ SeriesDescription: "t2 tse tra", Modality: "CT" }),
    entry({ SeriesDescription: "t2 tse tra", derived: true }),
  ];
  assert.equal(mostLike(now, found), found[3]);
  assert.equal(mostLike(entry({ Modality: "US" }), found), null);
});
