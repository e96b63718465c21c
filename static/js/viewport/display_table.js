/**
 * One table from the words of a value tile to display values: the same numbers as the server's display_table.py, by the
 * same operations in the same order, so that a picture drawn here equals the server's in every pixel.
 *
 * Windows: PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.2 (LINEAR_EXACT), C.11.2.1.3.1 (SIGMOID); VOI LUT: C.11.2.1.1; modality
 * LUT: C.11.1.1. All in JavaScript numbers (float64), truncated.
 */

/** Words of a value tile: stored values plus the stack's offset. */
export const WORDS = 65536;

const WHITE = 255;
/** exp() of more overflows; the sigmoid is flat long before. */
const EXPONENT_LIMIT = 700;

/**
 * @typedef {object} DisplayTransform
 * @property {number} offset what to take from a word to have the stored value
 * @property {number} slope
 * @property {number} intercept
 * @property {{first: number, entries: Uint16Array}|null} modalityLut instead of slope and intercept
 * @property {{center: number, width: number, function: string}|{first: number, entries: Uint8Array}} voi a window, or what
 *   each entry of a VOI LUT looks like
 * @property {[number, number]|null} padding lowest and highest padded stored value
 * @property {boolean} imageInverted the image's own polarity (MONOCHROME1, INVERSE)
 * @property {boolean} readerInverted
 * @property {Uint8Array|null} map 256 times red, green, blue; null for grey
 */

/**
 * @param {DisplayTransform} transform
 * @returns {Uint8Array} one display value for each word, or red, green, blue, 255 with a color map
 */
export function displayTable(transform) {
  const table = new Uint8Array(WORDS);
  fill(table, modalityOf(transform), voiOf(transform), transform.offset);
  if (transform.readerInverted) for (let word = 0; word < WORDS; word += 1) table[word] = WHITE - table[word];
  const shown = transform.map ? colored(table, transform.map) : table;
  blacken(shown, transform);
  return shown;
}

function fill(table, modality, voi, offset) {
  for (let word = 0; word < WORDS; word += 1) {
    const value = modality(word - offset);
    // An Uint8Array cuts fractions off.
    table[word] = voi(Number.isNaN(value) ? -Infinity : value);
  }
}

/** Stored value to modality value. */
export function modalityOf({ slope, intercept, modalityLut }) {
  if (!modalityLut) return (stored) => stored * slope + intercept;
  const { first, entries } = modalityLut;
  const last = entries.length - 1;
  return (stored) => entries[Math.min(Math.max(stored - first, 0), last)];
}

/** Modality value to display value, before it is cut to a whole number. */
function voiOf({ voi, imageInverted }) {
  if (voi.entries) return ofTable(voi, imageInverted);
  const [low, high] = imageInverted ? [WHITE, 0] : [0, WHITE];
  if (voi.function === "sigmoid") return ofSigmoid(voi, low, high);
  return voi.function === "linear-exact" ? ofRamp(voi.center, voi.width, low, high) : ofRamp(voi.center - 0.5, voi.width - 1, low, high);
}

function ofTable({ first, entries }, isInverted) {
  const last = entries.length - 1;
  return (value) => {
    const shown = entries[Math.min(Math.max(Math.trunc(value) - first, 0), last)];
    return isInverted ? WHITE - shown : shown;
  };
}

function ofRamp(center, width, low, high) {
  const left = center - width / 2;
  const right = center + width / 2;
  // Width 1 is legal: a step.
  if (width === 0) return (value) => (value <= left ? low : high);
  const range = high - low;
  const offset = high - (center / width + 0.5) * range;
  const gradient = range / width;
  return (value) => {
    if (value <= left) return low;
    if (value > right) return high;
    // An extreme window can leave 0..255 by a rounding error.
    return Math.min(Math.max(value * gradient + offset, 0), WHITE);
  };
}

function ofSigmoid({ center, width }, low, high) {
  return (value) => {
    const exponent = Math.min(Math.max((-4 * (value - center)) / width, -EXPONENT_LIMIT), EXPONENT_LIMIT);
    return low + (high - low) / (1 + Math.exp(exponent));
  };
}

function colored(table, map) {
  const shown = new Uint8Array(4 * WORDS);
  for (let word = 0; word < WORDS; word += 1) {
    const from = 3 * table[word];
    shown[4 * word] = map[from];
    shown[4 * word + 1] = map[from + 1];
    shown[4 * word + 2] = map[from + 2];
    shown[4 * word + 3] = WHITE;
  }
  return shown;
}

/** Padded pixels are black, also when inverted and in every color map. */
function blacken(table, { padding, offset, map }) {
  const [first, last] = paddedWords(padding, offset);
  for (let word = first; word <= last; word += 1) {
    if (map) table.fill(0, 4 * word, 4 * word + 3);
    else table[word] = 0;
  }
}

/** Lowest and highest padded word; the first above the last where there is no padding. */
export function paddedWords(padding, offset) {
  if (!padding) return [0, -1];
  return [Math.max(Math.ceil(padding[0]) + offset, 0), Math.min(Math.floor(padding[1]) + offset, WORDS - 1)];
}
