/** Moves a mark that was taken by one of its ends, its line or its label; not chosen from the tool bar, it is there where a mark is. */
import { Tool } from "./tool.js";

export class MarkDrag extends Tool {
  static id = "mark";
  #hit;
  #grip = null;
  #before = null;

  /** @param {{id: string, part: "from"|"to"|"line"|"label"}} hit */
  constructor(hit) {
    super();
    this.#hit = hit;
  }

  pointerDown(pane, gesture) {
    pane.selectMark(this.#hit.id);
    this.#before = pane.markOf(this.#hit.id);
    this.#grip = gesture.image;
  }

  pointerMove(pane, gesture) {
    if (gesture.isDown && gesture.hasMoved && this.#before) pane.showMoved(this.#moved(gesture));
  }

  pointerUp(pane, gesture) {
    pane.showMoved(null);
    if (this.#before && gesture.hasMoved) {
      const { from, to, label } = this.#moved(gesture);
      pane.changeMark(this.#hit.id, { from, to, label });
    }
    this.#before = null;
  }

  cancel(pane) {
    pane.showMoved(null);
    const wasUnderWay = this.#before !== null;
    this.#before = null;
    return wasUnderWay;
  }

  #moved({ image, totalX, totalY }) {
    if (this.#hit.part === "label") {
      const { x, y } = this.#before.label ?? { x: 0, y: 0 };
      return { ...this.#before, label: { x: x + totalX, y: y + totalY } };
    }
    const by = { x: image.x - this.#grip.x, y: image.y - this.#grip.y };
    const shift = (point) => ({ x: point.x + by.x, y: point.y + by.y });
    const { part } = this.#hit;
    const { from, to } = this.#before;
    return { ...this.#before, from: part === "to" ? from : shift(from), to: part === "from" ? to : shift(to) };
  }
}
