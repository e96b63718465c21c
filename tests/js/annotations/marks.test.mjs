import assert from "node:assert/strict";
import { test } from "node:test";
import { hitMark, layout } from "../../../static/js/annotations/mark_geometry.js";
import { MarkStore } from "../../../static/js/annotations/mark_store.js";

const FRAME = { SOPInstanceUID: "1.2.3", FrameNumber: 2 };
const LENGTH = { kind: "length", ...FRAME, from: { x: 10, y: 10 }, to: { x: 50, y: 10 } };
const twice = ({ x, y }) => ({ x: 2 * x, y: 2 * y });

class Storage {
  #values = new Map();
  getItem = (key) => this.#values.get(key) ?? null;
  setItem = (key, value) => this.#values.set(key, value);
}

test("a measurement belongs to its frame and to no other", () => {
  const store = new MarkStore("1:study", new Storage());
  store.add(LENGTH);
  assert.equal(store.of(FRAME).length, 1);
  assert.deepEqual(store.of({ ...FRAME, FrameNumber: 1 }), []);
  assert.deepEqual(store.of({ ...FRAME, SOPInstanceUID: "1.2.4" }), []);
});

test("adding, moving and deleting can be undone and done again", () => {
  const store = new MarkStore("1:study", new Storage());
  store.add({ ...LENGTH, id: "a" });
  store.change("a", { to: { x: 90, y: 10 } });
  store.remove("a");
  store.undo();
  assert.equal(store.get("a").to.x, 90);
  store.undo();
  assert.equal(store.get("a").to.x, 50);
  store.redo();
  assert.equal(store.get("a").to.x, 90);
  store.undo();
  store.undo();
  store.undo();
  assert.deepEqual(store.of(FRAME), []);
});

test("measurements outlive a reload, for the same user and study only", () => {
  const storage = new Storage();
  new MarkStore("1:study", storage).add(LENGTH);
  assert.equal(new MarkStore("1:study", storage).of(FRAME).length, 1);
  assert.equal(new MarkStore("2:study", storage).of(FRAME).length, 0);
});

test("an end is taken before the line, and nothing where nothing is near", () => {
  const marks = [{ ...LENGTH, id: "a" }];
  assert.deepEqual(hitMark({ x: 22, y: 22 }, marks, twice), { id: "a", part: "from" });
  assert.deepEqual(hitMark({ x: 98, y: 20 }, marks, twice), { id: "a", part: "to" });
  assert.deepEqual(hitMark({ x: 60, y: 24 }, marks, twice), { id: "a", part: "line" });
  assert.equal(hitMark({ x: 60, y: 40 }, marks, twice), null);
});

test("the label stands beside the right end", () => {
  const { to, label } = layout({ ...LENGTH, label: null }, twice);
  assert.ok(label.x > to.x);
});
