/** A magnifying glass: what lies under the pointer, larger, for as long as the button or the finger is down. */
import { Tool } from "./tool.js";

export class MagnifierTool extends Tool {
  static id = "magnifier";
  #isDown = false;

  pointerDown(pane, gesture) {
    this.#isDown = true;
    pane.magnifyAt(gesture);
  }

  pointerMove(pane, gesture) {
    if (this.#isDown) pane.magnifyAt(gesture);
  }

  pointerUp(pane) {
    this.cancel(pane);
  }

  cancel(pane) {
    const wasDown = this.#isDown;
    this.#isDown = false;
    pane.magnifyAt(null);
    return wasDown;
  }

  deactivate(pane) {
    this.cancel(pane);
  }
}
