import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLength, lengthBetween } from "../../../static/js/geometry/distance.js";
import { scaleBar } from "../../../static/js/geometry/scale_bar.js";

const CT = { PixelSpacing: { row_mm: 2, column_mm: 0.5, source: "Pixel Spacing", note: "" }, calibration: { regions: [] } };
const NOTHING = { PixelSpacing: null, calibration: { regions: [] } };

function region(x0, x1, changes = {}) {
  return { x0, y0: 0, x1, y1: 99, units_x: 3, units_y: 3, delta_x: 0.05, delta_y: -0.1, ...changes };
}

function ultrasound(...regions) {
  return { PixelSpacing: { row_mm: 9, column_mm: 9, source: "wrong", note: "" }, calibration: { regions } };
}

test("rows and columns have their own spacing", () => {
  assert.equal(lengthBetween(CT, { x: 0, y: 0 }, { x: 10, y: 0 }).value, 5);
  assert.equal(lengthBetween(CT, { x: 0, y: 0 }, { x: 0, y: 10 }).value, 20);
  assert.deepEqual(lengthBetween(CT, { x: 4, y: 1 }, { x: 10, y: 3 }), { value: 5, unit: "mm", source: "Pixel Spacing", note: "" });
});

test("without a stated source a length is in pixels", () => {
  const { value, unit } = lengthBetween(NOTHING, { x: 0, y: 0 }, { x: 3, y: 4 });
  assert.deepEqual([value, unit], [5, "px"]);
});

test("an ultrasound region in cm under both ends gives millimetres, and pixel spacing is not asked", () => {
  const { value, unit } = lengthBetween(ultrasound(region(0, 99)), { x: 10, y: 10 }, { x: 20, y: 10 });
  assert.deepEqual([value, unit], [5, "mm"]);
  assert.equal(lengthBetween(ultrasound(region(0, 99)), { x: 10, y: 10 }, { x: 10, y: 20 }).value, 10);
});

test("regions without units over the whole screen do not count, and never the first simply because it is first", () => {
  const silent = region(0, 199, { units_x: 0, units_y: 0 });
  const { value, unit } = lengthBetween(ultrasound(silent, region(100, 199)), { x: 110, y: 10 }, { x: 120, y: 10 });
  assert.deepEqual([value, unit], [5, "mm"]);
});

test("ends in different regions, outside, in two at once or in a region of time are in pixels", () => {
  const two = ultrasound(region(0, 99), region(100, 199));
  assert.equal(lengthBetween(two, { x: 90, y: 10 }, { x: 110, y: 10 }).unit, "px");
  assert.equal(lengthBetween(two, { x: 90, y: 10 }, { x: 90, y: 150 }).unit, "px");
  const overlapping = ultrasound(region(0, 99), region(50, 199));
  assert.equal(lengthBetween(overlapping, { x: 60, y: 10 }, { x: 70, y: 10 }).unit, "px");
  const time = ultrasound(region(0, 99, { units_x: 4 }));
  assert.equal(lengthBetween(time, { x: 10, y: 10 }, { x: 20, y: 10 }).unit, "px");
});

test("regions that touch do not overlap", () => {
  const two = ultrasound(region(0, 99), region(100, 199));
  assert.equal(lengthBetween(two, { x: 100, y: 10 }, { x: 110, y: 10 }).unit, "mm");
});

test("lengths are written with the digits they have", () => {
  assert.equal(formatLength({ value: 42.26, unit: "mm" }), "42.3 mm");
  assert.equal(formatLength({ value: 99.96, unit: "mm" }), "100 mm");
  assert.equal(formatLength({ value: 123.4, unit: "px" }), "123 px");
});

test("lengths on a slide are micrometres, those on a patient never", () => {
  const slide = { PixelSpacing: { row_mm: 0.00025, column_mm: 0.00025, source: "Pixel Spacing" } };
  assert.equal(formatLength(lengthBetween(slide, { x: 0, y: 0 }, { x: 30, y: 40 })), "12.5 µm");
  assert.equal(formatLength(lengthBetween(slide, { x: 0, y: 0 }, { x: 0, y: 8000 })), "2.0 mm");
  assert.equal(formatLength({ value: 0.26, unit: "mm" }), "0.3 mm");
  const view = { zoom: 1, rotation: 0, shape: { width: 1, height: 1 } };
  assert.deepEqual([scaleBar(slide, view, 300).label, scaleBar(slide, view, 300).length], ["50 µm", 200]);
});

test("a scale bar is a round length, and uses the spacing that lies along the screen", () => {
  const view = { zoom: 2, rotation: 0, shape: { width: 1, height: 4 } };
  // 0.25 mm for a device pixel: 50 mm are 200 of them.
  assert.deepEqual([scaleBar(CT, view, 210).label, scaleBar(CT, view, 210).length], ["5 cm", 200]);
  // Turned, a device pixel is still 0.25 mm: 2 mm over 2 x 4.
  assert.equal(scaleBar(CT, { ...view, rotation: 90 }, 210).length, 200);
});

test("there is no scale bar without a source, nor where an ultrasound image has two scales", () => {
  const view = { zoom: 1, rotation: 0, shape: { width: 1, height: 1 } };
  assert.equal(scaleBar(NOTHING, view, 300), null);
  assert.equal(scaleBar(ultrasound(region(0, 99), region(100, 199)), view, 300), null);
  assert.equal(scaleBar(ultrasound(region(0, 99), region(100, 199, { units_x: 4 })), view, 300).label, "10 cm");
});
