/** What the portal answers about a shape, as charts: histogram, profile along a line, and the mean over time. */
import { shortNumber } from "./line_chart.js";

function withUnit(word, unit) {
  return unit ? `${word} (${unit})` : word;
}

function rangeOf(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? { least: Math.min(...known), most: Math.max(...known) } : null;
}

/** @returns {import("./line_chart.js").Chart|null} null where no pixel has a value */
export function histogramChart({ statistics, suv }) {
  const shown = suv?.histogram ? suv : statistics;
  if (!shown?.histogram) return null;
  const { first, step, counts } = shown.histogram;
  const unit = suv?.histogram ? `${suv.unit} ${suv.name}` : statistics.unit;
  return {
    title: "Histogram",
    words: `${statistics.count} pixels from ${shortNumber(shown.minimum)} to ${shortNumber(shown.maximum)} ${unit}`.trim(),
    x: { label: withUnit("value", unit), values: counts.map((_, at) => first + (at + 0.5) * step) },
    y: { label: "pixels", values: counts },
    isBars: true,
  };
}

export function profileChart({ distances, values, unit, distance_unit: distanceUnit, note }) {
  const range = rangeOf(values);
  const far = shortNumber(distances.at(-1));
  const said = range ? `from ${shortNumber(range.least)} to ${shortNumber(range.most)} ${unit}` : "no values";
  return {
    title: "Profile along the line",
    words: [`${said} over ${far} ${distanceUnit}`, note].filter(Boolean).join(". "),
    x: { label: withUnit("distance", distanceUnit), values: distances },
    y: { label: withUnit("value", unit), values },
  };
}

/** The time of the greatest mean, and the mean then. */
export function peakOf({ times, means }) {
  const known = means.map((mean, at) => ({ mean, time: times[at] })).filter(({ mean }) => mean !== null);
  return known.reduce((best, one) => (best && best.mean >= one.mean ? best : one), null);
}

/** @returns {import("./line_chart.js").Chart|null} null where a place was seen once, or has no values */
export function curveChart(answer) {
  const { times, means, unit, time_unit: timeUnit } = answer;
  const peak = peakOf(answer);
  if (times.length < 2 || !peak) return null;
  const isTimed = timeUnit === "s";
  return {
    title: "Mean over time",
    words: `${means.length} times, highest ${shortNumber(peak.mean)} ${unit}`.trimEnd() + ` at ${isTimed ? "" : `${timeUnit} `}${shortNumber(peak.time)}${isTimed ? " s" : ""}`,
    x: { label: isTimed ? "time (s)" : `${timeUnit}: the file does not say when`, values: times },
    y: { label: withUnit("mean", unit), values: means },
  };
}
