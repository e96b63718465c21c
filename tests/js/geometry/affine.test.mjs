import assert from "node:assert/strict";
import { test } from "node:test";
import { Affine } from "../../../static/js/geometry/affine.js";

test("a map after its inverse changes nothing", () => {
  const map = Affine.translation(7, -3).after(Affine.quarterTurns(90)).after(Affine.scaling(2, 4));
  const { x, y } = map.inverse().after(map).apply(12.5, -8);
  assert.deepEqual([x, y], [12.5, -8]);
});

test("the map named last is applied first", () => {
  assert.deepEqual(Affine.translation(10, 0).after(Affine.scaling(2)).apply(3, 4), { x: 16, y: 8 });
  assert.deepEqual(Affine.scaling(2).after(Affine.translation(10, 0)).apply(3, 4), { x: 26, y: 8 });
});

test("a quarter turn is clockwise on a screen and exact", () => {
  assert.deepEqual(Affine.quarterTurns(90).apply(1, 0), { x: 0, y: 1 });
  assert.deepEqual(Affine.quarterTurns(90).apply(0, 1), { x: -1, y: 0 });
  for (const [degrees, same] of [[-90, 270], [360, 0], [450, 90]]) {
    assert.deepEqual(Affine.quarterTurns(degrees).apply(3, 5), Affine.quarterTurns(same).apply(3, 5));
  }
});

test("a map that flattens the plane has no inverse", () => {
  assert.throws(() => Affine.scaling(1, 0).inverse(), RangeError);
});

test("the bounds of a turned rectangle are upright", () => {
  const bounds = Affine.quarterTurns(90).boundsOf({ left: 0, top: 0, right: 4, bottom: 2 });
  assert.deepEqual(bounds, { left: -2, top: 0, right: 0, bottom: 4 });
});
