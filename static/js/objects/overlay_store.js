/**
 * Segmentations and structure sets of a study in this page: which are shown, how strongly, and what of them lies on a frame.
 */
import { fetchJson } from "../core/requests.js";

const MOST_KEPT = 400;
const FIRST_OPACITY = 0.4;

/**
 * @typedef {object} Overlay
 * @property {string} SOPInstanceUID
 * @property {string} label
 * @property {"binary"|"fractional"|"labelmap"|"contours"} kind
 * @property {{number: number, label: string, color: [number, number, number], kind: string, algorithm: string}[]} segments
 * @property {string[]} stacks over which it can be laid
 */

/** Events: "list" when it is known which there are, "change" when something else is to be drawn. */
export class OverlayStore extends EventTarget {
  #study;
  #fetch;
  #overlays = [];
  /** What is shown: "UID number". */
  #shown = new Set();
  #opacity = FIRST_OPACITY;
  #frames = new Map();
  #asked = new Set();

  /** @param {string} study Study Instance UID @param {{fetch?: Function}} [options] */
  constructor(study, { fetch = fetchJson } = {}) {
    super();
    this.#study = study;
    this.#fetch = fetch;
  }

  /** @returns {Overlay[]} */
  get all() {
    return this.#overlays;
  }

  get opacity() {
    return this.#opacity;
  }

  setOpacity(opacity) {
    this.#opacity = opacity;
    this.#tell("change");
  }

  isShown(uid, number) {
    return this.#shown.has(`${uid} ${number}`);
  }

  /** @param {number[]} numbers of the segments that are shown or hidden */
  show(uid, numbers, isShown) {
    for (const number of numbers) this.#shown[isShown ? "add" : "delete"](`${uid} ${number}`);
    this.#tell("change");
  }

  async load() {
    try {
      this.#overlays = (await this.#fetch(`/api/studies/${this.#study}/overlays`)).overlays;
    } catch {
      // The images can be read without; it is asked again when the page is opened again.
      return;
    }
    this.#tell("list");
  }

  /** Objects with a visible segment over a stack. */
  over(stack) {
    return this.#overlays.filter((one) => one.stacks.includes(stack) && one.segments.some(({ number }) => this.isShown(one.SOPInstanceUID, number)));
  }

  /** What of an object lies on a frame; null as long as it is not here: it is asked for. */
  onFrame(uid, stack, frame) {
    const url = `/api/stacks/${stack}/frames/${frame}/overlays/${uid}`;
    if (this.#frames.has(url)) return this.#frames.get(url);
    if (!this.#asked.has(url)) this.#ask(url);
    return null;
  }

  async #ask(url) {
    this.#asked.add(url);
    try {
      const answer = await this.#fetch(url);
      this.#frames.set(url, answer);
      if (this.#frames.size > MOST_KEPT) this.#frames.delete(this.#frames.keys().next().value);
      this.#tell("change");
    } catch {
      // Nothing is drawn of it; the next paint of the frame asks again.
    } finally {
      this.#asked.delete(url);
    }
  }

  /** Volume and values of each segment on a stack. */
  statistics(uid, stack) {
    return this.#fetch(`/api/stacks/${stack}/overlays/${uid}/statistics`);
  }

  #tell(name) {
    this.dispatchEvent(new Event(name));
  }
}
