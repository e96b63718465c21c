/**
 * The text over an image: identity, series, window, frame, orientation letters, scale bar and fidelity.
 *
 * It is brought up to date in the same moment as the picture, so that a text never belongs to another image.
 */
import { element, setText } from "../core/dom.js";
import { edgesOnScreen } from "../geometry/orientation_letters.js";
import { scaleBar } from "../geometry/scale_bar.js";
import {
  frameLine,
  identityLines,
  placementLine,
  positionLine,
  processedLine,
  scaleLine,
  sideLine,
  studyLines,
  windowLine,
  zoomLine,
} from "./corner_lines.js";
import { fidelityOf } from "./fidelity.js";

/** The part of a viewport's width that a scale bar may take. */
const SCALE_BAR_SHARE = 0.3;

function lines(names) {
  return Object.fromEntries(names.map((name) => [name, element("div", { class: `line line-${name}` })]));
}

export class CornerText {
  #viewport;
  #facts;
  #identified = null;
  #listeners = new AbortController();
  #lines = lines(["study", "side", "processed", "notes", "briefly", "scale", "placement", "window", "zoom", "value", "frame", "position", "prior", "link"]);
  #names = element("div");
  #identity = element("div", { class: "corner corner-identity" }, this.#names, this.#lines.prior, this.#lines.link);
  #edges = {};
  #bar = element("div", { class: "scale-bar", hidden: true });
  #barLabel = element("span", { class: "scale-bar-label" });
  #fidelity = element("div", { class: "fidelity" });
  #shownStudy = "";
  #problem = element("p", { role: "status" });
  #page = element("a", { class: "button", hidden: true });
  #instead = element("div", { class: "viewport-problem", hidden: true }, this.#problem, this.#page);
  #loading = element("div", { class: "viewport-loading", hidden: true });
  element;

  /**
   * @param {import("./viewport.js").Viewport} viewport
   * @param {{of: (manifest: object|null) => {study: object, patient: object, prior?: string}}} facts of the study that
   *   a stack belongs to; prior: what a study of another day says of itself, permanently
   */
  constructor(viewport, facts) {
    this.#viewport = viewport;
    this.#facts = facts;
    this.#bar.append(this.#barLabel);
    for (const side of ["left", "right", "top", "bottom"]) this.#edges[side] = element("div", { class: `edge edge-${side}` });
    const line = this.#lines;
    this.element = element(
      "div",
      { class: "viewport-text" },
      this.#identity,
      element("div", { class: "corner corner-study" }, line.study, line.side, line.processed, line.notes, line.briefly),
      element("div", { class: "corner corner-window" }, line.scale, line.placement, line.value, line.window, line.zoom),
      element("div", { class: "corner corner-frame" }, line.position, line.frame, this.#fidelity),
      this.#bar,
      ...Object.values(this.#edges),
      this.#instead,
      this.#loading,
    );
    const { signal } = this.#listeners;
    viewport.addEventListener("painted", () => this.update(), { signal });
    this.#writeIdentity();
  }

  disconnect() {
    this.#listeners.abort();
  }

  /** The value under the pointer, as the portal read it. */
  showValue(text) {
    setText(this.#lines.value, text);
  }

  /** How the viewport is linked to the active one, in words. */
  showLink(text) {
    setText(this.#lines.link, text);
  }

  #writeIdentity() {
    const facts = this.#facts.of(this.#viewport.manifest);
    if (facts === this.#identified) return;
    this.#identified = facts;
    const { patient, prior } = facts;
    const [name, ...others] = identityLines(patient);
    this.#names.replaceChildren(
      element("div", { class: "line line-name person-name", dir: "auto", text: name }),
      ...others.map((text) => element("div", { class: "line", text })),
    );
    if (patient.to_check) this.#names.append(element("div", { class: "line line-notice", text: "identity to be checked" }));
    setText(this.#lines.prior, prior ?? "");
  }

  update() {
    const viewport = this.#viewport;
    const { manifest } = viewport;
    this.#identity.hidden = !manifest && !viewport.problem;
    this.#writeIdentity();
    this.#updateProblem();
    if (!manifest) {
      this.#clear();
      return;
    }
    const frame = viewport.frameFacts;
    this.#updateStudy(manifest);
    setText(this.#lines.side, sideLine(frame));
    setText(this.#lines.placement, placementLine(viewport));
    setText(this.#lines.window, windowLine(viewport));
    setText(this.#lines.zoom, zoomLine(viewport));
    setText(this.#lines.frame, frameLine(viewport));
    setText(this.#lines.position, positionLine(frame));
    this.#updateEdges(frame);
    this.#updateBar(manifest);
    this.#updateFidelity();
  }

  #clear() {
    for (const line of Object.values(this.#lines)) setText(line, "");
    for (const edge of Object.values(this.#edges)) setText(edge, "");
    this.#bar.hidden = true;
    setText(this.#fidelity, "");
    this.#shownStudy = "";
  }

  #updateStudy(manifest) {
    const name = `${manifest.stack} ${manifest.revision}`;
    if (name === this.#shownStudy) return;
    this.#shownStudy = name;
    this.#lines.study.replaceChildren(...studyLines(this.#identified.study, manifest).map((text) => element("div", { text })));
    setText(this.#lines.processed, processedLine(manifest));
    setText(this.#lines.scale, scaleLine(manifest));
    const notes = manifest.notes ?? [];
    this.#lines.notes.replaceChildren(...notes.map((text) => element("div", { text })));
    setText(this.#lines.briefly, notes.length ? `${notes.length} ${notes.length === 1 ? "note" : "notes"}: enlarge to read` : "");
    this.#lines.briefly.title = notes.join("\n");
  }

  #updateProblem() {
    const { problem, page, fidelity, manifest } = this.#viewport;
    this.#instead.hidden = !problem;
    setText(this.#problem, problem);
    this.#page.hidden = !page;
    this.#page.href = page || "#";
    setText(this.#page, page ? "Open its page" : "");
    this.#loading.hidden = Boolean(problem) || !manifest || fidelity !== "loading" || this.#viewport.hasPicture;
  }

  #updateEdges(frame) {
    const letters = this.#viewport.problem ? null : edgesOnScreen(frame?.edges, this.#viewport.view);
    for (const [side, node] of Object.entries(this.#edges)) setText(node, letters?.[side] ?? "");
  }

  #updateBar(manifest) {
    const { size, resolvedView, problem } = this.#viewport;
    const bar = problem ? null : scaleBar(manifest, resolvedView, size.width * SCALE_BAR_SHARE);
    this.#bar.hidden = !bar;
    if (!bar) return;
    this.#bar.style.width = `${bar.length / size.ratio}px`;
    setText(this.#barLabel, bar.label);
    this.#bar.title = [bar.source, bar.note].filter(Boolean).join(". ");
  }

  #updateFidelity() {
    const { mark, word, sentence } = fidelityOf(this.#viewport);
    setText(this.#fidelity, `${word} ${mark}`.trim());
    this.#fidelity.title = sentence;
  }
}
