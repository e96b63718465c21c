/**
 * What stands beside a measurement: at most three values, more for the one that is looked at.
 */
import { axisDifferences, formatLength, lengthBetween, scaleOf } from "../geometry/distance.js";
import { distanceFromLine, WORDS } from "../geometry/shapes.js";

const SQUARE_MM_IN_CM = 100;

function directionOf(from, to, [height, width]) {
  return { x: (to.x - from.x) * width, y: (to.y - from.y) * height };
}

/** Degrees between two directions, 0 to 180. */
function between(one, other) {
  const turn = Math.atan2(one.x * other.y - one.y * other.x, one.x * other.x + one.y * other.y);
  return Math.abs((turn * 180) / Math.PI);
}

/**
 * Degrees at the vertex, 0 to 180; of a Cobb between the two lines, 0 to 90, however each was drawn.
 * @param {object} manifest of the stack
 */
export function angleOf({ kind, points }, manifest) {
  const scale = scaleOf(manifest, points);
  const size = scale ? [scale.row_mm, scale.column_mm] : (manifest.PixelAspectRatio ?? [1, 1]);
  if (kind === "angle") return between(directionOf(points[1], points[0], size), directionOf(points[1], points[2], size));
  const found = between(directionOf(points[0], points[1], size), directionOf(points[2], points[3], size));
  return Math.min(found, 180 - found);
}

/** "4.27 cm²", "32.0 mm²", "12 px". */
export function formatArea(area, unit) {
  if (unit !== "mm") return `${area.toFixed(0)} px`;
  return area >= SQUARE_MM_IN_CM ? `${(area / SQUARE_MM_IN_CM).toFixed(2)} cm²` : `${area.toFixed(1)} mm²`;
}

/** One decimal; more where all values are small. */
export function formatValue(value, span = Math.abs(value)) {
  if (span >= 10) return value.toFixed(1);
  return Math.abs(value) < 1e-3 && value !== 0 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

function withUnit(text, unit) {
  return unit ? `${text} ${unit}` : text;
}

/**
 * @param {object} mark
 * @param {object} manifest of its stack
 * @param {object|null} measured the portal's answer about a shape with an inside; null as long as there is none
 * @returns {{lines: string[], details: string[]}}
 */
export function valuesOf(mark, manifest, measured = null) {
  const { kind, points } = mark;
  if (kind === "key_image") return { lines: [], details: [] };
  if (kind === "arrow" || WORDS.has(kind)) return { lines: mark.text ? [mark.text] : [], details: [] };
  const named = mark.text ? [mark.text] : [];
  if (kind === "angle" || kind === "cobb") {
    const isWhole = points.length === (kind === "angle" ? 3 : 4);
    const word = kind === "cobb" ? "Cobb " : "";
    return { lines: isWhole ? [...named, `${word}${angleOf(mark, manifest).toFixed(1)}°`] : named, details: [] };
  }
  if (kind === "length" || kind === "bidirectional") return lengthsOf(mark, manifest, named);
  if (kind === "polyline" || kind === "line_distance") return lineValues(mark, manifest, named);
  if (kind === "cardiothoracic") return ratioValues(mark, manifest, named);
  if (kind === "calibration") return { lines: [`known ${formatLength({ value: mark.known_mm ?? NaN, unit: "mm" })}`], details: ["Lengths on this image are scaled by it where the file has no scale of the patient."] };
  return measured ? areaValues(measured, named) : { lines: [...named, "…"], details: [] };
}

/** Word of each axis of a spectrum or an M-mode. */
const DIFFERENCES = { s: "Δt", "cm/s": "Δv", mm: "depth" };

/** "Δt 312 ms", "Δv 45.2 cm/s". */
function differenceText({ value, unit }) {
  const said = unit === "s" ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(1)} ${unit}`;
  return `${DIFFERENCES[unit]} ${said}`;
}

/** A length that points make together: the way along a polyline, or the distance from a line. */
export function joinedLength({ kind, points }, manifest) {
  const scale = scaleOf(manifest, points);
  const size = scale ? [scale.row_mm, scale.column_mm] : [1, 1];
  const far = (one, other) => Math.hypot((other.x - one.x) * size[1], (other.y - one.y) * size[0]);
  const value = kind === "polyline" ? points.slice(1).reduce((sum, point, at) => sum + far(points[at], point), 0) : distanceFromLine(points, size);
  return { value, unit: scale ? "mm" : "px", note: scale ? scale.note : "no scale in the file here" };
}

function lineValues(mark, manifest, named) {
  if (mark.kind === "line_distance" && mark.points.length < 3) return { lines: named, details: [] };
  const found = joinedLength(mark, manifest);
  return { lines: [...named, `${formatLength(found)}${starOf(found)}`], details: found.note ? [found.note] : [] };
}

/** Marks millimetres that need a word of explanation. */
function starOf({ note, unit }) {
  return note && unit === "mm" ? " *" : "";
}

/** Width of the heart as a part of that of the chest; null as long as one of them is missing. */
export function cardiothoracicRatio({ points }, manifest) {
  if (points.length < 4) return null;
  const [height, width] = manifest.PixelAspectRatio ?? [1, 1];
  const far = (one, other) => Math.hypot((other.x - one.x) * width, (other.y - one.y) * height);
  const chest = far(points[2], points[3]);
  return chest > 0 ? far(points[0], points[1]) / chest : null;
}

function ratioValues(mark, manifest, named) {
  const ratio = cardiothoracicRatio(mark, manifest);
  if (ratio === null) return { lines: [...named, "heart, then chest"], details: [] };
  const [heart, chest] = [0, 2].map((at) => lengthBetween(manifest, mark.points[at], mark.points[at + 1]));
  const widths = `heart ${formatLength(heart)}${starOf(heart)}, chest ${formatLength(chest)}${starOf(chest)}`;
  return { lines: [...named, `CTR ${ratio.toFixed(2)}`], details: [widths, heart.note].filter(Boolean) };
}

function lengthsOf({ kind, points }, manifest, named) {
  const differences = kind === "length" ? axisDifferences(manifest, points[0], points[1]) : [];
  if (differences.length) return { lines: [...named, ...differences.map(differenceText)], details: [] };
  const found = [lengthBetween(manifest, points[0], points[1])];
  if (points.length === 4) found.push(lengthBetween(manifest, points[2], points[3]));
  found.sort((one, other) => other.value - one.value);
  const { note } = found[0];
  const star = starOf(found[0]);
  const names = kind === "length" ? [""] : ["long ", "short "];
  return { lines: [...named, ...found.map((one, index) => `${names[index]}${formatLength(one)}${star}`)], details: note ? [note] : [] };
}

function areaValues({ statistics, suv, area, unit, note }, named) {
  const numbers = suv ?? statistics;
  const hasMean = Number.isFinite(numbers.mean);
  const star = note && unit === "mm" ? " *" : "";
  const span = hasMean ? Math.max(Math.abs(numbers.minimum), Math.abs(numbers.maximum)) : 0;
  const said = suv ? `${suv.unit} ${suv.name}` : statistics.unit;
  const value = (number) => withUnit(formatValue(number, span), said);
  const shown = [
    hasMean ? `mean ${value(numbers.mean)}` : "",
    hasMean ? `SD ${formatValue(numbers.sd, span)}` : "",
    `area ${formatArea(area, unit)}${star}`,
  ].filter(Boolean);
  const details = [
    hasMean ? `min ${formatValue(numbers.minimum, span)}, max ${value(numbers.maximum)}` : "",
    `${statistics.count} pixels`,
    !suv && statistics.source ? `unit by ${statistics.source}` : "",
    statistics.note,
    note,
  ].filter(Boolean);
  // Three values at most: with a name the spread is a detail.
  if (named.length && hasMean) return { lines: [...named, shown[0], shown[2]], details: [shown[1], ...details] };
  return { lines: [...named, ...shown], details };
}
