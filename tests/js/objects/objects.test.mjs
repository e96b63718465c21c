import assert from "node:assert/strict";
import { test } from "node:test";

import { ForeignMarks } from "../../../static/js/objects/foreign_marks.js";
import { maskPixels } from "../../../static/js/objects/mask_pixels.js";
import { OverlayStore } from "../../../static/js/objects/overlay_store.js";

test("a run of half the maximum is half as strong as its color, and all else is clear", () => {
  const pixels = maskPixels({ rows: 2, columns: 3, runs: [1, 2, 255, 4, 1, 128], maximum: 255 }, [10, 20, 30]);
  const clear = [0, 0, 0, 0];
  assert.deepEqual([...pixels], [...clear, 10, 20, 30, 255, 10, 20, 30, 255, ...clear, 10, 20, 30, 128, ...clear]);
});

test("only segments that are shown ask for what lies on a frame, and once", async () => {
  const asked = [];
  const overlay = { SOPInstanceUID: "1.2", stacks: ["9"], segments: [{ number: 1 }, { number: 2 }] };
  const fetch = async (url) => {
    asked.push(url);
    return url.endsWith("/overlays") ? { overlays: [overlay] } : { masks: [], outlines: [] };
  };
  const store = new OverlayStore("1", { fetch });
  await store.load();
  assert.deepEqual(store.over("9"), []);
  store.show("1.2", [2], true);
  assert.deepEqual(store.over("9"), [overlay]);
  assert.deepEqual(store.over("8"), []);
  assert.equal(store.onFrame("1.2", "9", 4), null);
  assert.equal(store.onFrame("1.2", "9", 4), null);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(store.onFrame("1.2", "9", 4), { masks: [], outlines: [] });
  assert.deepEqual(asked, ["/api/studies/1/overlays", "/api/stacks/9/frames/4/overlays/1.2"]);
});

test("key images of others are counted once for each frame", async () => {
  const key = { stack: "9", SOPInstanceUID: "1", FrameNumber: 1 };
  const marks = new ForeignMarks("/", { fetch: async () => ({ findings: [], key_images: [key, { ...key }, { ...key, FrameNumber: 2 }] }) });
  await marks.load();
  assert.equal(marks.keysOf("9"), 2);
  assert.equal(marks.keyOf({ SOPInstanceUID: "1", FrameNumber: 2 }).FrameNumber, 2);
  assert.equal(marks.keyOf({ SOPInstanceUID: "2", FrameNumber: 2 }), undefined);
});
