/** The value of a pixel, at the pointer, with its unit. */
import { Tool } from "./tool.js";

export class ProbeTool extends Tool {
  static id = "probe";

  activate(pane) {
    pane.setProbing(true);
  }

  pointerDown(pane, gesture) {
    pane.probeAt(gesture);
  }

  pointerMove(pane, gesture) {
    pane.probeAt(gesture);
  }

  cancel(pane) {
    pane.showAtPointer(null);
    return false;
  }

  deactivate(pane) {
    pane.setProbing(false);
    pane.showAtPointer(null);
  }
}
