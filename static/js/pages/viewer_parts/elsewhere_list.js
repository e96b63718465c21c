/**
 * The second list of the panel "Measures": what others measured, with their values; a click jumps there.
 */
import { element } from "../../core/dom.js";

export class ElsewhereList {
  #parts;
  #list = element("ul", { class: "measures-list" });
  element;

  /** @param {{foreign: import("../../objects/foreign_marks.js").ForeignMarks, library: object, jump: (mark: object) => void, study: string}} parts */
  constructor(parts) {
    this.#parts = parts;
    this.element = element("section", { class: "measures-elsewhere", "aria-label": "Measurements from elsewhere", hidden: true }, element("h3", { text: "From elsewhere" }), this.#list);
    parts.foreign.addEventListener("change", () => this.render());
  }

  render() {
    const marks = this.#parts.foreign.all;
    this.element.hidden = !marks.length;
    this.#list.replaceChildren(...marks.map((mark) => this.#row(mark)));
  }

  #row(mark) {
    const entry = this.#parts.library.entry(mark.stack);
    const where = entry?.SeriesNumber === null || entry?.SeriesNumber === undefined ? (entry?.Modality ?? "") : `S${entry.SeriesNumber}`;
    const name = mark.name || "Measurement";
    const part = (kind, text) => element("span", { class: `measures-${kind}`, text });
    const jump = element(
      "button",
      { class: "measures-jump", type: "button", title: name, onclick: () => this.#parts.jump(mark) },
      part("name", name),
      part("where", [where, mark.site].filter(Boolean).join(" · ")),
      part("values", mark.values.join(" · ")),
    );
    const report = element("a", { class: "measures-report", href: `/studies/${this.#parts.study}/objects/${mark.report}/`, text: "report", "aria-label": `Report of ${name}` });
    return element("li", { class: "measures-row" }, jump, report);
  }
}
