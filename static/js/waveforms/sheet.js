/**
 * A part of a waveform on millimetre paper, as SVG in millimetres: on the screen and on a printer's page it has its true size.
 */
import { svg } from "../core/dom.js";
import { LEFT_MM, arrange, heightOf, scaleInWords, scaleOf, tracePath, valuesOf } from "./paper.js";

const FINE_MM = 1;
const STRONG_MM = 5;
const TEXT_MM = 3.2;
/** Seconds that the calibration pulse lasts. */
const PULSE_S = 0.2;

function written(text, x, y, more = {}) {
  const node = svg("text", { x, y, "font-size": TEXT_MM, ...more });
  node.textContent = text;
  return node;
}

function grid(id, step) {
  return svg("pattern", { id, width: step, height: step, patternUnits: "userSpaceOnUse" }, svg("path", { class: id, d: `M${step} 0H0V${step}` }));
}

/** A pulse of one millivolt, as electrocardiographs write it. */
function pulse(place, { perUnit }, speed) {
  const { top, height } = place;
  const width = PULSE_S * speed;
  const base = top + height / 2;
  return svg("path", { class: "wave-trace", d: `M1 ${base}h1v${-perUnit}h${width}v${perUnit}h1` });
}

/**
 * Draws the sheet.
 * @param {import("./paper.js").Group} group
 * @param {(number|null)[][]} samples of each channel, from the beginning of the sheet
 * @param {{seconds: number, speed: number, gain: number, isShort: boolean}} options
 * @returns {{element: SVGElement, facts: object}} facts: what calipers need to know of it
 */
export function drawSheet(group, samples, options) {
  const { places, width, height } = arrange(group, options);
  const values = samples.map((row, at) => valuesOf(row, group.channels[at]));
  const scales = group.channels.map((channel, at) => scaleOf(channel, values[at], options.gain));
  const element = svg(
    "svg",
    { class: "wave-sheet", viewBox: `0 0 ${width} ${height}`, width: `${width}mm`, height: `${height}mm`, role: "group", "aria-label": "Waveform on millimetre paper" },
    svg("defs", {}, grid("wave-fine", FINE_MM), grid("wave-strong", STRONG_MM)),
    ...["wave-fine", "wave-strong"].map((id) => svg("rect", { width, height, fill: `url(#${id})` })),
    ...places.flatMap((place) => drawPlace(place, { group, values, scales, options })),
  );
  return { element, facts: { places, channels: group.channels, values, scales, frequency: group.frequency, speed: options.speed } };
}

function drawPlace(place, { group, values, scales, options }) {
  const { channel, left, top } = place;
  const facts = group.channels[channel];
  const scale = scales[channel];
  const time = { frequency: group.frequency, speed: options.speed, delay: facts.delay };
  const parts = [svg("path", { class: "wave-trace", d: tracePath(values[channel], place, scale, time) }), written(facts.name, left + 1, top + TEXT_MM + 1, { class: "wave-name" })];
  if (left > LEFT_MM) parts.push(svg("path", { class: "wave-trace", d: `M${left} ${heightOf(scale.middle, place, scale) - 3}v6` }));
  else if (facts.unit === "mV") parts.push(pulse(place, scale, options.speed));
  if (facts.unit !== "mV") parts.push(written(scaleInWords(facts, scale), left + 1, top + place.height - 1));
  return parts;
}
