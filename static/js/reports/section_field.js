/**
 * One section: a heading and a field that grows with its text.
 */
import { element } from "../core/dom.js";
import { openMenu } from "../pages/viewer_parts/menu.js";
import { choiceAt, nextChoice } from "./choices.js";
import { expansion } from "./macros.js";
import { DRAGGED } from "./measure_words.js";

/** Events: "typed"; "dropped" with the id of a measurement in its detail. */
export class SectionField extends EventTarget {
  element;
  #field;
  #macros;
  #links = element("ul", { class: "report-measures", hidden: true });

  /** @param {string} name @param {string} label @param {() => Record<string, string>} macros */
  constructor(name, label, macros) {
    super();
    this.name = name;
    this.label = label;
    this.#macros = macros;
    const id = `report-${name}`;
    this.#field = element("textarea", { id, rows: 1, dir: "auto", spellcheck: "true", autocomplete: "off", class: "report-field" });
    this.#links.setAttribute("aria-label", `Measurements in ${label}`);
    this.element = element("div", { class: "report-section" }, element("label", { for: id, text: label }), this.#field, this.#links);
    this.#field.addEventListener("input", () => this.#typed());
    this.#acceptDrops();
    this.#offerChoices();
    new ResizeObserver(() => this.#grow()).observe(this.element);
  }

  get text() {
    return this.#field.value;
  }

  set text(text) {
    if (this.#field.value === text) return;
    this.#field.value = text;
    this.#grow();
  }

  get isReadOnly() {
    return this.#field.readOnly || this.element.hidden;
  }

  set isReadOnly(isReadOnly) {
    this.#field.readOnly = isReadOnly;
  }

  get hasFocus() {
    return document.activeElement === this.#field;
  }

  /** Puts words where the caret is, apart from what stands before them. */
  insert(words) {
    const { value, selectionStart, selectionEnd } = this.#field;
    const before = value.slice(0, selectionStart);
    const gap = before && !/\s$/.test(before) ? " " : "";
    this.#field.setRangeText(gap + words, selectionStart, selectionEnd, "end");
    this.#changed();
  }

  /** Puts other words in the place of these. */
  replace(words, others) {
    const at = this.#field.value.indexOf(words);
    if (at < 0) return;
    this.#field.setRangeText(others, at, at + words.length, "preserve");
    this.#changed();
  }

  /** Links to the measurements in the text. @param {HTMLElement[]} rows */
  showMeasures(rows) {
    this.#links.hidden = !rows.length;
    this.#links.replaceChildren(...rows);
  }

  focus() {
    this.#field.focus();
  }

  #typed() {
    const found = expansion(this.#field.value, this.#field.selectionEnd, this.#macros());
    if (found) this.#field.setRangeText(found.text, found.start, found.end, "end");
    this.#changed();
  }

  #changed() {
    this.#grow();
    this.dispatchEvent(new Event("typed"));
  }

  /** A click into a choice, or Alt and arrow down for the next one, offers what can be chosen. */
  #offerChoices() {
    const field = this.#field;
    field.addEventListener("click", () => {
      if (field.selectionStart === field.selectionEnd) this.#offer(choiceAt(field.value, field.selectionStart));
    });
    field.addEventListener("keydown", (event) => {
      if (!event.altKey || event.key !== "ArrowDown") return;
      event.preventDefault();
      this.#offer(choiceAt(field.value, field.selectionStart) ?? nextChoice(field.value, field.selectionEnd));
    });
  }

  #offer(choice) {
    if (!choice || this.isReadOnly) return;
    const { start, end, options } = choice;
    this.#field.setSelectionRange(start, end);
    if (!options.length) return;
    const put = (option) => () => {
      this.#field.setRangeText(option, start, end, "end");
      this.#changed();
    };
    openMenu(options.map((option) => ({ label: option, run: put(option) })), { below: this.#field, label: "Choices" });
  }

  #acceptDrops() {
    const isMeasurement = ({ dataTransfer }) => dataTransfer?.types.includes(DRAGGED) && !this.isReadOnly;
    this.#field.addEventListener("dragover", (event) => isMeasurement(event) && event.preventDefault());
    this.#field.addEventListener("drop", (event) => {
      if (!isMeasurement(event)) return;
      event.preventDefault();
      const place = document.caretPositionFromPoint?.(event.clientX, event.clientY);
      if (place?.offsetNode === this.#field) this.#field.setSelectionRange(place.offset, place.offset);
      this.dispatchEvent(new CustomEvent("dropped", { detail: { id: event.dataTransfer.getData(DRAGGED) } }));
    });
  }

  #grow() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }
}
