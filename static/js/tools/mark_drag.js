/** Moves a mark that was taken by a handle, its line or its label; not chosen from the tool bar, it is there where a mark is. */
import { handlesOf, shifted, withHandle, WORDS } from "../geometry/shapes.js";
import { Tool } from "./tool.js";

export class MarkDrag extends Tool {
  static id = "mark";
  #hit;
  #grip = null;
  #before = null;

  /** @param {{id: string, part: "handle"|"line"|"label", index: number}} hit */
  constructor(hit) {
    super();
    this.#hit = hit;
  }

  pointerDown(pane, gesture) {
    pane.selectMark(this.#hit.id);
    const mark = pane.markOf(this.#hit.id);
    this.#before = mark?.mayChange === false ? null : mark;
    this.#grip = gesture.image;
  }

  pointerMove(pane, gesture) {
    if (gesture.isDown && gesture.hasMoved && this.#before) pane.showMoved(this.#moved(pane, gesture));
  }

  pointerUp(pane, gesture) {
    pane.showMoved(null);
    if (this.#before && gesture.hasMoved) {
      const { points, label } = this.#moved(pane, gesture);
      pane.changeMark(this.#hit.id, { points, label });
    }
    this.#before = null;
  }

  cancel(pane) {
    pane.showMoved(null);
    const wasUnderWay = this.#before !== null;
    this.#before = null;
    return wasUnderWay;
  }

  #moved(pane, { image, totalX, totalY }) {
    const { part, index } = this.#hit;
    const mark = this.#before;
    if (part === "label" && !WORDS.has(mark.kind)) {
      const { x, y } = mark.label ?? { x: 0, y: 0 };
      return { ...mark, label: { x: x + totalX, y: y + totalY } };
    }
    const by = { x: image.x - this.#grip.x, y: image.y - this.#grip.y };
    if (part === "handle") {
      const { PixelAspectRatio } = pane.viewport.manifest;
      // The handle keeps its distance from the pointer that took it.
      const place = handlesOf(mark)[index];
      return { ...mark, points: withHandle(mark, index, { x: place.x + by.x, y: place.y + by.y }, PixelAspectRatio) };
    }
    return { ...mark, points: shifted(mark.points, by) };
  }
}
