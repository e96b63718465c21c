/**
 * The panel "Measures": what is drawn on the study, with its values; a click jumps there, and it can be named or deleted.
 */
import { valuesOf } from "../../annotations/mark_values.js";
import { element, icon, setText } from "../../core/dom.js";
import { KIND_NAMES } from "../../geometry/shapes.js";
import { frameOf, saveWord } from "./marking.js";

const LONGEST_NAME = 200;

export class MeasuresPanel {
  #parts;
  #list = element("ul", { class: "measures-list" });
  #empty = element("p", { class: "measures-empty", text: "Nothing is measured yet. Choose a tool, such as Length (l) or Ellipse (e), and draw on the image." });
  #word = element("p", { class: "measures-word", role: "status" });
  #export;
  #rows = new Map();
  #isPlanned = false;
  element;

  /**
   * @param {{store: object, saver: object, measurer: object, marking: object, library: object, viewer: object, close: () => void,
   *   more: HTMLElement[], write: (() => Promise<void>)|null}} parts write: asks for DICOM objects of all that is drawn; null where the reader may not;
   *   more: further sections of the panel
   */
  constructor(parts) {
    this.#parts = parts;
    const close = element("button", { class: "button button-quiet button-icon", type: "button", "aria-label": "Close measurements", title: "Close", onclick: parts.close }, icon("x"));
    const written = element("output", { class: "measures-word" });
    const write = element("button", { class: "button", type: "button", text: "Save as DICOM", title: "Structured report, key images and presentation states, kept with the study", onclick: () => this.#write(written) });
    this.#export = element("div", { class: "measures-export" }, write, written);
    this.element = element(
      "aside",
      { class: "side-panel measures", "aria-label": "Measurements", hidden: true },
      element("div", { class: "side-panel-head" }, element("h2", { text: "Measures" }), close),
      this.#empty,
      this.#list,
      this.#word,
      this.#export,
      ...parts.more,
    );
    parts.store.addEventListener("change", () => this.#renderSoon());
    parts.measurer.addEventListener("measured", () => this.#renderSoon());
    parts.saver.addEventListener("state", () => this.#writeWord());
    parts.viewer.addEventListener("shown", () => this.#renderSoon());
  }

  get isOpen() {
    return !this.element.hidden;
  }

  setOpen(isOpen) {
    this.element.hidden = !isOpen;
    if (isOpen) this.#render();
  }

  async #write(written) {
    try {
      await this.#parts.saver.flush();
      await this.#parts.write();
      written.replaceChildren("Being written: it will be announced here. ", element("a", { href: "/jobs/", text: "Jobs" }));
    } catch (error) {
      setText(written, error.message);
    }
  }

  #writeWord() {
    setText(this.#word, saveWord(this.#parts.saver.state));
  }

  #renderSoon() {
    if (!this.isOpen || this.#isPlanned) return;
    this.#isPlanned = true;
    requestAnimationFrame(() => {
      this.#isPlanned = false;
      this.#render();
    });
  }

  /** Rows stay the elements they are, so that nothing goes away under the pointer or the focus. */
  #render() {
    const marks = this.#parts.store.all;
    this.#empty.hidden = marks.length > 0;
    this.#export.hidden = !marks.length || !this.#parts.write;
    const ids = new Set(marks.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    for (const mark of marks) {
      if (!this.#rows.has(mark.id)) this.#rows.set(mark.id, this.#makeRow(mark.id));
      const row = this.#rows.get(mark.id);
      this.#fill(row, mark);
      if (!row.element.isConnected) this.#list.append(row.element);
    }
    this.#writeWord();
  }

  #makeRow(id) {
    const [name, where, values] = ["name", "where", "values"].map((part) => element("span", { class: `measures-${part}` }));
    const jump = element("button", { class: "measures-jump", type: "button", onclick: () => this.#parts.marking.jumpTo(id) }, name, where, values);
    const button = (label, image, run) =>
      element("button", { class: "button button-quiet button-icon", type: "button", title: label, onclick: run }, icon(image, { small: true }));
    const rename = button("Name", "pencil", () => this.#rename(id));
    const remove = button("Delete", "trash-2", () => this.#parts.store.remove(id));
    return { element: element("li", { class: "measures-row" }, jump, rename, remove), jump, name, where, values, rename, remove };
  }

  #fill(row, mark) {
    const { where, values } = this.#facts(mark);
    const name = mark.text || KIND_NAMES[mark.kind];
    const author = mark.author && !mark.isOwn ? `by ${mark.author}` : "";
    const place = [where, author].filter(Boolean).join(" · ");
    setText(row.name, name);
    setText(row.where, place);
    setText(row.values, values);
    row.jump.title = [name, place].filter(Boolean).join(" · ");
    row.element.dataset.kind = mark.kind;
    for (const [part, word] of [["rename", "Name"], ["remove", "Delete"]]) {
      row[part].setAttribute("aria-label", `${word}: ${name}`);
      row[part].disabled = mark.mayChange === false;
    }
  }

  /** Series, image and values, as far as the stack is known in this page. */
  #facts(mark) {
    const entry = this.#parts.library.entry(mark.stack);
    const manifest = this.#parts.library.known(mark.stack);
    const frame = manifest ? frameOf(manifest, mark) : 0;
    const series = entry?.SeriesNumber === null || entry?.SeriesNumber === undefined ? (entry?.Modality ?? "") : `S${entry.SeriesNumber}`;
    const where = [series, frame ? `Im ${frame}` : ""].filter(Boolean).join(" ");
    if (!manifest || !frame) return { where, values: "" };
    const measured = this.#parts.measurer.of(mark, mark.stack, frame);
    const { lines } = valuesOf({ ...mark, text: "" }, manifest, measured);
    return { where, values: lines.join(" · ") };
  }

  #rename(id) {
    const mark = this.#parts.store.get(id);
    const { element: row, rename } = this.#rows.get(id);
    const input = element("input", { class: "measures-input", type: "text", maxlength: LONGEST_NAME, "aria-label": `Name of ${KIND_NAMES[mark.kind]}`, autocomplete: "off" });
    input.value = mark.text;
    let isOpen = true;
    const close = (isTaken) => {
      if (!isOpen) return;
      isOpen = false;
      const text = input.value.trim();
      input.remove();
      if (isTaken && text !== mark.text) this.#parts.store.change(id, { text });
      rename.focus();
    };
    input.addEventListener("keydown", (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      // The same Enter must not press the button that gets the focus.
      event.preventDefault();
      close(event.key === "Enter");
    });
    input.addEventListener("blur", () => close(true));
    row.prepend(input);
    input.focus();
    input.select();
  }
}
