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
  #isBouncing = false;
  /** First and last frame that are played; null: all. */
  #range = null;

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
    this.#goOn();
  }

  /** @param {number} factor faster above 1 */
  changeSpeed(factor) {
    this.setRate(this.rate.value * factor);
  }

  /** Whether it goes back and forth instead of round. */
  get isBouncing() {
    return this.#isBouncing;
  }

  setBouncing(isBouncing) {
    this.#isBouncing = isBouncing;
    this.#goOn();
  }

  /** First and last frame that are played. @returns {[number, number]} */
  get range() {
    return this.#range ?? [1, this.#viewport.frames];
  }

  get isWhole() {
    return this.#range === null;
  }

  /** @param {{first?: number, last?: number}|null} range null plays all again; one end may push the other one away */
  setRange(range) {
    const [oldFirst, oldLast] = this.range;
    const first = range?.first ?? Math.min(oldFirst, range?.last ?? oldFirst);
    const last = range?.last ?? Math.max(oldLast, first);
    const isAll = !range || (first <= 1 && last >= this.#viewport.frames);
    this.#range = isAll ? null : [first, last];
    this.#goOn();
  }

  #goOn() {
    if (this.isPlaying) this.#begin(performance.now());
    this.dispatchEvent(new Event("change"));
  }

  #begin(now) {
    const { frame, frames, manifest } = this.#viewport;
    const times = manifest.cine?.times_ms ?? [];
    this.#clock = new CineClock({ start: now, frame, rate: this.rate.value, frames, range: this.range, isBouncing: this.#isBouncing, times });
  }

  #forget() {
    this.stop();
    this.#rate = null;
    this.#range = null;
  }

  #tick(now) {
    if (!this.isPlaying) return;
    if (this.#viewport.showIfHere(this.#clock.frameAt(now))) this.#pace.shown(now);
    this.#next = requestAnimationFrame((later) => this.#tick(later));
  }
}
