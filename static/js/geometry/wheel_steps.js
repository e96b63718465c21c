/**
 * Wheel and trackpad deltas as whole steps: one notch of a mouse is one image, a trackpad's trickle adds up to one.
 */

/** Deltas of this many CSS pixels or more in one event come from a notched wheel. */
const NOTCH_PX = 40;
/** A trackpad's way for one image. */
const TRACKPAD_PX = 40;
/** After a pause this long what was left over is forgotten. */
const PAUSE_MS = 250;
const LINE_PX = 40;

export class WheelSteps {
  #rest = 0;
  #last = -Infinity;

  /**
   * @param {{deltaY: number, deltaMode: number, timeStamp: number}} event
   * @returns {-1|0|1} images to move by; never more than one for one event
   */
  steps({ deltaY, deltaMode, timeStamp }) {
    if (!deltaY) return 0;
    const sign = Math.sign(deltaY);
    const isPause = timeStamp - this.#last > PAUSE_MS;
    this.#last = timeStamp;
    // Lines and pages come from wheels only, and so do large pixel deltas.
    if (deltaMode !== 0 || Math.abs(deltaY) >= NOTCH_PX) {
      this.#rest = 0;
      return sign;
    }
    if (isPause || Math.sign(this.#rest) !== sign) this.#rest = 0;
    this.#rest += deltaY;
    if (Math.abs(this.#rest) < TRACKPAD_PX) return 0;
    this.#rest -= sign * TRACKPAD_PX;
    return sign;
  }
}

/** The factor of a zoom for a wheel event; a notch is a quarter. */
export function zoomFactor({ deltaY, deltaMode }) {
  const pixels = deltaMode === 0 ? deltaY : deltaY * LINE_PX;
  const notches = Math.max(-1, Math.min(1, pixels / 100));
  return 1.25 ** -notches;
}
