/**
 * A chart of one row of numbers over another: a line, or bars of a histogram. The drawing is uPlot's, fetched with the
 * first chart that is asked for.
 */
import { element } from "../core/dom.js";

const SIZE = Object.freeze({ width: 560, height: 260 });
/** Room beside the chart in a dialog. */
const MARGIN_PX = 72;

/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} words what it shows, for those who do not see it
 * @property {{label: string, values: number[]}} x
 * @property {{label: string, values: (number|null)[]}} y
 * @property {boolean} [isBars]
 */

/** Colour of a role of the page, for a canvas. */
function color(role) {
  return getComputedStyle(document.body).getPropertyValue(role).trim() || "#888";
}

function axis(label) {
  return { label, stroke: color("--text"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
}

/** Four digits that count, at most. */
export function shortNumber(value) {
  return value === null || value === undefined ? "—" : String(Number(value.toPrecision(4)));
}

/** @param {Chart} chart @returns {Promise<HTMLElement>} */
export async function drawChart({ title, words, x, y, isBars = false }) {
  const { default: Plot } = await import("../../vendor/uplot/uPlot.esm.js");
  const place = element("figure", { class: "chart", role: "img", "aria-label": `${title}: ${words}` });
  const width = Math.min(SIZE.width, innerWidth - MARGIN_PX);
  const series = {
    label: y.label,
    stroke: color("--accent"),
    width: 1.5,
    points: { show: !isBars && y.values.length < 60 },
    value: (_plot, value) => shortNumber(value),
    ...(isBars && { fill: color("--accent"), paths: Plot.paths.bars({ size: [1, 64] }) }),
  };
  const options = {
    width,
    height: SIZE.height,
    scales: { x: { time: false } },
    axes: [axis(x.label), axis(y.label)],
    series: [{ label: x.label, value: (_plot, value) => shortNumber(value) }, series],
  };
  new Plot(options, [x.values, y.values], place);
  return place;
}
