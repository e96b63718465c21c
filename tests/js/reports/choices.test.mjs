import assert from "node:assert/strict";
import { test } from "node:test";
import { choiceAt, nextChoice } from "../../../static/js/reports/choices.js";
import { finalWords, recognitionOf } from "../../../static/js/reports/dictation.js";

test("a choice is offered where the caret stands in it", () => {
  const text = "Contrast: [none / 80 ml, portal]. Kidney [cm]. BI-RADS [0-6].";
  assert.deepEqual(choiceAt(text, 14), { start: 10, end: 32, options: ["none", "80 ml, portal"] });
  assert.deepEqual(choiceAt(text, 43)?.options, []);
  assert.deepEqual(choiceAt(text, text.length - 3)?.options, ["0", "1", "2", "3", "4", "5", "6"]);
  assert.equal(choiceAt(text, 10), null);
  assert.equal(choiceAt(text, 3), null);
});

test("the next choice follows the caret, and begins again at the end", () => {
  const text = "[a / b] and [c / d]";
  assert.deepEqual(nextChoice(text, 1).options, ["c", "d"]);
  assert.deepEqual(nextChoice(text, 15).options, ["a", "b"]);
  assert.equal(nextChoice("none", 0), null);
});

test("only what was understood for good is typed, once", () => {
  const result = (transcript, isFinal) => Object.assign([{ transcript }], { isFinal });
  const results = [result(" No nodule.", true), result(" Heart normal.", true), result(" and the", false)];
  assert.equal(finalWords({ resultIndex: 1, results }), "Heart normal.");
  assert.equal(finalWords({ resultIndex: 2, results }), "");
});

test("without the browser's own recognition there is none", () => {
  assert.equal(recognitionOf({}), null);
  const Recognition = class {};
  assert.equal(recognitionOf({ webkitSpeechRecognition: Recognition }), Recognition);
});
