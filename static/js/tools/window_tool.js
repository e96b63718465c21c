/** Window by dragging: sideways width, up and down level. */
import { preference } from "../core/preferences.js";
import { draggedWindow } from "../geometry/window_drag.js";
import { windowLine } from "../viewport/corner_lines.js";
import { Tool } from "./tool.js";

export class WindowTool extends Tool {
  static id = "window";
  #start = null;
  #before = null;

  pointerMove(pane, gesture) {
    const { viewport } = pane;
    if (!gesture.isDown || !gesture.hasMoved || !viewport.manifest || viewport.manifest.color) return;
    if (!this.#start) {
      this.#before = viewport.view.window;
      this.#start = viewport.beginWindowDrag();
    }
    const inverted = preference("windowDragInverted", false);
    viewport.dragWindow(draggedWindow(this.#start, gesture.totalX, gesture.totalY, { inverted }));
    pane.showAtPointer(gesture.css, windowLine(viewport));
  }

  pointerUp(pane) {
    if (this.#start) pane.viewport.endWindowDrag();
    this.#forget(pane);
  }

  cancel(pane) {
    if (!this.#start) return false;
    pane.viewport.endWindowDrag();
    pane.viewport.setWindow(this.#before);
    this.#forget(pane);
    return true;
  }

  deactivate(pane) {
    this.cancel(pane);
  }

  #forget(pane) {
    this.#start = null;
    this.#before = null;
    pane.showAtPointer(null);
  }
}
