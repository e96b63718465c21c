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
  /** Frames of one round in their order, and when each of them ends, in ms from the beginning of the round. */
  #round;
  #ends = [];

  /**
   * @param {{start: number, frame: number, rate: number, frames: number, range?: [number, number], isBouncing?: boolean,
   *   times?: number[]}} facts start in ms, frames from 1; range: first and last frame that are played; times: how long
   *   each frame of the stack stands in relation to the others, where they differ
   */
  constructor({ start, frame, rate, frames, range = [1, frames], isBouncing = false, times = [] }) {
    const [first, last] = range;
    const forth = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    this.#round = isBouncing ? [...forth, ...forth.slice(1, -1).reverse()] : forth;
    const usual = 1000 / usableRate(rate);
    const mean = times.length === frames ? times.reduce((sum, time) => sum + time, 0) / frames : 0;
    let passed = 0;
    for (const one of this.#round) {
      passed += mean ? (times[one - 1] / mean) * usual : usual;
      this.#ends.push(passed);
    }
    const at = Math.max(0, this.#round.indexOf(frame));
    this.#start = start - (at ? this.#ends[at - 1] : 0);
  }

  /** The frame due at `now` (ms): round and round, or back and forth. */
  frameAt(now) {
    const whole = this.#ends.at(-1);
    const passed = (Math.max(0, now - this.#start) + 1e-6) % whole;
    return this.#round[this.#ends.findIndex((end) => passed < end)] ?? this.#round[0];
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
