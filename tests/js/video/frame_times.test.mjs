import assert from "node:assert/strict";
import test from "node:test";

import { FrameTimes } from "../../../static/js/video/frame_times.js";

test("frames last as long as the file says", () => {
  const times = new FrameTimes({ frames: 34, frameMs: 66.667, duration: 2.267 });
  assert.equal(times.at(0), 1);
  assert.equal(times.at(0.07), 2);
  assert.equal(times.at(2.267), 34);
  assert.equal(times.disagrees, false);
});

test("going to a frame and asking which it is leads to the same one", () => {
  const times = new FrameTimes({ frames: 300, frameMs: 33.3667, duration: 10.01 });
  for (let frame = 1; frame <= 300; frame += 1) {
    assert.equal(times.at(times.middleOf(frame)), frame);
    assert.equal(times.beginningAt((frame - 1) * 0.0333667), frame);
  }
  assert.equal(times.middleOf(0), times.middleOf(1));
  assert.equal(times.middleOf(301), times.middleOf(300));
});

test("where frame time and length disagree the length counts, and it is said", () => {
  const times = new FrameTimes({ frames: 50, frameMs: 100, duration: 2 });
  assert.equal(times.disagrees, true);
  assert.equal(times.frameMs, 40);
  assert.equal(times.at(1.99), 50);
});

test("without a frame time the length tells it", () => {
  assert.equal(new FrameTimes({ frames: 100, frameMs: null, duration: 4 }).frameMs, 40);
});
