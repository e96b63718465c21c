import assert from "node:assert/strict";
import { test } from "node:test";
import { neighbourOf } from "../../../static/js/geometry/vertebrae.js";
import { readLength, readNumbers } from "../../../static/js/geometry/written_values.js";

test("a length is read in the units that people write", () => {
  assert.deepEqual(["20", "2,5 cm", "1 in", " 7.5mm "].map(readLength), [20, 25, 25.4, 7.5]);
  for (const wrong of ["", "0", "-3", "about 4", "20 px", "99999"]) assert.ok(Number.isNaN(readLength(wrong)), wrong);
});

test("images are read as numbers and ranges, each once and only those that are there", () => {
  assert.deepEqual(readNumbers("5-7, 2, 6", 9), [2, 5, 6, 7]);
  assert.deepEqual(readNumbers("all", 3), [1, 2, 3]);
  for (const wrong of ["0", "3-20", "7-5", "x", "1,,2"]) assert.deepEqual(readNumbers(wrong, 9), [], wrong);
});

test("vertebrae follow each other across the regions of the spine", () => {
  assert.deepEqual([neighbourOf("C7", true), neighbourOf("t1", false), neighbourOf("L5", true)], ["T1", "C7", "S1"]);
  assert.deepEqual([neighbourOf("C1", false), neighbourOf("S5", true), neighbourOf("L9", true)], ["", "", ""]);
});
