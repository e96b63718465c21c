/**
 * Lengths in millimetres, only where the file states a source for them; in pixels everywhere else.
 *
 * Points are image coordinates {x: columns, y: rows}. A viewport that is zoomed, turned or mirrored changes nothing.
 */

/** Physical Units X/Y Direction: 3 is cm, 4 seconds, 7 cm/s (PS3.3 C.8.5.5.1.15). */
const UNITS_CM = 3;
const KNOWN_UNITS = Object.freeze([3, 4, 7]);
const MM_IN_CM = 10;
const MICROMETRES_IN_MM = 1000;
/** Pixels smaller than this are those of a microscope: detectors for patients have larger ones. */
const MICROSCOPIC_MM = 0.01;

function isInside(region, { x, y }) {
  // Corners are pixel indices, both inclusive (PS3.3 C.8.5.5.1.1); the last pixel reaches to the next index.
  return x >= region.x0 && x < region.x1 + 1 && y >= region.y0 && y < region.y1 + 1;
}

/** Regions without units, which scanners write over the whole screen, do not count. */
function hasUnits(region) {
  const isKnown = (units, delta) => KNOWN_UNITS.includes(units) && Number.isFinite(delta) && delta !== 0;
  return isKnown(region.units_x, region.delta_x) || isKnown(region.units_y, region.delta_y);
}

/** Whether both directions of an ultrasound region are lengths with a usable scale. */
export function isSpatial(region) {
  const hasScale = Math.abs(region.delta_x) > 0 && Math.abs(region.delta_y) > 0;
  return region.units_x === UNITS_CM && region.units_y === UNITS_CM && hasScale;
}

/**
 * The one region with units that holds both points; null when there is none, or more than one.
 * Never simply the first: an end in another region, or in two at once, has no known scale.
 */
function regionOfBoth(regions, from, to) {
  const at = (point) => regions.filter((region) => hasUnits(region) && isInside(region, point));
  const [atFrom, atTo] = [at(from), at(to)];
  return atFrom.length === 1 && atTo.length === 1 && atFrom[0] === atTo[0] ? atFrom[0] : null;
}

/** The region of both points, if it measures lengths. */
export function regionUnder(regions, from, to) {
  const region = regionOfBoth(regions, from, to);
  return region && isSpatial(region) ? region : null;
}

/**
 * What a caliper across a spectrum or an M-mode reads: for each direction with units its difference.
 * @returns {{axis: "x"|"y", value: number, unit: "mm"|"s"|"cm/s"}[]} empty outside of such regions
 */
export function axisDifferences(manifest, from, to) {
  const region = regionOfBoth(manifest.calibration?.regions ?? [], from, to);
  if (!region || isSpatial(region)) return [];
  const read = (axis) => {
    const [units, delta] = [region[`units_${axis}`], Math.abs(region[`delta_${axis}`])];
    const known = { [UNITS_CM]: ["mm", MM_IN_CM], 4: ["s", 1], 7: ["cm/s", 1] }[units];
    if (!known || !(delta > 0)) return null;
    return { axis, value: Math.abs(to[axis] - from[axis]) * delta * known[1], unit: known[0] };
  };
  return [read("x"), read("y")].filter(Boolean);
}

/** What is said of every value that rests on a calibration by hand. */
export const CALIBRATED_BY_HAND = "Calibrated by hand on this image.";

/**
 * The scale that somebody's calibration of the image gives; null where it does not count: what a file says of the
 * patient's own plane, and of an ultrasound region, stands.
 */
function scaleByHand(manifest) {
  const { byHand, PixelAspectRatio } = manifest;
  if (!byHand || !mayBeCalibrated(manifest)) return null;
  const [height, width] = PixelAspectRatio ?? [1, 1];
  const [from, to] = byHand.points;
  const factor = byHand.known_mm / Math.hypot((to.x - from.x) * width, (to.y - from.y) * height);
  if (!Number.isFinite(factor)) return null;
  return { row_mm: height * factor, column_mm: width * factor, source: "manual calibration", note: CALIBRATED_BY_HAND };
}

/** Whether a calibration by hand would count on an image. */
export function mayBeCalibrated(manifest) {
  return !manifest.calibration?.regions?.length && !(manifest.PixelSpacing && !manifest.PixelSpacing.note);
}

/**
 * The scale under all of some points of an image.
 * @param {object} manifest of the stack: PixelSpacing and calibration, and a calibration of the image by hand
 * @param {{x: number, y: number}[]} points
 * @returns {{row_mm: number, column_mm: number, source: string, note: string}|null}
 */
export function scaleOf(manifest, points) {
  const regions = manifest.calibration?.regions ?? [];
  const byHand = scaleByHand(manifest);
  if (byHand) return byHand;
  if (regions.length > 0) {
    const under = points.map((point) => regionUnder(regions, points[0], point));
    const [region] = under;
    if (!region || under.some((one) => one !== region)) return null;
    return {
      row_mm: Math.abs(region.delta_y) * MM_IN_CM,
      column_mm: Math.abs(region.delta_x) * MM_IN_CM,
      source: "ultrasound region",
      note: "",
    };
  }
  const spacing = manifest.PixelSpacing;
  if (!spacing || !(spacing.row_mm > 0 && spacing.column_mm > 0)) return null;
  return { row_mm: spacing.row_mm, column_mm: spacing.column_mm, source: spacing.source ?? "", note: spacing.note ?? "" };
}

/** The scale between two points of an image, as `scaleOf`. */
export function scaleBetween(manifest, from, to) {
  return scaleOf(manifest, [from, to]);
}

/**
 * @returns {{value: number, unit: "mm"|"px", source: string, note: string, isMicroscopic?: boolean}}
 */
export function lengthBetween(manifest, from, to) {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const scale = scaleBetween(manifest, from, to);
  if (!scale) return { value: Math.hypot(dx, dy), unit: "px", source: "", note: "no scale in the file here" };
  return {
    value: Math.hypot(dx * scale.column_mm, dy * scale.row_mm),
    unit: "mm",
    source: scale.source,
    note: scale.note,
    ...(Math.max(scale.column_mm, scale.row_mm) < MICROSCOPIC_MM && { isMicroscopic: true }),
  };
}

/** One decimal below 100, as is usual; never more than was measured. What is seen through a microscope is in micrometres. */
export function formatLength({ value, unit, isMicroscopic = false }) {
  if (isMicroscopic && value < 1) return formatLength({ value: value * MICROMETRES_IN_MM, unit: "µm" });
  const digits = value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}
