import assert from "node:assert/strict";
import { test } from "node:test";
import { positionLine, processedLine, scaleLine, seriesName, sideLine } from "../../../static/js/viewport/corner_lines.js";

test("a side comes from laterality only, and unpaired parts have none", () => {
  assert.equal(sideLine({ Laterality: "L" }), "side: left");
  assert.equal(sideLine({ Laterality: "U" }), "");
  assert.equal(sideLine({ Laterality: "" }), "");
  assert.equal(sideLine(null), "");
});

test("the place of a plane is said with a letter, and not at all when it is oblique", () => {
  const axial = { ImagePositionPatient: [-180, -180, -225], ImageOrientationPatient: [1, 0, 0, 0, 1, 0], SliceThickness: 5 };
  assert.equal(positionLine(axial), "5 mm · F 225.0");
  const sagittal = { ImagePositionPatient: [30, 0, 0], ImageOrientationPatient: [0, 1, 0, 0, 0, -1], SliceThickness: null };
  assert.equal(positionLine(sagittal), "L 30.0");
  assert.equal(positionLine({ ...axial, ImageOrientationPatient: [0.8, 0.6, 0, 0, 0, -1] }), "5 mm");
});

test("a modality is named once", () => {
  assert.equal(seriesName({ Modality: "CT", SeriesDescription: "CT chest" }), "CT chest");
  assert.equal(seriesName({ Modality: "MR", SeriesDescription: "Sag T1" }), "MR Sag T1");
  assert.equal(seriesName({ Modality: "CT", SeriesDescription: "" }), "CT");
});

test("what was processed says so once", () => {
  assert.equal(processedLine({ processed: "MIP 10 mm" }), "processed: MIP 10 mm");
  assert.equal(processedLine({ processed: "processed: MIP 10 mm" }), "processed: MIP 10 mm");
  assert.equal(processedLine({ processed: "" }), "");
});

test("a length that needs a warning gets it beside the image; ultrasound says its own", () => {
  assert.equal(scaleLine({ PixelSpacing: { note: "At the detector." }, calibration: { regions: [] } }), "At the detector.");
  assert.equal(scaleLine({ PixelSpacing: { note: "wrong" }, calibration: { regions: [{}] } }), "");
  assert.equal(scaleLine({ PixelSpacing: null }), "");
});
