/**
 * Draws measurements over a viewport: thin lines with a dark outline, handles on hover, values beside it.
 */
import { svg } from "../core/dom.js";
import { hitMark, layout } from "./mark_geometry.js";
import { valuesOf } from "./mark_values.js";

const HANDLE_RADIUS = 4;
const CROSS = 4;
const LINE_HEIGHT = 15;
const ARROW_PX = 11;
const DRAFT = "draft";
/** Kinds whose ends are marked by a small cross. */
const WITH_CROSSES = new Set(["length", "bidirectional", "angle", "cobb", "cardiothoracic", "calibration", "spine"]);

export class MarksLayer {
  #viewport;
  #store;
  #measurer;
  #listeners = new AbortController();
  #draft = null;
  #moved = null;
  #hovered = null;
  #selected = null;
  #isHidden = false;
  element = svg("svg", { class: "viewport-marks", "aria-hidden": "true" });

  /**
   * @param {import("../viewport/viewport.js").Viewport} viewport
   * @param {import("./mark_store.js").MarkStore} store
   * @param {import("./mark_measurer.js").MarkMeasurer} measurer
   */
  constructor(viewport, store, measurer) {
    this.#viewport = viewport;
    this.#store = store;
    this.#measurer = measurer;
    const { signal } = this.#listeners;
    viewport.addEventListener("painted", () => this.draw(), { signal });
    store.addEventListener("change", () => this.draw(), { signal });
    measurer.addEventListener("measured", () => this.draw(), { signal });
  }

  disconnect() {
    this.#listeners.abort();
  }

  /** The mark that is being drawn, null when none is. */
  setDraft(draft) {
    this.#draft = draft;
    this.draw();
  }

  /** A mark as it lies while it is being moved; null when it has been put down. */
  setMoved(mark) {
    this.#moved = mark;
    this.draw();
  }

  setHidden(isHidden) {
    this.#isHidden = isHidden;
    this.draw();
  }

  get selected() {
    return this.#selected;
  }

  select(id) {
    this.#selected = id;
    this.draw();
  }

  hover(id) {
    if (id === this.#hovered) return;
    this.#hovered = id;
    this.draw();
  }

  /** The part of a mark under a point in CSS pixels. */
  hit(point, options) {
    if (!this.#viewport.manifest || this.#viewport.problem || this.#isHidden) return null;
    return this.#hitLabel(point) ?? hitMark(point, this.#marks(), this.#toCss, { ...options, aspect: this.#aspect });
  }

  #hitLabel({ x, y }) {
    for (const group of this.element.children) {
      for (const text of group.querySelectorAll("text.mark-label:not(.mark-note)")) {
        const box = text.getBBox();
        const isOn = x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
        if (isOn && group.dataset.mark !== DRAFT) return { id: group.dataset.mark, part: "label", index: -1 };
      }
    }
    return null;
  }

  get #aspect() {
    return this.#viewport.manifest.PixelAspectRatio ?? [1, 1];
  }

  #toCss = (point) => this.#viewport.toCss(point);

  #marks() {
    return this.#store.of(this.#viewport.frameFacts).map((mark) => (mark.id === this.#moved?.id ? this.#moved : mark));
  }

  draw() {
    const isShown = this.#viewport.manifest && !this.#viewport.problem && this.#viewport.hasPicture && !this.#isHidden;
    const marks = isShown ? [...this.#marks(), ...(this.#draft ? [this.#draft] : [])] : [];
    if (!marks.length && !this.element.firstChild) return;
    this.element.replaceChildren(...marks.map((mark) => (mark.kind === "key_image" ? keyFlag(mark) : this.#drawMark(mark))));
  }

  #drawMark(mark) {
    const { lines, handles, label, anchor } = layout(mark, this.#toCss, this.#aspect);
    const isActive = mark === this.#draft || mark.id === this.#selected;
    const group = svg("g", { class: isActive ? "mark-shape mark-active" : "mark-shape", "data-mark": mark.id ?? DRAFT, "data-kind": mark.kind });
    const path = lines.map(pathOf).join("") + (mark.kind === "arrow" ? headOf(lines[0]) : "");
    group.append(svg("path", { class: "mark-outline", d: path }), svg("path", { class: "mark-line", d: path }));
    group.append(...this.#ends(mark, handles));
    if (mark.label) group.append(svg("line", { class: "mark-leader", x1: anchor.x, y1: anchor.y, x2: label.x, y2: label.y }));
    group.append(...this.#label(mark, label));
    return group;
  }

  #ends(mark, handles) {
    if (this.#isLookedAt(mark)) return handles.map(({ x, y }) => svg("circle", { class: "mark-handle", cx: x, cy: y, r: HANDLE_RADIUS }));
    if (!WITH_CROSSES.has(mark.kind)) return [];
    const cross = ({ x, y }) => `M${x - CROSS} ${y}h${CROSS * 2}M${x} ${y - CROSS}v${CROSS * 2}`;
    const places = mark.kind === "spine" ? mark.points.map(this.#toCss) : handles;
    return [svg("path", { class: "mark-end", d: places.map(cross).join("") })];
  }

  #isLookedAt(mark) {
    return mark === this.#draft || mark.id === this.#hovered || mark.id === this.#selected;
  }

  #label(mark, { x, y }) {
    const { frame } = this.#viewport;
    const manifest = this.#store.calibrated(this.#viewport.manifest, mark);
    const isMoving = mark === this.#draft || mark === this.#moved;
    const measured = this.#measurer.of(mark, manifest.stack, frame, { isMoving, byHand: manifest.byHand });
    const { lines, details } = valuesOf(mark, manifest, measured);
    const author = mark.author && !mark.isOwn ? [mark.author] : [];
    const more = this.#isLookedAt(mark) ? [...details, ...author] : [];
    return [...lines, ...more].map((text, index) => {
      const kind = index < lines.length ? "mark-label" : "mark-label mark-note";
      const node = svg("text", { class: kind, x, y: y + index * LINE_HEIGHT });
      node.textContent = text;
      return node;
    });
  }
}

function pathOf(line) {
  return line.map(({ x, y }, index) => `${index ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
}

/** Two short lines at the tip. */
function headOf([tail, tip]) {
  const angle = Math.atan2(tip.y - tail.y, tip.x - tail.x);
  const side = (turn) => {
    const [x, y] = [tip.x - ARROW_PX * Math.cos(angle + turn), tip.y - ARROW_PX * Math.sin(angle + turn)];
    return `M${tip.x.toFixed(2)} ${tip.y.toFixed(2)}L${x.toFixed(2)} ${y.toFixed(2)}`;
  };
  return side(0.45) + side(-0.45);
}

/** Words at the upper edge: the whole frame is meant. */
function keyFlag(mark) {
  const text = svg("text", { class: "mark-label mark-key", x: "50%", y: 44, "text-anchor": "middle" });
  text.textContent = mark.text ? `★ key image: ${mark.text}` : "★ key image";
  return svg("g", { class: "mark-shape", "data-mark": mark.id, "data-kind": mark.kind }, text);
}
