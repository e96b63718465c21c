/**
 * Measurements as words of a report, and where they stand in its text.
 */
import { valuesOf } from "../annotations/mark_values.js";
import { KIND_NAMES, WORDS } from "../geometry/shapes.js";

/** Dragged measurements carry their id under this type. */
export const DRAGGED = "application/x-portal-measurement";

/** Whether a measurement says something in a report: words on an image and calibrations do not. */
export function isForReports({ kind, study }) {
  return !study && !WORDS.has(kind) && kind !== "calibration" && kind !== "arrow";
}

/**
 * "Nodule 8.2 mm (S3 Im 12)": its name, its values, where it is. A star of the image becomes the words that it stands for.
 * @param {object} mark @param {object} manifest of its stack @param {object|null} measured the portal's answer about an area
 * @param {string} place "S3 Im 12"
 */
export function wordsOf(mark, manifest, measured, place) {
  const { lines, details } = valuesOf(mark, manifest, measured);
  const isMarked = lines.some((line) => line.endsWith(" *"));
  const plain = lines.map((line) => line.replace(/ \*$/, ""));
  const name = mark.text ? plain.shift() : mark.kind === "key_image" ? "" : KIND_NAMES[mark.kind];
  const note = isMarked ? [details.at(-1)] : [];
  const said = [name, plain.join(", ")].filter(Boolean).join(" ");
  return `${said || "Key image"} (${[place, ...note].filter(Boolean).join("; ")})`;
}

/**
 * The text cut where measurements stand in it; each link is found once, the same words one after the other.
 * @param {string} text @param {{words: string}[]} links @returns {{text: string, link?: object}[]}
 */
export function piecesOf(text, links) {
  const places = [];
  for (const link of [...links].sort((one, other) => other.words.length - one.words.length)) {
    const { length } = link.words;
    let at = text.indexOf(link.words);
    while (at >= 0 && places.some(({ begin, end }) => begin < at + length && at < end)) at = text.indexOf(link.words, at + 1);
    if (at >= 0) places.push({ begin: at, end: at + length, link });
  }
  places.sort((one, other) => one.begin - other.begin);
  const pieces = [];
  let reached = 0;
  for (const { begin, end, link } of places) {
    pieces.push({ text: text.slice(reached, begin) }, { text: text.slice(begin, end), link });
    reached = end;
  }
  pieces.push({ text: text.slice(reached) });
  return pieces.filter((piece) => piece.text);
}

/** What is said of a measurement that is no longer what it was; empty where it is. */
export function sinceInWords(since, isSigned = false) {
  const after = isSigned ? " after the report was signed" : " since";
  return { changed: `this value has changed${after}`, deleted: `this measurement was deleted${after}` }[since] ?? "";
}
