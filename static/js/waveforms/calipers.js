/**
 * Two ends on one channel of a waveform, in seconds of the sheet and the channel's unit, and what lies between them.
 */

/** @typedef {{seconds: number, value: number}} End */

/**
 * What calipers say: milliseconds, how often a minute, and the difference of the values.
 * @param {End} one @param {End} other @param {string} unit
 */
export function reading(one, other, unit) {
  const ms = Math.abs(other.seconds - one.seconds) * 1000;
  return { ms, bpm: ms > 0 ? 60_000 / ms : null, difference: other.value - one.value, unit };
}

/** "982 ms · 61.1 /min · 0.45 mV" */
export function inWords({ ms, bpm, difference, unit }) {
  const rate = bpm !== null && bpm < 1000 ? `${bpm.toFixed(bpm < 100 ? 1 : 0)} /min` : null;
  const digits = unit === "mV" ? 2 : 1;
  // A difference of nothing has no sign.
  const height = Number(difference.toFixed(digits)).toFixed(digits).replace(/^-(0\.0+)$/, "$1");
  return [`${Math.round(ms)} ms`, rate, `${height} ${unit || "steps"}`].filter(Boolean).join(" · ");
}

/** The value of a channel at a time; null where there is none. @param {(number|null)[]} values */
export function valueAtTime(values, seconds, { frequency, delay = 0 }) {
  return values[Math.round((seconds - delay) * frequency)] ?? null;
}

/** An end that stays within its place. @param {End} end */
export function kept(end, { from, to }) {
  return { ...end, seconds: Math.min(to, Math.max(from, end.seconds)) };
}
