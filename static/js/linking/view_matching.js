/**
 * Zoom, pan and window of one viewport as another shows the same: equal millimetres on the screen around the same place.
 */
import { lieTheSame, planeOf, shareFrameOfReference, toImage, toPatient } from "../geometry/planes.js";
import { clampZoom } from "../geometry/view_transform.js";
import { middleOfImage, ownWindow, resolved } from "../viewport/view_state.js";
import { explicitWindow } from "../viewport/window_choice.js";

/**
 * @typedef {object} Shown what a viewport shows
 * @property {object} manifest
 * @property {number} frame
 * @property {import("../viewport/view_state.js").ViewState} view
 * @property {{width: number, height: number}} size
 */

function leastSpacing({ PixelSpacing: spacing }) {
  return spacing ? Math.min(spacing.row_mm, spacing.column_mm) : 0;
}

/**
 * @param {Shown} source
 * @param {Shown} target
 * @returns {{zoom: "fit"|number, center: {x: number, y: number}}|null} null where the two do not lie the same way
 */
export function matchingZoom(source, target) {
  const [from, to] = [planeOf(source.manifest, source.frame), planeOf(target.manifest, target.frame)];
  if (Boolean(from) !== Boolean(to) || (from && !lieTheSame(from, to))) return null;
  if (source.view.zoom === "fit") return { zoom: "fit", center: middleOfImage(target.manifest) };
  const now = resolved(source.view, source.manifest, source.size);
  const isSamePlace = from && shareFrameOfReference(source.manifest, target.manifest);
  const center = isSamePlace ? toImage(to, toPatient(from, now.center)) : sameOffCenter(now.center, source.manifest, target.manifest);
  return { zoom: sameSize(now.zoom, source, target), center };
}

/** Equal millimetres, or equally much of the whole where there are none. */
function sameSize(zoom, source, target) {
  const [one, other] = [leastSpacing(source.manifest), leastSpacing(target.manifest)];
  if (one && other) return clampZoom((zoom * other) / one);
  const fitted = ({ view, manifest, size }) => resolved({ ...view, zoom: "fit" }, manifest, size).zoom;
  return clampZoom((zoom / fitted(source)) * fitted(target));
}

/** As far from the middle of the image: in millimetres, or as a share of the image. */
function sameOffCenter(center, one, other) {
  const [from, to] = [middleOfImage(one), middleOfImage(other)];
  const inMm = one.PixelSpacing && other.PixelSpacing;
  const x = inMm ? one.PixelSpacing.column_mm / other.PixelSpacing.column_mm : other.Columns / one.Columns;
  const y = inMm ? one.PixelSpacing.row_mm / other.PixelSpacing.row_mm : other.Rows / one.Rows;
  return { x: to.x + (center.x - from.x) * x, y: to.y + (center.y - from.y) * y };
}

/**
 * The window of one stack on another of the same modality; null where it means nothing there.
 * @param {Shown} source
 * @param {Shown} target
 */
export function matchingWindow(source, target) {
  const { window } = source.view;
  const isSameKind = source.manifest.Modality === target.manifest.Modality && source.manifest.unit === target.manifest.unit;
  if (!isSameKind || source.manifest.color || target.manifest.color) return null;
  if (window.key === null || window.key === undefined) return ownWindow(target.view, target.manifest);
  return Number.isFinite(window.width) && Number.isFinite(window.center) ? explicitWindow(window) : null;
}
