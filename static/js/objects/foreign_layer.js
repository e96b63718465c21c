/**
 * Draws measurements of others over a viewport: dashed lines of a colour of their own, name and values beside them.
 */
import { svg } from "../core/dom.js";

const CROSS = 5;
const LINE_HEIGHT = 15;
const GAP = { x: 12, y: 4 };
const MOST_VALUES = 3;

export class ForeignLayer {
  #viewport;
  #marks;
  #listeners = new AbortController();
  #isHidden = false;
  #selected = null;
  element = svg("svg", { class: "viewport-marks viewport-foreign", "aria-hidden": "true" });

  /**
   * @param {import("../viewport/viewport.js").Viewport} viewport
   * @param {import("./foreign_marks.js").ForeignMarks} marks
   */
  constructor(viewport, marks) {
    this.#viewport = viewport;
    this.#marks = marks;
    const { signal } = this.#listeners;
    viewport.addEventListener("painted", () => this.draw(), { signal });
    marks.addEventListener("change", () => this.draw(), { signal });
  }

  disconnect() {
    this.#listeners.abort();
  }

  setHidden(isHidden) {
    this.#isHidden = isHidden;
    this.draw();
  }

  select(id) {
    this.#selected = id;
    this.draw();
  }

  draw() {
    const { manifest, problem, hasPicture, frameFacts } = this.#viewport;
    const isShown = manifest && !problem && hasPicture && !this.#isHidden;
    const marks = isShown ? this.#marks.of(frameFacts) : [];
    const key = isShown ? this.#marks.keyOf(frameFacts) : undefined;
    if (!marks.length && !key && !this.element.firstChild) return;
    this.element.replaceChildren(...marks.map((mark) => this.#group(mark)), ...(key ? [keyFlag(key)] : []));
  }

  #group(mark) {
    const lines = mark.graphics.map(({ points, is_line: isLine }) => ({ isLine, points: points.map(([x, y]) => this.#viewport.toCss({ x, y })) }));
    const path = lines.map(pathOf).join("");
    const isSelected = mark.id === this.#selected;
    const group = svg("g", { class: isSelected ? "foreign-shape mark-active" : "foreign-shape", "data-foreign": mark.id });
    group.append(svg("path", { class: "mark-outline", d: path }), svg("path", { class: "foreign-line", d: path }));
    const all = lines.flatMap(({ points }) => points);
    const right = all.reduce((found, point) => (point.x > found.x ? point : found), all[0]);
    const values = isSelected ? mark.values : mark.values.slice(0, MOST_VALUES);
    [mark.name, ...values].filter(Boolean).forEach((text, index) => {
      const node = svg("text", { class: "foreign-label", x: right.x + GAP.x, y: right.y + GAP.y + index * LINE_HEIGHT });
      node.textContent = text;
      group.append(node);
    });
    return group;
  }
}

function pathOf({ points, isLine }) {
  if (isLine) return points.map(({ x, y }, index) => `${index ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
  return points.map(({ x, y }) => `M${(x - CROSS).toFixed(2)} ${y.toFixed(2)}h${CROSS * 2}M${x.toFixed(2)} ${(y - CROSS).toFixed(2)}v${CROSS * 2}`).join("");
}

/** Words at the upper edge: the whole frame is meant. */
function keyFlag(key) {
  const text = svg("text", { class: "foreign-label", x: "50%", y: 60, "text-anchor": "middle" });
  text.textContent = ["★ key image from elsewhere", key.text || key.title].filter(Boolean).join(": ");
  return svg("g", { class: "foreign-shape" }, text);
}
