/**
 * The report of one study, to write and to read: identity, sections, what was saved when, signing, addendum.
 */
import { announce } from "../core/announcer.js";
import { element, mark, setText } from "../core/dom.js";
import { SECTIONS, unfilled } from "./both_texts.js";
import { Comparison } from "./comparison.js";
import { openConflict } from "./conflict_dialog.js";
import { CriticalResults } from "./critical_results.js";
import { Dictation } from "./dictation.js";
import { DraftSaver } from "./draft_saver.js";
import { PanelMeasures } from "./panel_measures.js";
import { ReportsBeside } from "./reports_beside.js";
import { SectionField } from "./section_field.js";
import { openEarlier } from "./earlier_dialog.js";
import { openSigning } from "./sign_dialog.js";
import { clock, signedText } from "./signed_text.js";

/** What could not be read is asked for again after this long. */
const ASK_AGAIN_MS = 3000;

const STATES = {
  none: ["unread", "no report yet"],
  draft: ["claimed", "draft"],
  preliminary: ["preliminary", "preliminary"],
  final: ["final", "final"],
  addendum: ["addendum", "final, with addendum"],
};

export class ReportPanel {
  #place;
  #api;
  #claim;
  #saver;
  #told = null;
  #aids = { templates: [], macros: {} };
  #fields = new Map();
  #isAllowed = true;
  #isAdding = false;
  #otherText = null;
  #parts = {};
  #critical;
  #measures;
  #beside;
  #comparison;
  #dictation;
  #lastField = null;

  /**
   * @param {HTMLElement} place that the panel fills
   * @param {import("./report_api.js").ReportApi} api
   * @param {import("../worklist/held_claim.js").HeldClaim} claim of this page
   * @param {import("./report_measures.js").ReportMeasures|null} [measures] that can be put into the text
   */
  constructor(place, api, claim, measures = null) {
    this.#place = place;
    this.#api = api;
    this.#claim = claim;
    this.#saver = new DraftSaver((text, number, options) => api.save(text, number, { ...options, measurements: this.#measures.entries }));
    this.#saver.addEventListener("change", () => this.#showSaved());
    this.#saver.addEventListener("conflict", ({ detail }) => this.#conflict(detail));
    this.#critical = new CriticalResults(api);
    for (const [name, label] of SECTIONS) this.#fields.set(name, this.#makeField(name, label));
    const target = () => this.#targetField;
    this.#measures = new PanelMeasures(measures, { study: api.study, fields: this.#fields, target, say: (text) => this.#say(text) });
    this.#comparison = new Comparison(this.#fields.get("comparison"), (text) => this.#saver.change("comparison", text));
    this.#dictation = new Dictation(target);
    this.#beside = new ReportsBeside(api);
    this.#beside.addEventListener("compared", ({ detail }) => this.compareWith(detail.words));
    this.#build();
    claim.addEventListener("lost", ({ detail }) => this.#lost(detail));
    addEventListener("pagehide", () => this.#saver.flush({ isLeaving: true }));
    addEventListener("beforeunload", (event) => {
      if (this.#saver.isClean || this.#saver.state === "typing") return;
      event.preventDefault();
    });
  }

  /** Asks the portal for everything again, and shows it. */
  async load() {
    try {
      this.#told = await this.#api.load();
      await Promise.all([this.#critical.load(), this.#beside.load()]);
      if (this.#told.may_write && !this.#claim.isHeld) await this.#claim.take();
      if (this.#told.may_write || this.#told.may_addend) this.#aids = await this.#api.writingAids();
    } catch (error) {
      this.#say(error.message);
      if (!error.isPassing) return;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      await this.load();
      return;
    }
    this.#show();
  }

  /** Text and signature are refused while the images shown are another patient's. */
  allow(isAllowed) {
    this.#isAllowed = isAllowed;
    this.#showRights();
  }

  /** Puts the caret where the reader goes on. */
  focus() {
    const name = this.#isAdding || this.#isFinal ? "addendum" : "findings";
    const field = this.#fields.get(name);
    if (field && !field.element.hidden) field.focus();
  }

  /** A prior was opened beside the study. @param {string} words "CT chest 2025-03-24" */
  compareWith(words) {
    this.#comparison.add(words);
  }

  /** Puts a measurement into the section where the reader was last. @param {string} id */
  insertMeasurement(id) {
    return this.#measures.insert(id);
  }

  /** Where a measurement or a dictated word goes; null where nothing can be typed. */
  get #targetField() {
    const usual = this.#fields.get(this.#isFinal ? "addendum" : "findings");
    return [this.#lastField, usual].find((field) => field && !field.isReadOnly) ?? null;
  }

  get #isFinal() {
    return ["final", "addendum"].includes(this.#told?.state);
  }

  // --- what it is made of --------------------------------------------------------------------------------------------

  #makeField(name, label) {
    const field = new SectionField(name, label, () => this.#aids.macros);
    field.addEventListener("typed", () => this.#typed(field));
    field.element.addEventListener("focusin", () => (this.#lastField = field));
    return field;
  }

  #build() {
    const button = (text, run, kind = "") => element("button", { class: `button ${kind}`, type: "button", text, hidden: true, onclick: run });
    const parts = {
      identity: element("p", { class: "report-identity figures" }),
      state: element("p", { class: "report-state" }),
      notice: element("p", { class: "report-notice", role: "status", hidden: true }),
      claim: button("Claim and write", () => this.#take(), "button-primary"),
      confirm: button("The text is about this patient", () => this.#confirmPatient()),
      templates: element("select", { class: "report-templates", "aria-label": "Template", hidden: true, onchange: () => this.#useTemplate() }),
      signed: element("div", { class: "report-signed" }),
      // Nothing can be typed before it is known what is kept.
      fields: element("div", { class: "report-fields", hidden: true }),
      saved: element("p", { class: "report-saved", role: "status" }),
      choose: button("Show both texts", () => this.#conflict(this.#otherText), "button-primary"),
      earlier: button("Earlier texts", () => this.#openEarlier(), "button-quiet"),
      sent: element("p", { class: "report-sent muted", hidden: true }),
      addend: button("Addendum", () => this.#addend()),
      preliminary: button("Sign preliminary", () => this.#sign("preliminary")),
      final: button("Sign final", () => this.#sign("final"), "button-primary"),
      addendum: button("Sign addendum", () => this.#sign("addendum"), "button-primary"),
    };
    this.#parts = parts;
    parts.fields.append(...[...this.#fields.values()].map((field) => field.element));
    this.#place.replaceChildren(
      element("header", { class: "report-head" }, parts.identity, parts.state),
      parts.notice,
      this.#beside.element,
      this.#critical.element,
      element("div", { class: "button-row" }, parts.claim, parts.confirm, parts.templates, this.#measures.select, this.#dictation.element),
      parts.signed,
      parts.fields,
      element("footer", { class: "report-foot" }, parts.saved, parts.sent, element("div", { class: "button-row" }, parts.choose, parts.earlier, parts.addend, parts.preliminary, parts.final, parts.addendum)),
    );
  }

  // --- what it shows -------------------------------------------------------------------------------------------------

  #show() {
    const told = this.#told;
    const { identity, signed } = this.#parts;
    const facts = identifiers(told.identity).flatMap((fact) => [" · ", element("span", { class: "nowrap", text: fact })]);
    identity.replaceChildren(element("bdi", { class: "strong person-name", text: told.identity.patient }), ...facts);
    signed.replaceChildren(...[signedText(told.versions)].filter(Boolean));
    this.#saver.begin(told.number, told.saved_at);
    this.#showState();
    for (const [name, field] of this.#fields) field.text = told.draft?.[name] ?? "";
    this.#measures.begin(told.measurements);
    this.#isAdding = Boolean(told.draft?.addendum?.trim()) && told.may_addend;
    this.#claim.hasDraft = told.may_write && Object.values(told.draft ?? {}).some((text) => text.trim());
    this.#showTemplates();
    this.#say(this.#reason());
    this.#showRights();
  }

  #showState() {
    // The first save has made a draft of what was no report yet.
    const name = this.#told.state === "none" && this.#saver.number ? "draft" : this.#told.state;
    const [shape, words] = STATES[name];
    const shown = mark(shape, "");
    shown.setAttribute("aria-hidden", "true");
    this.#parts.state.hidden = this.#isFinal; // the heading of the signed text says it
    this.#parts.state.replaceChildren(shown, element("span", { text: words }));
  }

  /** Why this person cannot write, where there is something to say. */
  #reason() {
    const told = this.#told;
    if (told.patient_moved) return "This study was moved to another patient after the report was begun. Check the name above and the text.";
    if (told.may_write || told.may_addend) return "";
    if (told.may_claim) return "Nobody is reading this study. Claim it to write.";
    if (told.reader) return `${told.reader} has this study. The report can be read here once it is signed.`;
    return told.versions.length ? "" : "This study cannot be claimed at present.";
  }

  #showTemplates() {
    const { templates } = this.#parts;
    const options = this.#aids.templates.map(({ name, own }, index) => element("option", { value: index, text: own ? `${name} (mine)` : name }));
    templates.replaceChildren(element("option", { value: "", text: "Template…" }), ...options);
  }

  #showRights() {
    const told = this.#told;
    if (!told) return;
    const { claim, confirm, templates, fields, addend, preliminary, final, addendum } = this.#parts;
    const writes = told.may_write && this.#isAllowed;
    const adds = told.may_addend && this.#isAdding && this.#isAllowed;
    claim.hidden = !told.may_claim;
    confirm.hidden = !told.patient_moved || !told.may_write;
    templates.hidden = !writes || !this.#aids.templates.length;
    for (const [name, field] of this.#fields) {
      field.element.hidden = name === "addendum" ? !(told.may_addend && this.#isAdding) : this.#isFinal || !(told.may_write || told.draft);
      field.isReadOnly = name === "addendum" ? !adds : !writes;
    }
    this.#critical.mayFlag = writes || (told.may_addend && this.#isAllowed);
    fields.hidden = [...this.#fields.values()].every((field) => field.element.hidden);
    addend.hidden = !told.may_addend || this.#isAdding;
    preliminary.hidden = final.hidden = !told.may_write;
    preliminary.disabled = final.disabled = !writes || told.patient_moved;
    addendum.hidden = !(told.may_addend && this.#isAdding);
    addendum.disabled = !adds;
    this.#parts.earlier.hidden = !writes || !told.earlier.length;
    this.#parts.sent.hidden = !told.sent.length;
    setText(this.#parts.sent, told.sent.map(({ name, state }) => `${name}: ${state}`).join(" · "));
    this.#dictation.show(Boolean(told.may_dictate) && this.#targetField !== null);
    this.#comparison.fill();
    this.#measures.render();
    this.#showSaved();
  }

  #showSaved() {
    const { saved, choose } = this.#parts;
    const { state, savedAt, message } = this.#saver;
    choose.hidden = state !== "conflict";
    const words = {
      saved: savedAt ? `saved ${clock(savedAt)}` : "",
      typing: savedAt ? `saved ${clock(savedAt)}, typing` : "typing",
      saving: "saving",
      waiting: "not saved yet: the portal cannot be reached, trying again. The text stays here.",
      conflict: "not saved: there are two texts",
      refused: `not saved: ${message}`,
    }[state];
    saved.dataset.state = state;
    if (state === "saved" && this.#told) this.#showState();
    saved.classList.toggle("report-unsaved", ["waiting", "conflict", "refused"].includes(state));
    const isWriting = this.#told?.may_write || (this.#told?.may_addend && this.#isAdding);
    setText(saved, isWriting || state === "refused" ? words : "");
  }

  #say(text) {
    const { notice } = this.#parts;
    notice.hidden = !text;
    setText(notice, text);
  }

  // --- what the reader does ------------------------------------------------------------------------------------------

  #typed(field) {
    this.#claim.hasDraft = true;
    this.#saver.change(field.name, field.text);
    this.#comparison.keep();
    this.#measures.render();
  }

  async #take() {
    if (await this.#claim.take()) await this.load();
    this.focus();
  }

  #lost(words) {
    // What is typed stays on the page: it can be copied, and is offered again when the study is claimed again.
    if (this.#told) this.#told.may_write = false;
    this.#say(words);
    this.#showRights();
  }

  #useTemplate() {
    const { templates } = this.#parts;
    const chosen = this.#aids.templates[Number(templates.value)];
    templates.value = "";
    if (!chosen) return;
    for (const [name, text] of Object.entries(chosen.text)) {
      const field = this.#fields.get(name);
      if (!text || field.text.includes(text)) continue;
      field.text = field.text.trim() ? `${field.text.trimEnd()}\n\n${text}` : text;
      this.#typed(field);
    }
    this.#fields.get("findings").focus();
  }

  #openEarlier() {
    const now = Object.fromEntries(SECTIONS.slice(0, -1).map(([name]) => [name, this.#fields.get(name).text]));
    openEarlier(this.#told.earlier, now, async (text) => {
      for (const [name, words] of Object.entries(text)) this.#fields.get(name).text = words;
      this.#measures.render();
      if (await this.#saver.putBack(text)) await this.load();
    });
  }

  #addend() {
    this.#isAdding = true;
    this.#showRights();
    this.#fields.get("addendum").focus();
  }

  async #confirmPatient() {
    const text = Object.fromEntries(SECTIONS.slice(0, -1).map(([name]) => [name, this.#fields.get(name).text]));
    await this.#saver.confirmPatient(text);
    await this.load();
  }

  #conflict(answer) {
    this.#otherText = answer;
    const mine = this.#saver.pending;
    openConflict(answer, mine, async (chosen) => {
      const isTheirs = !Object.keys(chosen).length;
      for (const [name, theirs] of Object.entries(answer.theirs)) {
        if (isTheirs || !(name in mine)) this.#fields.get(name).text = theirs;
        else this.#fields.get(name).text = chosen[name] ?? mine[name];
      }
      if (isTheirs) this.#saver.begin(answer.number, answer.saved_at);
      else await this.#saver.resolve(answer.number, chosen);
    });
  }

  async #sign(kind) {
    this.#say("");
    if (!(await this.#saver.flush())) {
      this.#say("The text is not saved yet; it can be signed when it is.");
      return;
    }
    openSigning(kind, {
      identity: this.#told.identity,
      unfilled: kind === "addendum" ? [] : unfilled([...this.#fields.values()].map(({ text }) => text)),
      changed: kind === "addendum" ? [] : this.#measures.changed,
      asksCode: this.#told.asks_code,
      sign: async (proof) => {
        await this.#api.sign(kind, this.#saver.number, proof);
        this.#claim.hasDraft = false;
        if (kind !== "addendum") this.#claim.end(kind);
        this.#isAdding = false;
        await this.load();
        announce(`The ${kind === "addendum" ? "addendum" : `${kind} report`} is signed.`);
      },
    });
  }
}

/** What tells the patient and the study apart, beside the name. */
function identifiers({ patient_id: id, issuer, birth_date: born, accession }) {
  return [issuer ? `${id} (${issuer})` : id, born, accession && `accession ${accession}`].filter(Boolean);
}
