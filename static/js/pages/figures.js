/**
 * Draws the figures of reading: the numbers stand in the tables below, a plot shows their shape.
 */
import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { pageData } from "../core/dom.js";

const HEIGHT_PX = 260;
const BAR_SHARE = 0.7;
const MOST_MARKS = 12;
/** Width of a letter on an axis, and of the space around a word. */
const LETTER_PX = 7;
const AROUND_PX = 10;
/** What the upright axis takes of a plot's width. */
const UPRIGHT_PX = 90;
const STEPS_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 5760, 14_400, 28_800, 144_000];
/** Series differ by dash as well as by colour; roles of the tokens. */
const LOOKS = [
  { color: "--accent", dash: [] },
  { color: "--role-urgent", dash: [6, 4] },
  { color: "--role-good", dash: [2, 3] },
  { color: "--text-muted", dash: [10, 3, 2, 3] },
];

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Minutes as hours and minutes, for the axis. */
export function clock(minutes) {
  if (minutes === null || minutes === undefined) return "–";
  const whole = Math.round(minutes);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Bars of several series stand side by side on each place of the axis. */
function sideBySide(plot) {
  const { x, series } = plot;
  if (plot.kind !== "bars") return [x.map((_, place) => place), series.map(({ values }) => values)];
  const width = series.length + 1;
  const places = x.flatMap((_, at) => series.map((__, one) => at * width + one));
  const rows = series.map((one, number) => x.flatMap((_, at) => series.map((__, other) => (other === number ? one.values[at] : null))));
  return [places, rows];
}

function lookOf(plot, number) {
  const { color, dash } = LOOKS[number % LOOKS.length];
  const stroke = token(color);
  if (plot.kind === "bars") return { stroke, fill: stroke, points: { show: false }, paths: uPlot.paths.bars({ size: [BAR_SHARE, 60] }) };
  return { stroke, dash, width: 2, spanGaps: true, points: { show: plot.kind === "lines" } };
}

/** Words that have no room side by side stand upright. @param {string[]} words @param {number} width of the plot */
function turned(words, width) {
  const longest = Math.max(...words.map((word) => String(word).length)) * LETTER_PX + AROUND_PX;
  return words.length * longest > width - UPRIGHT_PX ? { rotate: -90, size: longest + AROUND_PX } : {};
}

function axes(plot, widthPx) {
  const common = { stroke: token("--text"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line") } };
  const isTime = plot.unit === "minutes";
  const values = (_, splits) => splits.map((value) => (isTime ? clock(value) : Number.isInteger(value) ? String(value) : ""));
  const upright = { ...common, values, size: 64, label: isTime ? "hours and minutes" : plot.unit };
  if (isTime) upright.incrs = STEPS_MINUTES;
  if (plot.kind === "time") {
    const marked = marksOf(plot.x);
    return [{ ...common, splits: () => marked, values: () => marked.map((at) => markOf(plot.x[at])) }, upright];
  }
  const width = plot.kind === "bars" ? plot.series.length + 1 : 1;
  const middle = plot.kind === "bars" ? (plot.series.length - 1) / 2 : 0;
  const splits = () => plot.x.map((_, at) => at * width + middle);
  return [{ ...common, grid: { show: false }, splits, values: () => plot.x, ...turned(plot.x, widthPx) }, upright];
}

/** Places of an axis of hours that carry a mark: midnights, or every fourth hour of one day; at most a dozen. */
function marksOf(moments) {
  const places = moments.map((_, at) => at);
  const midnights = places.filter((at) => moments[at].endsWith(" 00:00"));
  const chosen = midnights.length > 2 ? midnights : places.filter((at) => Number(moments[at].slice(11, 13)) % 4 === 0);
  const every = Math.ceil(chosen.length / MOST_MARKS);
  return chosen.filter((_, at) => at % every === 0);
}

/** A date at midnight, else the time of day. */
function markOf(moment) {
  const [date, time] = moment.split(" ");
  return time === "00:00" ? date : time;
}

function scales(plot) {
  const width = plot.kind === "bars" ? plot.series.length + 1 : 1;
  const last = plot.x.length * width - (width > 1 ? 1 : 0);
  const x = { time: false, range: plot.kind === "time" ? [0, plot.x.length - 1] : [-1, Math.max(last, 1)] };
  return { x, y: { range: (_, __, most) => [0, (most || 1) * 1.1] } };
}

function readOut(plot) {
  return (_, value) => (plot.unit === "minutes" ? clock(value) : String(value ?? "–"));
}

function placeOf(plot) {
  const width = plot.kind === "bars" ? plot.series.length + 1 : 1;
  return (_, value) => (value === null || value === undefined ? "–" : plot.x[Math.floor(value / width)] ?? "–");
}

function draw(plot) {
  const place = document.getElementById(plot.id);
  if (!place) return null;
  if (!plot.x.length) {
    place.closest("section").hidden = true;
    return null;
  }
  const [x, rows] = sideBySide(plot);
  const options = {
    width: place.clientWidth,
    height: HEIGHT_PX,
    scales: scales(plot),
    axes: axes(plot, place.clientWidth),
    series: [{ label: "at", value: placeOf(plot) }, ...plot.series.map(({ label }, number) => ({ label, value: readOut(plot), ...lookOf(plot, number) }))],
  };
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `Plot in ${plot.unit}; the numbers are in the tables below.`);
  return { place, chart: new uPlot(options, [x, ...rows], place) };
}

const drawn = (pageData("plots") ?? []).map(draw).filter(Boolean);
addEventListener("resize", () => {
  for (const { place, chart } of drawn) chart.setSize({ width: place.clientWidth, height: HEIGHT_PX });
});
