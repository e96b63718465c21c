/** Pan by dragging. */
import { Tool } from "./tool.js";

export class PanTool extends Tool {
  static id = "pan";
  #before = null;

  pointerDown({ viewport }) {
    this.#before = viewport.view;
  }

  pointerMove({ viewport }, gesture) {
    if (!gesture.isDown || !this.#before) return;
    const { ratio } = viewport.size;
    viewport.panBy(gesture.dx * ratio, gesture.dy * ratio);
  }

  pointerUp() {
    this.#before = null;
  }

  cancel({ viewport }) {
    if (!this.#before) return false;
    viewport.setView({ zoom: this.#before.zoom, center: this.#before.center });
    this.#before = null;
    return true;
  }

  deactivate() {
    this.#before = null;
  }
}
