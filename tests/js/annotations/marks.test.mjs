import assert from "node:assert/strict";
import { test } from "node:test";
import { endNear, hitMark, layout } from "../../../static/js/annotations/mark_geometry.js";
import { MarkStore } from "../../../static/js/annotations/mark_store.js";

const FRAME = { SOPInstanceUID: "1.2.3", FrameNumber: 2 };
const LENGTH = { kind: "length", ...FRAME, stack: "1.2", points: [{ x: 10, y: 10 }, { x: 50, y: 10 }] };
const ELLIPSE = { kind: "ellipse", ...FRAME, stack: "1.2", points: [{ x: 10, y: 10 }, { x: 50, y: 30 }] };
const twice = ({ x, y }) => ({ x: 2 * x, y: 2 * y });

test("a measurement belongs to its frame and to no other", () => {
  const store = new MarkStore();
  store.add(LENGTH);
  assert.equal(store.of(FRAME).length, 1);
  assert.deepEqual(store.of({ ...FRAME, FrameNumber: 1 }), []);
  assert.deepEqual(store.of({ ...FRAME, SOPInstanceUID: "1.2.4" }), []);
});

test("adding, moving and deleting can be undone and done again", () => {
  const store = new MarkStore();
  store.add({ ...LENGTH, id: "a" });
  store.change("a", { points: [{ x: 10, y: 10 }, { x: 90, y: 10 }] });
  store.remove("a");
  store.undo();
  assert.equal(store.get("a").points[1].x, 90);
  store.undo();
  assert.equal(store.get("a").points[1].x, 50);
  store.redo();
  assert.equal(store.get("a").points[1].x, 90);
  store.undo();
  store.undo();
  store.undo();
  assert.deepEqual(store.of(FRAME), []);
});

test("undo leaves what others have drawn", () => {
  const store = new MarkStore();
  store.add({ ...LENGTH, id: "mine" });
  store.receive("theirs", { ...ELLIPSE, id: "theirs" });
  store.undo();
  assert.deepEqual(store.all.map(({ id }) => id), ["theirs"]);
  assert.equal(store.canUndo, false);
});

test("what may not be changed is neither moved nor deleted", () => {
  const store = new MarkStore();
  store.receive("a", { ...LENGTH, id: "a", mayChange: false });
  store.change("a", { text: "mine" });
  assert.equal(store.remove("a"), false);
  assert.equal(store.get("a").text, undefined);
});

test("an end is taken before the line, and nothing where nothing is near", () => {
  const marks = [{ ...LENGTH, id: "a" }];
  assert.deepEqual(hitMark({ x: 22, y: 22 }, marks, twice), { id: "a", part: "handle", index: 0 });
  assert.deepEqual(hitMark({ x: 98, y: 20 }, marks, twice), { id: "a", part: "handle", index: 1 });
  assert.deepEqual(hitMark({ x: 60, y: 24 }, marks, twice), { id: "a", part: "line", index: -1 });
  assert.equal(hitMark({ x: 60, y: 40 }, marks, twice), null);
});

test("what is drawn snaps to the nearest end of a measurement within eight pixels of the screen", () => {
  // Drawn twice as large: the ends are at (20, 20) and (100, 20) of the screen.
  assert.deepEqual(endNear({ x: 96, y: 26 }, [LENGTH], twice), { x: 50, y: 10 });
  assert.deepEqual(endNear({ x: 25, y: 25 }, [LENGTH, ELLIPSE], twice), { x: 10, y: 10 });
  assert.equal(endNear({ x: 60, y: 20 }, [LENGTH], twice), null);
  assert.equal(endNear({ x: 20, y: 28.5 }, [LENGTH], twice), null);
  assert.equal(endNear({ x: 20, y: 20 }, [], twice), null);
});

test("an ellipse is taken by its rim and lets its inside through", () => {
  const marks = [{ ...ELLIPSE, id: "a" }];
  // On the screen: half axes 40 and 20 around (60, 40).
  const turned = Math.PI / 4;
  assert.equal(hitMark({ x: 60 + 40 * Math.cos(turned), y: 40 + 20 * Math.sin(turned) }, marks, twice).part, "line");
  assert.deepEqual(hitMark({ x: 100, y: 40 }, marks, twice), { id: "a", part: "handle", index: 2 });
  assert.equal(hitMark({ x: 60, y: 40 }, marks, twice), null);
});

test("the label stands beside the right end, never over what is measured", () => {
  for (const mark of [LENGTH, ELLIPSE]) {
    const { lines, label } = layout({ ...mark, label: null }, twice);
    assert.ok(lines.flat().every(({ x }) => x < label.x));
  }
});
