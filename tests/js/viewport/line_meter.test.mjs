import assert from "node:assert/strict";
import { test } from "node:test";
import { LineMeter } from "../../../static/js/viewport/line_meter.js";

const TILE = 256 * 1024;

/** Five answers at once, again and again, over a line of so many Mbit/s. */
function over(mbits, meter = new LineMeter(), from = 0) {
  const batch = (5 * TILE) / ((mbits * 1e6) / 8 / 1000);
  for (let start = from; start < from + 20 * batch; start += batch) {
    for (let one = 0; one < 5; one += 1) meter.add({ encodedBodySize: TILE, responseStart: start, responseEnd: start + batch });
  }
  return meter;
}

test("a line of 10 Mbit/s is slow, one of 100 is not, however many answers share it", () => {
  assert.equal(over(10).isSlow, true);
  assert.equal(over(100).isSlow, false);
});

test("a portal that is busy is no slow line: its time before the first byte does not count", () => {
  const meter = new LineMeter();
  for (let start = 0; start < 20_000; start += 1000) meter.add({ encodedBodySize: TILE, responseStart: start, responseEnd: start + 2 });
  assert.equal(meter.isSlow, false);
});

test("a browser that is short of processors has no slow line, as some of its answers come at once", () => {
  const meter = new LineMeter();
  for (let number = 1; number <= 40; number += 1) {
    const [start, taken] = [number * 1000, number % 5 ? 400 : 10];
    meter.add({ encodedBodySize: TILE, responseStart: start, responseEnd: start + taken });
  }
  assert.equal(meter.isSlow, false);
});

test("a line that becomes fast is used as one, and between slow and fast nothing changes", () => {
  const meter = over(10);
  assert.equal(over(30, meter, 1e6).isSlow, true);
  const fast = over(10);
  for (let start = 1e6; start < 1.1e6; start += 100) fast.add({ encodedBodySize: 8 * TILE, responseStart: start, responseEnd: start + 20 });
  assert.equal(fast.isSlow, false);
});
