/**
 * A shape of a known number of points: dragged from one to the next, or with a click at each.
 */
import { Tool } from "./tool.js";

export class DrawingTool extends Tool {
  /** Kind of the shape, see geometry/shapes.js. */
  static kind = "";
  /** Numbers of points at which a line ends; the last is that of the shape. */
  static stops = [2];
  #draft = null;
  #pane = null;
  /** Points that stay where they are; one more follows the pointer. */
  #fixed = 0;
  /** Whether the pointer went down on the beginning of a line. */
  #isBeginning = false;

  /** Whether a point is still missing. */
  get isUnderWay() {
    return this.#draft !== null;
  }

  get draft() {
    return this.#draft;
  }

  /** What becomes of the points before they are kept. @param {object} _pane */
  finished(points, _pane) {
    return points;
  }

  /** Keeps what was drawn. */
  keep(pane, mark) {
    pane.addMark(mark);
  }

  pointerDown(pane, gesture) {
    if (!pane.viewport.frameFacts || pane.viewport.problem) return;
    if (this.#draft && (pane !== this.#pane || !this.#isSameFrame())) this.cancel();
    this.#isBeginning = !this.#draft || this.#isBetweenLines;
    const place = pane.snapped(gesture);
    if (!this.#draft) this.#begin(pane, place);
    else if (this.#isBetweenLines) this.#put([...this.#draft.points, place, place], this.#fixed + 1);
    else this.#follow(place);
  }

  pointerMove(pane, gesture) {
    if (!this.#draft || pane !== this.#pane) return;
    if (!this.#isSameFrame()) this.cancel();
    else if (!this.#isBetweenLines) this.#follow(pane.snapped(gesture));
  }

  pointerUp(pane, gesture) {
    if (!this.#draft || pane !== this.#pane) return;
    // A first click without a drag waits for the other end of its line.
    if (this.#isBeginning && !gesture.hasMoved) return;
    this.#follow(pane.snapped(gesture));
    if (this.#isUnmoved) return;
    this.#commit();
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

  #begin(pane, image) {
    if (!pane.viewport.isOnImage(image)) return;
    const { SOPInstanceUID, FrameNumber } = pane.viewport.frameFacts;
    const { stack } = pane.viewport.manifest;
    this.#pane = pane;
    this.#draft = { kind: this.constructor.kind, stack, SOPInstanceUID, FrameNumber, points: [], text: "", label: null };
    this.#put([image, image], 1);
  }

  /** After the end of a line and before the beginning of the next no point follows. */
  get #isBetweenLines() {
    return this.#draft.points.length === this.#fixed;
  }

  get #isUnmoved() {
    const { points } = this.#draft;
    const [before, last] = [points[this.#fixed - 1], points[this.#fixed]];
    return !last || (before.x === last.x && before.y === last.y);
  }

  #follow(image) {
    this.#put([...this.#draft.points.slice(0, this.#fixed), image], this.#fixed);
  }

  #put(points, fixed) {
    this.#fixed = fixed;
    this.#draft = { ...this.#draft, points };
    this.#pane.setDraft(this.#draft);
  }

  #commit() {
    const { stops } = this.constructor;
    const { points } = this.#draft;
    if (points.length === stops.at(-1)) this.#finish();
    else if (stops.includes(points.length)) this.#put(points, points.length);
    else this.#put([...points, points.at(-1)], points.length);
  }

  #finish() {
    const [pane, draft] = [this.#pane, this.#draft];
    this.cancel();
    this.keep(pane, { ...draft, points: this.finished(draft.points, pane) });
  }

  #isSameFrame() {
    const frame = this.#pane.viewport.frameFacts;
    return frame?.SOPInstanceUID === this.#draft.SOPInstanceUID && frame?.FrameNumber === this.#draft.FrameNumber;
  }
}
