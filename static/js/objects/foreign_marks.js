/**
 * Measurements and key images that came with the study from elsewhere: read only, each on one frame.
 */
import { fetchJson } from "../core/requests.js";

/**
 * @typedef {object} ForeignMark
 * @property {string} id
 * @property {string} report SOP Instance UID of the structured report
 * @property {string} name
 * @property {string} site
 * @property {string[]} values
 * @property {string} stack
 * @property {string} SOPInstanceUID
 * @property {number} FrameNumber
 * @property {{points: [number, number][], is_line: boolean}[]} graphics in image coordinates
 */

/** Events: "change". */
export class ForeignMarks extends EventTarget {
  #url;
  #fetch;
  #marks = [];
  #keyImages = [];

  /** @param {string} url @param {{fetch?: Function}} [options] */
  constructor(url, { fetch = fetchJson } = {}) {
    super();
    this.#url = url;
    this.#fetch = fetch;
  }

  /** @returns {ForeignMark[]} */
  get all() {
    return this.#marks;
  }

  get(id) {
    return this.#marks.find((mark) => mark.id === id);
  }

  /** Measurements of a frame. */
  of(frame) {
    return this.#marks.filter((mark) => isOn(mark, frame));
  }

  /** The key image that others made of a frame, undefined where it is none. */
  keyOf(frame) {
    return this.#keyImages.find((key) => isOn(key, frame));
  }

  /** All frames that others chose. */
  get keyImages() {
    return this.#keyImages;
  }

  /** How many frames of a stack others chose. */
  keysOf(stack) {
    return new Set(this.#keyImages.filter((key) => key.stack === stack).map((key) => `${key.SOPInstanceUID} ${key.FrameNumber}`)).size;
  }

  /** Reads what there is; without an answer there is nothing to show. */
  async load() {
    try {
      const { findings, key_images: keyImages } = await this.#fetch(this.#url);
      this.#marks = findings;
      this.#keyImages = keyImages;
    } catch {
      // The viewer works without it; it is asked again when the page is opened again.
      return;
    }
    this.dispatchEvent(new Event("change"));
  }
}

function isOn(mark, frame) {
  return Boolean(frame) && mark.SOPInstanceUID === frame.SOPInstanceUID && mark.FrameNumber === frame.FrameNumber;
}
