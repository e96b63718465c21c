/**
 * The viewer: panes in a layout, which of them is active, and what is shown where.
 *
 * Events: "layout" (panes came or went), "active" (another pane), "shown" (a stack was shown somewhere), "view", and
 * "region" with what was drawn for a remark as `detail`.
 */
import { isAbort } from "../../core/api_error.js";
import { layoutNamed } from "./layouts.js";
import { Pane } from "./pane.js";
import { viewFrom } from "./view_link.js";

export class Viewer extends EventTarget {
  #container;
  #library;
  #parts;
  #panes = [];
  #active = 0;
  #layout = layoutNamed("1x1");
  #isMaximised = false;
  /** What was last shown of each stack, so that coming back to it is coming back. */
  #remembered = new Map();
  #asked = new WeakMap();

  /**
   * @param {HTMLElement} container
   * @param {import("./stack_library.js").StackLibrary} library
   * @param {object} parts what panes are made of
   */
  constructor(container, library, parts) {
    super();
    this.#container = container;
    this.#library = library;
    this.#parts = parts;
    container.addEventListener("focusin", (event) => this.#focused(event.target));
  }

  get library() {
    return this.#library;
  }

  get panes() {
    return this.#panes;
  }

  get active() {
    return this.#panes[this.#active];
  }

  get activeIndex() {
    return this.#active;
  }

  get layout() {
    return this.#layout;
  }

  get isMaximised() {
    return this.#isMaximised;
  }

  // --- layout ------------------------------------------------------------------------------------------------------

  /** @param {string} name @param {{fill?: boolean}} [options] fill: new places take the series that follow */
  setLayout(name, { fill = true } = {}) {
    this.#layout = layoutNamed(name);
    this.#isMaximised = false;
    const { rows, columns, count, hasLarge } = this.#layout;
    // Those at the end go, but never the one that is looked at.
    while (this.#panes.length > count) this.#removeOne();
    while (this.#panes.length < count) this.#addPane(fill);
    this.#container.style.setProperty("--layout-rows", rows);
    this.#container.style.setProperty("--layout-columns", columns);
    this.#container.classList.toggle("viewports-one-large", hasLarge);
    this.#active = Math.min(this.#active, count - 1);
    this.#arrange();
    this.#tell("layout", "active", "view");
  }

  #removeOne() {
    const index = this.#panes.length - 1 === this.#active && this.#active > 0 ? this.#active - 1 : this.#panes.length - 1;
    this.#remember(this.#panes[index].viewport);
    this.#panes[index].disconnect();
    this.#panes.splice(index, 1);
    if (index < this.#active) this.#active -= 1;
  }

  #addPane(fill) {
    const pane = new Pane({ ...this.#parts, number: this.#panes.length + 1 });
    this.#panes.push(pane);
    this.#container.append(pane.surface);
    for (const name of ["view", "asked", "stack"]) pane.viewport.addEventListener(name, () => this.#tell("view"));
    pane.addEventListener("region", ({ detail }) => this.dispatchEvent(new CustomEvent("region", { detail })));
    pane.cine.addEventListener("change", () => this.#tell("view"));
    const next = fill ? this.#nextUnshown() : null;
    if (next) this.show(pane, next.stack);
  }

  #nextUnshown() {
    const shown = new Set(this.#panes.map((pane) => this.#asked.get(pane) ?? pane.viewport.manifest?.stack));
    return this.#library.drawable.find((entry) => !shown.has(entry.stack));
  }

  maximise(pane = this.active) {
    if (this.#panes.length < 2) return;
    this.#active = this.#panes.indexOf(pane);
    this.#isMaximised = !this.#isMaximised;
    this.#arrange();
    this.#tell("layout", "active");
  }

  #arrange() {
    this.#container.classList.toggle("viewports-maximised", this.#isMaximised);
    this.#panes.forEach((pane, index) => {
      const isActive = index === this.#active;
      pane.surface.hidden = this.#isMaximised && !isActive;
      pane.surface.classList.toggle("viewport-active", isActive && this.#panes.length > 1);
    });
  }

  #focused(target) {
    const index = this.#panes.findIndex((pane) => pane.surface.contains(target));
    if (index < 0 || index === this.#active) return;
    this.#active = index;
    this.#arrange();
    this.#tell("active");
  }

  focus(index = this.#active) {
    this.#panes[index]?.surface.focus({ preventScroll: true });
  }

  /** Text can be hidden; identity cannot. */
  setText(isShown) {
    this.#container.classList.toggle("viewports-without-text", !isShown);
    this.#tell("view");
  }

  get hasText() {
    return !this.#container.classList.contains("viewports-without-text");
  }

  // --- stacks ------------------------------------------------------------------------------------------------------

  /**
   * Shows a stack in a pane.
   * @param {Pane} pane
   * @param {string} stack
   * @param {{frame?: number, rest?: string[]}} [link] frame and view that a link asks for
   */
  async show(pane, stack, link = null) {
    const entry = this.#library.entry(stack);
    this.#remember(pane.viewport);
    this.#asked.set(pane, stack);
    // Another series' picture never stays under a new heading.
    pane.viewport.show(null, entry && !entry.drawable ? { problem: entry.reason, page: entry.page } : {});
    this.#tell("shown");
    if (!stack || (entry && !entry.drawable)) return;
    try {
      const manifest = await this.#library.manifest(stack);
      if (this.#asked.get(pane) !== stack) return;
      pane.viewport.show(manifest, this.#options(manifest, link));
    } catch (error) {
      if (this.#asked.get(pane) !== stack || isAbort(error)) return;
      pane.viewport.show(null, { problem: error.message });
    }
    this.#tell("shown");
  }

  #options(manifest, link) {
    if (link) return { frame: link.frame, view: viewFrom(link.rest ?? [], manifest) };
    return this.#remembered.get(manifest.stack) ?? { frame: firstFrame(manifest) };
  }

  #remember(viewport) {
    const { manifest, view, frame } = viewport;
    if (manifest) this.#remembered.set(manifest.stack, { frame, view });
  }

  /** The stack before or after the one of the active pane. */
  showNeighbour(step) {
    const drawable = this.#library.drawable;
    const now = drawable.findIndex((entry) => entry.stack === this.active.viewport.manifest?.stack);
    const next = drawable[Math.max(0, Math.min(drawable.length - 1, now + step))];
    if (next && next.stack !== this.active.viewport.manifest?.stack) this.show(this.active, next.stack);
  }

  /** Shows the study as it is now, each pane on the image that it showed. */
  async renew(study) {
    this.#library.renew(study);
    this.#remembered.clear();
    await Promise.all(this.#panes.map((pane) => this.#renewPane(pane)));
    this.#tell("shown");
  }

  async #renewPane(pane) {
    const { manifest, view, frameFacts } = pane.viewport;
    const stack = this.#asked.get(pane);
    if (!manifest) {
      if (stack) await this.show(pane, stack);
      return;
    }
    try {
      const renewed = await this.#library.manifest(manifest.stack);
      const frame = renewed.frames.findIndex(
        (one) => one.SOPInstanceUID === frameFacts?.SOPInstanceUID && one.FrameNumber === frameFacts?.FrameNumber,
      );
      if (pane.viewport.manifest === manifest) pane.viewport.show(renewed, { frame: frame < 0 ? 1 : frame + 1, view });
    } catch (error) {
      if (!isAbort(error)) pane.viewport.show(null, { problem: error.message });
    }
  }

  #tell(...names) {
    for (const name of names) this.dispatchEvent(new Event(name));
  }
}

/** The frame that a stack opens with. */
function firstFrame(manifest) {
  const drawable = manifest.frames.findIndex((frame) => !frame.reason);
  return Math.max(0, drawable) + 1;
}
