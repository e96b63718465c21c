import assert from "node:assert/strict";
import { test } from "node:test";
import {
  centerForPan,
  centerForZoomAt,
  fitZoom,
  flippedHorizontally,
  flippedVertically,
  imageToViewport,
  pixelShape,
  placementInWords,
  rotated,
} from "../../../static/js/geometry/view_transform.js";

const SIZE = { width: 800, height: 600 };
const SQUARE = { width: 1, height: 1 };
const UPRIGHT = { rotation: 0, flipped: false };

function view(changes = {}) {
  return { zoom: 1, ...UPRIGHT, center: { x: 256, y: 256 }, shape: SQUARE, ...changes };
}

test("at 1:1 every pixel of the image falls on a whole pixel of the screen, wherever it was panned", () => {
  for (const center of [{ x: 256, y: 256 }, { x: 100.37, y: 12.9 }]) {
    for (const rotation of [0, 90, 180, 270]) {
      const { e, f, a, b, c, d } = imageToViewport(view({ center, rotation }), { width: 801, height: 599 });
      assert.ok(Number.isInteger(e) && Number.isInteger(f));
      assert.deepEqual([Math.abs(a) + Math.abs(b), Math.abs(c) + Math.abs(d)], [1, 1]);
    }
  }
});

test("the centre of the view is in the middle of the viewport", () => {
  assert.deepEqual(imageToViewport(view({ zoom: 2 }), SIZE).apply(256, 256), { x: 400, y: 300 });
});

test("the whole image just fits, turned or not, with pixels that are not square", () => {
  const image = { columns: 400, rows: 200, shape: SQUARE };
  assert.equal(fitZoom({ ...image, rotation: 0 }, SIZE), 2);
  assert.equal(fitZoom({ ...image, rotation: 90 }, SIZE), 1.5);
  assert.equal(fitZoom({ ...image, shape: { width: 1, height: 3 }, rotation: 0 }, SIZE), 1);
});

test("a pixel twice as high as wide is drawn so, and loses nothing at 1:1", () => {
  assert.deepEqual(pixelShape([2, 1]), { width: 1, height: 2 });
  assert.deepEqual(pixelShape([1, 2]), { width: 2, height: 1 });
  assert.deepEqual(pixelShape([0.78125, 0.7812]), { width: 1, height: 1 });
  assert.deepEqual(pixelShape(null), { width: 1, height: 1 });
});

test("zooming keeps the point under the pointer where it is, also turned and mirrored", () => {
  const pointer = { x: 130, y: 470 };
  for (const placement of [UPRIGHT, { rotation: 90, flipped: true }, { rotation: 180, flipped: false }]) {
    const before = view({ ...placement, zoom: 1.5 });
    const point = imageToViewport(before, SIZE).inverse().apply(pointer.x, pointer.y);
    const after = { ...before, zoom: 3, center: centerForZoomAt(before, SIZE, pointer, 3) };
    const { x, y } = imageToViewport(after, SIZE).apply(point.x, point.y);
    assert.ok(Math.hypot(x - pointer.x, y - pointer.y) <= Math.SQRT1_2);
  }
});

test("a picture that is dragged to the right moves to the right, also turned and mirrored", () => {
  for (const placement of [UPRIGHT, { rotation: 90, flipped: false }, { rotation: 270, flipped: true }]) {
    const before = view({ ...placement, zoom: 2 });
    const after = { ...before, center: centerForPan(before, 40, -10) };
    const from = imageToViewport(before, SIZE).apply(10, 20);
    const to = imageToViewport(after, SIZE).apply(10, 20);
    assert.deepEqual([to.x - from.x, to.y - from.y], [40, -10]);
  }
});

test("a flip changes left and right of the screen, however the picture was turned", () => {
  for (const rotation of [0, 90, 180, 270]) {
    const before = view({ rotation });
    const after = { ...before, ...flippedHorizontally(before) };
    const from = imageToViewport(before, SIZE).apply(10, 20);
    const to = imageToViewport(after, SIZE).apply(10, 20);
    assert.deepEqual([to.x, to.y], [SIZE.width - from.x, from.y]);
    const upsideDown = imageToViewport({ ...before, ...flippedVertically(before) }, SIZE).apply(10, 20);
    assert.deepEqual([upsideDown.x, upsideDown.y], [from.x, SIZE.height - from.y]);
  }
});

test("turning four times and flipping twice gives back what was there", () => {
  let placement = { rotation: 90, flipped: true };
  for (let turn = 0; turn < 4; turn += 1) placement = rotated(placement, 90);
  assert.deepEqual(placement, { rotation: 90, flipped: true });
  assert.deepEqual(flippedHorizontally(flippedHorizontally(placement)), placement);
  assert.deepEqual(flippedVertically(flippedHorizontally(UPRIGHT)), { rotation: 180, flipped: false });
});

test("a placement is said in words for as long as it lasts", () => {
  assert.equal(placementInWords(UPRIGHT), "");
  assert.equal(placementInWords({ rotation: 90, flipped: false }), "rotated 90°");
  assert.equal(placementInWords(flippedHorizontally(UPRIGHT)), "flipped left-right");
  assert.equal(placementInWords(flippedVertically(UPRIGHT)), "flipped top-bottom");
  assert.equal(placementInWords({ rotation: 270, flipped: true }), "flipped, rotated 270°");
});
