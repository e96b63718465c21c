/**
 * A scale bar of a round length, only where the scale is known and the same all over what is shown.
 */
import { isSpatial } from "./distance.js";

const ROUND_LENGTHS_MM = Object.freeze(
  [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
);
const MICROMETRES_IN_MM = 1000;
const MM_IN_CM = 10;

/**
 * Millimetres of a device pixel along the screen's horizontal and the source of the scale.
 * @returns {{mm: number, source: string, note: string}|null} null: no stated source
 */
function horizontalScale(manifest, { zoom, rotation, shape }) {
  const scale = uniformScale(manifest);
  if (!scale) return null;
  const isTurned = rotation % 180 !== 0;
  const mm = isTurned ? scale.row_mm / (zoom * shape.height) : scale.column_mm / (zoom * shape.width);
  return { mm, source: scale.source, note: scale.note };
}

/** The scale that holds for the whole image; of an ultrasound image only when exactly one region measures lengths. */
function uniformScale(manifest) {
  const regions = manifest.calibration?.regions ?? [];
  if (regions.length > 0) {
    const spatial = regions.filter(isSpatial);
    if (spatial.length !== 1) return null;
    const [region] = spatial;
    return {
      row_mm: Math.abs(region.delta_y) * MM_IN_CM,
      column_mm: Math.abs(region.delta_x) * MM_IN_CM,
      source: "ultrasound region",
      note: "in the ultrasound region",
    };
  }
  const spacing = manifest.PixelSpacing;
  return spacing && spacing.row_mm > 0 && spacing.column_mm > 0 ? { source: "", note: "", ...spacing } : null;
}

/**
 * The longest round length that takes at most `room` device pixels.
 * @returns {{length: number, label: string, source: string, note: string}|null} length in device pixels
 */
export function scaleBar(manifest, view, room) {
  const scale = horizontalScale(manifest, view);
  if (!scale) return null;
  const fitting = ROUND_LENGTHS_MM.filter((mm) => mm / scale.mm <= room);
  if (fitting.length === 0) return null;
  const mm = fitting[fitting.length - 1];
  return { length: mm / scale.mm, label: roundLength(mm), source: scale.source, note: scale.note };
}

function roundLength(mm) {
  if (mm < 1) return `${Math.round(mm * MICROMETRES_IN_MM)} µm`;
  return mm >= MM_IN_CM ? `${mm / MM_IN_CM} cm` : `${mm} mm`;
}
