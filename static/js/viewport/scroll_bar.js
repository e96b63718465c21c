/**
 * The bar at the right edge: which frame is shown, which frames are here, and a slider for all of them.
 */
import { element } from "../core/dom.js";

/** What is loaded is looked through at most this often. */
const LOOK_EVERY_MS = 200;

export class ScrollBar {
  #viewport;
  #listeners = new AbortController();
  #canvas = element("canvas", { class: "scroll-bar-track", "aria-hidden": "true" });
  #thumb = element("div", { class: "scroll-bar-thumb" });
  #lookedAt = 0;
  #timer = 0;
  #marked;
  element;

  /**
   * @param {import("./viewport.js").Viewport} viewport
   * @param {{isMarked?: (frame: object) => boolean}} [options] isMarked: whether a frame carries measurements
   */
  constructor(viewport, { isMarked = () => false } = {}) {
    this.#viewport = viewport;
    this.#marked = isMarked;
    this.element = element(
      "div",
      { class: "scroll-bar", role: "slider", "aria-label": "Image", "aria-orientation": "vertical", "aria-valuemin": 1 },
      this.#canvas,
      this.#thumb,
    );
    const { signal } = this.#listeners;
    viewport.addEventListener("painted", () => this.#update(), { signal });
    viewport.addEventListener("stack", () => this.#look(), { signal });
    this.element.addEventListener("pointerdown", (event) => this.#drag(event), { signal });
    this.element.addEventListener("pointermove", (event) => event.buttons & 1 && this.#drag(event), { signal });
  }

  disconnect() {
    this.#listeners.abort();
    clearTimeout(this.#timer);
  }

  #drag(event) {
    if (event.button > 0) return;
    event.stopPropagation();
    this.element.setPointerCapture(event.pointerId);
    const box = this.element.getBoundingClientRect();
    const share = (event.clientY - box.top) / box.height;
    this.#viewport.jump(1 + Math.floor(Math.max(0, Math.min(0.9999, share)) * this.#viewport.frames));
  }

  #update() {
    const { frames, frame } = this.#viewport;
    this.element.hidden = frames < 2;
    if (frames < 2) return;
    this.element.setAttribute("aria-valuemax", frames);
    this.element.setAttribute("aria-valuenow", frame);
    this.element.setAttribute("aria-valuetext", `image ${frame} of ${frames}`);
    this.#thumb.style.top = `${((frame - 1) / (frames - 1)) * 100}%`;
    if (this.#timer) return;
    const wait = Math.max(0, this.#lookedAt + LOOK_EVERY_MS - performance.now());
    if (wait === 0) this.#look();
    else this.#timer = setTimeout(() => this.#look(), wait);
  }

  #look() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#lookedAt = performance.now();
    const { manifest, frames } = this.#viewport;
    if (!manifest || frames < 2) return;
    const height = Math.max(1, Math.round(this.element.clientHeight * (globalThis.devicePixelRatio ?? 1)));
    const width = Math.max(1, Math.round(this.element.clientWidth * (globalThis.devicePixelRatio ?? 1)));
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    const style = getComputedStyle(this.element);
    const color = (name) => style.getPropertyValue(name);
    const context = this.#canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    const bar = (index, thickness, left, right) => {
      const top = Math.floor((index / frames) * height);
      context.fillRect(left, top, right - left, Math.max(thickness, Math.ceil(height / frames)));
    };
    context.fillStyle = color("--scroll-bar-loaded");
    for (let index = 0; index < frames; index += 1) if (this.#viewport.isLoaded(index + 1)) bar(index, 1, width * 0.55, width * 0.8);
    context.fillStyle = color("--scroll-bar-marked");
    manifest.frames.forEach((facts, index) => this.#marked(facts) && bar(index, 2, 0, width * 0.35));
  }
}
