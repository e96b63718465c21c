/**
 * Decoded tiles in memory, the least recently used given up first; a bitmap that is given up is closed.
 */
const BYTES_A_PIXEL = 4;

/** Bytes to keep, from what the machine has: what is given up comes back out of the browser's own cache. */
export function cacheBudget(deviceMemoryGb = globalThis.navigator?.deviceMemory ?? 4) {
  return Math.max(96, Math.min(320, deviceMemoryGb * 40)) * 2 ** 20;
}

export class BitmapCache {
  #entries = new Map();
  #bytes = 0;
  #limit;

  constructor(limit = cacheBudget()) {
    this.#limit = limit;
  }

  /** Whether a tile is here; asking does not make it fresher. */
  has(key) {
    return this.#entries.has(key);
  }

  /** @returns {ImageBitmap|undefined} */
  get(key) {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.bitmap;
  }

  put(key, bitmap) {
    this.delete(key);
    const bytes = bitmap.width * bitmap.height * BYTES_A_PIXEL;
    this.#entries.set(key, { bitmap, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limit || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key) {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    entry.bitmap.close?.();
  }

  clear() {
    for (const key of [...this.#entries.keys()]) this.delete(key);
  }

  get bytes() {
    return this.#bytes;
  }

  get limit() {
    return this.#limit;
  }
}
