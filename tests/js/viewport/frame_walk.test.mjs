import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameWalk } from "../../../static/js/viewport/frame_walk.js";

const always = () => true;

test("every image of a quick turn of the wheel is shown, one after the other", () => {
  const walk = new FrameWalk(100, 10);
  for (let notch = 0; notch < 5; notch += 1) walk.step(1);
  const shown = [];
  while (walk.advance(always)) shown.push(walk.shown);
  assert.deepEqual(shown, [11, 12, 13, 14, 15]);
});

test("an image that is not here yet is waited for, not skipped", () => {
  const walk = new FrameWalk(100, 10);
  walk.step(3);
  assert.equal(walk.advance((frame) => frame !== 11), false);
  assert.deepEqual([walk.shown, walk.target], [10, 13]);
});

test("a step back takes back what has not been shown", () => {
  const walk = new FrameWalk(100, 10);
  walk.step(3);
  walk.step(-2);
  assert.deepEqual([walk.queue, walk.target], [[11], 11]);
  walk.step(-2);
  while (walk.advance(always));
  assert.equal(walk.shown, 9);
});

test("the ends of a stack are ends", () => {
  const walk = new FrameWalk(3, 2);
  walk.step(10);
  while (walk.advance(always));
  assert.equal(walk.shown, 3);
  walk.jump(-5);
  walk.advance(always);
  assert.equal(walk.shown, 1);
});

test("a jump goes straight and says which way the reader goes", () => {
  const walk = new FrameWalk(500, 100);
  walk.step(4);
  walk.jump(20);
  assert.deepEqual([walk.queue, walk.direction], [[20], -1]);
});
