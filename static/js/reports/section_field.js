/**
 * One section: a heading and a field that grows with its text.
 */
import { element } from "../core/dom.js";
import { expansion } from "./macros.js";

export class SectionField extends EventTarget {
  element;
  #field;
  #macros;

  /** @param {string} name @param {string} label @param {() => Record<string, string>} macros */
  constructor(name, label, macros) {
    super();
    this.name = name;
    this.#macros = macros;
    const id = `report-${name}`;
    this.#field = element("textarea", { id, rows: 1, dir: "auto", spellcheck: "true", autocomplete: "off", class: "report-field" });
    this.element = element("div", { class: "report-section" }, element("label", { for: id, text: label }), this.#field);
    this.#field.addEventListener("input", () => this.#typed());
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

  set isReadOnly(isReadOnly) {
    this.#field.readOnly = isReadOnly;
  }

  focus() {
    this.#field.focus();
  }

  #typed() {
    const found = expansion(this.#field.value, this.#field.selectionEnd, this.#macros());
    if (found) this.#field.setRangeText(found.text, found.start, found.end, "end");
    this.#grow();
    this.dispatchEvent(new Event("typed"));
  }

  #grow() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }
}
