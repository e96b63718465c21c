/**
 * Zoom and centre of pictures that are hung together: one scale in millimetres, each at its side of the viewport.
 */
import { centerForPan, turnedSize } from "../geometry/view_transform.js";
import { middleOfImage, resolved } from "../viewport/view_state.js";

/**
 * @typedef {object} Hung
 * @property {object} manifest
 * @property {import("../viewport/view_state.js").ViewState} view
 * @property {{width: number, height: number}} size of the viewport, device pixels
 * @property {""|"left"|"right"} align
 */

/**
 * The largest scale at which every picture is seen whole; each its own where they cannot be compared in millimetres.
 * @param {Hung[]} hung
 * @param {{isOneScale: boolean}} options
 * @returns {{zoom: number, center: {x: number, y: number}}[]}
 */
export function zoomsOf(hung, { isOneScale }) {
  const fitted = hung.map(({ manifest, view, size }) => resolved({ ...view, zoom: "fit" }, manifest, size));
  const spacings = hung.map(({ manifest: { PixelSpacing: one } }) => (one ? Math.min(one.row_mm, one.column_mm) : 0));
  const canCompare = isOneScale && spacings.every((spacing) => spacing > 0);
  const pixelsInMm = Math.min(...fitted.map(({ zoom }, index) => zoom / spacings[index]));
  return hung.map((one, index) => {
    const zoom = canCompare ? pixelsInMm * spacings[index] : fitted[index].zoom;
    return { zoom, center: aligned(one, { ...fitted[index], zoom }) };
  });
}

/** The centre that puts the picture at its side of the viewport. */
function aligned({ manifest, size, align }, view) {
  const { width } = turnedSize({ columns: manifest.Columns, rows: manifest.Rows, ...view });
  const rest = Math.max(0, size.width - width * view.zoom) / 2;
  const center = middleOfImage(manifest);
  if (!align || !rest) return center;
  return centerForPan({ ...view, center }, align === "right" ? rest : -rest, 0);
}
