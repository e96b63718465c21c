/**
 * Draws measurements over a viewport: a thin line with a dark outline, handles on hover, a label beside it.
 */
import { svg } from "../core/dom.js";
import { formatLength, lengthBetween } from "../geometry/distance.js";
import { hitMark, layout } from "./mark_geometry.js";

const HANDLE_RADIUS = 4;
const CROSS = 4;
const DRAFT = "draft";

export class MarksLayer {
  #viewport;
  #store;
  #listeners = new AbortController();
  #draft = null;
  #moved = null;
  #hovered = null;
  #selected = null;
  element = svg("svg", { class: "viewport-marks", "aria-hidden": "true" });

  /**
   * @param {import("../viewport/viewport.js").Viewport} viewport
   * @param {import("./mark_store.js").MarkStore} store
   */
  constructor(viewport, store) {
    this.#viewport = viewport;
    this.#store = store;
    const { signal } = this.#listeners;
    viewport.addEventListener("painted", () => this.draw(), { signal });
    store.addEventListener("change", () => this.draw(), { signal });
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
    if (!this.#viewport.manifest || this.#viewport.problem) return null;
    return this.#hitLabel(point) ?? hitMark(point, this.#marks(), (one) => this.#viewport.toCss(one), options);
  }

  #hitLabel({ x, y }) {
    for (const group of this.element.children) {
      const box = group.querySelector("text").getBBox();
      const isOn = x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
      if (isOn && group.dataset.mark !== DRAFT) return { id: group.dataset.mark, part: "label" };
    }
    return null;
  }

  #marks() {
    return this.#store.of(this.#viewport.frameFacts).map((mark) => (mark.id === this.#moved?.id ? this.#moved : mark));
  }

  draw() {
    const isShown = this.#viewport.manifest && !this.#viewport.problem && this.#viewport.hasPicture;
    const marks = isShown ? [...this.#marks(), ...(this.#draft ? [this.#draft] : [])] : [];
    if (!marks.length && !this.element.firstChild) return;
    this.element.replaceChildren(...marks.map((mark) => this.#drawLength(mark)));
  }

  #drawLength(mark) {
    const place = layout(mark, (point) => this.#viewport.toCss(point));
    const { from, to, label, anchor } = place;
    const isActive = mark === this.#draft || mark.id === this.#selected;
    const ends = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
    const group = svg("g", { class: isActive ? "length length-selected" : "length", "data-mark": mark.id ?? DRAFT });
    group.append(svg("line", { class: "length-outline", ...ends }), svg("line", { class: "length-line", ...ends }));
    for (const end of [from, to]) group.append(this.#end(end, mark));
    if (mark.label) group.append(svg("line", { class: "length-leader", x1: anchor.x, y1: anchor.y, x2: label.x, y2: label.y }));
    group.append(...this.#label(mark, label));
    return group;
  }

  #end({ x, y }, mark) {
    const isHandled = mark === this.#draft || mark.id === this.#hovered || mark.id === this.#selected;
    if (isHandled) return svg("circle", { class: "length-handle", cx: x, cy: y, r: HANDLE_RADIUS });
    return svg("path", { class: "length-end", d: `M${x - CROSS} ${y}h${CROSS * 2}M${x} ${y - CROSS}v${CROSS * 2}` });
  }

  #label(mark, { x, y }) {
    const length = lengthBetween(this.#viewport.manifest, mark.from, mark.to);
    const isDetailed = mark === this.#draft || mark.id === this.#hovered || mark.id === this.#selected;
    const text = svg("text", { class: "length-label", x, y });
    text.textContent = length.note && length.unit === "mm" ? `${formatLength(length)} *` : formatLength(length);
    if (!isDetailed || !length.note) return [text];
    const note = svg("text", { class: "length-label length-note", x, y: y + 15 });
    note.textContent = length.note;
    return [text, note];
  }
}
