/**
 * Plays a stack at the rate of its file: frames that come late are dropped, so that time is kept.
 */
import { CineClock, PaceMeter, usableRate } from "../geometry/cine_clock.js";

/** Events: "change". */
export class CinePlayer extends EventTarget {
  #viewport;
  #clock = null;
  #pace = new PaceMeter();
  #next = 0;
  #rate = null;

  /** @param {import("./viewport.js").Viewport} viewport */
  constructor(viewport) {
    super();
    this.#viewport = viewport;
    viewport.addEventListener("stack", () => this.#forget());
  }

  disconnect() {
    this.stop();
  }

  get isPlaying() {
    return this.#clock !== null;
  }

  /** Frames a second, and whether the file says so. */
  get rate() {
    const cine = this.#viewport.manifest?.cine;
    return { value: this.#rate ?? usableRate(cine?.rate), isFromFile: this.#rate === null && Boolean(cine?.rate) };
  }

  /** Frames that were shown in the last second. */
  get pace() {
    return this.#pace.perSecond;
  }

  toggle() {
    if (this.isPlaying) this.stop();
    else this.start();
  }

  start() {
    if (this.isPlaying || this.#viewport.frames < 2) return;
    this.#pace = new PaceMeter();
    this.#viewport.stopWalking();
    this.#viewport.setPlaying(true);
    this.#begin(performance.now());
    this.#next = requestAnimationFrame((now) => this.#tick(now));
    this.dispatchEvent(new Event("change"));
  }

  stop() {
    if (!this.isPlaying) return;
    cancelAnimationFrame(this.#next);
    this.#clock = null;
    this.#viewport.setPlaying(false);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number} rate frames a second, chosen by the reader */
  setRate(rate) {
    this.#rate = usableRate(rate);
    if (this.isPlaying) this.#begin(performance.now());
    this.dispatchEvent(new Event("change"));
  }

  #begin(now) {
    const { frame, frames } = this.#viewport;
    this.#clock = new CineClock({ start: now, frame, rate: this.rate.value, frames });
  }

  #forget() {
    this.stop();
    this.#rate = null;
  }

  #tick(now) {
    if (!this.isPlaying) return;
    if (this.#viewport.showIfHere(this.#clock.frameAt(now))) this.#pace.shown(now);
    this.#next = requestAnimationFrame((later) => this.#tick(later));
  }
}
