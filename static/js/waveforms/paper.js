/**
 * Millimetre paper: where each channel of a waveform lies on it, and what distances on it mean. Lengths are millimetres of
 * paper, times seconds, values in the channel's unit.
 */
export const SPEEDS = Object.freeze([12.5, 25, 50]);
export const GAINS = Object.freeze([5, 10, 20]);
export const USUAL_SPEED = 25;
export const USUAL_GAIN = 10;
/** Room at the left for the calibration pulse. */
export const LEFT_MM = 12;
const ROW_MM = Object.freeze({ 5: 20, 10: 30, 20: 50 });
/** Of a row that a channel without a usual gain may fill. */
const FILLED_MM = 24;
const STANDARD = Object.freeze(["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6"]);
const COLUMNS = 4;
/** Points in a millimetre beyond which only highest and lowest of each tenth are drawn. */
const POINTS_PER_MM = 10;

/**
 * @typedef {{name: string, unit: string, gain: number, offset: number, delay: number, filters: string}} Channel
 * @typedef {{frequency: number, samples: number, channels: Channel[]}} Group
 * @typedef {{channel: number, from: number, to: number, left: number, top: number, height: number}} Place a channel's
 *   time `from` to `to`, counted from the beginning of the sheet
 */

/** What samples are worth; padding is null. @param {(number|null)[]} samples @param {Channel} channel */
export function valuesOf(samples, { gain, offset }) {
  return samples.map((sample) => (sample === null ? null : sample * gain + offset));
}

/** Whether the twelve standard leads are here, so that they can stand as on the usual sheet. */
export function hasStandardLeads({ channels }) {
  return STANDARD.every((name) => channels.some((channel) => channel.name === name));
}

/**
 * Where each channel lies.
 * @param {Group} group @param {{seconds: number, speed: number, gain: number, isShort: boolean}} sheet isShort: three rows of
 *   four leads, one after the other, and a rhythm strip of lead II
 * @returns {{places: Place[], width: number, height: number}}
 */
export function arrange(group, { seconds, speed, gain, isShort }) {
  const height = ROW_MM[gain];
  const width = LEFT_MM + seconds * speed;
  const whole = (channel, row) => ({ channel, from: 0, to: seconds, left: LEFT_MM, top: row * height, height });
  if (!isShort) {
    const places = group.channels.map((_, row) => whole(row, row));
    return { places, width, height: places.length * height };
  }
  const part = seconds / COLUMNS;
  const number = (name) => group.channels.findIndex((channel) => channel.name === name);
  const places = STANDARD.map((name, at) => {
    const column = at % COLUMNS;
    const row = Math.floor(at / COLUMNS);
    return { channel: number(name), from: column * part, to: (column + 1) * part, left: LEFT_MM + column * part * speed, top: row * height, height };
  });
  return { places: [...places, whole(number("II"), places.length / COLUMNS)], width, height: (places.length / COLUMNS + 1) * height };
}

/** Where a channel's value stands in its row: millimetres for a unit, and the value in the middle of the row. */
export function scaleOf({ unit }, values, gain) {
  if (unit === "mV") return { perUnit: gain, middle: 0 };
  const present = values.filter((value) => value !== null);
  const low = present.reduce((least, value) => Math.min(least, value), Infinity);
  const high = present.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!(high > low)) return { perUnit: 1, middle: Number.isFinite(low) ? low : 0 };
  const perMm = roundUp((high - low) / FILLED_MM);
  return { perUnit: 1 / perMm, middle: Math.round((high + low) / 2 / perMm) * perMm };
}

/** The next 1, 2 or 5 times a power of ten. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((step) => step * power >= value * (1 - 1e-9));
}

/** "10 mm/mV", "5 mmHg/mm". */
export function scaleInWords({ unit }, { perUnit }) {
  if (unit === "mV") return `${perUnit} mm/mV`;
  return `${Number((1 / perUnit).toPrecision(3))} ${unit || "steps"}/mm`;
}

/** Height of a value in its place. */
export function heightOf(value, place, scale) {
  return place.top + place.height / 2 - (value - scale.middle) * scale.perUnit;
}

/** The value that a height in a place stands for. */
export function valueAt(y, place, scale) {
  return scale.middle + (place.top + place.height / 2 - y) / scale.perUnit;
}

/**
 * The trace as the data of an SVG path; it ends where samples are missing.
 * @param {(number|null)[]} values of the whole sheet
 * @param {Place} place @param {{perUnit: number, middle: number}} scale
 * @param {{frequency: number, speed: number, delay: number}} time
 */
export function tracePath(values, place, scale, { frequency, speed, delay = 0 }) {
  const first = Math.max(0, Math.ceil((place.from - delay) * frequency - 1e-6));
  const last = Math.min(values.length - 1, Math.floor((place.to - delay) * frequency + 1e-6));
  const perPoint = Math.max(1, Math.floor(frequency / speed / POINTS_PER_MM));
  const x = (at) => place.left + (at / frequency + delay - place.from) * speed;
  const parts = [];
  let isDrawing = false;
  const draw = (at) => {
    if (values[at] === null) isDrawing = false;
    else {
      parts.push(`${isDrawing ? "L" : "M"}${x(at).toFixed(2)} ${heightOf(values[at], place, scale).toFixed(2)}`);
      isDrawing = true;
    }
  };
  for (let at = first; at <= last; at += perPoint) for (const one of extremes(values, at, Math.min(at + perPoint, last + 1))) draw(one);
  return parts.join("");
}

/** Places of the lowest and highest of values, in their order; a missing one where there is one. */
function extremes(values, from, to) {
  if (to - from === 1) return [from];
  let low = from;
  let high = from;
  for (let at = from; at < to; at += 1) {
    if (values[at] === null) return [at];
    if (values[at] < values[low]) low = at;
    if (values[at] > values[high]) high = at;
  }
  return low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
}
