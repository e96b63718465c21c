/** A length: dragged from end to end, or with a click at each end. */
import { Tool } from "./tool.js";

export class LengthTool extends Tool {
  static id = "length";
  #draft = null;
  #pane = null;

  /** Whether an end is still missing. */
  get isUnderWay() {
    return this.#draft !== null;
  }

  pointerDown(pane, gesture) {
    const frame = pane.viewport.frameFacts;
    if (!frame || pane.viewport.problem) return;
    if (this.#draft && (pane !== this.#pane || !this.#isSameFrame())) this.cancel();
    if (this.#draft) this.#draft = { ...this.#draft, to: gesture.image, isSecondClick: true };
    else if (pane.viewport.isOnImage(gesture.image)) {
      const { SOPInstanceUID, FrameNumber } = frame;
      this.#draft = { kind: "length", SOPInstanceUID, FrameNumber, from: gesture.image, to: gesture.image, label: null };
      this.#pane = pane;
    }
    pane.setDraft(this.#draft);
  }

  pointerMove(pane, gesture) {
    if (!this.#draft || pane !== this.#pane) return;
    if (!this.#isSameFrame()) {
      this.cancel();
      return;
    }
    this.#draft = { ...this.#draft, to: gesture.image };
    pane.setDraft(this.#draft);
  }

  pointerUp(pane, gesture) {
    // A first click without a drag waits for its second end.
    if (!this.#draft || pane !== this.#pane || (!gesture.hasMoved && !this.#draft.isSecondClick)) return;
    const { isSecondClick: _, ...mark } = { ...this.#draft, to: gesture.image };
    this.cancel();
    if (mark.from.x !== mark.to.x || mark.from.y !== mark.to.y) pane.addMark(mark);
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

  #isSameFrame() {
    const frame = this.#pane.viewport.frameFacts;
    return frame?.SOPInstanceUID === this.#draft.SOPInstanceUID && frame?.FrameNumber === this.#draft.FrameNumber;
  }
}
