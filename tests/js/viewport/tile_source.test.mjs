import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../../static/js/core/api_error.js";
import { BitmapCache } from "../../../static/js/viewport/bitmap_cache.js";
import { VALUES } from "../../../static/js/viewport/tile_address.js";
import { TileLoader } from "../../../static/js/viewport/tile_loader.js";
import { TileSource } from "../../../static/js/viewport/tile_source.js";

const LEVELS = [{ level: 0, Rows: 512, Columns: 512, rows: 1, columns: 1, scale: 1 }];
const MANIFEST = {
  TileSize: 512, Rows: 512, Columns: 512, levels: LEVELS, key: "k", revision: 1,
  tiles: "/{frame}/{level}/{row}/{column}.png", frames: Array.from({ length: 3 }, () => ({ reason: "" })),
};
const SCENE = {
  manifest: MANIFEST, zoom: 1, seen: { left: 0, top: 0, right: 512, bottom: 512 },
  shown: 1, queue: [], direction: 1, isDragging: false, isPlaying: false,
};
const tile = (frame, appearance) => `/${frame}/0/0/0.png?${appearance ? `${appearance}&` : ""}k=k&rev=1`;
const bitmap = () => ({ width: 1, height: 1, close() {} });

/** A source with a network that never answers by itself. */
function parts({ canDraw = () => true, linked = "", isLineSlow = () => false, answer = () => new Promise(() => {}) } = {}) {
  const asked = [];
  const cache = new BitmapCache(1e9);
  const loader = new TileLoader(cache, (key, options) => {
    asked.push(key);
    return answer(key, options);
  });
  const source = new TileSource({ loader, cache, linked }, canDraw, isLineSlow);
  source.show(MANIFEST, "");
  return { asked, cache, source };
}

test("values are asked for once, whatever the window", () => {
  const { asked, cache, source } = parts();
  source.ask(SCENE, null);
  assert.deepEqual(asked, [tile(1, VALUES), tile(2, VALUES), tile(3, VALUES)]);
  for (const frame of [1, 2, 3]) cache.put(tile(frame, VALUES), bitmap());
  source.setAppearance("window=40,80,linear");
  source.ask({ ...SCENE, isDragging: true }, source.picture(SCENE, 1));
  assert.equal(asked.length, 3);
  assert.deepEqual([source.picture(SCENE, 1).appearance, source.isPresent(source.picture(SCENE, 1))], [VALUES, true]);
});

test("the tile that came with the page stands in until the values are here", () => {
  const { asked, cache, source } = parts({ linked: tile(1, "") });
  source.ask(SCENE, null);
  assert.equal(asked[0], tile(1, ""));
  cache.put(tile(1, ""), bitmap());
  assert.equal(source.picture(SCENE, 1).appearance, "");
  cache.put(tile(1, VALUES), bitmap());
  assert.equal(source.picture(SCENE, 1).appearance, VALUES);
});

test("on a slow line windowed tiles come first, and the values of the frame that is looked at when the reader rests", () => {
  const { asked, cache, source } = parts({ isLineSlow: () => true });
  source.ask({ ...SCENE, queue: [2] }, null);
  assert.ok(asked.length > 0 && asked.every((key) => !key.includes(VALUES)), asked.join());
  for (const frame of [1, 2, 3]) cache.put(tile(frame, ""), bitmap());
  source.ask(SCENE, source.picture(SCENE, 1));
  assert.equal(asked.at(-1), tile(1, VALUES));
  assert.equal(source.picture(SCENE, 1).appearance, "");
  cache.put(tile(1, VALUES), bitmap());
  const before = asked.length;
  source.setAppearance("window=40,80,linear");
  source.ask({ ...SCENE, isDragging: true }, source.picture(SCENE, 1));
  assert.deepEqual([source.picture(SCENE, 1).appearance, asked.length], [VALUES, before]);
});

test("a drag of the window on a slow line asks once for the values of what is seen, not for a picture of every window", () => {
  const { asked, source } = parts({ isLineSlow: () => true });
  source.ask({ ...SCENE, isDragging: true }, null);
  source.setAppearance("window=40,80,linear");
  source.ask({ ...SCENE, isDragging: true }, null);
  assert.deepEqual(asked, [tile(1, VALUES)]);
});

test("a windowed tile that fails on a slow line says so", async () => {
  const answer = async () => {
    throw new ApiError("The code stream is damaged.", { status: 422 });
  };
  const { source } = parts({ isLineSlow: () => true, answer });
  source.ask({ ...SCENE, isPlaying: true }, null);
  await new Promise(setImmediate);
  assert.equal(source.failure(1), "The code stream is damaged.");
});

test("what cannot be drawn from values is asked for as the server draws it", () => {
  const { asked, cache, source } = parts({ canDraw: (frame) => frame !== 1 });
  source.ask(SCENE, null);
  assert.deepEqual(asked, [tile(1, ""), tile(2, VALUES), tile(3, VALUES)]);
  cache.put(tile(1, VALUES), bitmap());
  assert.equal(source.picture(SCENE, 1), null);
  cache.put(tile(1, ""), bitmap());
  assert.equal(source.picture(SCENE, 1).appearance, "");
});

test("when values can no longer be drawn a windowed picture that is here is shown at once", () => {
  let isUsable = true;
  const { cache, source } = parts({ canDraw: () => isUsable });
  cache.put(tile(1, VALUES), bitmap());
  cache.put(tile(1, ""), bitmap());
  assert.equal(source.picture(SCENE, 1).appearance, VALUES);
  isUsable = false;
  assert.equal(source.picture(SCENE, 1).appearance, "");
});

test("a portal that gives no values is asked for windowed tiles", async () => {
  const answer = async (key) => {
    if (key.includes(VALUES)) throw new ApiError("There is no such tile.", { status: 404 });
    return bitmap();
  };
  const { asked, source } = parts({ answer });
  source.ask(SCENE, null);
  await new Promise(setImmediate);
  assert.equal(source.failure(1), "");
  source.ask(SCENE, null);
  await new Promise(setImmediate);
  assert.ok(asked.includes(tile(1, "")));
  assert.equal(source.picture(SCENE, 1).appearance, "");
});

test("a frame that is damaged says so, with values too", async () => {
  const answer = async () => {
    throw new ApiError("The code stream is damaged.", { status: 422 });
  };
  const { source } = parts({ answer });
  source.ask(SCENE, null);
  await new Promise(setImmediate);
  assert.equal(source.failure(1), "The code stream is damaged.");
});
