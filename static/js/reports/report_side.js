/**
 * The report beside the images: shown and hidden by a key and a button, as wide as the reader wants it.
 */
import { preference, setPreference } from "../core/preferences.js";
import { makeResizable } from "./splitter.js";

/** Narrower than this, images and report do not stand side by side. */
const WIDE = "(min-width: 60rem)";

export class ReportSide extends EventTarget {
  #side;
  #panel;
  #isLoaded = false;

  /** @param {HTMLElement} side hidden at first @param {() => import("./report_panel.js").ReportPanel} makePanel */
  constructor(side, makePanel) {
    super();
    this.#side = side;
    this.#panel = makePanel(side.querySelector("[data-report]"));
    makeResizable(side.querySelector("[role=separator]"), side.parentElement);
    side.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      this.dispatchEvent(new Event("left"));
    });
  }

  get panel() {
    return this.#panel;
  }

  get isShown() {
    return !this.#side.hidden;
  }

  /** Who opens a study to read it finds the report open, unless they closed it the last time. */
  showForReading() {
    if (matchMedia(WIDE).matches && preference("reportShown", true)) this.#side.hidden = false;
  }

  /** Loads what is shown, once the claim is settled. */
  async settle() {
    if (this.isShown) await this.#load();
  }

  async toggle() {
    this.#side.hidden = this.isShown;
    setPreference("reportShown", this.isShown);
    this.dispatchEvent(new Event("change"));
    if (!this.isShown) return;
    await this.#load();
    this.#panel.focus();
  }

  async #load() {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    await this.#panel.load();
  }
}
