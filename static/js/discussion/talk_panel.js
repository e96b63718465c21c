/**
 * The panel "Talk" beside the images: threads that follow what others write, remarks on the view, an image, a series
 * or a region drawn on it, and requests to look.
 */
import { announce } from "../core/announcer.js";
import { element, icon, setText } from "../core/dom.js";
import { remarkRow } from "./remark_row.js";

const LONGEST_TEXT = 4000;
const REGION_TOOLS = Object.freeze({ rectangle: "region-rectangle", arrow: "region-arrow" });

export class TalkPanel {
  #parts;
  #threads = element("div", { class: "talk-threads" });
  #asked = element("div", { class: "talk-asked" });
  #problem = element("p", { class: "talk-problem", role: "alert", hidden: true });
  #text;
  #about;
  #region = null;
  #regionWord = element("span", { class: "talk-region", hidden: true });
  #toolBefore = "";
  #rows = new Map();
  element;

  /**
   * @param {{talk: import("./talk.js").Talk, regions: import("./remark_regions.js").RemarkRegions, viewer: object, tools: object,
   *   viewQuery: () => string, jump: (remark: object) => void, seriesName: (uid: string) => string, close: () => void}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const close = element("button", { class: "button button-quiet button-icon", type: "button", "aria-label": "Close the discussion", title: "Close", onclick: parts.close }, icon("x"));
    this.element = element(
      "aside",
      { class: "side-panel talk-panel", "aria-label": "Discussion", hidden: true },
      element("div", { class: "side-panel-head" }, element("h2", { text: "Talk" }), close),
      this.#asked,
      this.#threads,
      this.#problem,
      this.#form(),
    );
    // Keys of the viewer mean nothing while one writes.
    this.element.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());
    parts.talk.addEventListener("change", () => this.#render());
    parts.viewer.addEventListener("region", ({ detail }) => this.#takeRegion(detail));
  }

  get isOpen() {
    return !this.element.hidden;
  }

  setOpen(isOpen) {
    this.element.hidden = !isOpen;
    if (isOpen) {
      this.#parts.talk.connect();
      this.#render();
      this.#text.focus({ preventScroll: true });
      return;
    }
    this.#parts.talk.disconnect();
    this.#parts.regions.show(null);
    this.#forgetRegion();
  }

  #form() {
    this.#text = element("textarea", { rows: 3, maxlength: LONGEST_TEXT, required: true, "aria-label": "New remark", placeholder: "Say something. @name tells somebody." });
    const option = (value, text) => element("option", { value, text });
    this.#about = element("select", { "aria-label": "About" }, option("view", "about this view"), option("image", "about this image"), option("series", "about this series"), option("study", "about the study"));
    const draw = (kind, name, title) =>
      element("button", { class: "button button-quiet button-icon", type: "button", title, "aria-label": title, "data-region": kind, onclick: () => this.#draw(kind) }, icon(name));
    return element(
      "form",
      { class: "talk-form", onsubmit: (event) => this.#submit(event) },
      this.#text,
      element("div", { class: "button-row" }, this.#about, draw("rectangle", "shape-rectangle", "Draw a rectangle on the image"), draw("arrow", "shape-arrow", "Draw an arrow on the image"), this.#regionWord),
      element("div", { class: "button-row" }, element("button", { class: "button button-primary", text: "Say it" })),
    );
  }

  // --- a region ------------------------------------------------------------------------------------------------------

  #draw(kind) {
    const { tools } = this.#parts;
    if (!Object.values(REGION_TOOLS).includes(tools.activeId)) this.#toolBefore = tools.activeId;
    tools.choose(REGION_TOOLS[kind]);
    this.#say(`Drag on the image to draw the ${kind}.`);
    this.#parts.viewer.focus();
  }

  #takeRegion({ kind, points, SOPInstanceUID, FrameNumber }) {
    this.#region = { image: SOPInstanceUID, frame: FrameNumber, region: { kind, points: points.map(({ x, y }) => [x, y]) } };
    this.#parts.regions.setDraft(this.#region);
    this.#say(`with ${kind === "arrow" ? "an arrow" : "a rectangle"}`);
    this.#parts.tools.choose(this.#toolBefore || "window");
    this.#text.focus({ preventScroll: true });
  }

  #forgetRegion() {
    this.#region = null;
    this.#parts.regions.setDraft(null);
    this.#say("");
    if (Object.values(REGION_TOOLS).includes(this.#parts.tools.activeId)) this.#parts.tools.choose(this.#toolBefore || "window");
  }

  #say(text) {
    setText(this.#regionWord, text);
    this.#regionWord.hidden = !text;
    if (text) announce(text);
  }

  // --- saying --------------------------------------------------------------------------------------------------------

  #place() {
    const { viewer, viewQuery } = this.#parts;
    const { frameFacts, manifest } = viewer.active?.viewport ?? {};
    if (this.#region) return { ...this.#region, view: viewQuery() };
    if (this.#about.value === "study" || !manifest) return {};
    if (this.#about.value === "series") return { series: manifest.SeriesInstanceUID };
    const image = frameFacts ? { image: frameFacts.SOPInstanceUID, frame: frameFacts.FrameNumber } : {};
    return this.#about.value === "image" ? image : { ...image, view: viewQuery() };
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.#text.value.trim();
    if (!text) return;
    const isSaid = await this.#try(() => this.#parts.talk.say({ text, ...this.#place() }));
    if (!isSaid) return;
    this.#text.value = "";
    this.#forgetRegion();
    // What was drawn stays to be seen, now as part of the remark.
    this.#parts.regions.show(this.#parts.talk.threads.at(-1) ?? null);
    this.#threads.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  /** Does something and says why it failed; what was typed stays. @returns {Promise<boolean>} */
  async #try(act) {
    try {
      await act();
      this.#problem.hidden = true;
      return true;
    } catch (error) {
      setText(this.#problem, error.message);
      this.#problem.hidden = false;
      return false;
    }
  }

  // --- what was said -------------------------------------------------------------------------------------------------

  #render() {
    if (!this.isOpen) return;
    const { talk } = this.#parts;
    this.#asked.replaceChildren(...talk.consultations.map((one) => this.#consultation(one)));
    const rows = talk.threads.map((thread) => this.#thread(thread));
    const ids = new Set(talk.threads.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
    const empty = element("p", { class: "measures-empty", text: "Nobody has said anything about this study yet." });
    const wanted = rows.length ? rows : [empty];
    const [now] = [[...this.#threads.children]];
    if (wanted.length !== now.length || wanted.some((row, index) => row !== now[index])) this.#threads.replaceChildren(...wanted);
  }

  /** A thread stays the element it is until it changes, and then keeps an answer that is being written. */
  #thread(thread) {
    const text = JSON.stringify(thread);
    const known = this.#rows.get(thread.id);
    if (known?.text === text) return known.row;
    const answer = known?.row.querySelector("textarea");
    const row = this.#makeThread(thread, answer?.value ?? "");
    if (known && answer === document.activeElement) queueMicrotask(() => row.querySelector("textarea")?.focus({ preventScroll: true }));
    this.#rows.set(thread.id, { text, row });
    return row;
  }

  #makeThread(thread, typed) {
    const isResolved = thread.resolved_by !== null;
    const { talk, seriesName } = this.#parts;
    const does = { show: (remark) => this.#show(remark), act: (id, action) => this.#try(() => talk.act(id, action)), seriesName };
    const field = element("textarea", { rows: 1, maxlength: LONGEST_TEXT, "aria-label": "Answer", placeholder: "Answer" });
    field.value = typed;
    const send = async (event) => {
      event.preventDefault();
      const text = field.value.trim();
      field.value = "";
      if (text && !(await this.#try(() => talk.say({ text, thread: thread.id })))) field.value = text;
    };
    return element(
      "article",
      { class: isResolved ? "talk-thread talk-resolved" : "talk-thread", "data-thread": thread.id },
      remarkRow(thread, does),
      ...thread.answers.map((answer) => element("div", { class: "talk-answer" }, remarkRow(answer, does))),
      element(
        "form",
        { class: "talk-answer-form", onsubmit: send },
        field,
        element("button", { class: "button button-quiet", text: "Answer" }),
        element("button", { class: "button button-quiet", type: "button", text: isResolved ? "Open again" : "Resolve", onclick: () => does.act(thread.id, isResolved ? "reopen" : "resolve") }),
      ),
      isResolved && element("p", { class: "muted", text: `resolved by ${thread.resolved_by}` }),
    );
  }

  #show(remark) {
    this.#parts.regions.show(remark);
    this.#parts.jump(remark);
  }

  #consultation({ id, asked, asked_by: askedBy, question, may_end: mayEnd, is_mine: isMine }) {
    const done = () => this.#try(() => this.#parts.talk.looked(id));
    return element(
      "div",
      { class: "talk-thread" },
      element("p", { text: `${askedBy} asks ${asked} to look${question ? `: ${question}` : ""}` }),
      mayEnd && element("button", { class: "button", type: "button", text: isMine ? "I have looked" : "No longer needed", onclick: done }),
    );
  }
}
