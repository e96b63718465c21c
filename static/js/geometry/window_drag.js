/**
 * Window centre and width while a pointer is dragged: sideways width, up and down level.
 */

/** A drag over this many CSS pixels changes the width by as much as it was. */
const PIXELS_FOR_WIDTH = 300;

/** Rounds to what the eye can tell: whole numbers for wide windows, a hundredth of the width for narrow ones. */
function tidy(value, width) {
  if (width >= 50) return Math.round(value);
  const quantum = 10 ** (Math.floor(Math.log10(width)) - 2);
  return Number((Math.round(value / quantum) * quantum).toPrecision(12));
}

/** The narrowest window that its function allows (PS3.3 C.11.2.1.2: 1 for LINEAR, above 0 for the others). */
export function leastWidth(window, startWidth) {
  return (window.function ?? "linear") === "linear" ? 1 : startWidth / 1000;
}

/**
 * @param {{center: number, width: number, function?: string}} start window when the drag began
 * @param {number} dx CSS pixels to the right: wider
 * @param {number} dy CSS pixels downwards: lower level
 * @param {{inverted?: boolean}} [options] inverted: both directions the other way round
 */
export function draggedWindow(start, dx, dy, { inverted = false } = {}) {
  const sign = inverted ? -1 : 1;
  const pace = Math.max(start.width, leastWidth(start, start.width)) / PIXELS_FOR_WIDTH;
  const least = leastWidth(start, start.width);
  const width = Math.max(least, tidy(start.width + sign * dx * pace, start.width));
  const center = tidy(start.center - sign * dy * pace, start.width);
  return { center, width, function: start.function ?? "linear", name: "" };
}

/** A number of a window for people: no more digits than it needs. */
export function windowNumber(value) {
  if (!Number.isFinite(value)) return "—";
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  return Math.abs(value) >= 1000 ? value.toPrecision(6).replace(/\.?0+$/, "") : String(Number(value.toPrecision(3)));
}
