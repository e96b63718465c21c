/** An outline drawn by hand: dragged around, closed when let go. */
import { Tool } from "./tool.js";

/** Points nearer than this, in CSS pixels, add nothing. */
const STEP_PX = 3;
const MOST_POINTS = 2000;

export class FreehandTool extends Tool {
  static id = "freehand";
  #draft = null;
  #pane = null;
  #last = null;

  pointerDown(pane, gesture) {
    this.cancel();
    const frame = pane.viewport.frameFacts;
    if (!frame || pane.viewport.problem || !pane.viewport.isOnImage(gesture.image)) return;
    const { SOPInstanceUID, FrameNumber } = frame;
    const { stack } = pane.viewport.manifest;
    this.#pane = pane;
    this.#last = gesture.css;
    this.#draft = { kind: "freehand", stack, SOPInstanceUID, FrameNumber, points: [gesture.image], text: "", label: null };
  }

  pointerMove(pane, gesture) {
    if (!this.#draft || !gesture.isDown || pane !== this.#pane || this.#draft.points.length >= MOST_POINTS) return;
    if (Math.hypot(gesture.css.x - this.#last.x, gesture.css.y - this.#last.y) < STEP_PX) return;
    this.#last = gesture.css;
    this.#draft = { ...this.#draft, points: [...this.#draft.points, gesture.image] };
    pane.setDraft(this.#draft);
  }

  pointerUp(pane) {
    const draft = this.#draft;
    this.cancel();
    if (draft && draft.points.length >= 3) pane.addMark(draft);
  }

  cancel() {
    if (!this.#draft) return false;
    this.#pane.setDraft(null);
    this.#draft = this.#pane = null;
    return true;
  }

  deactivate() {
    this.cancel();
  }
}
