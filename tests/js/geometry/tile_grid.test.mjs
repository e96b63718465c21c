import assert from "node:assert/strict";
import { test } from "node:test";
import { levelForZoom, levelWithFewTiles, tileBounds, visibleTiles } from "../../../static/js/geometry/tile_grid.js";

// 3000 rows, 4000 columns in tiles of 512.
const LEVELS = [
  { level: 0, Rows: 375, Columns: 500, rows: 1, columns: 1, scale: 8 },
  { level: 1, Rows: 750, Columns: 1000, rows: 2, columns: 2, scale: 4 },
  { level: 2, Rows: 1500, Columns: 2000, rows: 3, columns: 4, scale: 2 },
  { level: 3, Rows: 3000, Columns: 4000, rows: 6, columns: 8, scale: 1 },
];
const WHOLE = { left: 0, top: 0, right: 4000, bottom: 3000 };

test("the coarsest level that has a pixel for each of the screen's is taken", () => {
  for (const [zoom, level] of [[0.05, 0], [0.125, 0], [0.126, 1], [0.25, 1], [0.3, 2], [0.5, 2], [0.51, 3], [1, 3], [8, 3]]) {
    assert.equal(levelForZoom(LEVELS, zoom).level, level, `zoom ${zoom}`);
  }
});

test("all tiles of a level are seen when the whole image is, those in the middle first", () => {
  const tiles = visibleTiles(LEVELS[2], 512, WHOLE);
  assert.equal(tiles.length, 12);
  assert.equal(tiles[0].row, 1);
  assert.ok([1, 2].includes(tiles[0].column));
});

test("only the tiles under the viewport are seen", () => {
  const tiles = visibleTiles(LEVELS[3], 512, { left: 600, top: 500, right: 1000, bottom: 530 });
  assert.deepEqual(tiles.map(({ row, column }) => `${row},${column}`).sort(), ["0,1", "1,1"]);
});

test("nothing is seen outside the image", () => {
  assert.deepEqual(visibleTiles(LEVELS[3], 512, { left: -90, top: 0, right: -10, bottom: 50 }), []);
});

test("an edge that lies exactly between two tiles needs only one of them", () => {
  assert.deepEqual(visibleTiles(LEVELS[3], 512, { left: 0, top: 0, right: 512, bottom: 512 }), [{ row: 0, column: 0 }]);
});

test("tiles at the right and bottom edge are smaller", () => {
  assert.deepEqual(tileBounds(LEVELS[3], 512, 5, 7), { left: 3584, top: 2560, right: 4000, bottom: 3000 });
});

test("what is redrawn while dragging has few tiles", () => {
  assert.equal(levelWithFewTiles(LEVELS, 512, WHOLE, LEVELS[3], 4).level, 1);
  const corner = { left: 0, top: 0, right: 400, bottom: 400 };
  assert.equal(levelWithFewTiles(LEVELS, 512, corner, LEVELS[3], 4).level, 3);
  assert.equal(levelWithFewTiles(LEVELS, 512, corner, LEVELS[1], 4).level, 1);
});
