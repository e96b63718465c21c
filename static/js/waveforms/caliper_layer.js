/**
 * Calipers on a sheet of paper: two ends that are dragged, tapped to their place, or moved by arrow keys, and their reading.
 */
import { svg } from "../core/dom.js";
import { inWords, kept, reading, valueAtTime } from "./calipers.js";
import { heightOf, valueAt } from "./paper.js";

const RADIUS_MM = 1.6;
/** What a finger finds. */
const REACH_MM = 6;
const VALUE_STEP_MM = 0.5;
const FAR = 10;
const ARROWS = Object.freeze({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] });

/** Events: "change". */
export class CaliperLayer extends EventTarget {
  #sheet = null;
  #row = 0;
  #ends = [];
  #follows = true;
  #handles;
  #lines = [0, 1].map(() => svg("line", { class: "caliper-line" }));
  #span = svg("line", { class: "caliper-span" });
  element = svg("g", { class: "calipers" });

  constructor() {
    super();
    this.#handles = [0, 1].map((end) => this.#handle(end));
    this.element.append(...this.#lines, this.#span, ...this.#handles);
  }

  #handle(end) {
    const circles = [REACH_MM, RADIUS_MM].map((r, at) => svg("circle", { class: at ? "caliper-end" : "caliper-reach", r }));
    const handle = svg("g", { class: "caliper-handle", role: "slider", tabindex: 0, "aria-label": end ? "Second end of the calipers" : "First end of the calipers" }, ...circles);
    handle.addEventListener("keydown", (event) => this.#key(event, end));
    handle.addEventListener("pointerdown", (event) => this.#grab(event, end));
    return handle;
  }

  /**
   * Lies on another sheet; the ends keep their times where it is long enough.
   * @param {{places: object[], channels: object[], values: (number|null)[][], scales: object[], frequency: number, speed: number,
   *   toPaper: (event: PointerEvent) => {x: number, y: number}}} sheet
   */
  lieOn(sheet) {
    this.#sheet = sheet;
    this.#row = Math.min(this.#row, sheet.places.length - 1);
    const { from, to } = this.#place;
    const ends = this.#ends.length ? this.#ends : [from + (to - from) * 0.1, from + (to - from) * 0.2].map((seconds) => ({ seconds, value: 0 }));
    this.#ends = ends.map((end) => this.#settled(end));
    this.#draw();
  }

  set follows(follows) {
    this.#follows = follows;
    this.#ends = this.#ends.map((end) => this.#settled(end));
    this.#draw();
  }

  get words() {
    const { channels } = this.#sheet;
    const { name, unit } = channels[this.#place.channel];
    return `${name}: ${inWords(reading(...this.#ends, unit))}`;
  }

  get #place() {
    return this.#sheet.places[this.#row];
  }

  get #scale() {
    return this.#sheet.scales[this.#place.channel];
  }

  /** An end on its place, and on the trace where it follows it. */
  #settled(end) {
    const { values, channels, frequency } = this.#sheet;
    const { channel } = this.#place;
    const inside = kept(end, this.#place);
    const found = this.#follows ? valueAtTime(values[channel], inside.seconds, { frequency, delay: channels[channel].delay }) : null;
    return { ...inside, value: found ?? inside.value };
  }

  #at({ x, y }) {
    const place = this.#place;
    const seconds = place.from + (x - place.left) / this.#sheet.speed;
    return this.#settled({ seconds, value: valueAt(y, place, this.#scale) });
  }

  #rowAt({ x, y }) {
    const { places, speed } = this.#sheet;
    const isOn = ({ left, top, height, from, to }) => x >= left && x < left + (to - from) * speed && y >= top && y < top + height;
    return places.findIndex(isOn);
  }

  /** Begins anew at a point of the paper. @returns {number} the end that goes on with the pointer; -1 beside the channels */
  begin(point) {
    const row = this.#rowAt(point);
    if (row < 0) return -1;
    this.#row = row;
    this.#ends = [this.#at(point), this.#at(point)];
    this.#draw();
    return 1;
  }

  /** The nearer end goes to a point of the same channel; to another channel both go, as far apart as they were. */
  bring(point) {
    const [first, second] = this.#ends;
    if (this.#rowAt(point) === this.#row) {
      const at = this.#at(point);
      const isFirstNearer = Math.abs(first.seconds - at.seconds) <= Math.abs(second.seconds - at.seconds);
      this.#ends[isFirstNearer ? 0 : 1] = at;
    } else {
      if (this.begin(point) < 0) return;
      this.#ends[1] = this.#settled({ ...this.#ends[0], seconds: this.#ends[0].seconds + second.seconds - first.seconds });
    }
    this.#draw();
  }

  move(end, point) {
    this.#ends[end] = this.#at(point);
    this.#draw();
  }

  /** Follows a pointer until it is let go. */
  drag(event, end) {
    const listeners = new AbortController();
    const options = { signal: listeners.signal };
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    target.addEventListener("pointermove", (moved) => this.move(end, this.#sheet.toPaper(moved)), options);
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) target.addEventListener(name, () => listeners.abort(), options);
  }

  #grab(event, end) {
    event.stopPropagation();
    this.drag(event, end);
  }

  #key(event, end) {
    const rows = { PageDown: 1, PageUp: -1 }[event.key];
    const arrow = ARROWS[event.key];
    if (!rows && !arrow) return;
    event.preventDefault();
    if (rows) this.#changeRow(rows);
    else this.#nudge(end, arrow, event.shiftKey ? FAR : 1);
    this.#draw();
  }

  #changeRow(rows) {
    this.#row = Math.min(this.#sheet.places.length - 1, Math.max(0, this.#row + rows));
    this.#ends = this.#ends.map((end) => this.#settled(end));
  }

  /** One sample aside, or half a millimetre up or down, where the ends do not follow the trace. */
  #nudge(end, [across, up], times) {
    const { seconds, value } = this.#ends[end];
    const { frequency } = this.#sheet;
    const sample = Math.round(seconds * frequency) + across * times;
    const moved = { seconds: across ? sample / frequency : seconds, value: value + (up * times * VALUE_STEP_MM) / this.#scale.perUnit };
    this.#ends[end] = this.#settled(moved);
  }

  #draw() {
    const place = this.#place;
    const { channels, speed } = this.#sheet;
    const { name, unit } = channels[place.channel];
    const points = this.#ends.map(({ seconds, value }) => ({ x: place.left + (seconds - place.from) * speed, y: heightOf(value, place, this.#scale) }));
    points.forEach(({ x, y }, end) => {
      set(this.#lines[end], { x1: x, x2: x, y1: place.top, y2: place.top + place.height });
      set(this.#handles[end], {
        transform: `translate(${x} ${y})`,
        "aria-valuenow": Math.round(this.#ends[end].seconds * 1000),
        "aria-valuemin": Math.round(place.from * 1000),
        "aria-valuemax": Math.round(place.to * 1000),
        "aria-valuetext": `${name}, ${this.#ends[end].seconds.toFixed(3)} s, ${this.#ends[end].value.toFixed(2)} ${unit}`,
      });
    });
    set(this.#span, { x1: points[0].x, x2: points[1].x, y1: points[0].y, y2: points[1].y });
    this.dispatchEvent(new Event("change"));
  }
}

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
}
