/** Names of vertebrae: the first is written, each further click takes the next one, up or down the image as one goes. */
import { neighbourOf, VERTEBRAE } from "../geometry/vertebrae.js";
import { Tool } from "./tool.js";

export class SpineTool extends Tool {
  static id = "spine";
  /** The last one: {stack, name, place in image coordinates}. */
  #last = null;

  pointerUp(pane, gesture) {
    const { frameFacts, manifest, problem } = pane.viewport;
    if (!frameFacts || problem || !pane.viewport.isOnImage(gesture.image)) return;
    const { SOPInstanceUID, FrameNumber } = frameFacts;
    const mark = { kind: "spine", stack: manifest.stack, SOPInstanceUID, FrameNumber, points: [gesture.image], label: null };
    const isOn = this.#last?.stack === manifest.stack;
    const next = isOn ? neighbourOf(this.#last.name, gesture.css.y >= pane.viewport.toCss(this.#last.place).y) : "";
    const take = (text) => {
      if (!text) return;
      const name = VERTEBRAE.includes(text.toUpperCase()) ? text.toUpperCase() : text;
      this.#last = { stack: manifest.stack, name, place: gesture.image };
      pane.addMark({ ...mark, text: name });
    };
    if (next) take(next);
    else pane.askText(gesture.css, "", take, { label: "Name of the vertebra", hint: "such as L5" });
  }

  deactivate() {
    this.#last = null;
  }
}
