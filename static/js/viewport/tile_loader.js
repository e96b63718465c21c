/**
 * Fetches the tiles that viewports want, the most urgent first, a few at a time; what nobody wants any more is aborted.
 *
 * A tile only ever goes into the cache under its own address. What is painted is decided from the present state, so a
 * tile that was overtaken cannot paint over something newer.
 */
import { isAbort } from "../core/api_error.js";
import { fetchBlob } from "../core/requests.js";

/** What a tile is wanted for; lower is sooner. */
export const Priority = Object.freeze({ FIRST: 0, VISIBLE: 1, SHARPEN: 2, AHEAD: 3, REST: 4 });

/** Requests at once: a browser gives one host six connections, and values and lists need some. */
const MOST_AT_ONCE = 5;
/** Of these, requests for what is not on the screen yet. */
const MOST_AHEAD = 3;
const RETRY_AFTER_MS = Object.freeze([500, 2000, 5000]);

/** Decodes without touching a value: no premultiplication, no color conversion. */
export async function fetchTile(url, { signal, priority }) {
  const blob = await fetchBlob(url, { signal, priority: priority >= Priority.AHEAD ? "low" : "high" });
  return createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
}

/** Events: "tile" and "failure", each with `key` in its detail. */
export class TileLoader extends EventTarget {
  #cache;
  #fetch;
  #wants = new Map();
  #underWay = new Map();
  #failures = new Map();

  constructor(cache, fetch = fetchTile) {
    super();
    this.#cache = cache;
    this.#fetch = fetch;
  }

  /**
   * Replaces what an owner wants.
   * @param {object} owner
   * @param {{key: string, priority: number}[]} wants
   * @param {{finish?: Set<string>}} [options] finish: keys under way that are left to end though they are overtaken
   */
  want(owner, wants, { finish = new Set() } = {}) {
    this.#wants.set(owner, { wants, finish });
    const wanted = new Set();
    for (const one of this.#wants.values()) {
      for (const { key } of one.wants) wanted.add(key);
      for (const key of one.finish) wanted.add(key);
    }
    for (const [key, request] of this.#underWay) if (!wanted.has(key)) this.#abort(key, request);
    this.#start();
  }

  forget(owner) {
    this.want(owner, []);
    this.#wants.delete(owner);
  }

  isUnderWay(key) {
    return this.#underWay.has(key);
  }

  /** The error of a tile that will not come, else undefined. */
  failureOf(key) {
    const failure = this.#failures.get(key);
    return failure?.isFinal ? failure.error : undefined;
  }

  /** Forgets what failed, so that it is asked again. */
  retry() {
    this.#failures.clear();
    this.#start();
  }

  #abort(key, request) {
    this.#underWay.delete(key);
    request.controller.abort();
  }

  #start() {
    const waiting = [...this.#wants.values()].flatMap((one) => one.wants).filter(({ key }) => this.#isStartable(key));
    waiting.sort((one, other) => one.priority - other.priority);
    for (const { key, priority } of waiting) {
      if (this.#underWay.size >= MOST_AT_ONCE) return;
      if (priority >= Priority.AHEAD && this.#underWay.size >= MOST_AHEAD) return;
      if (!this.#underWay.has(key)) this.#load(key, priority);
    }
  }

  #isStartable(key) {
    const failure = this.#failures.get(key);
    if (failure && (failure.isFinal || failure.isWaiting)) return false;
    return !this.#cache.has(key) && !this.#underWay.has(key);
  }

  async #load(key, priority) {
    const request = { controller: new AbortController() };
    this.#underWay.set(key, request);
    try {
      const bitmap = await this.#fetch(key, { signal: request.controller.signal, priority });
      if (request.controller.signal.aborted) return bitmap.close?.();
      this.#underWay.delete(key);
      this.#failures.delete(key);
      this.#cache.put(key, bitmap);
      this.dispatchEvent(new CustomEvent("tile", { detail: { key } }));
    } catch (error) {
      if (isAbort(error) || request.controller.signal.aborted) return undefined;
      this.#underWay.delete(key);
      this.#fail(key, error);
    }
    this.#start();
    return undefined;
  }

  #fail(key, error) {
    const attempts = (this.#failures.get(key)?.attempts ?? 0) + 1;
    const isFinal = !error.isPassing || attempts > RETRY_AFTER_MS.length;
    this.#failures.set(key, { error, attempts, isFinal, isWaiting: !isFinal });
    if (isFinal) {
      this.dispatchEvent(new CustomEvent("failure", { detail: { key, error } }));
      return;
    }
    setTimeout(() => {
      const failure = this.#failures.get(key);
      if (failure) failure.isWaiting = false;
      this.#start();
    }, RETRY_AFTER_MS[attempts - 1]);
  }
}
