import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../../static/js/core/api_error.js";
import { BitmapCache } from "../../../static/js/viewport/bitmap_cache.js";
import { Priority, TileLoader } from "../../../static/js/viewport/tile_loader.js";

/** A network of which the test decides when it answers. */
class Network {
  asked = [];
  aborted = [];
  #waiting = new Map();

  fetch = (key, { signal }) =>
    new Promise((resolve, reject) => {
      this.asked.push(key);
      this.#waiting.set(key, { resolve, reject });
      signal.addEventListener("abort", () => {
        this.aborted.push(key);
        reject(new DOMException("", "AbortError"));
      });
    });

  async answer(key, width = 1) {
    const bitmap = { width, height: 1, isClosed: false, close: () => (bitmap.isClosed = true) };
    this.#waiting.get(key).resolve(bitmap);
    await new Promise(setImmediate);
    return bitmap;
  }

  async refuse(key, error) {
    this.#waiting.get(key).reject(error);
    await new Promise(setImmediate);
  }
}

function parts() {
  const network = new Network();
  const cache = new BitmapCache(1e9);
  return { network, cache, loader: new TileLoader(cache, network.fetch) };
}

const wants = (priority, ...keys) => keys.map((key) => ({ key, priority }));

test("what is most urgent is asked first, and only a few at a time", async () => {
  const { network, loader } = parts();
  loader.want({}, [...wants(Priority.AHEAD, "a", "b", "c", "d"), ...wants(Priority.FIRST, "now")]);
  assert.deepEqual(network.asked, ["now", "a", "b"]);
  await network.answer("now");
  assert.deepEqual(network.asked, ["now", "a", "b", "c"]);
});

test("what is not on the screen yet leaves room for what is", () => {
  const { network, loader } = parts();
  loader.want({}, wants(Priority.AHEAD, "a", "b", "c", "d"));
  loader.want({ other: true }, wants(Priority.FIRST, "now", "and", "then"));
  assert.deepEqual(network.asked, ["a", "b", "c", "now", "and"]);
});

test("a tile that was overtaken is aborted, and what comes of it all the same goes nowhere", async () => {
  const { network, cache, loader } = parts();
  const viewport = {};
  loader.want(viewport, wants(Priority.FIRST, "old"));
  loader.want(viewport, wants(Priority.FIRST, "new"));
  assert.deepEqual(network.aborted, ["old"]);
  await network.answer("new");
  assert.deepEqual([cache.has("old"), cache.has("new")], [false, true]);
});

test("a tile that another viewport wants too is not aborted", () => {
  const { network, loader } = parts();
  const [one, other] = [{}, {}];
  loader.want(one, wants(Priority.FIRST, "shared"));
  loader.want(other, wants(Priority.FIRST, "shared"));
  loader.want(one, []);
  assert.deepEqual([network.asked, network.aborted], [["shared"], []]);
});

test("a drag lets the picture under way end before it asks for the next", async () => {
  const { network, cache, loader } = parts();
  const viewport = {};
  loader.want(viewport, wants(Priority.FIRST, "w1"));
  loader.want(viewport, wants(Priority.FIRST, "w2"), { finish: new Set(["w1"]) });
  assert.deepEqual(network.aborted, []);
  await network.answer("w1");
  assert.ok(cache.has("w1"));
});

test("a refusal is final and keeps its sentence; it is not asked again", async () => {
  const { network, loader } = parts();
  const viewport = {};
  loader.want(viewport, wants(Priority.FIRST, "bad"));
  await network.refuse("bad", new ApiError("The code stream is damaged.", { status: 422 }));
  loader.want(viewport, wants(Priority.FIRST, "bad"));
  assert.deepEqual(network.asked, ["bad"]);
  assert.equal(loader.failureOf("bad").message, "The code stream is damaged.");
});

test("a busy portal is asked again a little later", async () => {
  const { network, loader } = parts();
  loader.want({}, wants(Priority.FIRST, "later"));
  await network.refuse("later", new ApiError("The portal is busy.", { status: 503 }));
  assert.equal(loader.failureOf("later"), undefined);
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.deepEqual(network.asked, ["later", "later"]);
});

test("memory is bounded: the least recently used is closed and given up", () => {
  const bitmap = () => ({ width: 10, height: 10, closed: 0, close() { this.closed += 1; } });
  const cache = new BitmapCache(1000);
  const [a, b, c] = [bitmap(), bitmap(), bitmap()];
  cache.put("a", a);
  cache.put("b", b);
  cache.get("a");
  cache.put("c", c);
  assert.deepEqual([cache.has("a"), cache.has("b"), cache.has("c")], [true, false, true]);
  assert.deepEqual([a.closed, b.closed, cache.bytes], [0, 1, 800]);
});
