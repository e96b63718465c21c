import assert from "node:assert/strict";
import { test } from "node:test";
import { choosePicture } from "../../../static/js/viewport/picture.js";
import { framesAhead, planTiles } from "../../../static/js/viewport/tile_plan.js";
import { Priority } from "../../../static/js/viewport/tile_loader.js";

// 1024 x 1024 in two levels; shown 1:1, all of it.
const LEVELS = [
  { level: 0, Rows: 512, Columns: 512, rows: 1, columns: 1, scale: 2 },
  { level: 1, Rows: 1024, Columns: 1024, rows: 2, columns: 2, scale: 1 },
];
const MANIFEST = { TileSize: 512, Rows: 1024, Columns: 1024, levels: LEVELS, frames: Array.from({ length: 100 }, () => ({ reason: "" })) };
const SCENE = { manifest: MANIFEST, zoom: 1, seen: { left: 0, top: 0, right: 1024, bottom: 1024 } };

const address = (frame, level, { row, column }, appearance = "w") => `${appearance}/${frame}/${level.level}/${row}/${column}`;
const cacheOf = (...keys) => ({ has: (key) => keys.includes(key), get: (key) => `bitmap ${key}` });
const tilesOf = (appearance, frame = 5) => ["0/0", "0/1", "1/0", "1/1"].map((tile) => `${appearance}/${frame}/1/${tile}`);

test("a whole sharp picture is sharp", () => {
  const picture = choosePicture(SCENE, 5, ["new"], address, cacheOf(...tilesOf("new")));
  assert.deepEqual([picture.isSharp, picture.layers.length, picture.layers[0].tiles.length], [true, 1, 4]);
});

test("until then the coarse level lies under the tiles that are here", () => {
  const picture = choosePicture(SCENE, 5, ["new"], address, cacheOf("new/5/0/0/0", "new/5/1/0/1"));
  assert.equal(picture.isSharp, false);
  assert.deepEqual(picture.layers.map(({ level, tiles }) => [level.level, tiles.length]), [[0, 1], [1, 1]]);
});

test("a picture is of one window only: an older whole one rather than a patchwork", () => {
  const cache = cacheOf("new/5/1/0/0", "new/5/1/0/1", ...tilesOf("old"));
  assert.equal(choosePicture(SCENE, 5, ["new", "old"], address, cache).appearance, "old");
});

test("the newest window that can be drawn is drawn, not the one that came last", () => {
  const cache = cacheOf("w2/5/0/0/0", "w1/5/0/0/0");
  assert.equal(choosePicture(SCENE, 5, ["w3", "w2", "w1"], address, cache).appearance, "w2");
});

test("a picture of another frame never stands in", () => {
  assert.equal(choosePicture(SCENE, 5, ["new"], address, cacheOf("new/4/0/0/0", ...tilesOf("new", 6))), null);
});

function plan(changes = {}) {
  return planTiles({ ...SCENE, shown: 5, queue: [], direction: 1, isDragging: false, isPlaying: false, ...changes }, address);
}

test("the picture comes first, then it gets sharp, then what lies ahead", () => {
  const wants = plan();
  assert.deepEqual(wants[0], { key: "w/5/0/0/0", priority: Priority.FIRST });
  const visible = wants.filter(({ priority }) => priority === Priority.VISIBLE).map(({ key }) => key);
  assert.deepEqual(visible.sort(), tilesOf("w"));
  const ahead = wants.filter(({ priority }) => priority === Priority.AHEAD).map(({ key }) => key);
  assert.equal(ahead[0], "w/6/0/0/0");
});

test("while frames are walked through, each of them is wanted before anything ahead", () => {
  const first = plan({ queue: [6, 7, 8] }).filter(({ priority }) => priority === Priority.FIRST).map(({ key }) => key);
  assert.deepEqual([...new Set(first)], ["w/6/0/0/0", "w/7/0/0/0", "w/8/0/0/0"]);
});

test("while a window is dragged nothing else is asked for", () => {
  assert.deepEqual(plan({ isDragging: true }).map(({ key }) => key).sort(), tilesOf("w"));
});

test("what lies ahead is in the direction of travel, with a little behind", () => {
  assert.deepEqual(framesAhead({ shown: 50, direction: -1, frames: 100, ahead: 4, behind: 1 }), [49, 48, 51, 47, 46]);
  assert.deepEqual(framesAhead({ shown: 1, direction: -1, frames: 3 }), [2, 3]);
  assert.deepEqual(framesAhead({ shown: 3, direction: 1, frames: 3, isRound: true, ahead: 2, behind: 0 }), [1, 2]);
});

test("a frame that cannot be drawn is not asked for", () => {
  const frames = MANIFEST.frames.map((frame, index) => (index === 4 ? { reason: "damaged" } : frame));
  const wants = plan({ manifest: { ...MANIFEST, frames } });
  assert.ok(wants.every(({ key }) => !key.startsWith("w/5/")));
});
