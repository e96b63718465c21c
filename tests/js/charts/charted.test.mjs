import assert from "node:assert/strict";
import { test } from "node:test";
import { curveChart, histogramChart, peakOf, profileChart } from "../../../static/js/charts/charted.js";

test("the steps of a histogram stand at their middles", () => {
  const statistics = { count: 6, minimum: 0, maximum: 30, unit: "HU", histogram: { first: 0, step: 10, counts: [1, 2, 3] } };
  const chart = histogramChart({ statistics, suv: null });
  assert.deepEqual(chart.x.values, [5, 15, 25]);
  assert.deepEqual(chart.y.values, [1, 2, 3]);
  assert.equal(chart.words, "6 pixels from 0 to 30 HU");
  assert.equal(histogramChart({ statistics: { count: 0 } }), null);
});

test("the histogram of a PET is one of uptake", () => {
  const statistics = { count: 3, minimum: 0, maximum: 300, unit: "Bq/ml", histogram: { first: 0, step: 100, counts: [1, 1, 1] } };
  const suv = { minimum: 0, maximum: 3, unit: "g/ml", name: "SUVbw", histogram: { first: 0, step: 1, counts: [1, 1, 1] } };
  const chart = histogramChart({ statistics, suv });
  assert.deepEqual(chart.x.values, [0.5, 1.5, 2.5]);
  assert.equal(chart.words, "3 pixels from 0 to 3 g/ml SUVbw");
});

test("a profile says over how long a line it goes, and leaves out what has no value", () => {
  const chart = profileChart({ distances: [0, 1, 2.5], values: [-10, null, 40], unit: "HU", distance_unit: "mm", note: "" });
  assert.equal(chart.words, "from -10 to 40 HU over 2.5 mm");
  assert.equal(chart.x.label, "distance (mm)");
});

test("a curve names its peak, and time only where the file says when", () => {
  const answer = { times: [0, 0.5, 1], means: [10, 80, null], unit: "", time_unit: "s" };
  assert.deepEqual(peakOf(answer), { mean: 80, time: 0.5 });
  assert.equal(curveChart(answer).x.label, "time (s)");
  assert.equal(curveChart({ ...answer, time_unit: "phase" }).x.label, "phase: the file does not say when");
});

test("a place that was seen once, or without values, has no curve", () => {
  assert.equal(curveChart({ times: [1], means: [5], unit: "", time_unit: "phase" }), null);
  assert.equal(curveChart({ times: [0, 1], means: [null, null], unit: "", time_unit: "s" }), null);
});
