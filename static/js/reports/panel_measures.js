/**
 * Measurements in the sections of a report: a list to pick from, what was dropped, and links below each section.
 */
import { announce } from "../core/announcer.js";
import { element } from "../core/dom.js";
import { piecesOf, sinceInWords } from "./measure_words.js";

export class PanelMeasures {
  #measures;
  #study;
  #fields;
  #target;
  #say;
  #told = [];
  #own = [];
  select;

  /**
   * @param {import("./report_measures.js").ReportMeasures|null} measures
   * @param {{study: string, fields: Map<string, import("./section_field.js").SectionField>, target: () => object|null, say: (text: string) => void}} parts
   *   target: the section that a measurement is put into; null where nothing can be typed
   */
  constructor(measures, { study, fields, target, say }) {
    this.#measures = measures;
    this.#study = study;
    this.#fields = fields;
    this.#target = target;
    this.#say = say;
    this.select = element("select", { class: "report-measurements", "aria-label": "Put a measurement into the text", hidden: true, onchange: () => this.#pick() });
    for (const field of fields.values()) field.addEventListener("dropped", ({ detail }) => this.insert(detail.id, field));
    measures?.addEventListener("change", () => this.render());
  }

  /** What is kept with the draft that is shown. */
  begin(told) {
    this.#told = told ?? [];
    this.render();
  }

  /** What a save tells the portal beside the text. */
  get entries() {
    return this.#own;
  }

  /** Words in the text whose measurement has changed since. @returns {string[]} */
  get changed() {
    return [...this.#fields.values()].flatMap((field) => this.#standing(field).filter((entry) => this.#note(entry)).map(({ words }) => words));
  }

  /** Puts a measurement into a section, where the caret is. @param {string} id @param {object} [field] */
  async insert(id, field = this.#target()) {
    if (!this.#measures || !field || field.isReadOnly) {
      this.#say("Claim the study to put a measurement into its report.");
      return;
    }
    try {
      const entry = { ...(await this.#measures.entryOf(id)), section: field.name };
      this.#own.push(entry);
      field.insert(entry.words);
      announce(`${entry.words} is in ${field.label}.`);
    } catch (error) {
      this.#say(error.message);
    }
  }

  /** The list to pick from, and the links below the sections. */
  render() {
    const choices = this.#measures?.choices ?? [];
    this.select.hidden = !choices.length || !this.#target();
    if (document.activeElement !== this.select) {
      this.select.replaceChildren(element("option", { value: "", text: "Measurement…" }), ...choices.map(({ id, label }) => element("option", { value: id, text: label })));
    }
    for (const field of this.#fields.values()) field.showMeasures(this.#standing(field).map((entry) => this.#row(entry, field)));
  }

  #pick() {
    const id = this.select.value;
    this.select.value = "";
    if (id) this.insert(id);
  }

  /** Entries whose words stand in a section, in their order there. */
  #standing(field) {
    const known = new Map([...this.#told, ...this.#own].filter(({ section }) => section === field.name).map((entry) => [`${entry.id} ${entry.words}`, entry]));
    return piecesOf(field.text, [...known.values()]).flatMap(({ link }) => (link ? [link] : []));
  }

  #note(entry) {
    return sinceInWords(this.#measures ? this.#measures.since(entry) : entry.since);
  }

  #row(entry, field) {
    const link = element("a", { class: "report-measure", href: `/studies/${this.#study}/viewer/?${entry.view}`, text: entry.words, title: "Shows the image as it was measured" });
    link.addEventListener("click", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey && this.#measures?.open(entry)) event.preventDefault();
    });
    const note = this.#note(entry);
    const isThere = this.#measures?.choices.some(({ id }) => id === entry.id);
    const renew = note && isThere && !field.isReadOnly && element("button", { class: "button button-quiet", type: "button", text: "Take the new value", onclick: () => this.#renew(entry, field) });
    return element("li", {}, link, note && element("span", { class: "report-since", text: ` ${note} ` }), renew);
  }

  async #renew(entry, field) {
    try {
      const renewed = { ...(await this.#measures.entryOf(entry.id)), section: field.name };
      this.#own.push(renewed);
      field.replace(entry.words, renewed.words);
    } catch (error) {
      this.#say(error.message);
    }
  }
}
