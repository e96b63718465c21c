import assert from "node:assert/strict";
import { test } from "node:test";
import { Comparison } from "../../../static/js/reports/comparison.js";

function section(text = "") {
  const kept = [];
  const field = { text, isReadOnly: false };
  return { field, kept, comparison: new Comparison(field, (words) => kept.push(words)) };
}

test("priors that are opened are named, and looking alone is no draft", () => {
  const { field, kept, comparison } = section();
  comparison.add("CT chest 2025-03-24");
  comparison.add("CT chest 2024-01-02");
  comparison.add("CT chest 2025-03-24");
  assert.equal(field.text, "CT chest 2025-03-24; CT chest 2024-01-02");
  assert.deepEqual(kept, []);
  comparison.keep();
  comparison.keep();
  assert.deepEqual(kept, ["CT chest 2025-03-24; CT chest 2024-01-02"]);
});

test("what the reader wrote is left alone", () => {
  const { field, kept, comparison } = section("None.");
  comparison.add("CT chest 2025-03-24");
  comparison.keep();
  assert.equal(field.text, "None.");
  assert.deepEqual(kept, []);
});

test("nothing is filled in before the study is claimed", () => {
  const { field, comparison } = section();
  field.isReadOnly = true;
  comparison.add("CT chest 2025-03-24");
  assert.equal(field.text, "");
  field.isReadOnly = false;
  comparison.fill();
  assert.equal(field.text, "CT chest 2025-03-24");
});
