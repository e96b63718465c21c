/**
 * Windows of the study on other monitors: opening one, what it begins with, and which of them goes on to the next study.
 */
import { InStep } from "../../screens/in_step.js";
import { featuresHere } from "../../screens/screen_places.js";
import { Screens } from "../../screens/screens.js";

export class OtherScreens {
  #screens;
  #study;
  #viewer;

  /**
   * @param {object} data of the page
   * @param {number} number of this window
   * @param {object} parts what is kept in step
   * @param {() => void} changed is called when another window came or went
   */
  constructor(data, number, parts, changed) {
    this.#study = data.study.StudyInstanceUID;
    this.#viewer = parts.viewer;
    this.#screens = new Screens({ user: data.user, study: this.#study, number });
    this.#screens.addEventListener("change", changed);
    new InStep(this.#screens, parts);
  }

  get hasOthers() {
    return this.#screens.hasOthers;
  }

  /** Opens a window with the first series that is not on the screen yet. */
  async open() {
    const { library, panes, active } = this.#viewer;
    const number = this.#screens.nextNumber;
    const shown = panes.map(({ viewport }) => viewport.manifest?.stack);
    const stack = stackForScreen(library.drawable, shown, number) ?? active.viewport.manifest?.stack;
    const query = new URLSearchParams({ screen: number, ...(stack && { view: stack }) });
    window.open(`/studies/${this.#study}/viewer/?${query}`, "_blank", await featuresHere(number));
  }

  /** The first window claims the next study; the others follow it. @param {() => void} goOn */
  whenAskedToGoOn(goOn) {
    this.#screens.addEventListener("message", ({ detail }) => detail.kind === "next" && this.#screens.number === 1 && goOn());
  }

  /** @returns {boolean} whether another window is asked to go on, because this one only follows */
  askToGoOn() {
    if (this.#screens.number === 1 || !this.hasOthers) return false;
    this.#screens.tell({ kind: "next" });
    return true;
  }
}

/**
 * The stack that a further window begins with: each takes one that is not shown.
 * @param {{stack: string}[]} drawable stacks that can be shown
 * @param {string[]} shown in the first window
 * @param {number} number of the window, from 2
 */
export function stackForScreen(drawable, shown, number) {
  const free = drawable.filter(({ stack }) => !shown.includes(stack));
  return free.length ? free[(number - 2) % free.length].stack : undefined;
}
