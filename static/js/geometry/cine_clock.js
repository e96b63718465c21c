/**
 * Which frame is due at a moment of a cine: frames are dropped, never time.
 */
export const DEFAULT_RATE = 10;
const FASTEST = 120;

/** @param {number} rate frames a second, from the file or chosen */
export function usableRate(rate) {
  return Number.isFinite(rate) && rate > 0 ? Math.min(rate, FASTEST) : DEFAULT_RATE;
}

export class CineClock {
  #start;
  #firstFrame;
  #rate;
  #frames;

  /**
   * @param {{start: number, frame: number, rate: number, frames: number}} facts start in ms, frames from 1
   */
  constructor({ start, frame, rate, frames }) {
    this.#start = start;
    this.#firstFrame = frame;
    this.#rate = usableRate(rate);
    this.#frames = frames;
  }

  /** The frame due at `now` (ms), going round. */
  frameAt(now) {
    const passed = Math.floor(((now - this.#start) * this.#rate) / 1000 + 1e-6);
    return ((this.#firstFrame - 1 + Math.max(0, passed)) % this.#frames) + 1;
  }
}

/** Frames shown in the last second, from the moments at which they were shown. */
export class PaceMeter {
  #moments = [];

  shown(now) {
    this.#moments.push(now);
    while (this.#moments[0] <= now - 1000) this.#moments.shift();
  }

  get perSecond() {
    return this.#moments.length;
  }
}
