/**
 * Watches whether the study has changed: new images are announced, and shown only when the reader says so.
 */
import { fetchJson } from "../../core/requests.js";

const WHILE_ARRIVING_MS = 10_000;
// An ended session is noticed within a minute, also where every picture is drawn from values that are here.
const WHEN_QUIET_MS = 50_000;

/** Events: "news" when the study differs from what is shown. */
export class Arrivals extends EventTarget {
  #url;
  #shown;
  #latest;
  #timer = 0;
  #wasActive = true;

  /** @param {string} url of the study's manifest @param {object} study manifest that is shown */
  constructor(url, study) {
    super();
    this.#url = url;
    this.#shown = this.#latest = study;
    // Reading on counts as use of the session, also when every image comes out of memory.
    for (const name of ["pointerdown", "keydown", "wheel"]) {
      document.addEventListener(name, () => (this.#wasActive = true), { capture: true, passive: true });
    }
    document.addEventListener("visibilitychange", () => !document.hidden && this.look());
    this.#plan();
  }

  get latest() {
    return this.#latest;
  }

  get hasNews() {
    return this.#latest.revision !== this.#shown.revision;
  }

  /** What is new, in a few words. */
  get sentence() {
    const more = (this.#latest.instances ?? 0) - (this.#shown.instances ?? 0);
    if (more > 0) return `${more} new ${more === 1 ? "image has" : "images have"} arrived`;
    return this.hasNews ? "The study has changed" : "";
  }

  /** The latest is what is shown from now on. */
  accept() {
    this.#shown = this.#latest;
    return this.#latest;
  }

  async look() {
    clearTimeout(this.#timer);
    const background = !this.#wasActive;
    this.#wasActive = false;
    try {
      this.#latest = await fetchJson(this.#url, { background });
      this.dispatchEvent(new Event("news"));
    } catch {
      // The next look comes soon; an ended session has been told by the request itself.
    }
    this.#plan();
  }

  #plan() {
    clearTimeout(this.#timer);
    const wait = this.#latest.ready ? WHEN_QUIET_MS : WHILE_ARRIVING_MS;
    this.#timer = setTimeout(() => (document.hidden ? this.#plan() : this.look()), wait);
  }
}
