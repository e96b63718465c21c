/**
 * The page of a waveform: its groups on millimetre paper, sheet after sheet, with calipers.
 */
import { element, pageData, setText } from "../core/dom.js";
import { preference, setPreference } from "../core/preferences.js";
import { fetchJson } from "../core/requests.js";
import { CaliperLayer } from "../waveforms/caliper_layer.js";
import { GAINS, SPEEDS, USUAL_GAIN, USUAL_SPEED, hasStandardLeads } from "../waveforms/paper.js";
import { drawSheet } from "../waveforms/sheet.js";

/** A recording that is a little longer still is one sheet. */
const SHEET_S = 10;
const LONGEST_SHEET_S = 12;
/** Less does not hold a beat in each quarter. */
const SHORTEST_IN_QUARTERS_S = 8;

const data = pageData("waveform-data");
const paper = document.getElementById("wave-paper");
const settings = document.getElementById("wave-settings");
const note = document.getElementById("wave-note");
const result = document.getElementById("wave-reading");
const calipers = new CaliperLayer();
const shown = { group: 0, first: 0, samples: [], facts: null, asked: null };

const group = () => data.groups[shown.group];
const whole = () => group().samples / group().frequency;
const seconds = () => (whole() <= LONGEST_SHEET_S ? whole() : SHEET_S);
const fitsInQuarters = () => hasStandardLeads(group()) && seconds() >= SHORTEST_IN_QUARTERS_S;
const perSheet = () => Math.round(seconds() * group().frequency);
const chosen = (name) => settings.elements[name].value;

function draw() {
  const options = {
    seconds: seconds(),
    speed: Number(chosen("speed")),
    gain: Number(chosen("gain")),
    isShort: chosen("arrangement") === "short" && fitsInQuarters(),
  };
  const { element: sheet, facts } = drawSheet(group(), shown.samples, options);
  sheet.append(calipers.element);
  paper.replaceChildren(sheet);
  const toPaper = ({ clientX, clientY }) => new DOMPoint(clientX, clientY).matrixTransform(sheet.getScreenCTM().inverse());
  shown.facts = { ...facts, toPaper };
  calipers.lieOn(shown.facts);
  sheet.addEventListener("pointerdown", pressed);
  sheet.addEventListener("click", tapped);
  sheet.dataset.first = String(shown.first);
  setText(note, inWords(options));
}

function inWords({ speed, gain }) {
  const { channels, frequency, is_derived: isDerived } = group();
  const filters = new Set(channels.map((channel) => channel.filters || "filters not stated"));
  const begins = shown.first / frequency;
  return [
    `${speed} mm/s`,
    channels.some(({ unit }) => unit === "mV") && `${gain} mm/mV`,
    filters.size === 1 ? [...filters][0] : channels.map(({ name, filters: said }) => `${name} ${said || "not stated"}`).join(", "),
    `${frequency} samples/s`,
    isDerived && "computed by the device, not recorded",
    seconds() < whole() && `${begins.toFixed(1)} to ${Math.min(whole(), begins + seconds()).toFixed(1)} s of ${whole().toFixed(0)} s`,
  ].filter(Boolean).join(" · ");
}

/** With a mouse, a drag on the paper begins anew. */
function pressed(event) {
  if (event.pointerType !== "mouse" || event.button !== 0) return;
  const end = calipers.begin(shown.facts.toPaper(event));
  if (end < 0) return;
  event.preventDefault();
  calipers.drag(event, end);
}

/** A finger scrolls the paper; where it taps, the nearer end goes. */
function tapped(event) {
  if (event.pointerType !== "mouse" && !event.target.closest(".caliper-handle")) calipers.bring(shown.facts.toPaper(event));
}

async function load() {
  shown.asked?.abort();
  shown.asked = new AbortController();
  try {
    const query = new URLSearchParams({ group: shown.group + 1, first: shown.first, count: perSheet() });
    const { samples } = await fetchJson(`${data.address}?${query}`, { signal: shown.asked.signal });
    shown.samples = samples;
    draw();
  } catch (error) {
    if (error.name !== "AbortError") setText(note, error.message);
  }
  const last = group().samples - 1;
  settings.elements.earlier.disabled = shown.first === 0;
  settings.elements.later.disabled = shown.first + perSheet() > last;
  for (const name of ["earlier", "later"]) settings.elements[name].hidden = perSheet() > last;
  settings.elements.arrangement.closest("label").hidden = !fitsInQuarters();
}

function turn(sheets) {
  shown.first = Math.max(0, shown.first + sheets * perSheet());
  load();
}

function select(name, label, choices, value) {
  const options = choices.map(([id, text]) => element("option", { value: id, text, selected: String(id) === String(value) }));
  return element("label", { class: "wave-setting" }, element("span", { text: label }), element("select", { name }, ...options));
}

settings.replaceChildren(
  ...(data.groups.length > 1 ? [select("group", "Recording", data.groups.map(({ label }, at) => [at, label || `Group ${at + 1}`]), 0)] : []),
  select("speed", "Speed", SPEEDS.map((speed) => [speed, `${speed} mm/s`]), preference("wave-speed", USUAL_SPEED)),
  select("gain", "Height", GAINS.map((gain) => [gain, `${gain} mm/mV`]), preference("wave-gain", USUAL_GAIN)),
  select("arrangement", "Sheet", [["rows", "A row for each lead"], ["short", "3 × 4 leads and rhythm"]], preference("wave-arrangement", "rows")),
  element("label", { class: "wave-setting wave-check" }, element("input", { type: "checkbox", name: "follows", checked: true }), element("span", { text: "Calipers follow the trace" })),
  element("button", { class: "button", type: "button", name: "earlier", text: "Earlier", onclick: () => turn(-1) }),
  element("button", { class: "button", type: "button", name: "later", text: "Later", onclick: () => turn(1) }),
  element("button", { class: "button", type: "button", text: "Print", onclick: () => print() }),
);
settings.addEventListener("change", ({ target }) => {
  if (target.name === "follows") calipers.follows = target.checked;
  else if (target.name === "group") {
    Object.assign(shown, { group: Number(target.value), first: 0 });
    load();
  } else {
    setPreference(`wave-${target.name}`, target.value);
    draw();
  }
});
calipers.addEventListener("change", () => setText(result, calipers.words));
load();
