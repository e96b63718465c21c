/**
 * Asks the portal what shapes with an inside measure: from modality values, never from what is displayed. While one is
 * being drawn or dragged it is asked about only when it rests.
 */
import { isAbort } from "../core/api_error.js";
import { sendJson } from "../core/requests.js";
import { AREAS } from "../geometry/shapes.js";
import { geometryOf } from "./mark_saver.js";

const REST_MS = 120;
const MOST_KEPT = 500;
const RETRY_MS = 5000;

/** What the portal is asked about a shape. @param {object|null} byHand calibration of its image */
export function questionAbout(mark, byHand = null) {
  return { kind: mark.kind, geometry: geometryOf(mark), ...(byHand && { calibration: geometryOf(byHand) }) };
}

/** Events: "measured". */
export class MarkMeasurer extends EventTarget {
  #answers = new Map();
  #asked = new Set();
  #send;
  #rest = "";
  #request = null;

  constructor({ send = sendJson } = {}) {
    super();
    this.#send = send;
  }

  /**
   * The answer about a shape on a frame of a stack, null as long as there is none; asks for it.
   * @param {{isMoving?: boolean, byHand?: object}} [options] isMoving: it changes with every move of the pointer;
   *   byHand: the calibration of the image
   */
  of(mark, stack, frame, { isMoving = false, byHand = null } = {}) {
    if (!AREAS.has(mark.kind) || mark.points.length < 2) return null;
    const body = questionAbout(mark, byHand);
    const url = `/api/stacks/${stack}/frames/${frame}/statistics`;
    const key = `${url} ${JSON.stringify(body)}`;
    if (this.#answers.has(key)) return this.#answers.get(key);
    if (isMoving) this.#askAtRest(key, url, body);
    else if (!this.#asked.has(key)) this.#ask(key, url, body);
    return null;
  }

  #askAtRest(key, url, body) {
    if (this.#rest === key) return;
    this.#rest = key;
    this.#request?.abort();
    setTimeout(() => {
      if (this.#rest !== key || this.#answers.has(key)) return;
      this.#request = new AbortController();
      this.#ask(key, url, body, this.#request.signal);
    }, REST_MS);
  }

  async #ask(key, url, body, signal) {
    this.#asked.add(key);
    try {
      const answer = await this.#send(url, body, { signal });
      this.#answers.set(key, answer);
      if (this.#answers.size > MOST_KEPT) this.#answers.delete(this.#answers.keys().next().value);
      this.dispatchEvent(new Event("measured"));
      this.#asked.delete(key);
    } catch (error) {
      // Without an answer there is no value; after a while it is asked again.
      setTimeout(() => this.#asked.delete(key), isAbort(error) ? 0 : RETRY_MS);
    }
  }
}
