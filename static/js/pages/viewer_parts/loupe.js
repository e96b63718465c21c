/**
 * The magnifying glass of a pane: a small viewport of its own that shows the same frame and window, three times as large,
 * from the image's own pixels.
 */
import { element } from "../../core/dom.js";
import { Viewport } from "../../viewport/viewport.js";

const SIDE_PX = 220;
const FACTOR = 3;

export class Loupe {
  #viewport;
  #shared;
  #glass = null;
  element = element("div", { class: "loupe", hidden: true, "aria-hidden": "true" });

  /** @param {Viewport} viewport that is looked at @param {object} shared what viewports are made of */
  constructor(viewport, shared) {
    this.#viewport = viewport;
    this.#shared = shared;
  }

  disconnect() {
    this.#glass?.disconnect();
    this.#glass = null;
  }

  /** @param {{css: object, image: object}|null} place null puts it away */
  showAt(place) {
    const { manifest, problem, size } = this.#viewport;
    this.element.hidden = !place || !manifest || Boolean(problem);
    if (this.element.hidden) {
      this.disconnect();
      this.element.replaceChildren();
      return;
    }
    this.element.style.left = `${place.css.x - SIDE_PX / 2}px`;
    this.element.style.top = `${place.css.y - SIDE_PX / 2}px`;
    if (!this.#glass) this.#make(manifest, size);
    this.#glass.setView({ center: place.image });
  }

  #make(manifest, { ratio }) {
    const canvas = element("canvas", { class: "viewport-canvas" });
    this.element.replaceChildren(canvas);
    this.#glass = new Viewport(canvas, this.#shared);
    const side = Math.round(SIDE_PX * ratio);
    const { view, zoom, frame } = this.#viewport;
    this.#glass.show(manifest, { frame, view: { ...view, zoom: zoom * FACTOR } });
    this.#glass.resize({ width: side, height: side, ratio });
  }
}
