import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkStore } from "../../../static/js/annotations/mark_store.js";
import { isForReports, piecesOf, sinceInWords, wordsOf } from "../../../static/js/reports/measure_words.js";
import { ReportMeasures } from "../../../static/js/reports/report_measures.js";

const CT = { PixelSpacing: { row_mm: 2, column_mm: 0.5, note: "" }, PixelAspectRatio: [2, 0.5], calibration: { regions: [] } };
const at = (...pairs) => pairs.map(([x, y]) => ({ x, y }));

test("a measurement is words with its place, its name first, and a star becomes what it stands for", () => {
  // 16 columns of 0.5 mm.
  const mark = { kind: "length", points: at([0, 0], [16, 0]), text: "" };
  assert.equal(wordsOf(mark, CT, null, "S3 Im 12"), "Length 8.0 mm (S3 Im 12)");
  assert.equal(wordsOf({ ...mark, text: "Nodule" }, CT, null, "S3 Im 12"), "Nodule 8.0 mm (S3 Im 12)");
  const detector = { ...CT, PixelSpacing: { ...CT.PixelSpacing, note: "At the detector." } };
  assert.equal(wordsOf(mark, detector, null, "S3 Im 12"), "Length 8.0 mm (S3 Im 12; At the detector.)");
  assert.equal(wordsOf({ kind: "key_image", points: [], text: "" }, CT, null, "Im 1"), "Key image (Im 1)");
});

test("words on an image, calibrations and marks of priors are not for the report", () => {
  assert.deepEqual(["length", "key_image", "text", "arrow", "calibration"].map((kind) => isForReports({ kind })), [true, true, false, false, false]);
  assert.equal(isForReports({ kind: "length", study: "1.2" }), false);
});

test("links are found once each, the longest first, and the text is whole again", () => {
  const links = [{ words: "8 mm" }, { words: "Nodule 8 mm" }];
  const pieces = piecesOf("Nodule 8 mm, cyst 8 mm.", links);
  assert.deepEqual(pieces.map(({ text, link }) => [text, link?.words]), [["Nodule 8 mm", "Nodule 8 mm"], [", cyst ", undefined], ["8 mm", "8 mm"], [".", undefined]]);
  assert.deepEqual(piecesOf("", links), []);
});

function measures() {
  const store = new MarkStore();
  const saver = Object.assign(new EventTarget(), { hasUnsaved: false, flush: async () => {} });
  const manifest = { ...CT, frames: [{ SOPInstanceUID: "1.1", FrameNumber: 1 }, { SOPInstanceUID: "1.2", FrameNumber: 1 }] };
  const library = { manifest: async () => manifest, entry: () => ({ SeriesNumber: 3 }) };
  const made = new ReportMeasures({ store, saver, measurer: { of: () => null }, library, viewOf: (mark, frame) => `view=${mark.stack}~${frame}` });
  const id = store.add({ kind: "length", stack: "1", SOPInstanceUID: "1.2", FrameNumber: 1, points: at([0, 0], [16, 0]) });
  return { store, made, id };
}

test("an entry carries the words, the view and what was drawn", async () => {
  const { made, id } = measures();
  const entry = await made.entryOf(id);
  assert.deepEqual(entry, { id, words: "Length 8.0 mm (S3 Im 2)", view: "view=1~2", drawn: { geometry: { points: [[0, 0], [16, 0]] } } });
});

test("a measurement that has changed or gone is told, once the page knows itself", async () => {
  const { store, made, id } = measures();
  const entry = await made.entryOf(id);
  assert.equal(made.since({ ...entry, since: "deleted" }), "deleted");
  made.loaded();
  assert.equal(made.since(entry), "same");
  store.change(id, { points: at([0, 0], [20, 0]) });
  assert.equal(made.since(entry), "changed");
  store.remove(id);
  assert.equal(made.since(entry), "deleted");
  assert.equal(sinceInWords("changed"), "this value has changed since");
  assert.equal(sinceInWords("same"), "");
});
