/**
 * Marks between neighbouring viewports of a grid that are linked, and the words in the corner of each that say how.
 */
import { element, icon } from "../core/dom.js";

export class LinkMarks {
  #container;
  #viewer;
  #linker;
  #marks = [];

  /**
   * @param {HTMLElement} container of the viewports
   * @param {import("../pages/viewer_parts/viewer.js").Viewer} viewer
   * @param {import("./linker.js").Linker} linker
   */
  constructor(container, viewer, linker) {
    this.#container = container;
    this.#viewer = viewer;
    this.#linker = linker;
    linker.addEventListener("change", () => this.update());
    for (const name of ["shown", "active", "layout"]) viewer.addEventListener(name, () => this.update());
  }

  update() {
    const { panes, layout, active, isMaximised } = this.#viewer;
    const words = panes.map((pane) => this.#linker.wordsFor(pane));
    panes.forEach((pane, index) => pane.showLink(words[index]));
    for (const mark of this.#marks) mark.remove();
    const isLinked = (index) => panes[index] && (panes[index] === active ? words.some(Boolean) : Boolean(words[index]));
    this.#marks = [];
    panes.forEach((_pane, index) => {
      if (isMaximised || layout.hasLarge || !isLinked(index)) return;
      const [row, column] = [Math.floor(index / layout.columns), index % layout.columns];
      if (column + 1 < layout.columns && isLinked(index + 1)) this.#add((column + 1) / layout.columns, (row + 0.5) / layout.rows);
      if (isLinked(index + layout.columns)) this.#add((column + 0.5) / layout.columns, (row + 1) / layout.rows);
    });
    this.#container.append(...this.#marks);
  }

  #add(x, y) {
    const mark = element("div", { class: "link-mark", "aria-hidden": "true" }, icon("link", { small: true }));
    mark.style.left = `${x * 100}%`;
    mark.style.top = `${y * 100}%`;
    this.#marks.push(mark);
  }
}
