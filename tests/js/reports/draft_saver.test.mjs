import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../../static/js/core/api_error.js";
import { differences, joined, unfilled } from "../../../static/js/reports/both_texts.js";
import { AFTER_TYPING_MS, DraftSaver } from "../../../static/js/reports/draft_saver.js";
import { expansion } from "../../../static/js/reports/macros.js";

/** A clock that a test moves: the last thing that was planned, and after how long. */
function clock() {
  const planned = { run: null, pause: 0 };
  return {
    planned,
    setTimeout: (run, pause) => Object.assign(planned, { run, pause }),
    clearTimeout: () => Object.assign(planned, { run: null, pause: 0 }),
  };
}

function saver(answers) {
  const time = clock();
  const sent = [];
  const made = new DraftSaver(async (text, number) => {
    sent.push({ text, number });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  }, time);
  made.begin(3, "2026-11-24T10:40:00Z");
  return { made, sent, planned: time.planned };
}

const away = () => new ApiError("The portal cannot be reached.", { status: 0 });

test("typing is saved after a pause, with the draft it began with", async () => {
  const { made, sent, planned } = saver([{ number: 4, saved_at: "2026-11-24T10:42:00Z" }]);
  made.change("findings", "No");
  made.change("findings", "No nodule.");
  assert.equal(planned.pause, AFTER_TYPING_MS);
  await planned.run();
  assert.deepEqual(sent, [{ text: { findings: "No nodule." }, number: 3 }]);
  assert.deepEqual([made.state, made.number, made.savedAt, made.isClean], ["saved", 4, "2026-11-24T10:42:00Z", true]);
});

test("while the portal is away it tries again with longer pauses, and nothing typed is lost", async () => {
  const { made, sent, planned } = saver([away(), away(), away(), { number: 4, saved_at: "x" }]);
  made.change("findings", "a");
  const pauses = [];
  for (let round = 0; round < 3; round += 1) {
    await planned.run();
    pauses.push(planned.pause);
    assert.equal(made.state, "waiting");
    made.change("impression", `b${round}`);
  }
  assert.deepEqual(pauses, [2000, 4000, 8000]);
  await planned.run();
  assert.deepEqual(sent.at(-1).text, { findings: "a", impression: "b2" });
  assert.equal(made.isClean, true);
});

test("what is typed while a save is under way is saved after it, on top of it", async () => {
  let finish;
  const time = clock();
  const sent = [];
  const made = new DraftSaver((text, number) => {
    sent.push({ text, number });
    return new Promise((resolve) => (finish = resolve));
  }, time);
  made.begin(0, null);
  made.change("findings", "a");
  const first = time.planned.run();
  made.change("findings", "ab");
  finish({ number: 1, saved_at: "x" });
  await first;
  assert.equal(made.isClean, false);
  const second = time.planned.run();
  finish({ number: 2, saved_at: "y" });
  await second;
  assert.deepEqual(sent, [
    { text: { findings: "a" }, number: 0 },
    { text: { findings: "ab" }, number: 1 },
  ]);
});

test("a conflict keeps both texts until the reader has chosen", async () => {
  const answer = { reason: "Conflict", number: 7, theirs: { findings: "theirs" } };
  const { made, sent, planned } = saver([new ApiError("saved", { status: 409, answer }), { number: 8, saved_at: "x" }]);
  const told = [];
  made.addEventListener("conflict", ({ detail }) => told.push(detail));
  made.change("findings", "mine");
  await planned.run();
  made.change("findings", "mine, longer");
  assert.deepEqual([made.state, told.length, made.pending], ["conflict", 1, { findings: "mine, longer" }]);
  await made.resolve(7, { findings: "both" });
  assert.deepEqual([sent.length, sent[1].number, made.number], [2, 7, 8]);
});

test("a refusal stops saving and says why", async () => {
  const { made, sent, planned } = saver([new ApiError("Rudi Reader is reading this study.", { status: 409, answer: { reason: "ClaimedByAnother" } })]);
  made.change("findings", "mine");
  await planned.run();
  made.change("findings", "mine still");
  await made.flush();
  assert.deepEqual([sent.length, made.state, made.message], [1, "refused", "Rudi Reader is reading this study."]);
  assert.deepEqual(made.pending, { findings: "mine still" });
});

test("both texts are joined where they differ", () => {
  const mine = { findings: "mine", impression: "same" };
  const theirs = { findings: "theirs", impression: "same", technique: "other" };
  assert.deepEqual(differences(mine, theirs).map(({ name }) => name), ["findings"]);
  assert.deepEqual(joined(mine, theirs), { findings: "theirs\n\nmine" });
});

test("a macro is a word after a dot, at the start or after white space, once a space or line end follows", () => {
  const macros = { nl: "Normal.", "no-pe": "No embolus." };
  assert.deepEqual(expansion("Lungs: .nl ", 11, macros), { start: 7, end: 11, text: "Normal. " });
  assert.deepEqual(expansion(".no-pe\n", 7, macros), { start: 0, end: 7, text: "No embolus.\n" });
  for (const text of ["Lungs: .nl", "8.nl ", ".other ", ".constructor "]) assert.equal(expansion(text, text.length, macros), null);
});

test("what a template left to be filled in is found", () => {
  assert.deepEqual(unfilled(["Contrast: [none / ml].\nMeasures 8 mm.", "BI-RADS [0-6]"]), ["[none / ml]", "[0-6]"]);
});
