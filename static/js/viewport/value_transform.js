/**
 * What a frame's values go through before they are seen, from the facts of the manifest and what the reader has chosen;
 * null where only the server knows it, which then draws windowed tiles.
 *
 * The facts are columns: one entry a frame, or a single one where all frames agree (viewer/stacks/value_facts.py).
 */

/** Limits of a window that is asked for, as the server has them: beyond, it answers with a sentence. */
const WINDOW_LIMIT = 1e12;
const SMALLEST_WIDTH = 1e-15;

const decoded = new WeakMap();

/** Entry of a frame (from 1) in a column. */
export function entryOf(column, frame) {
  return column.length === 1 ? column[0] : column[frame - 1];
}

/**
 * @param {object} manifest of the stack
 * @param {number} frame from 1
 * @param {{window: object, inverted: boolean, map?: string}} view
 * @param {Record<string, Uint8Array>} maps color maps that are here, by name
 * @returns {import("./display_table.js").DisplayTransform|null}
 */
export function displayTransform(manifest, frame, { window, inverted, map = "grey" }, maps = {}) {
  const { values } = manifest;
  if (!values || (map !== "grey" && !maps[map])) return null;
  const voi = voiOf(values, frame, window);
  if (!voi) return null;
  return { ...storedTransform(manifest, frame), voi, readerInverted: Boolean(inverted), map: map === "grey" ? null : maps[map] };
}

/** The part that leads from words to modality values. */
export function storedTransform({ values }, frame) {
  const modalityLut = entryOf(values.modality_lut, frame);
  return {
    offset: values.offset,
    slope: entryOf(values.slope, frame),
    intercept: entryOf(values.intercept, frame),
    modalityLut: modalityLut === null ? null : tableOf(values.modality_luts[modalityLut], Uint16Array),
    padding: entryOf(values.padding, frame),
    imageInverted: entryOf(values.inverted, frame),
  };
}

function voiOf(values, frame, window) {
  const { key } = window;
  if (key === null) return listed(values, entryOf(values.own, frame));
  if (key === "file") return listed(values, entryOf(values.file, frame));
  if (key === "auto") return values.automatic;
  if (key.startsWith("lut-")) return listed(values, entryOf(values.luts, frame)[Number(key.slice(4)) - 1]);
  return isLegal(window) ? { center: window.center, width: window.width, function: window.function ?? "linear" } : null;
}

function isLegal({ center, width, function: voiFunction = "linear" }) {
  const least = voiFunction === "linear" ? 1 : SMALLEST_WIDTH;
  return Math.abs(center) <= WINDOW_LIMIT && width >= least && width <= WINDOW_LIMIT;
}

function listed(values, place) {
  const voi = place === null || place === undefined ? null : values.vois[place];
  return voi?.entries ? tableOf(voi, Uint8Array) : voi;
}

/** A table with its entries as numbers instead of base 64; little-endian, as every browser's machine is. */
function tableOf(table, Type) {
  if (!decoded.has(table)) {
    decoded.set(table, { first: table.first, entries: new Type(bytesOf(table.entries).buffer) });
  }
  return decoded.get(table);
}

/** @param {string} text base 64 */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
