/**
 * A window as a viewport holds it and as an address carries it.
 *
 * `key` is what the `window` parameter takes ("40,400,linear", "file", "auto", "lut-1"); null is the stack's own window.
 * Centre and width stand beside it where they are known.
 */
import { windowNumber } from "../geometry/window_drag.js";

/**
 * @typedef {object} WindowChoice
 * @property {string|null} key
 * @property {number} [center]
 * @property {number} [width]
 * @property {string} [function] linear, linear-exact or sigmoid
 * @property {string} [name]
 */

/** @returns {WindowChoice} */
export function explicitWindow({ center, width, function: voiFunction = "linear", name = "" }) {
  return { key: `${center},${width},${voiFunction}`, center, width, function: voiFunction, name };
}

/** The window a stack is first shown with. */
export function stackWindow(manifest) {
  const own = manifest.window;
  if (!own) return { key: null, name: "" };
  return { key: null, center: own.center, width: own.width, function: own.function ?? "linear", name: own.name ?? "" };
}

/** Reads what an address carries; null when it is nothing known. */
export function parseWindow(text, manifest) {
  if (!text) return stackWindow(manifest);
  const known = (manifest.windows ?? []).find((one) => one.key === text);
  if (known) return { ...known };
  if (text === "file" || text === "auto" || /^lut-[1-9]\d?$/.test(text)) return { key: text, name: "" };
  const [center, width, voiFunction = "linear"] = text.split(",");
  const numbers = [Number(center), Number(width)];
  if (!numbers.every(Number.isFinite) || !(numbers[1] > 0) || !/^(linear|linear-exact|sigmoid)$/.test(voiFunction)) return null;
  return explicitWindow({ center: numbers[0], width: numbers[1], function: voiFunction });
}

/** Centre and width of what is shown in a frame, where they are known. */
export function windowNumbers(window, manifest, frame) {
  if (window.key === "file") {
    const own = manifest.frames[frame - 1]?.window;
    if (own) return own;
  }
  if (hasNumbers(window)) return window;
  if (window.key === "auto" && manifest.values?.automatic) return manifest.values.automatic;
  const known = (manifest.windows ?? []).find((one) => one.key === window.key && hasNumbers(one));
  return known ?? null;
}

function hasNumbers(window) {
  return Number.isFinite(window?.center) && Number.isFinite(window?.width);
}

/**
 * The window that looks like the VOI LUT shown in a frame, null where another kind of window is shown. Each frame carries
 * one for each of its tables ("luts", null for a table that no window looks like).
 */
function likeTable(window, manifest, frame) {
  const key = window.key ?? manifest.window?.key ?? "";
  const number = key === "file" ? 1 : Number(/^lut-(\d+)$/.exec(key)?.[1] ?? 0);
  return manifest.frames[frame - 1]?.luts?.[number - 1] ?? null;
}

/** Where a drag begins when the window shown has no numbers: what looks like it, or the next best that has. */
export function startOfDrag(window, manifest, frame) {
  const candidates = [
    hasNumbers(window) ? window : likeTable(window, manifest, frame),
    windowNumbers(window, manifest, frame),
    manifest.frames[frame - 1]?.window,
    manifest.window,
    ...(manifest.windows ?? []),
  ];
  const found = candidates.find(hasNumbers) ?? { center: 128, width: 256, function: "linear" };
  return { center: found.center, width: found.width, function: found.function ?? "linear" };
}

/** "W 400 L 40 abdomen" */
export function windowInWords(window, manifest, frame) {
  if (manifest.color) return "";
  const numbers = windowNumbers(window, manifest, frame);
  const text = numbers ? `W ${windowNumber(numbers.width)} L ${windowNumber(numbers.center)}` : "";
  const voiFunction = numbers?.function && numbers.function !== "linear" ? numbers.function : "";
  const words = { file: "as in file", auto: "automatic" }[window.key] ?? window.name ?? "";
  return [text, voiFunction, words].filter(Boolean).join(" ");
}

/** Digits of an uptake value that a reader can tell apart. */
const UPTAKE_DIGITS = 3;

/** "SUVbw 0 to 7": where a window of a PET begins and ends as uptake; empty where there is no uptake, or no such end. */
export function windowAsUptake(window, manifest, frame) {
  const numbers = windowNumbers(window, manifest, frame);
  if (!manifest.uptake || !numbers || numbers.function === "sigmoid") return "";
  const { name, factor } = manifest.uptake;
  const ends = [-0.5, 0.5].map((half) => (numbers.center + half * numbers.width) * factor);
  return `${name} ${ends.map((end) => Number(end.toPrecision(UPTAKE_DIGITS))).join(" to ")}`;
}

/**
 * The part of a tile's query that says how it looks; empty for the stack as it is first shown.
 * A picture with a window or a presentation state of its own says its polarity itself.
 */
export function appearanceQuery({ window, inverted, map = "grey", presentationState = "" }, manifest) {
  const parts = presentationState ? [`pr=${presentationState}`] : [];
  if (window.key !== null && !manifest.color) parts.push(`window=${window.key}`);
  const isOwnPolarity = parts.length === 0 ? inverted === Boolean(manifest.inverted) : !inverted;
  if (!isOwnPolarity) parts.push(`invert=${inverted ? 1 : 0}`);
  if (map !== "grey" && !manifest.color) parts.push(`map=${map}`);
  return parts.join("&");
}
