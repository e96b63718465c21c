/**
 * Draws the figures of reading: the numbers stand in the tables below, a plot shows their shape.
 */
import { pageData } from "../core/dom.js";

const HEIGHT_PX = 260;
const BAR_SHARE = 0.7;
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
  if (plot.kind !== "bars") return [plot.kind === "time" ? x : x.map((_, place) => place), series.map(({ values }) => values)];
  const width = series.length + 1;
  const places = x.flatMap((_, at) => series.map((__, one) => at * width + one));
  const rows = series.map((one, number) => x.flatMap((_, at) => series.map((__, other) => (other === number ? one.values[at] : null))));
  return [places, rows];
}

function lookOf(plot, number) {
  const { color, dash } = LOOKS[number % LOOKS.length];
  const stroke = token(color);
  if (plot.kind === "bars") return { stroke, fill: stroke, points: { show: false }, paths: window.uPlot.paths.bars({ size: [BAR_SHARE, 60] }) };
  return { stroke, dash, width: 2, spanGaps: true, points: { show: plot.kind === "lines" } };
}

function axes(plot) {
  const common = { stroke: token("--text"), grid: { stroke: token("--line"), width: 1 }, ticks: { stroke: token("--line") } };
  const isTime = plot.unit === "minutes";
  const values = (_, splits) => splits.map((value) => (isTime ? clock(value) : Number.isInteger(value) ? String(value) : ""));
  const upright = { ...common, values, size: 64, label: isTime ? "hours and minutes" : plot.unit };
  if (plot.kind === "time") return [common, upright];
  const width = plot.kind === "bars" ? plot.series.length + 1 : 1;
  const middle = plot.kind === "bars" ? (plot.series.length - 1) / 2 : 0;
  const splits = () => plot.x.map((_, at) => at * width + middle);
  return [{ ...common, grid: { show: false }, splits, values: () => plot.x }, upright];
}

function scales(plot) {
  const width = plot.kind === "bars" ? plot.series.length + 1 : 1;
  const x = plot.kind === "time" ? { time: true } : { time: false, range: [-1, Math.max(plot.x.length * width - (width > 1 ? 1 : 0), 1)] };
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
  if (!place || !plot.x.length) return null;
  const [x, rows] = sideBySide(plot);
  const first = plot.kind === "time" ? {} : { label: "at", value: placeOf(plot) };
  const options = {
    width: place.clientWidth,
    height: HEIGHT_PX,
    scales: scales(plot),
    axes: axes(plot),
    series: [first, ...plot.series.map(({ label }, number) => ({ label, value: readOut(plot), ...lookOf(plot, number) }))],
  };
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", `Plot in ${plot.unit}; the numbers are in the tables below.`);
  return { place, chart: new window.uPlot(options, [x, ...rows], place) };
}

const drawn = (pageData("plots") ?? []).map(draw).filter(Boolean);
addEventListener("resize", () => {
  for (const { place, chart } of drawn) chart.setSize({ width: place.clientWidth, height: HEIGHT_PX });
});
