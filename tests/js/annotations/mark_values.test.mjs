import assert from "node:assert/strict";
import { test } from "node:test";
import { angleOf, formatArea, formatValue, valuesOf } from "../../../static/js/annotations/mark_values.js";

const CT = { PixelSpacing: { row_mm: 2, column_mm: 0.5, note: "" }, PixelAspectRatio: [2, 0.5], calibration: { regions: [] } };
const DETECTOR = { ...CT, PixelSpacing: { ...CT.PixelSpacing, note: "At the detector." } };
const at = (...pairs) => pairs.map(([x, y]) => ({ x, y }));
const MEASURED = {
  area: 412.4,
  unit: "mm",
  note: "",
  suv: null,
  statistics: { count: 24, mean: 37.52, sd: 18.44, minimum: -5, maximum: 90, unit: "HU", note: "" },
};

test("angles are those in the patient", () => {
  // 4 columns of 0.5 mm and 1 row of 2 mm: 45 degrees.
  assert.ok(Math.abs(angleOf({ kind: "angle", points: at([4, 0], [0, 0], [4, 1]) }, CT) - 45) < 1e-9);
});

test("a Cobb angle does not depend on where a line was begun", () => {
  const square = { ...CT, PixelSpacing: { row_mm: 1, column_mm: 1, note: "" } };
  const slope = Math.tan(Math.PI / 6);
  for (const second of [at([0, 9], [10, 9 + 10 * slope]), at([10, 9 + 10 * slope], [0, 9])]) {
    const mark = { kind: "cobb", points: [...at([0, 0], [10, 0]), ...second] };
    assert.deepEqual(valuesOf(mark, square).lines, ["Cobb 30.0°"]);
  }
});

test("an angle that is not whole yet says nothing", () => {
  assert.deepEqual(valuesOf({ kind: "angle", points: at([0, 0], [1, 1]) }, CT).lines, []);
  assert.deepEqual(valuesOf({ kind: "cobb", points: at([0, 0], [1, 1], [2, 2]) }, CT).lines, []);
});

test("the longer axis is called so, however it was drawn", () => {
  const mark = { kind: "bidirectional", points: at([0, 0], [10, 0], [5, -5], [5, 5]) };
  assert.deepEqual(valuesOf(mark, CT).lines, ["long 20.0 mm", "short 5.0 mm"]);
});

test("a length whose scale needs a word carries a mark, and the word as a detail", () => {
  const found = valuesOf({ kind: "length", points: at([0, 0], [10, 0]) }, DETECTOR);
  assert.deepEqual(found, { lines: ["5.0 mm *"], details: ["At the detector."] });
});

test("an area shows three values and the rest on demand", () => {
  const { lines, details } = valuesOf({ kind: "ellipse", points: [] }, CT, MEASURED);
  assert.deepEqual(lines, ["mean 37.5 HU", "SD 18.4", "area 4.12 cm²"]);
  assert.deepEqual(details, ["min -5.0, max 90.0 HU", "24 pixels"]);
});

test("with a name there are still three lines", () => {
  const { lines } = valuesOf({ kind: "ellipse", text: "liver", points: [] }, CT, MEASURED);
  assert.deepEqual(lines, ["liver", "mean 37.5 HU", "area 4.12 cm²"]);
});

test("without a pixel that has a value there is no mean", () => {
  const statistics = { count: 0, mean: null, sd: null, minimum: null, maximum: null, unit: "HU", note: "no pixel with a value inside" };
  const { lines, details } = valuesOf({ kind: "circle", points: [] }, CT, { ...MEASURED, area: 3, statistics });
  assert.deepEqual(lines, ["area 3.0 mm²"]);
  assert.deepEqual(details, ["0 pixels", "no pixel with a value inside"]);
});

test("uptake is shown as uptake", () => {
  const suv = { mean: 2.345, sd: 0.5, minimum: 1, maximum: 4, unit: "g/ml", name: "SUVbw" };
  assert.equal(valuesOf({ kind: "circle", points: [] }, CT, { ...MEASURED, suv }).lines[0], "mean 2.35 g/ml SUVbw");
});

test("without a scale areas are pixels", () => {
  assert.equal(formatArea(12.4, "px"), "12 px");
  assert.equal(formatArea(12.44, "mm"), "12.4 mm²");
});

test("small numbers keep their digits", () => {
  assert.equal(formatValue(0.01234), "0.0123");
  assert.equal(formatValue(0.00001234), "1.23e-5");
  assert.equal(formatValue(0.5, 900), "0.5");
  assert.equal(formatValue(0, 0), "0");
});
