/**
 * Which frame of a video is shown at a time, and where to go to see one: all frames last equally long (PS3.3 C.7.6.5,
 * Frame Time). Frames count from 1, times are seconds.
 */
const USUAL_RATE = 25;

export class FrameTimes {
  #seconds;
  frames;
  /** Whether the file's frame time and the length of its video contradict each other. */
  disagrees = false;

  /** @param {{frames: number, frameMs: number|null, duration: number}} facts duration as the browser found it, or NaN */
  constructor({ frames, frameMs, duration }) {
    const stated = frameMs > 0 ? frameMs / 1000 : null;
    const isKnown = Number.isFinite(duration) && duration > 0;
    this.frames = Math.max(1, frames || (isKnown ? Math.round(duration * (stated ? 1 / stated : USUAL_RATE)) : 1));
    this.#seconds = stated ?? (isKnown ? duration / this.frames : 1 / USUAL_RATE);
    if (isKnown && Math.abs(duration - this.frames * this.#seconds) > 1.5 * this.#seconds) {
      this.disagrees = stated !== null;
      this.#seconds = duration / this.frames;
    }
  }

  get frameMs() {
    return this.#seconds * 1000;
  }

  /** The frame on the screen at a time of the video. */
  at(seconds) {
    return this.#within(Math.floor(seconds / this.#seconds + 1e-3) + 1);
  }

  /** The frame that the browser says it has painted, by the time it begins at. */
  beginningAt(mediaTime) {
    return this.#within(Math.round(mediaTime / this.#seconds) + 1);
  }

  /** The middle of a frame: nothing that is rounded leads to its neighbour. */
  middleOf(frame) {
    return (this.#within(frame) - 0.5) * this.#seconds;
  }

  #within(frame) {
    return Math.min(this.frames, Math.max(1, frame));
  }
}
