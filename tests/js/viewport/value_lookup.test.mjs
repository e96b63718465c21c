import assert from "node:assert/strict";
import { test } from "node:test";
import { lookUp } from "../../../static/js/viewport/value_lookup.js";

/** As it was resampled: word, fraction in 1/256, whether there is anything. */
const pixel = (word, fraction = 0, isThere = true) => ((isThere ? 255 << 24 : 0) | (fraction << 16) | ((word & 255) << 8) | (word >> 8)) >>> 0;
const table = Uint8Array.from({ length: 65536 }, (_, word) => Math.min(word >> 1, 255));

function shown(words, used = table) {
  const pixels = new Uint32Array(words.length);
  lookUp(Uint32Array.from(words), used, pixels);
  return [...pixels].map((one) => [one & 255, (one >> 8) & 255, (one >> 16) & 255, one >>> 24]);
}

test("a word is looked up as it is", () => {
  assert.deepEqual(shown([pixel(0), pixel(3), pixel(0x1ff), pixel(0xffff)]).map(([grey]) => grey), [0, 1, 255, 255]);
  assert.deepEqual(shown([pixel(200)])[0], [100, 100, 100, 255]);
});

test("between two words the level is between theirs, rounded", () => {
  const steep = Uint8Array.from({ length: 65536 }, (_, word) => (word > 1000 ? 200 : 0));
  assert.deepEqual(shown([pixel(1000, 64), pixel(1000, 128), pixel(1001, 128)], steep).map(([grey]) => grey), [50, 100, 200]);
  const falling = steep.map((level) => 200 - level);
  assert.deepEqual(shown([pixel(1000, 64)], falling)[0][0], 150);
  assert.deepEqual(shown([pixel(65535, 255)], steep)[0][0], 200);
});

test("where nothing is, it is black", () => {
  assert.deepEqual(shown([pixel(200, 0, false)])[0], [0, 0, 0, 255]);
});

test("colors are those of the nearest word and never mixed", () => {
  const colors = new Uint8Array(4 * 65536).fill(255);
  colors.set([10, 20, 30, 255, 40, 50, 60, 255], 4 * 7);
  assert.deepEqual(shown([pixel(7, 127), pixel(7, 128), pixel(7, 0, false)], colors), [[10, 20, 30, 255], [40, 50, 60, 255], [0, 0, 0, 255]]);
});
