import assert from "node:assert/strict";
import { test } from "node:test";
import { CineClock, DEFAULT_RATE, PaceMeter, usableRate } from "../../../static/js/geometry/cine_clock.js";
import { distanceFromSegment, pinchBetween } from "../../../static/js/geometry/gesture.js";
import { WheelSteps, zoomFactor } from "../../../static/js/geometry/wheel_steps.js";
import { draggedWindow, windowNumber } from "../../../static/js/geometry/window_drag.js";

function turn(wheel, deltas, { deltaMode = 0, pace = 20 } = {}) {
  return deltas.reduce((total, deltaY, index) => total + wheel.steps({ deltaY, deltaMode, timeStamp: index * pace }), 0);
}

test("one notch is one image, whatever a browser calls a notch", () => {
  for (const [deltaY, deltaMode] of [[100, 0], [120, 0], [53, 0], [3, 1], [1, 1], [1, 2]]) {
    assert.equal(turn(new WheelSteps(), [deltaY], { deltaMode }), 1);
    assert.equal(turn(new WheelSteps(), [-deltaY, -deltaY], { deltaMode }), -2);
  }
});

test("a trackpad's small deltas add up to images", () => {
  assert.equal(turn(new WheelSteps(), Array(20).fill(8)), 4);
  assert.equal(turn(new WheelSteps(), Array(4).fill(8)), 0);
});

test("turning round or pausing forgets what was left over", () => {
  assert.equal(turn(new WheelSteps(), [30, -30, 30, -30]), 0);
  assert.equal(turn(new WheelSteps(), [30, 30], { pace: 500 }), 0);
});

test("a notch with Ctrl zooms by a quarter", () => {
  assert.equal(zoomFactor({ deltaY: -100, deltaMode: 0 }), 1.25);
  assert.equal(zoomFactor({ deltaY: 100, deltaMode: 0 }), 0.8);
});

test("a drag to the right widens, a drag up raises the level", () => {
  const start = { center: 40, width: 300, function: "linear" };
  assert.deepEqual(draggedWindow(start, 20, 0), { center: 40, width: 320, function: "linear", name: "" });
  assert.equal(draggedWindow(start, 0, -15).center, 55);
  assert.equal(draggedWindow(start, 20, 0, { inverted: true }).width, 280);
});

test("a linear window is never narrower than 1, an exact one may be", () => {
  assert.equal(draggedWindow({ center: 40, width: 300 }, -1000, 0).width, 1);
  const suv = draggedWindow({ center: 3.5, width: 7, function: "linear-exact" }, -270, 0);
  assert.equal(suv.width, 0.7);
});

test("numbers of a window have the digits they need", () => {
  assert.deepEqual([400, -600, 0.5, 33226.7, 1e-10, 3.14159].map(windowNumber), ["400", "-600", "0.5", "33226.7", "1e-10", "3.14"]);
});

test("a cine keeps time by leaving frames out, and goes round", () => {
  const clock = new CineClock({ start: 1000, frame: 9, rate: 25, frames: 10 });
  assert.deepEqual([1000, 1039, 1040, 1080, 1400].map((now) => clock.frameAt(now)), [9, 9, 10, 1, 9]);
});

test("a cine goes back and forth, and within the images that the reader has chosen", () => {
  const moments = [0, 100, 200, 300, 400, 500, 600];
  const back = new CineClock({ start: 0, frame: 1, rate: 10, frames: 4, isBouncing: true });
  assert.deepEqual(moments.map((now) => back.frameAt(now)), [1, 2, 3, 4, 3, 2, 1]);
  const part = new CineClock({ start: 0, frame: 6, rate: 10, frames: 9, range: [5, 7] });
  assert.deepEqual(moments.map((now) => part.frameAt(now)), [6, 7, 5, 6, 7, 5, 6]);
  const outside = new CineClock({ start: 0, frame: 1, rate: 10, frames: 9, range: [5, 7] });
  assert.equal(outside.frameAt(0), 5);
});

test("frames stand as long as their file says, at another speed in the same proportion", () => {
  const times = [30, 50, 40];
  const asInFile = new CineClock({ start: 0, frame: 1, rate: 25, frames: 3, times });
  assert.deepEqual([0, 29, 30, 79, 80, 119, 120].map((now) => asInFile.frameAt(now)), [1, 1, 2, 2, 3, 3, 1]);
  const half = new CineClock({ start: 0, frame: 1, rate: 12.5, frames: 3, times });
  assert.deepEqual([0, 59, 60, 159, 160].map((now) => half.frameAt(now)), [1, 1, 2, 2, 3]);
});

test("a rate that makes no sense is the usual one", () => {
  assert.deepEqual([0, -1, NaN, undefined, 1e9].map(usableRate), [DEFAULT_RATE, DEFAULT_RATE, DEFAULT_RATE, DEFAULT_RATE, 120]);
});

test("the pace is what was shown in the last second", () => {
  const pace = new PaceMeter();
  for (let now = 0; now <= 3000; now += 100) pace.shown(now);
  assert.equal(pace.perSecond, 10);
});

test("two fingers that part zoom in around their middle", () => {
  const pinch = pinchBetween([{ x: 0, y: 0 }, { x: 100, y: 0 }], [{ x: -40, y: 10 }, { x: 160, y: 10 }]);
  assert.deepEqual(pinch, { dx: 10, dy: 10, at: { x: 60, y: 10 }, factor: 2 });
});

test("the distance from a line ends at its ends", () => {
  assert.equal(distanceFromSegment({ x: 5, y: 3 }, { x: 0, y: 0 }, { x: 10, y: 0 }), 3);
  assert.equal(distanceFromSegment({ x: 13, y: 4 }, { x: 0, y: 0 }, { x: 10, y: 0 }), 5);
  assert.equal(distanceFromSegment({ x: 3, y: 4 }, { x: 0, y: 0 }, { x: 0, y: 0 }), 5);
});
