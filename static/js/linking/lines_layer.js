/**
 * Draws reference lines and the 3D cursor over one viewport: cyan, one pixel, with a dark outline.
 */
import { svg } from "../core/dom.js";
import { planeOf, toImage } from "../geometry/planes.js";
import { referenceLines } from "./reference_lines.js";

const CURSOR_GAP = 4;
const CURSOR_ARM = 14;
/** Labels stand so far inside the picture, and so far beside their line; CSS pixels. */
const LABEL_INSET = 18;
const LABEL_ASIDE = 5;

export class LinesLayer {
  #viewport;
  #source = () => null;
  #cursor = null;
  #drawn = "";
  #listeners = new AbortController();
  element = svg("svg", { class: "viewport-lines", "aria-hidden": "true" });

  /**
   * @param {import("../viewport/viewport.js").Viewport} viewport
   * @param {() => {manifest: object, frame: number}|null} source whose lines are drawn here
   */
  constructor(viewport, source) {
    this.#viewport = viewport;
    this.#source = source;
    viewport.addEventListener("painted", () => this.draw(), { signal: this.#listeners.signal });
  }

  disconnect() {
    this.#listeners.abort();
    this.element.remove();
  }

  /** @param {number[]|null} point of the patient, mm; null takes the cursor away */
  setCursor(point) {
    this.#cursor = point;
    this.draw();
  }

  draw() {
    const { manifest, problem, hasPicture, frame } = this.#viewport;
    const isShown = manifest && !problem && hasPicture;
    const source = isShown ? this.#source() : null;
    const lines = source ? referenceLines({ manifest, frame }, source) : [];
    const cursor = isShown && this.#cursor ? this.#cursorOn(manifest, frame) : null;
    const placed = lines.map((line) => ({ ...line, from: this.#viewport.toCss(line.from), to: this.#viewport.toCss(line.to) }));
    const drawn = JSON.stringify([placed, cursor]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.element.replaceChildren(...placed.flatMap(drawLine), ...(cursor ? drawCursor(cursor) : []));
  }

  #cursorOn(manifest, frame) {
    const plane = planeOf(manifest, frame);
    const place = plane && toImage(plane, this.#cursor);
    return place && this.#viewport.isOnImage(place) ? this.#viewport.toCss(place) : null;
  }
}

function drawLine({ from, to, label, isEnd }) {
  const ends = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
  const kind = isEnd ? "reference-line reference-line-end" : "reference-line";
  const text = svg("text", { class: "reference-label", ...labelPlace(from, to) });
  text.textContent = label;
  return [svg("line", { class: "reference-outline", ...ends }), svg("line", { class: kind, ...ends }), text];
}

/** Near the end that lies further left, or further down on an upright line. */
function labelPlace(from, to) {
  const [start, end] = from.x < to.x || (from.x === to.x && from.y > to.y) ? [from, to] : [to, from];
  const length = Math.hypot(end.x - start.x, end.y - start.y) || 1;
  const share = Math.min(LABEL_INSET / length, 0.5);
  return { x: start.x + (end.x - start.x) * share + LABEL_ASIDE, y: start.y + (end.y - start.y) * share - LABEL_ASIDE };
}

function drawCursor({ x, y }) {
  const arm = CURSOR_ARM - CURSOR_GAP;
  const path = `M${x - CURSOR_ARM} ${y}h${arm}M${x + CURSOR_GAP} ${y}h${arm}M${x} ${y - CURSOR_ARM}v${arm}M${x} ${y + CURSOR_GAP}v${arm}`;
  return [svg("path", { class: "patient-cursor-outline", d: path }), svg("path", { class: "patient-cursor", d: path })];
}
