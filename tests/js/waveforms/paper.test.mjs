import assert from "node:assert/strict";
import test from "node:test";

import { inWords, kept, reading, valueAtTime } from "../../../static/js/waveforms/calipers.js";
import { LEFT_MM, arrange, hasStandardLeads, heightOf, scaleInWords, scaleOf, tracePath, valueAt, valuesOf } from "../../../static/js/waveforms/paper.js";

const LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
const group = { frequency: 500, samples: 5000, channels: LEADS.map((name) => ({ name, unit: "mV", gain: 0.005, offset: 0, delay: 0, filters: "" })) };
const points = (path) => path.split(/(?=[ML])/).map((part) => [part[0], ...part.slice(1).split(" ").map(Number)]);

test("a sample is worth its sensitivity and the baseline; padding is nothing", () => {
  assert.deepEqual(valuesOf([0, 200, null], { gain: 0.005, offset: 0.1 }), [0.1, 1.1, null]);
});

test("a second is 25 mm and a millivolt 10 mm, upwards, at the usual settings", () => {
  const { places, width, height } = arrange(group, { seconds: 10, speed: 25, gain: 10, isShort: false });
  assert.equal(width, LEFT_MM + 250);
  assert.equal(height, 12 * 30);
  const scale = scaleOf(group.channels[0], [], 10);
  assert.equal(heightOf(0, places[1], scale) - heightOf(1, places[1], scale), 10);
  assert.equal(valueAt(heightOf(-0.37, places[1], scale), places[1], scale).toFixed(6), "-0.370000");
  const values = Array.from({ length: 5000 }, (_, at) => (at === 500 ? 1 : 0));
  const peak = points(tracePath(values, places[0], scale, { frequency: 500, speed: 25 })).find(([, , y]) => y < 10);
  assert.deepEqual(peak, ["M", LEFT_MM + 25, 5].with(0, "L"));
});

test("speed and gain change both directions of the paper", () => {
  assert.equal(arrange(group, { seconds: 10, speed: 50, gain: 20, isShort: false }).width, LEFT_MM + 500);
  assert.equal(scaleOf({ unit: "mV" }, [], 20).perUnit, 20);
  assert.equal(scaleInWords({ unit: "mV" }, { perUnit: 20 }), "20 mm/mV");
});

test("the short sheet has three rows of four leads after each other and lead II below", () => {
  assert.ok(hasStandardLeads(group));
  const { places, height } = arrange(group, { seconds: 10, speed: 25, gain: 10, isShort: true });
  assert.equal(height, 4 * 30);
  const named = (name) => places.filter(({ channel }) => LEADS[channel] === name);
  assert.deepEqual(named("V6"), [{ channel: 11, from: 7.5, to: 10, left: LEFT_MM + 187.5, top: 60, height: 30 }]);
  assert.deepEqual(named("aVR")[0].from, 2.5);
  assert.deepEqual(named("II").map(({ from, to, top }) => [from, to, top]), [[0, 2.5, 30], [0, 10, 90]]);
});

test("a pressure fills its row with a round number of units a millimetre", () => {
  const scale = scaleOf({ unit: "mmHg" }, [20, 120, null, 60], 10);
  // 100 mmHg on at most 24 mm: 5 mmHg a millimetre, 70 mmHg in the middle.
  assert.deepEqual(scale, { perUnit: 1 / 5, middle: 70 });
  assert.equal(scaleInWords({ unit: "mmHg" }, scale), "5 mmHg/mm");
});

test("a trace stops where samples are missing and keeps every peak when it is thinned", () => {
  const place = { channel: 0, from: 0, to: 1, left: 0, top: 0, height: 30 };
  const scale = { perUnit: 10, middle: 0 };
  const gap = points(tracePath([0, 0, null, 0], { ...place, to: 3 }, scale, { frequency: 1, speed: 25 }));
  assert.deepEqual(gap.map(([letter]) => letter), ["M", "L", "M"]);
  const values = Array.from({ length: 1000 }, (_, at) => (at === 777 ? 1 : 0));
  const thinned = points(tracePath(values, place, scale, { frequency: 1000, speed: 25 }));
  assert.ok(thinned.length < 600);
  assert.equal(Math.min(...thinned.map(([, , y]) => y)), 5);
});

test("calipers give milliseconds, beats a minute and the difference in height", () => {
  const found = reading({ seconds: 2.506, value: 0.1 }, { seconds: 3.488, value: 0.55 }, "mV");
  assert.equal(inWords(found), "982 ms · 61.1 /min · 0.45 mV");
  assert.equal(inWords(reading({ seconds: 1, value: 0.2 }, { seconds: 0.96, value: 0.2 }, "mV")), "40 ms · 0.00 mV");
  assert.equal(inWords(reading({ seconds: 0, value: 80 }, { seconds: 0.5, value: 120 }, "mmHg")), "500 ms · 120 /min · 40.0 mmHg");
});

test("an end follows the nearest sample of its channel and stays on its place", () => {
  assert.equal(valueAtTime([1, 2, 3], 0.0031, { frequency: 500 }), 3);
  assert.equal(valueAtTime([1, 2, 3], 0.0031, { frequency: 500, delay: 0.002 }), 2);
  assert.equal(valueAtTime([1, null], 0.002, { frequency: 500 }), null);
  assert.deepEqual(kept({ seconds: 9, value: 1 }, { from: 2.5, to: 5 }), { seconds: 5, value: 1 });
});
