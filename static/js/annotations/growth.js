/** How a measurement compares with the same one on a prior: the one of its kind and name. */
import { lengthBetween } from "../geometry/distance.js";
import { AREAS } from "../geometry/shapes.js";
import { angleOf, cardiothoracicRatio, formatArea, joinedLength } from "./mark_values.js";

/**
 * The one number of a measurement that is compared: the longest length, the area, the angle or the ratio.
 * @param {object|null} measured the portal's answer about a shape with an inside
 * @returns {{value: number, unit: string}|null} null where there is none, or only pixels
 */
export function numberOf(mark, manifest, measured = null) {
  const { kind, points } = mark;
  const inMm = ({ value, unit }) => (unit === "mm" ? { value, unit } : null);
  if (kind === "length") return inMm(lengthBetween(manifest, points[0], points[1]));
  if (kind === "bidirectional") {
    const [one, other] = [0, 2].map((at) => lengthBetween(manifest, points[at], points[at + 1]));
    return inMm(one.value >= other.value ? one : other);
  }
  if (kind === "polyline" || kind === "line_distance") return inMm(joinedLength(mark, manifest));
  if (kind === "angle" || kind === "cobb") return { value: angleOf(mark, manifest), unit: "°" };
  if (kind === "cardiothoracic") {
    const value = cardiothoracicRatio(mark, manifest);
    return value === null ? null : { value, unit: "" };
  }
  return AREAS.has(kind) && measured?.unit === "mm" ? { value: measured.area, unit: "mm²" } : null;
}

/** The measurement of a prior that is the same one: of its kind and name. */
export function counterpartOf(mark, others) {
  const name = mark.text.trim().toLowerCase();
  return name ? others.find((other) => other.kind === mark.kind && other.text.trim().toLowerCase() === name) : undefined;
}

function signed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? `±${text}` : `${value > 0 ? "+" : "−"}${text}`;
}

function amount({ value, unit }) {
  if (unit === "mm²") return formatArea(value, "mm");
  if (unit === "°") return `${value.toFixed(1)}°`;
  return `${value.toFixed(unit ? 1 : 2)} ${unit}`.trim();
}

/** "31.9 mm; +5.2 mm, +16 %". @returns {string} empty where the two cannot be compared */
export function growthInWords(now, before) {
  if (!now || !before || now.unit !== before.unit) return "";
  const grown = now.value - before.value;
  const share = before.value > 0 ? `, ${signed((100 * grown) / before.value, 0)} %` : "";
  const gap = now.unit === "°" || !now.unit ? "" : " ";
  return `${amount(before)}; ${signed(grown, now.unit ? 1 : 2)}${gap}${now.unit}${share}`;
}
