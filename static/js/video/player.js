/**
 * Plays a video natively, one frame at a time where that is wanted, and knows which frame is on the screen.
 */
import { FrameTimes } from "./frame_times.js";

/** Events: "frame", "state". */
export class FramePlayer extends EventTarget {
  #video;
  #facts;
  #times;
  #frame = 1;
  /** Where a step leads that is still on its way. */
  #asked = null;

  /** @param {HTMLVideoElement} video @param {{frames: number, frameMs: number|null}} facts */
  constructor(video, facts) {
    super();
    this.#video = video;
    this.#facts = facts;
    this.#times = new FrameTimes({ ...facts, duration: NaN });
    for (const name of ["loadedmetadata", "durationchange"]) video.addEventListener(name, () => this.#measure());
    for (const name of ["play", "pause", "ratechange"]) video.addEventListener(name, () => this.dispatchEvent(new Event("state")));
    video.addEventListener("seeked", () => this.#arrived());
    if (video.requestVideoFrameCallback) this.#follow();
    else video.addEventListener("timeupdate", () => this.#show(this.#times.at(video.currentTime)));
    if (video.readyState >= HTMLMediaElement.HAVE_METADATA) this.#measure();
  }

  get frame() {
    return this.#frame;
  }

  get frames() {
    return this.#times.frames;
  }

  get frameMs() {
    return this.#times.frameMs;
  }

  /** Whether frame time and length of the file contradict each other. */
  get disagrees() {
    return this.#times.disagrees;
  }

  toggle() {
    if (this.#video.paused) this.#video.play().catch(() => {});
    else this.#video.pause();
  }

  /** Steps that follow each other quickly add up. */
  step(count) {
    this.goTo((this.#asked ?? this.#frame) + count);
  }

  goTo(frame) {
    this.#video.pause();
    const inside = Math.min(this.frames, Math.max(1, frame));
    this.#asked = inside;
    this.#video.currentTime = this.#times.middleOf(inside);
  }

  #measure() {
    this.#times = new FrameTimes({ ...this.#facts, duration: this.#video.duration });
    this.#show(this.#times.at(this.#video.currentTime));
  }

  #arrived() {
    this.#asked = null;
    this.#show(this.#times.at(this.#video.currentTime));
  }

  #follow() {
    this.#video.requestVideoFrameCallback((_, { mediaTime }) => {
      if (!this.#video.paused) this.#show(this.#times.beginningAt(mediaTime));
      this.#follow();
    });
  }

  #show(frame) {
    this.#frame = frame;
    this.dispatchEvent(new Event("frame"));
  }
}
