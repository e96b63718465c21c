/**
 * Talk: what was said is told of once, regions are lines on one frame, and a remark leads to what it is about.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { linesOf, RemarkRegions } from "../../../static/js/discussion/remark_regions.js";
import { aboutOf } from "../../../static/js/discussion/remark_row.js";
import { viewOfRemark } from "../../../static/js/discussion/remark_view.js";
import { Talk } from "../../../static/js/discussion/talk.js";

const told = (text) => ({ threads: [{ id: 1, text, answers: [] }], consultations: [], readers: [] });

test("the same news is told once, and what one says goes to the study's address", async () => {
  const sent = [];
  let answer = told("first");
  const talk = new Talk("1.2.3", {
    fetch: async (url) => (sent.push(url), structuredClone(answer)),
    send: async (url, body) => (sent.push([url, body]), told("second")),
  });
  let changes = 0;
  talk.addEventListener("change", () => (changes += 1));
  await talk.load();
  await talk.load();
  assert.equal(changes, 1);
  await talk.say({ text: "second" });
  await talk.act(1, "resolve");
  await talk.ask("reader2", "Node?");
  await talk.looked(7);
  assert.equal(changes, 2);
  assert.equal(talk.threads[0].text, "second");
  assert.deepEqual(sent, [
    "/api/studies/1.2.3/talk",
    "/api/studies/1.2.3/talk",
    ["/api/studies/1.2.3/talk", { text: "second" }],
    ["/api/studies/1.2.3/talk/1/resolve", {}],
    ["/api/studies/1.2.3/consultations", { reader: "reader2", question: "Node?" }],
    ["/api/studies/1.2.3/consultations/7/looked", {}],
  ]);
});

test("a rectangle is one closed line, an arrow a shaft and a head behind its tip", () => {
  const [box] = linesOf({ kind: "rectangle", points: [[1, 2], [5, 8]] });
  assert.deepEqual(box.points, [[1, 2], [5, 2], [5, 8], [1, 8], [1, 2]]);
  const [shaft, head] = linesOf({ kind: "arrow", points: [[0, 0], [40, 0]] });
  assert.deepEqual(shaft.points, [[0, 0], [40, 0]]);
  const [left, tip, right] = head.points;
  assert.deepEqual(tip, [40, 0]);
  for (const [x, y] of [left, right]) {
    assert.ok(x < 40 && x > 30);
    assert.ok(Math.abs(Math.hypot(40 - x, y) - 10) < 1e-9);
  }
  assert.ok(Math.abs(left[1] + right[1]) < 1e-9);
});

test("a region is drawn on its own frame, and goes when another remark is shown", () => {
  const regions = new RemarkRegions();
  const region = { kind: "arrow", points: [[0, 0], [4, 4]] };
  const frame = { SOPInstanceUID: "1.5", FrameNumber: 2 };
  regions.show({ id: 3, author: "Dr A", image: "1.5", frame: 2, region });
  assert.deepEqual(regions.of(frame).map(({ id, name }) => [id, name]), [["remark-3", "Dr A"]]);
  assert.deepEqual(regions.of({ ...frame, FrameNumber: 1 }), []);
  assert.deepEqual(regions.of(undefined), []);
  regions.setDraft({ image: "1.5", frame: 2, region });
  assert.equal(regions.of(frame).length, 2);
  regions.show({ id: 4, author: "Dr B", image: "1.5", frame: 2, region: null });
  regions.setDraft(null);
  assert.deepEqual(regions.of(frame), []);
});

test("a remark says what it is about, and its view is the one that was active", () => {
  const name = () => "S3 CT";
  assert.equal(aboutOf({ region: { kind: "arrow" }, image: "1" }, name), "arrow on an image");
  assert.equal(aboutOf({ image: "1", frame: 4 }, name), "image, frame 4");
  assert.equal(aboutOf({ series: "1.9" }, name), "S3 CT");
  assert.equal(aboutOf({ view: "view=1.2" }, name), "a view");
  assert.equal(aboutOf({}, name), "");
  assert.equal(viewOfRemark("layout=1x2&active=1&view=1.2~3&view=1.4~5").stack, "1.4");
  assert.equal(viewOfRemark(""), null);
});
