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

test("whose unit a value has is said", () => {
  const statistics = { ...MEASURED.statistics, unit: "mm²/s", source: "ADC" };
  assert.ok(valuesOf({ kind: "circle", points: [] }, CT, { ...MEASURED, statistics }).details.includes("unit by ADC"));
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

test("a polyline is as long as its parts together, in pixels that are not square", () => {
  const manifest = { PixelSpacing: { row_mm: 2, column_mm: 0.5, source: "", note: "" } };
  // 3 mm across (6 columns), 4 mm down (2 rows), then both at once: 5 mm.
  const points = [{ x: 0, y: 0 }, { x: 6, y: 0 }, { x: 6, y: 2 }, { x: 0, y: 0 }];
  assert.deepEqual(valuesOf({ kind: "polyline", points }, manifest).lines, ["12.0 mm"]);
});

test("the distance to a line is that of its perpendicular, also beyond its ends", () => {
  const manifest = { PixelSpacing: { row_mm: 2, column_mm: 0.5, source: "", note: "" } };
  const points = [{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 25, y: 4 }];
  assert.deepEqual(valuesOf({ kind: "line_distance", points }, manifest).lines, ["8.0 mm"]);
});

test("a cardiothoracic ratio needs no scale", () => {
  const points = [{ x: 10, y: 5 }, { x: 22, y: 5 }, { x: 4, y: 9 }, { x: 28, y: 9 }];
  assert.equal(valuesOf({ kind: "cardiothoracic", points }, {}).lines[0], "CTR 0.50");
});

test("a calibration by hand scales what the file does not, is said, and never overrules a scale of the patient", () => {
  const byHand = { known_mm: 20, points: [{ x: 0, y: 0 }, { x: 40, y: 0 }] };
  const points = [{ x: 0, y: 0 }, { x: 0, y: 100 }];
  const said = valuesOf({ kind: "length", points }, { byHand });
  assert.deepEqual([said.lines, said.details], [["50.0 mm *"], ["Calibrated by hand on this image."]]);
  const atDetector = { byHand, PixelSpacing: { row_mm: 0.1, column_mm: 0.1, note: "At the detector." } };
  assert.deepEqual(valuesOf({ kind: "length", points }, atDetector).lines, ["50.0 mm *"]);
  const ofPatient = { byHand, PixelSpacing: { row_mm: 0.1, column_mm: 0.1, note: "" } };
  assert.deepEqual(valuesOf({ kind: "length", points }, ofPatient).lines, ["10.0 mm"]);
  const spectrum = { byHand, calibration: { regions: [{ x0: 0, y0: 0, x1: 200, y1: 200, units_x: 0, units_y: 0, delta_x: 0, delta_y: 0 }] } };
  assert.deepEqual(valuesOf({ kind: "length", points }, spectrum).lines, ["100 px"]);
});

test("a caliper on a spectrum reads time and velocity, on an M-mode time and depth", () => {
  const region = { x0: 0, y0: 0, x1: 200, y1: 200, units_x: 4, units_y: 7, delta_x: 0.005, delta_y: -0.5 };
  const points = [{ x: 10, y: 100 }, { x: 90, y: 20 }];
  assert.deepEqual(valuesOf({ kind: "length", points }, { calibration: { regions: [region] } }).lines, ["Δt 400 ms", "Δv 40.0 cm/s"]);
  const mMode = { ...region, units_y: 3, delta_y: 0.01 };
  assert.deepEqual(valuesOf({ kind: "length", points }, { calibration: { regions: [mMode] } }).lines, ["Δt 400 ms", "depth 8.0 mm"]);
  const beside = [{ x: 10, y: 100 }, { x: 300, y: 100 }];
  assert.deepEqual(valuesOf({ kind: "length", points: beside }, { calibration: { regions: [region] } }).lines, ["290 px"]);
});
