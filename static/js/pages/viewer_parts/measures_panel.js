/**
 * The panel "Measures": what is drawn on the study under the headings of its groups, with its values and how they have
 * grown since the prior; a click jumps there, and each can be named, grouped, charted or deleted.
 */
import { counterpartOf, growthInWords, numberOf } from "../../annotations/growth.js";
import { valuesOf } from "../../annotations/mark_values.js";
import { element, icon, setText } from "../../core/dom.js";
import { KIND_NAMES, WORDS } from "../../geometry/shapes.js";
import { DRAGGED, isForReports } from "../../reports/measure_words.js";
import { isCharted } from "./chart_dialog.js";
import { frameOf, saveWord } from "./marking.js";
import { openMenu } from "./menu.js";

const LONGEST_NAME = 200;
const LONGEST_GROUP = 40;

export class MeasuresPanel {
  #parts;
  #list = element("ul", { class: "measures-list" });
  #empty = element("p", { class: "measures-empty", text: "Nothing is measured yet. Choose a tool, such as Length (l) or Ellipse (e), and draw on the image." });
  #word = element("p", { class: "measures-word", role: "status" });
  #export;
  #rows = new Map();
  #headings = new Map();
  #isPlanned = false;
  element;

  /**
   * @param {{store: object, saver: object, measurer: object, marking: object, library: object, viewer: object, openChart: (mark: object) => void,
   *   close: () => void, more: HTMLElement[], write: (() => Promise<void>)|null, intoReport: ((id: string) => void)|null}} parts write: asks for DICOM objects of all that is drawn; null where the reader may not;
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

  /** Measurements of the study itself, those of a group together. */
  get #marks() {
    const own = this.#parts.store.all.filter((mark) => !mark.study);
    const groups = [...new Set(["", ...own.map(({ group }) => group ?? "")])];
    return groups.flatMap((name) => own.filter(({ group }) => (group ?? "") === name));
  }

  get #priorMarks() {
    return this.#parts.store.all.filter((mark) => mark.study);
  }

  /** Rows stay the elements they are, so that nothing goes away under the pointer or the focus. */
  #render() {
    const marks = this.#marks;
    this.#empty.hidden = marks.length > 0;
    this.#export.hidden = !marks.length || !this.#parts.write;
    const ids = new Set(marks.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
    const wanted = [];
    let group = "";
    for (const mark of marks) {
      if ((mark.group ?? "") !== group) wanted.push(this.#heading((group = mark.group)));
      if (!this.#rows.has(mark.id)) this.#rows.set(mark.id, this.#makeRow(mark.id));
      const row = this.#rows.get(mark.id);
      this.#fill(row, mark);
      wanted.push(row.element);
    }
    this.#arrange(wanted);
    this.#writeWord();
  }

  #heading(group) {
    if (!this.#headings.has(group)) this.#headings.set(group, element("li", { class: "measures-group" }, element("h3", { text: group })));
    return this.#headings.get(group);
  }

  #arrange(wanted) {
    for (const child of [...this.#list.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((child, at) => {
      if (this.#list.children[at] !== child) this.#list.insertBefore(child, this.#list.children[at] ?? null);
    });
  }

  #makeRow(id) {
    const [name, where, values, growth] = ["name", "where", "values", "growth"].map((part) => element("span", { class: `measures-${part}` }));
    const jump = element("button", { class: "measures-jump", type: "button", onclick: () => this.#parts.marking.jumpTo(id) }, name, where, values, growth);
    const button = (label, image, run) =>
      element("button", { class: "button button-quiet button-icon", type: "button", title: label, onclick: run }, icon(image, { small: true }));
    const report = button("Into the report", "file", () => this.#parts.intoReport(id));
    const rename = button("Name", "pencil", () => this.#rename(id));
    const more = button("More", "ellipsis", () => this.#openMore(id));
    const remove = button("Delete", "trash-2", () => this.#parts.store.remove(id));
    const row = element("li", { class: "measures-row", ondragstart: ({ dataTransfer }) => dataTransfer.setData(DRAGGED, id) }, jump, report, rename, more, remove);
    return { element: row, jump, report, name, where, values, growth, rename, more, remove };
  }

  #fill(row, mark) {
    const { where, values } = this.#facts(mark);
    const name = mark.text || KIND_NAMES[mark.kind];
    const author = mark.author && !mark.isOwn ? `by ${mark.author}` : "";
    const place = [where, author].filter(Boolean).join(" · ");
    setText(row.name, name);
    setText(row.where, place);
    setText(row.values, values);
    setText(row.growth, this.#growth(mark));
    row.jump.title = [name, place].filter(Boolean).join(" · ");
    row.element.dataset.kind = mark.kind;
    const isReported = Boolean(this.#parts.intoReport) && isForReports(mark);
    row.report.hidden = !isReported;
    row.element.draggable = isReported;
    for (const [part, word] of [["report", "Into the report"], ["rename", "Name"], ["more", "More"], ["remove", "Delete"]]) {
      row[part].setAttribute("aria-label", `${word}: ${name}`);
      row[part].disabled = ["rename", "remove"].includes(part) && mark.mayChange === false;
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
    const seen = this.#parts.store.calibrated(manifest, mark);
    const measured = this.#parts.measurer.of(mark, mark.stack, frame, { byHand: seen.byHand });
    const { lines } = valuesOf(WORDS.has(mark.kind) ? mark : { ...mark, text: "" }, seen, measured);
    return { where, values: lines.join(" · ") };
  }

  /** "PRIOR, 20 months: 31.9 mm; +5.2 mm, +16 %" where a prior has the same measurement. */
  #growth(mark) {
    const other = counterpartOf(mark, this.#priorMarks);
    if (!other) return "";
    const words = growthInWords(this.#number(mark), this.#number(other));
    return words ? `${other.prior}: ${words}` : "";
  }

  #number(mark) {
    const manifest = this.#parts.library.known(mark.stack);
    if (!manifest) {
      this.#parts.library.manifest(mark.stack).then(() => this.#renderSoon(), () => {});
      return null;
    }
    const frame = frameOf(manifest, mark);
    const seen = this.#parts.store.calibrated(manifest, mark);
    return frame ? numberOf(mark, seen, this.#parts.measurer.of(mark, mark.stack, frame, { byHand: seen.byHand })) : null;
  }

  #openMore(id) {
    const mark = this.#parts.store.get(id);
    const isFixed = mark.mayChange === false;
    const priors = this.#priorMarks.filter(({ kind, text }) => kind === mark.kind && text);
    const groups = [...new Set(this.#marks.map(({ group }) => group).filter(Boolean))];
    const put = (group) => () => this.#parts.store.change(id, { group });
    openMenu(
      [
        { label: "Values as a chart", icon: "activity", isDisabled: !isCharted(mark), run: () => this.#parts.openChart(mark) },
        { heading: "Group" },
        ...["", ...groups].map((group) => ({ label: group || "None", isChecked: (mark.group ?? "") === group, isDisabled: isFixed, run: put(group) })),
        { label: "New group …", isDisabled: isFixed, run: () => this.#group(id) },
        ...(priors.length ? [{ heading: "The same on the prior" }] : []),
        ...priors.map((prior) => ({ label: prior.text, detail: prior.prior, isChecked: counterpartOf(mark, [prior]) === prior, isDisabled: isFixed, run: () => this.#parts.store.change(id, { text: prior.text }) })),
      ],
      { below: this.#rows.get(id).more, label: `More about ${mark.text || KIND_NAMES[mark.kind]}` },
    );
  }

  #group(id) {
    const { group = "", kind } = this.#parts.store.get(id);
    this.#ask(id, { value: group, longest: LONGEST_GROUP, label: `Group of ${KIND_NAMES[kind]}`, done: (text) => this.#parts.store.change(id, { group: text }) });
  }

  #rename(id) {
    const { text, kind } = this.#parts.store.get(id);
    this.#ask(id, { value: text, longest: LONGEST_NAME, label: `Name of ${KIND_NAMES[kind]}`, done: (words) => this.#parts.store.change(id, { text: words }) });
  }

  /** Asks for a few words above a row; Enter takes them, Escape does not. */
  #ask(id, { value, longest, label, done }) {
    const { element: row, rename } = this.#rows.get(id);
    const input = element("input", { class: "measures-input", type: "text", maxlength: longest, "aria-label": label, autocomplete: "off" });
    input.value = value;
    let isOpen = true;
    const close = (isTaken) => {
      if (!isOpen) return;
      isOpen = false;
      const text = input.value.trim();
      input.remove();
      if (isTaken && text !== value) done(text);
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
