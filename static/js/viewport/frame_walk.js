/**
 * From the frame that is shown to the frame that is asked for.
 *
 * Steps (wheel, keys) are walked one by one and every image on the way is shown; jumps (slider, Home, End) go straight.
 * A step back takes back what has not been walked yet.
 */
export class FrameWalk {
  #frames;
  #shown;
  #queue = [];
  #direction = 1;

  constructor(frames, shown = 1) {
    this.#frames = frames;
    this.#shown = this.#within(shown);
  }

  #within(frame) {
    return Math.max(1, Math.min(this.#frames, Math.round(frame)));
  }

  /** The frame on the screen. */
  get shown() {
    return this.#shown;
  }

  /** The frame that was asked for last. */
  get target() {
    return this.#queue.length ? this.#queue[this.#queue.length - 1] : this.#shown;
  }

  /** Frames on the way, the next first. */
  get queue() {
    return this.#queue;
  }

  /** 1 or -1: which way the reader goes. */
  get direction() {
    return this.#direction;
  }

  get isWalking() {
    return this.#queue.length > 0;
  }

  /** @param {number} count images forwards, or backwards when negative */
  step(count) {
    const sign = Math.sign(count);
    for (let index = 0; index < Math.abs(count); index += 1) this.#stepOnce(sign);
  }

  #stepOnce(sign) {
    const next = this.#within(this.target + sign);
    if (next === this.target) return;
    this.#direction = sign;
    const before = this.#queue.length > 1 ? this.#queue[this.#queue.length - 2] : this.#shown;
    if (this.#queue.length && before === next) this.#queue.pop();
    else this.#queue.push(next);
  }

  jump(frame) {
    const wanted = this.#within(frame);
    if (wanted !== this.#shown) this.#direction = Math.sign(wanted - this.#shown);
    this.#queue = wanted === this.#shown ? [] : [wanted];
  }

  /** Stays where it is. */
  stop() {
    this.#queue = [];
  }

  /** Goes one image further if that one can be drawn. @returns {boolean} whether another frame is shown now */
  advance(isDrawable) {
    if (!this.#queue.length || !isDrawable(this.#queue[0])) return false;
    this.#shown = this.#queue.shift();
    return true;
  }
}
