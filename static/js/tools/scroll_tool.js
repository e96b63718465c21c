/** Through the images by dragging up and down; every image on the way is shown. */
import { Tool } from "./tool.js";

/** A way of this many CSS pixels is one image: the whole height for a whole stack, within reason. */
const LEAST_PX = 4;
const MOST_PX = 24;

export class ScrollTool extends Tool {
  static id = "scroll";
  #rest = 0;

  pointerDown() {
    this.#rest = 0;
  }

  pointerMove({ viewport }, gesture) {
    if (!gesture.isDown || !viewport.frames) return;
    const height = viewport.size.height / viewport.size.ratio;
    const pace = Math.max(LEAST_PX, Math.min(MOST_PX, height / viewport.frames));
    this.#rest += gesture.dy;
    const steps = Math.trunc(this.#rest / pace);
    if (!steps) return;
    this.#rest -= steps * pace;
    viewport.step(steps);
  }

  cancel({ viewport }) {
    viewport.stopWalking();
    return false;
  }
}
