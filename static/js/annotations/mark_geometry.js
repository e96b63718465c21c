/**
 * Where the parts of a measurement lie on the screen, and which part a pointer is on; CSS pixels of the viewport.
 */
import { distanceFromSegment } from "../geometry/gesture.js";

const HANDLE_PX = 9;
const LINE_PX = 6;
const LABEL_GAP_PX = 12;

/** The ends of a mark and the place of its label. @param {(point: object) => {x: number, y: number}} toCss */
export function layout(mark, toCss) {
  const [from, to] = [toCss(mark.from), toCss(mark.to)];
  const right = from.x >= to.x ? from : to;
  // Beside the right end: never over what lies between the ends.
  const place = { x: right.x + LABEL_GAP_PX, y: right.y + LABEL_GAP_PX / 3 };
  const label = mark.label ? { x: place.x + mark.label.x, y: place.y + mark.label.y } : place;
  return { from, to, place, label, anchor: right };
}

/**
 * @param {{x: number, y: number}} point
 * @param {object[]} marks
 * @param {{reach?: number}} [options] reach: how much further a finger reaches than a mouse
 * @returns {{id: string, part: "from"|"to"|"line"}|null}
 */
export function hitMark(point, marks, toCss, { reach = 1 } = {}) {
  for (const mark of [...marks].reverse()) {
    const { from, to } = layout(mark, toCss);
    for (const [part, end] of [["to", to], ["from", from]]) {
      if (Math.hypot(point.x - end.x, point.y - end.y) <= HANDLE_PX * reach) return { id: mark.id, part };
    }
    if (distanceFromSegment(point, from, to) <= LINE_PX * reach) return { id: mark.id, part: "line" };
  }
  return null;
}
