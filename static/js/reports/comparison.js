/**
 * The section "comparison" filled with the studies that the reader has opened beside this one, until they write it themselves.
 */
export class Comparison {
  #field;
  #change;
  #words = new Set();
  #filled = "";
  #kept = "";

  /** @param {import("./section_field.js").SectionField} field @param {(text: string) => void} change has it kept with the draft */
  constructor(field, change) {
    this.#field = field;
    this.#change = change;
  }

  /** A prior was opened. @param {string} words "CT chest 2025-03-24" */
  add(words) {
    this.#words.add(words);
    this.fill();
  }

  /** Writes into an empty section, or over what it wrote itself; looking alone begins no draft. */
  fill() {
    const field = this.#field;
    if (!this.#words.size || field.isReadOnly || (field.text.trim() && field.text !== this.#filled)) return;
    const text = [...this.#words].join("; ");
    if (field.text === text) return;
    this.#filled = text;
    field.text = text;
  }

  /** The reader has typed something: what was filled in is part of the draft. */
  keep() {
    if (this.#field.text !== this.#filled || this.#filled === this.#kept) return;
    this.#kept = this.#filled;
    this.#change(this.#filled);
  }
}
