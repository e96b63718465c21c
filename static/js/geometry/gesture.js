/**
 * Arithmetic of fingers: middle, distance and what changed between two moments.
 */

/** @param {{x: number, y: number}[]} points */
export function middleOf(points) {
  const sum = points.reduce((total, point) => ({ x: total.x + point.x, y: total.y + point.y }), { x: 0, y: 0 });
  return { x: sum.x / points.length, y: sum.y / points.length };
}

/** Mean distance of the points from their middle. */
export function spreadOf(points) {
  const middle = middleOf(points);
  return points.reduce((total, point) => total + Math.hypot(point.x - middle.x, point.y - middle.y), 0) / points.length;
}

/** Pan and zoom between two moments of a pinch. */
export function pinchBetween(before, after) {
  const [from, to] = [middleOf(before), middleOf(after)];
  const spread = spreadOf(before);
  return { dx: to.x - from.x, dy: to.y - from.y, at: to, factor: spread > 0 ? spreadOf(after) / spread : 1 };
}

/** Distance of a point from a line between two ends. */
export function distanceFromSegment(point, from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const square = dx * dx + dy * dy;
  const along = square === 0 ? 0 : ((point.x - from.x) * dx + (point.y - from.y) * dy) / square;
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(point.x - from.x - t * dx, point.y - from.y - t * dy);
}
