import assert from "node:assert/strict";
import { test } from "node:test";
import { keptOf, markOf, MarkSaver } from "../../../static/js/annotations/mark_saver.js";
import { MarkStore } from "../../../static/js/annotations/mark_store.js";
import { ApiError } from "../../../static/js/core/api_error.js";

const LENGTH = { id: "a", kind: "length", stack: "1.2", SOPInstanceUID: "1.2.3", FrameNumber: 1, points: [{ x: 1, y: 2 }, { x: 3, y: 4 }] };

class Storage {
  values = new Map();
  getItem = (key) => this.values.get(key) ?? null;
  setItem = (key, value) => this.values.set(key, value);
  removeItem = (key) => this.values.delete(key);
}

/** A portal that keeps what it is sent, or answers as it is told. */
class Portal {
  kept = new Map();
  sent = [];
  refusal = null;
  send = async (url, body, { method }) => {
    this.sent.push(method);
    if (this.refusal) throw this.refusal;
    const id = url.split("/").at(-1);
    const version = body.version + 1;
    const row = method === "DELETE" ? { ...this.kept.get(id), deleted: true, version } : { ...body, id, version, author: "Dr Reader", deleted: false };
    this.kept.set(id, row);
    return row;
  };
  fetch = async () => ({ annotations: [...this.kept.values()].filter(({ deleted }) => !deleted) });
}

function open(portal, storage = new Storage()) {
  const store = new MarkStore();
  const saver = new MarkSaver(store, { url: "/api", key: "1:study", storage, send: portal.send, fetch: portal.fetch });
  return { store, saver, storage };
}

test("a measurement goes to the portal and back unchanged", () => {
  const kept = { ...keptOf({ ...LENGTH, text: "lesion", label: { x: 5, y: 6 } }, 3), id: "a" };
  const mark = markOf(kept);
  assert.deepEqual(keptOf(mark, 3), keptOf({ ...LENGTH, text: "lesion", label: { x: 5, y: 6 } }, 3));
});

test("what is drawn is saved, and is there in another browser", async () => {
  const portal = new Portal();
  const { store, saver, storage } = open(portal);
  store.add(LENGTH);
  assert.equal(saver.state.kind, "saving");
  await saver.flush();
  assert.equal(saver.state.kind, "saved");
  assert.equal(storage.values.size, 0);
  const other = open(portal);
  await other.saver.load();
  assert.deepEqual(other.store.get("a").points, LENGTH.points);
});

test("changes go on top of the version that came back, and undo is saved too", async () => {
  const portal = new Portal();
  const { store, saver } = open(portal);
  store.add(LENGTH);
  await saver.flush();
  store.change("a", { text: "b" });
  await saver.flush();
  store.remove("a");
  await saver.flush();
  assert.equal(portal.kept.get("a").deleted, true);
  store.undo();
  await saver.flush();
  assert.deepEqual(portal.sent, ["PUT", "PUT", "DELETE", "PUT"]);
  assert.equal(portal.kept.get("a").version, 4);
  assert.equal(portal.kept.get("a").label, "b");
});

test("what could not be sent outlives a reload and is sent then", async () => {
  const portal = new Portal();
  const { store, saver, storage } = open(portal);
  portal.refusal = new ApiError("The portal cannot be reached.", { status: 0 });
  store.add(LENGTH);
  await saver.flush();
  assert.equal(saver.state.kind, "unsaved");
  assert.equal(saver.hasUnsaved, true);
  portal.refusal = null;
  const again = open(portal, storage);
  await again.saver.load();
  assert.deepEqual(portal.kept.get("a").geometry, { points: [[1, 2], [3, 4]] });
  assert.equal(again.saver.state.kind, "saved");
  assert.equal(storage.values.size, 0);
  // Nothing of the first page goes on trying.
  await saver.flush();
});

test("what another has changed is shown and told, and undo brings one's own back", async () => {
  const portal = new Portal();
  const { store, saver } = open(portal);
  store.add(LENGTH);
  await saver.flush();
  const theirs = { ...portal.kept.get("a"), label: "theirs", version: 2, may_change: true };
  portal.refusal = new ApiError("Changed meanwhile by Dr Other.", { status: 409, answer: { annotation: theirs } });
  const said = [];
  saver.addEventListener("conflict", ({ detail }) => said.push(detail));
  store.change("a", { text: "mine" });
  await saver.flush();
  assert.equal(store.get("a").text, "theirs");
  assert.match(said[0], /Dr Other.*Undo brings yours back/);
  portal.refusal = null;
  store.undo();
  await saver.flush();
  assert.equal(portal.kept.get("a").label, "mine");
  assert.equal(portal.kept.get("a").version, 3);
});

test("what is refused is said and not sent for ever", async () => {
  const portal = new Portal();
  const { store, saver } = open(portal);
  portal.refusal = new ApiError("Only its author and radiologists change a measurement.", { status: 403 });
  store.add(LENGTH);
  await saver.flush();
  assert.deepEqual([saver.state.kind, saver.state.text], ["refused", "Only its author and radiologists change a measurement."]);
  assert.equal(saver.hasUnsaved, false);
});

test("what was drawn and undone before it was sent leaves no trace", async () => {
  const portal = new Portal();
  const { store, saver } = open(portal);
  store.add(LENGTH);
  store.undo();
  await saver.flush();
  assert.deepEqual(portal.sent, []);
});
