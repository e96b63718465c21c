/** A polygon: a click at each corner; closed by a click on the first, a double click or Enter. */
import { Tool } from "./tool.js";

/** A click so near to the first corner, in CSS pixels, closes. */
const CLOSE_PX = 9;

export class PolygonTool extends Tool {
  static id = "polygon";
  static kind = "polygon";
  static fewest = 3;
  /** Whether a click on the first corner ends it. */
  static isClosed = true;
  #draft = null;
  #pane = null;
  #corners = [];

  get isUnderWay() {
    return this.#draft !== null;
  }

  pointerDown(pane, gesture) {
    const frame = pane.viewport.frameFacts;
    if (!frame || pane.viewport.problem) return;
    if (this.#draft && (pane !== this.#pane || frame.SOPInstanceUID !== this.#draft.SOPInstanceUID || frame.FrameNumber !== this.#draft.FrameNumber)) this.cancel();
    if (!this.#draft) {
      if (!pane.viewport.isOnImage(gesture.image)) return;
      const { SOPInstanceUID, FrameNumber } = frame;
      const { stack } = pane.viewport.manifest;
      this.#pane = pane;
      this.#corners = [];
      this.#draft = { kind: this.constructor.kind, stack, SOPInstanceUID, FrameNumber, points: [], text: "", label: null };
    }
    this.#show(pane.snapped(gesture));
  }

  pointerMove(pane, gesture) {
    if (this.#draft && pane === this.#pane) this.#show(pane.snapped(gesture));
  }

  pointerUp(pane, gesture) {
    if (!this.#draft || pane !== this.#pane) return;
    if (this.constructor.isClosed && this.#corners.length >= 3 && this.#isOnFirst(gesture.css)) {
      this.finish();
      return;
    }
    const place = pane.snapped(gesture);
    this.#corners = [...this.#corners, place];
    this.#show(place);
  }

  /** Closes what is drawn. @returns {boolean} whether a double click or Enter meant this */
  finish() {
    if (!this.#draft) return false;
    const [pane, draft] = [this.#pane, this.#draft];
    const corners = this.#corners.filter((corner, index, all) => !index || corner.x !== all[index - 1].x || corner.y !== all[index - 1].y);
    this.cancel();
    if (corners.length >= this.constructor.fewest) pane.addMark({ ...draft, points: corners });
    return true;
  }

  cancel() {
    if (!this.#draft) return false;
    this.#pane.setDraft(null);
    this.#draft = this.#pane = null;
    this.#corners = [];
    return true;
  }

  deactivate() {
    this.cancel();
  }

  #isOnFirst(css) {
    const first = this.#pane.viewport.toCss(this.#corners[0]);
    return Math.hypot(css.x - first.x, css.y - first.y) <= CLOSE_PX;
  }

  #show(image) {
    this.#draft = { ...this.#draft, points: [...this.#corners, image] };
    this.#pane.setDraft(this.#draft);
  }
}
