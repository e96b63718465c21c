/**
 * Where the parts of a measurement lie on the screen, and which part a pointer is on; CSS pixels of the viewport.
 */
import { distanceFromSegment } from "../geometry/gesture.js";
import { handlesOf, linesOf } from "../geometry/shapes.js";

const HANDLE_PX = 9;
const LINE_PX = 6;
const LABEL_GAP_PX = 12;
/** An end of a measurement draws another to itself from so near. */
const SNAP_PX = 8;

/**
 * The end of a measurement that a pointer is near enough to snap to; null where there is none.
 * @param {{x: number, y: number}} css of the pointer
 * @param {object[]} marks
 * @param {(point: object) => {x: number, y: number}} toCss
 */
export function endNear(css, marks, toCss) {
  const far = (end) => Math.hypot(toCss(end).x - css.x, toCss(end).y - css.y);
  const nearest = marks.flatMap(handlesOf).reduce((best, end) => (best && far(best) <= far(end) ? best : end), null);
  return nearest && far(nearest) <= SNAP_PX ? { x: nearest.x, y: nearest.y } : null;
}

/**
 * The lines and handles of a mark and the place of its label.
 * @param {(point: object) => {x: number, y: number}} toCss
 * @param {[number, number]} [aspect] height and width of a pixel
 */
export function layout(mark, toCss, aspect = [1, 1]) {
  const lines = linesOf(mark, aspect).map((line) => line.map(toCss));
  const handles = handlesOf(mark).map(toCss);
  const all = lines.length ? lines.flat() : mark.points.map(toCss);
  const right = all.reduce((found, point) => (point.x > found.x ? point : found), all[0] ?? { x: 0, y: 0 });
  // Beside the right end: never over what lies between the ends. A text stands where it was put.
  const gap = mark.kind === "text" ? { x: 0, y: 0 } : { x: LABEL_GAP_PX, y: LABEL_GAP_PX / 3 };
  const place = { x: right.x + gap.x, y: right.y + gap.y };
  const label = mark.label ? { x: place.x + mark.label.x, y: place.y + mark.label.y } : place;
  return { lines, handles, place, label, anchor: right };
}

/**
 * @param {{x: number, y: number}} point
 * @param {object[]} marks
 * @param {{reach?: number, aspect?: [number, number]}} [options] reach: how much further a finger reaches than a mouse
 * @returns {{id: string, part: "handle"|"line", index: number}|null}
 */
export function hitMark(point, marks, toCss, { reach = 1, aspect = [1, 1] } = {}) {
  for (const mark of [...marks].reverse()) {
    const { lines, handles } = layout(mark, toCss, aspect);
    const far = (end) => Math.hypot(point.x - end.x, point.y - end.y);
    const index = handles.findLastIndex((end) => far(end) <= HANDLE_PX * reach);
    if (index >= 0) return { id: mark.id, part: "handle", index };
    const isOn = lines.some((line) => line.some((end, at) => at > 0 && distanceFromSegment(point, line[at - 1], end) <= LINE_PX * reach));
    if (isOn) return { id: mark.id, part: "line", index: -1 };
  }
  return null;
}
