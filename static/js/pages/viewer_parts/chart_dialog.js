/** The values of a measurement as charts: of a shape with an inside its histogram and its mean over time, of a line its profile. */
import { questionAbout } from "../../annotations/mark_measurer.js";
import { curveChart, histogramChart, profileChart } from "../../charts/charted.js";
import { drawChart } from "../../charts/line_chart.js";
import { element } from "../../core/dom.js";
import { sendJson } from "../../core/requests.js";
import { AREAS, KIND_NAMES } from "../../geometry/shapes.js";
import { openDialog } from "./dialog.js";

const LINES = new Set(["length", "polyline"]);

/** Whether a measurement has values to be charted. */
export function isCharted(mark) {
  return AREAS.has(mark.kind) || LINES.has(mark.kind);
}

async function chartsOf(mark, frame, byHand) {
  const body = questionAbout(mark, byHand);
  const ask = (what) => sendJson(`/api/stacks/${mark.stack}/frames/${frame}/${what}`, body);
  if (LINES.has(mark.kind)) return [profileChart(await ask("profile"))];
  const answers = await Promise.allSettled([ask("statistics").then(histogramChart), ask("curve").then(curveChart)]);
  const charts = answers.flatMap(({ status, value }) => (status === "fulfilled" && value ? [value] : []));
  if (!charts.length) throw answers.find(({ status }) => status === "rejected")?.reason ?? new Error("No pixel with a value lies inside, or the image is one of colours.");
  return charts;
}

/** @param {object} mark @param {number} frame of its stack, from 1 @param {object|null} byHand calibration of the image */
export async function openChart(mark, frame, byHand = null) {
  const place = element("div", { class: "charts", "aria-busy": "true" }, element("p", { class: "muted", text: "Measuring …" }));
  const dialog = openDialog(mark.text || KIND_NAMES[mark.kind], place);
  dialog.classList.add("dialog-wide");
  try {
    const charts = await chartsOf(mark, frame, byHand);
    const drawn = await Promise.all(charts.map(drawChart));
    const shown = charts.flatMap(({ title, words }, at) => [element("h3", { text: title }), element("p", { class: "muted figures", text: words }), drawn[at]]);
    place.replaceChildren(...shown);
  } catch (error) {
    place.replaceChildren(element("p", { text: error.message }));
  }
  place.removeAttribute("aria-busy");
}
