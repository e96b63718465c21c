/** Zoom by dragging up and down; the point where the drag began stays where it is. */
import { Tool } from "./tool.js";

/** A drag over this many CSS pixels doubles or halves. */
const PIXELS_FOR_TWICE = 120;

export class ZoomTool extends Tool {
  static id = "zoom";
  #before = null;
  #at = null;

  pointerDown({ viewport }, gesture) {
    this.#before = viewport.view;
    this.#at = gesture.device;
  }

  pointerMove({ viewport }, gesture) {
    if (gesture.isDown && this.#at) viewport.zoomAt(this.#at, 2 ** (-gesture.dy / PIXELS_FOR_TWICE));
  }

  pointerUp() {
    this.#before = this.#at = null;
  }

  cancel({ viewport }) {
    if (!this.#before) return false;
    viewport.setView({ zoom: this.#before.zoom, center: this.#before.center });
    this.pointerUp();
    return true;
  }

  deactivate() {
    this.pointerUp();
  }
}
