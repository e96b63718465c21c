import assert from "node:assert/strict";
import { test } from "node:test";
import { circleRadii, handlesOf, linesOf, shifted, withHandle, withShortAxisOf } from "../../../static/js/geometry/shapes.js";

/** Pixels twice as high as wide. */
const HIGH = [2, 1];
const far = (one, other, [height, width]) => Math.hypot((one.x - other.x) * width, (one.y - other.y) * height);
const close = (found, wanted) => assert.ok(Math.abs(found - wanted) < 1e-9, `${found} is not ${wanted}`);

test("every point of a circle is equally far from its middle in the patient", () => {
  const circle = { kind: "circle", points: [{ x: 10, y: 10 }, { x: 14, y: 10 }] };
  assert.deepEqual(circleRadii(circle.points, HIGH), { x: 4, y: 2 });
  for (const point of linesOf(circle, HIGH)[0]) close(far(point, circle.points[0], HIGH), 4);
});

test("every point of an ellipse is on its equation, and its box is that of its corners", () => {
  const [line] = linesOf({ kind: "ellipse", points: [{ x: 20, y: 4 }, { x: 0, y: 10 }] });
  for (const { x, y } of line) close(((x - 10) / 10) ** 2 + ((y - 7) / 3) ** 2, 1);
  assert.deepEqual(line[0], { x: 20, y: 7 });
});

test("outlines are closed, and two lines stay two", () => {
  const points = [{ x: 0, y: 0 }, { x: 4, y: 0 }, { x: 4, y: 4 }, { x: 0, y: 4 }];
  assert.equal(linesOf({ kind: "polygon", points })[0].length, 5);
  assert.equal(linesOf({ kind: "cobb", points }).length, 2);
  assert.equal(linesOf({ kind: "cobb", points: points.slice(0, 2) }).length, 1);
  assert.equal(linesOf({ kind: "rectangle", points: [points[0], points[2]] })[0].length, 5);
});

test("a handle goes where it is taken, and the opposite one stays", () => {
  for (const kind of ["rectangle", "ellipse"]) {
    const shape = { kind, points: [{ x: 2, y: 2 }, { x: 10, y: 6 }] };
    handlesOf(shape).forEach((handle, index) => {
      const opposite = handlesOf(shape)[(index + 2) % 4];
      const place = { x: handle.x + 1, y: handle.y - 1 };
      const moved = handlesOf({ kind, points: withHandle(shape, index, place) });
      const now = moved[(index + 2) % 4];
      if (kind === "rectangle") {
        assert.deepEqual(moved[index], place);
        assert.deepEqual(now, opposite);
      } else if (index % 2 === 0) {
        assert.equal(moved[index].x, place.x);
        assert.equal(now.x, opposite.x);
      } else {
        assert.equal(moved[index].y, place.y);
        assert.equal(now.y, opposite.y);
      }
    });
  }
});

/** Cosine of the angle between the two axes in the patient. */
function skew([a, b, c, d], [height, width]) {
  const long = [(b.x - a.x) * width, (b.y - a.y) * height];
  const short = [(d.x - c.x) * width, (d.y - c.y) * height];
  return (long[0] * short[0] + long[1] * short[1]) / Math.hypot(...long) / Math.hypot(...short);
}

test("the short axis lies at a right angle to the long one, whatever is taken", () => {
  const points = withShortAxisOf([{ x: 0, y: 0 }, { x: 30, y: 10 }], HIGH);
  close(skew(points, HIGH), 0);
  close(far(points[2], points[3], HIGH), far(points[0], points[1], HIGH) / 2);
  for (const index of [0, 1, 2, 3]) {
    const moved = withHandle({ kind: "bidirectional", points }, index, { x: 17, y: 23 }, HIGH);
    close(skew(moved, HIGH), 0);
  }
});

test("an end of the short axis that is taken leaves the other as far beside the long one", () => {
  const points = withShortAxisOf([{ x: 0, y: 0 }, { x: 40, y: 0 }]);
  assert.deepEqual(points.slice(2), [{ x: 20, y: -10 }, { x: 20, y: 10 }]);
  const moved = withHandle({ kind: "bidirectional", points }, 3, { x: 30, y: 4 });
  assert.deepEqual(moved.slice(2), [{ x: 30, y: -10 }, { x: 30, y: 4 }]);
});

test("a shift moves every point", () => {
  assert.deepEqual(shifted([{ x: 1, y: 2 }], { x: 3, y: -1 }), [{ x: 4, y: 1 }]);
});
