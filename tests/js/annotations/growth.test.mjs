import assert from "node:assert/strict";
import { test } from "node:test";
import { counterpartOf, growthInWords, numberOf } from "../../../static/js/annotations/growth.js";
import { PriorMarks } from "../../../static/js/annotations/prior_marks.js";
import { MarkStore } from "../../../static/js/annotations/mark_store.js";

const manifest = { PixelSpacing: { row_mm: 2, column_mm: 0.5, source: "Pixel Spacing", note: "" }, PixelAspectRatio: [2, 0.5] };
const line = (x, more) => ({ kind: "length", text: "target 1", points: [{ x: 0, y: 0 }, { x, y: 0 }], ...more });

test("growth is in millimetres and percent of what it was", () => {
  // 40 and 50 columns of 0.5 mm.
  assert.equal(growthInWords(numberOf(line(50), manifest), numberOf(line(40), manifest)), "20.0 mm; +5.0 mm, +25 %");
  assert.equal(growthInWords({ value: 90, unit: "mm²" }, { value: 100, unit: "mm²" }), "1.00 cm²; −10.0 mm², −10 %");
  assert.equal(growthInWords({ value: 0.55, unit: "" }, { value: 0.5, unit: "" }), "0.50; +0.05, +10 %");
});

test("pixels are not compared, nor unlike units", () => {
  assert.equal(numberOf(line(40), {}), null);
  assert.equal(growthInWords({ value: 1, unit: "mm" }, { value: 1, unit: "°" }), "");
});

test("the same measurement is the one of its kind and name", () => {
  const others = [line(3, { kind: "polyline" }), line(4, { text: " Target 1 " })];
  assert.equal(counterpartOf(line(1), others), others[1]);
  assert.equal(counterpartOf(line(1, { text: "" }), others), undefined);
});

test("measurements of a prior are read once, cannot be changed and are no edit of this tab", async () => {
  const store = new MarkStore();
  let asked = 0;
  const kept = { id: "a", kind: "length", stack: "9", SOPInstanceUID: "9.1", FrameNumber: 1, geometry: { points: [[0, 0], [1, 1]] }, label: "x", label_offset: null, may_change: true };
  const fetch = async () => {
    asked += 1;
    return { annotations: [kept] };
  };
  let edits = 0;
  store.addEventListener("edited", () => (edits += 1));
  const priors = new PriorMarks(store, { fetch });
  await priors.load("9", "PRIOR, 2 months");
  await priors.load("9", "PRIOR, 2 months");
  assert.deepEqual([asked, edits, store.get("a").study], [1, 0, "9"]);
  store.change("a", { text: "y" });
  assert.equal(store.get("a").text, "x");
});
