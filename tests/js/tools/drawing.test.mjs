import assert from "node:assert/strict";
import { test } from "node:test";
import { AngleTool } from "../../../static/js/tools/angle_tool.js";
import { CalibrationTool } from "../../../static/js/tools/calibration_tool.js";
import { CobbTool } from "../../../static/js/tools/cobb_tool.js";
import { EllipseTool } from "../../../static/js/tools/ellipse_tool.js";
import { FreehandTool } from "../../../static/js/tools/freehand_tool.js";
import { LineDistanceTool } from "../../../static/js/tools/line_distance_tool.js";
import { PolygonTool } from "../../../static/js/tools/polygon_tool.js";
import { PolylineTool } from "../../../static/js/tools/polyline_tool.js";
import { SpineTool } from "../../../static/js/tools/spine_tool.js";

/** A pane on which one CSS pixel is one image pixel. */
function paneOf() {
  const pane = {
    draft: null,
    marks: [],
    viewport: {
      frameFacts: { SOPInstanceUID: "1.2.3", FrameNumber: 1 },
      manifest: { stack: "1.2", PixelAspectRatio: [1, 1] },
      problem: "",
      isOnImage: ({ x, y }) => x >= 0 && y >= 0 && x < 100 && y < 100,
      toCss: (point) => point,
    },
    snapped: ({ image }) => image,
    setDraft: (draft) => (pane.draft = draft),
    addMark: (mark) => pane.marks.push(mark),
  };
  return pane;
}

const gesture = (x, y, more) => ({ image: { x, y }, css: { x, y }, isDown: true, hasMoved: false, ...more });

function drag(tool, pane, [fromX, fromY], [toX, toY]) {
  tool.pointerDown(pane, gesture(fromX, fromY));
  tool.pointerMove(pane, gesture(toX, toY, { hasMoved: true }));
  tool.pointerUp(pane, gesture(toX, toY, { hasMoved: true }));
}

function click(tool, pane, x, y) {
  tool.pointerMove(pane, gesture(x, y, { isDown: false }));
  tool.pointerDown(pane, gesture(x, y));
  tool.pointerUp(pane, gesture(x, y));
}

const points = (pane) => pane.marks.at(-1).points.map(({ x, y }) => [x, y]);

test("an ellipse is dragged, or clicked at two corners", () => {
  const [tool, pane] = [new EllipseTool(), paneOf()];
  drag(tool, pane, [1, 2], [11, 12]);
  assert.deepEqual(points(pane), [[1, 2], [11, 12]]);
  click(tool, pane, 5, 5);
  assert.equal(tool.isUnderWay, true);
  click(tool, pane, 9, 8);
  assert.deepEqual(points(pane), [[5, 5], [9, 8]]);
  assert.deepEqual([pane.marks.length, pane.draft, tool.isUnderWay], [2, null, false]);
});

test("an angle takes a drag and a click, or three clicks", () => {
  const [tool, pane] = [new AngleTool(), paneOf()];
  drag(tool, pane, [0, 0], [10, 0]);
  assert.equal(pane.marks.length, 0);
  click(tool, pane, 10, 10);
  assert.deepEqual(points(pane), [[0, 0], [10, 0], [10, 10]]);
  for (const [x, y] of [[1, 1], [2, 5], [7, 8]]) click(tool, pane, x, y);
  assert.deepEqual(points(pane), [[1, 1], [2, 5], [7, 8]]);
});

test("a Cobb angle takes two drags, or four clicks, and nothing follows the pointer between its lines", () => {
  const [tool, pane] = [new CobbTool(), paneOf()];
  drag(tool, pane, [0, 0], [10, 0]);
  tool.pointerMove(pane, gesture(50, 50, { isDown: false }));
  assert.equal(pane.draft.points.length, 2);
  drag(tool, pane, [0, 20], [10, 30]);
  assert.deepEqual(points(pane), [[0, 0], [10, 0], [0, 20], [10, 30]]);
  for (const [x, y] of [[1, 1], [9, 1], [1, 9], [9, 12]]) click(tool, pane, x, y);
  assert.deepEqual(points(pane), [[1, 1], [9, 1], [1, 9], [9, 12]]);
});

test("nothing is begun beside the image, and another frame ends what is under way", () => {
  const [tool, pane] = [new EllipseTool(), paneOf()];
  click(tool, pane, -5, 5);
  assert.equal(tool.isUnderWay, false);
  click(tool, pane, 5, 5);
  pane.viewport.frameFacts = { SOPInstanceUID: "1.2.4", FrameNumber: 1 };
  tool.pointerMove(pane, gesture(9, 9, { isDown: false }));
  assert.equal(tool.isUnderWay, false);
  assert.deepEqual(pane.marks, []);
});

test("a polygon is closed on its first corner or when it is ended", () => {
  const [tool, pane] = [new PolygonTool(), paneOf()];
  for (const [x, y] of [[10, 10], [60, 10], [60, 60], [12, 11]]) click(tool, pane, x, y);
  assert.deepEqual(points(pane), [[10, 10], [60, 10], [60, 60]]);
  for (const [x, y] of [[10, 10], [60, 10], [60, 60], [10, 60], [10, 60]]) click(tool, pane, x, y);
  assert.equal(tool.finish(), true);
  assert.deepEqual(points(pane), [[10, 10], [60, 10], [60, 60], [10, 60]]);
  assert.equal(tool.finish(), false);
});

test("an outline of the hand is kept when it is let go", () => {
  const [tool, pane] = [new FreehandTool(), paneOf()];
  tool.pointerDown(pane, gesture(10, 10));
  for (const [x, y] of [[20, 10], [21, 10], [20, 20]]) tool.pointerMove(pane, gesture(x, y, { hasMoved: true }));
  tool.pointerUp(pane, gesture(20, 20, { hasMoved: true }));
  // A step of one pixel adds nothing.
  assert.deepEqual(points(pane), [[10, 10], [20, 10], [20, 20]]);
});

test("a polyline has the corners that were clicked and ends with Enter, open", () => {
  const [tool, pane] = [new PolylineTool(), paneOf()];
  for (const [x, y] of [[10, 10], [30, 10], [30, 40]]) click(tool, pane, x, y);
  assert.equal(tool.finish(), true);
  assert.deepEqual(pane.marks[0].points, [{ x: 10, y: 10 }, { x: 30, y: 10 }, { x: 30, y: 40 }]);
  assert.equal(pane.marks[0].kind, "polyline");
});

test("the distance to a line takes the line and then a place", () => {
  const [tool, pane] = [new LineDistanceTool(), paneOf()];
  drag(tool, pane, [10, 10], [50, 10]);
  assert.equal(pane.marks.length, 0);
  click(tool, pane, 20, 30);
  assert.deepEqual(pane.marks[0].points, [{ x: 10, y: 10 }, { x: 50, y: 10 }, { x: 20, y: 30 }]);
});

test("a calibration asks how long its line is and takes nothing that is no length", () => {
  const [tool, pane] = [new CalibrationTool(), paneOf()];
  let answer = "two";
  pane.askText = (_css, _text, done) => done(answer);
  pane.showAtPointer = (_css, text) => (pane.said = text);
  drag(tool, pane, [10, 10], [50, 10]);
  assert.equal(pane.marks.length, 0);
  assert.match(pane.said, /Write a length/);
  answer = "2,5 cm";
  drag(tool, pane, [10, 10], [50, 10]);
  assert.equal(pane.marks[0].known_mm, 25);
});

test("an image with a scale of the patient is not calibrated by hand", () => {
  const [tool, pane] = [new CalibrationTool(), paneOf()];
  pane.viewport.manifest.PixelSpacing = { row_mm: 1, column_mm: 1, note: "" };
  pane.showAtPointer = (_css, text) => (pane.said = text);
  drag(tool, pane, [10, 10], [50, 10]);
  assert.equal(pane.marks.length, 0);
  assert.match(pane.said, /scale of its own/);
});

test("vertebrae are named on and on, down the image or up", () => {
  const [tool, pane] = [new SpineTool(), paneOf()];
  pane.askText = (_css, _text, done) => done("t12");
  for (const y of [10, 20, 30]) tool.pointerUp(pane, gesture(50, y));
  assert.deepEqual(pane.marks.map(({ text }) => text), ["T12", "L1", "L2"]);
  tool.pointerUp(pane, gesture(50, 15));
  assert.equal(pane.marks[3].text, "L1");
});
