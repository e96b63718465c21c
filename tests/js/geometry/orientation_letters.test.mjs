import assert from "node:assert/strict";
import { test } from "node:test";
import { edgesOnScreen } from "../../../static/js/geometry/orientation_letters.js";

// An axial image as it is sent: the patient's left is at the right edge, anterior at the top.
const AXIAL = { left: "R", right: "L", top: "A", bottom: "P" };

function around(placement) {
  const { top, right, bottom, left } = edgesOnScreen(AXIAL, placement);
  return [top, right, bottom, left].join(" ");
}

test("an image that lies as it was sent has its own letters", () => {
  assert.equal(around({ rotation: 0, flipped: false }), "A L P R");
});

test("letters turn clockwise with the image", () => {
  assert.equal(around({ rotation: 90, flipped: false }), "R A L P");
  assert.equal(around({ rotation: 180, flipped: false }), "P R A L");
  assert.equal(around({ rotation: 270, flipped: false }), "L P R A");
});

test("letters change sides with a flip", () => {
  assert.equal(around({ rotation: 0, flipped: true }), "A R P L");
  assert.equal(around({ rotation: 180, flipped: true }), "P L A R");
  assert.equal(around({ rotation: 90, flipped: true }), "L A R P");
});

test("an image that says nothing has no letters", () => {
  assert.equal(edgesOnScreen(null, { rotation: 90, flipped: true }), null);
});
