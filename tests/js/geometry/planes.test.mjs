import assert from "node:assert/strict";
import { test } from "node:test";
import {
  areParallel, crossing, lieTheSame, middleOf, nearestFrame, planeOf, shareFrameOfReference, toImage, toPatient,
} from "../../../static/js/geometry/planes.js";

const AXIAL = [1, 0, 0, 0, 1, 0];
const CORONAL = [1, 0, 0, 0, 0, -1];
const SAGITTAL = [0, 1, 0, 0, 0, -1];

/** A stack of 100 x 80 pixels (columns x rows), 1 mm between columns and 2 mm between rows. */
function stack(orientation, positions, changes = {}) {
  const frames = positions.map((position) => ({ ImagePositionPatient: position, ImageOrientationPatient: orientation }));
  return { Columns: 100, Rows: 80, PixelSpacing: { row_mm: 2, column_mm: 1 }, FrameOfReferenceUID: "1.2.3", frames, ...changes };
}

function isNear(one, other) {
  for (const key of Object.keys(other)) assert.ok(Math.abs(one[key] - other[key]) < 1e-9, `${key}: ${one[key]} is not ${other[key]}`);
}

test("the centre of the first pixel is the position of the image", () => {
  const plane = planeOf(stack(AXIAL, [[-50, -80, 30]]), 1);
  assert.deepEqual(toPatient(plane, { x: 0.5, y: 0.5 }), [-50, -80, 30]);
  // Ten columns of 1 mm and five rows of 2 mm further on.
  assert.deepEqual(toPatient(plane, { x: 10.5, y: 5.5 }), [-40, -70, 30]);
  isNear(toImage(plane, [-40, -70, 99]), { x: 10.5, y: 5.5 });
  assert.deepEqual(middleOf(plane), [-0.5, -1, 30]);
});

test("without position, orientation or spacing there is no plane", () => {
  assert.equal(planeOf(stack(AXIAL, [null]), 1), null);
  assert.equal(planeOf(stack(null, [[0, 0, 0]]), 1), null);
  assert.equal(planeOf(stack([1, 0, 0, 1, 0, 0], [[0, 0, 0]]), 1), null);
  assert.equal(planeOf(stack(AXIAL, [[0, 0, 0]], { PixelSpacing: null }), 1), null);
  assert.equal(planeOf(null, 1), null);
});

test("an axial plane crosses a coronal image in a level line where its height lies", () => {
  // Rows go down from H 60 by 2 mm: H 30 is the centre of row 15.
  const coronal = planeOf(stack(CORONAL, [[-50, 10, 60]]), 1);
  const axial = planeOf(stack(AXIAL, [[-50, -80, 30]]), 1);
  const { from, to } = crossing(coronal, axial);
  const [left, right] = from.x < to.x ? [from, to] : [to, from];
  isNear(left, { x: 0, y: 15.5 });
  isNear(right, { x: 100, y: 15.5 });
});

test("a sagittal plane crosses an axial image in an upright line", () => {
  const axial = planeOf(stack(AXIAL, [[-50, -80, 30]]), 1);
  const sagittal = planeOf(stack(SAGITTAL, [[-20, -80, 60]]), 1);
  const { from, to } = crossing(axial, sagittal);
  assert.deepEqual([from.x, to.x], [30.5, 30.5]);
  assert.deepEqual([from.y, to.y].sort((one, other) => one - other), [0, 80]);
});

test("an oblique plane crosses at its angle", () => {
  // Turned by 45 degrees about the foot-head axis through the origin: x = y there.
  const half = Math.SQRT1_2;
  const axial = planeOf(stack(AXIAL, [[0, 0, 0]]), 1);
  const oblique = planeOf(stack([half, half, 0, 0, 0, -1], [[0, 0, 0]]), 1);
  const { from, to } = crossing(axial, oblique);
  const [first, last] = from.x < to.x ? [from, to] : [to, from];
  // x - 0.5 columns of 1 mm are y - 0.5 rows of 2 mm: from the left edge at y 0.25 to the right edge at y 50.25.
  isNear(first, { x: 0, y: 0.25 });
  isNear(last, { x: 100, y: 50.25 });
});

test("planes that are parallel, or meet outside the image, do not cross it", () => {
  const axial = planeOf(stack(AXIAL, [[-50, -80, 30]]), 1);
  assert.equal(crossing(axial, planeOf(stack(AXIAL, [[-50, -80, 40]]), 1)), null);
  assert.equal(crossing(axial, planeOf(stack(SAGITTAL, [[51, -80, 60]]), 1)), null);
  assert.notEqual(crossing(axial, planeOf(stack(SAGITTAL, [[49, -80, 60]]), 1)), null);
});

test("ten degrees is the end of one orientation", () => {
  const tilted = (degrees) => {
    const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    return planeOf(stack([1, 0, 0, 0, c, s], [[0, 0, 0]]), 1);
  };
  const axial = tilted(0);
  assert.ok(areParallel(axial, tilted(9.9)) && lieTheSame(axial, tilted(9.9)));
  assert.ok(!areParallel(axial, tilted(10.1)) && !lieTheSame(axial, tilted(10.1)));
});

test("a prone image is parallel to a supine one and does not lie the same", () => {
  const [supine, prone] = [AXIAL, [-1, 0, 0, 0, -1, 0]].map((one) => planeOf(stack(one, [[0, 0, 0]]), 1));
  assert.ok(areParallel(supine, prone));
  assert.ok(!lieTheSame(supine, prone));
});

test("the nearest frame is found along the normal, whatever lies beside", () => {
  const axial = stack(AXIAL, [[0, 0, 0], [0, 0, 5], [0, 0, 10]]);
  assert.deepEqual(nearestFrame(axial, [400, -300, 6]), { frame: 2, distance: 1 });
  assert.deepEqual(nearestFrame(axial, [0, 0, 99]), { frame: 3, distance: 89 });
  assert.equal(nearestFrame(axial, [0, 0, 0], planeOf(stack(CORONAL, [[0, 0, 0]]), 1)), null);
});

test("frames of reference are compared only where both are named", () => {
  const stackIn = (uid) => ({ FrameOfReferenceUID: uid });
  assert.ok(shareFrameOfReference(stackIn("1.2"), stackIn("1.2")));
  assert.ok(!shareFrameOfReference(stackIn("1.2"), stackIn("1.3")));
  assert.ok(!shareFrameOfReference(stackIn(""), stackIn("")));
});
