/**
 * The shapes that can be drawn: their points, the lines that are drawn of them, their handles and what a drag of one does.
 *
 * Points are image coordinates {x, y}; `aspect` is height and width of a pixel, so that a circle is round and a right
 * angle right in the patient. What the points of each kind are is the same as in viewer/annotations/shapes.py.
 */
const ROUND_STEPS = 72;

/** Kinds with an inside, of which the portal gives the mean. */
export const AREAS = Object.freeze(new Set(["ellipse", "rectangle", "circle", "polygon", "freehand"]));

/** Kinds that are words at a place, without a line. */
export const WORDS = Object.freeze(new Set(["text", "spine"]));

/** Kinds of two lines of two points each. */
const TWO_LINES = new Set(["bidirectional", "cobb", "cardiothoracic"]);

export const KIND_NAMES = Object.freeze({
  length: "Length",
  bidirectional: "Bidirectional",
  angle: "Angle",
  cobb: "Cobb angle",
  polyline: "Polyline",
  line_distance: "Distance to a line",
  cardiothoracic: "Cardiothoracic ratio",
  ellipse: "Ellipse",
  rectangle: "Rectangle",
  circle: "Circle",
  polygon: "Polygon",
  freehand: "Freehand",
  arrow: "Arrow",
  text: "Text",
  spine: "Vertebra",
  calibration: "Calibration",
  key_image: "Key image",
});

/** Corners of the box around an ellipse or rectangle, from the upper left one clockwise. */
function boxOf([one, other]) {
  const [left, right] = [Math.min(one.x, other.x), Math.max(one.x, other.x)];
  const [top, bottom] = [Math.min(one.y, other.y), Math.max(one.y, other.y)];
  return { left, right, top, bottom };
}

/** Radius of a circle across and down, in pixels. */
export function circleRadii([middle, rim], [height, width]) {
  const radius = Math.hypot((rim.x - middle.x) * width, (rim.y - middle.y) * height);
  return { x: radius / width, y: radius / height };
}

function round(middle, radii) {
  return Array.from({ length: ROUND_STEPS + 1 }, (_, step) => {
    const turn = (2 * Math.PI * step) / ROUND_STEPS;
    return { x: middle.x + radii.x * Math.cos(turn), y: middle.y + radii.y * Math.sin(turn) };
  });
}

/** The lines that are drawn of a shape, each a row of points. @returns {{x: number, y: number}[][]} */
export function linesOf({ kind, points }, aspect = [1, 1]) {
  const [first] = points;
  if (TWO_LINES.has(kind)) return [points.slice(0, 2), points.slice(2)].filter((line) => line.length > 1);
  if (kind === "line_distance") return perpendicular(points, aspect);
  if (WORDS.has(kind) || kind === "key_image") return [];
  if (kind === "polygon" || kind === "freehand") return [[...points, first]];
  if (kind === "circle") return points.length < 2 ? [] : [round(first, circleRadii(points, aspect))];
  if (kind !== "ellipse" && kind !== "rectangle") return [points];
  const { left, right, top, bottom } = boxOf(points);
  if (kind === "rectangle") return [cornersOf(points, true)];
  return [round({ x: (left + right) / 2, y: (top + bottom) / 2 }, { x: (right - left) / 2, y: (bottom - top) / 2 })];
}

function cornersOf([one, other], isClosed = false) {
  const corners = [one, { x: other.x, y: one.y }, other, { x: one.x, y: other.y }];
  return isClosed ? [...corners, one] : corners;
}

/** Where a shape can be taken to change it, in the order of `withHandle`. A freehand outline and words have none. */
export function handlesOf({ kind, points }) {
  if (kind === "freehand" || WORDS.has(kind) || kind === "key_image") return [];
  if (kind === "rectangle") return cornersOf(points);
  if (kind === "circle") return points.slice(1);
  if (kind !== "ellipse") return points;
  const [one, other] = points;
  const middle = { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
  return [{ x: one.x, y: middle.y }, { x: middle.x, y: one.y }, { x: other.x, y: middle.y }, { x: middle.x, y: other.y }];
}

/** The points once a handle has been taken to a place. */
export function withHandle({ kind, points }, index, place, aspect = [1, 1]) {
  const [one, other] = points;
  if (kind === "circle") return [one, place];
  if (kind === "rectangle") {
    return [
      [place, other],
      [{ x: one.x, y: place.y }, { x: place.x, y: other.y }],
      [one, place],
      [{ x: place.x, y: one.y }, { x: other.x, y: place.y }],
    ][index];
  }
  if (kind === "ellipse") {
    return [
      [{ ...one, x: place.x }, other],
      [{ ...one, y: place.y }, other],
      [one, { ...other, x: place.x }],
      [one, { ...other, y: place.y }],
    ][index];
  }
  if (kind === "bidirectional") return index < 2 ? withLongAxis(points, index, place, aspect) : withShortAxis(points, index, place, aspect);
  return points.map((point, at) => (at === index ? place : point));
}

/** @param {{x: number, y: number}} by */
export function shifted(points, by) {
  return points.map(({ x, y }) => ({ x: x + by.x, y: y + by.y }));
}

// --- the two axes of a bidirectional measurement, at right angles in the patient --------------------------------------

/** Both ends and the place of the short axis, in the frame of the long one: shares of its length, distances beside it. */
function frameOf([from, to], [height, width]) {
  const along = { x: (to.x - from.x) * width, y: (to.y - from.y) * height };
  const length = Math.hypot(along.x, along.y) || 1;
  const unit = { x: along.x / length, y: along.y / length };
  return {
    length,
    at: (place) => {
      const [x, y] = [(place.x - from.x) * width, (place.y - from.y) * height];
      return { along: x * unit.x + y * unit.y, beside: y * unit.x - x * unit.y };
    },
    point: ({ along: far, beside }) => ({
      x: from.x + (far * unit.x - beside * unit.y) / width,
      y: from.y + (far * unit.y + beside * unit.x) / height,
    }),
  };
}

/** The line, on as far as it is needed, and the perpendicular from it to a place beside it. */
function perpendicular([from, to, place], aspect) {
  if (!place) return [[from, to]];
  const frame = frameOf([from, to], aspect);
  const { along } = frame.at(place);
  const foot = frame.point({ along, beside: 0 });
  const line = along < 0 ? [foot, from, to] : along > frame.length ? [from, to, foot] : [from, to];
  return [line, [foot, place]];
}

/** Distance of a place from the whole line through two others, where a pixel is so high and wide. */
export function distanceFromLine([from, to, place], size) {
  return Math.abs(frameOf([from, to], size).at(place).beside);
}

/** A short axis of half the length through the middle of a long one. */
export function withShortAxisOf([from, to], aspect = [1, 1]) {
  const frame = frameOf([from, to], aspect);
  const [along, beside] = [frame.length / 2, frame.length / 4];
  return [from, to, frame.point({ along, beside: -beside }), frame.point({ along, beside })];
}

function withLongAxis(points, index, place, aspect) {
  const before = frameOf(points, aspect);
  const long = [index === 0 ? place : points[0], index === 1 ? place : points[1]];
  const after = frameOf(long, aspect);
  const ends = points.slice(2).map((end) => {
    const { along, beside } = before.at(end);
    return after.point({ along: (along / before.length) * after.length, beside });
  });
  return [...long, ...ends];
}

function withShortAxis(points, index, place, aspect) {
  const frame = frameOf(points, aspect);
  const taken = frame.at(place);
  const along = Math.max(0, Math.min(frame.length, taken.along));
  const other = index === 2 ? 3 : 2;
  const result = [...points];
  result[index] = frame.point({ along, beside: taken.beside });
  result[other] = frame.point({ along, beside: frame.at(points[other]).beside });
  return result;
}
