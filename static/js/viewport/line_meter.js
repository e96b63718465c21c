/**
 * How fast the line to the portal is, from what tiles took to come once their first byte was here: a portal that is busy
 * is no slow line. On a slow one pictures come as the server draws them, half as large, and values when there is time.
 */

/** Bytes a millisecond: 20 Mbit/s and 40 Mbit/s. What lies between changes nothing. */
const SLOW_BELOW = 2500;
const FAST_ABOVE = 5000;
/** So many answers of some size must have come before a line is called slow, and this is how long they are remembered. */
const LEAST_ANSWERS = 6;
const LEAST_BYTES = 64 * 1024;
const REMEMBERED_MS = 2000;

export class LineMeter {
  #bytes = 0;
  #busyMs = 0;
  #coveredUntil = 0;
  #answers = 0;
  /** Of a single answer: a browser that is short of processors has slow ones, but not only slow ones. */
  #bestRate = 0;
  #isSlow = false;

  /** Begins to watch the tiles of this page. */
  static watching() {
    const meter = new LineMeter();
    if (typeof PerformanceObserver === "undefined") return meter;
    const watch = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name.includes("/tiles/") && entry.transferSize > 0) meter.add(entry);
    });
    watch.observe({ type: "resource" });
    return meter;
  }

  get isSlow() {
    return this.#isSlow;
  }

  /**
   * One answer that came over the line; those that came side by side count their time once.
   * @param {{encodedBodySize: number, responseStart: number, responseEnd: number}} answer bytes, ms
   */
  add({ encodedBodySize, responseStart, responseEnd }) {
    this.#busyMs += Math.max(0, responseEnd - Math.max(responseStart, this.#coveredUntil));
    this.#coveredUntil = Math.max(this.#coveredUntil, responseEnd);
    this.#bytes += encodedBodySize;
    if (encodedBodySize < LEAST_BYTES) return;
    this.#answers += 1;
    this.#bestRate = Math.max(this.#bestRate, encodedBodySize / Math.max(1, responseEnd - responseStart));
    const rate = Math.max(this.#bestRate, this.#bytes / Math.max(1, this.#busyMs));
    if (rate > FAST_ABOVE) this.#isSlow = false;
    else if (rate < SLOW_BELOW && this.#answers >= LEAST_ANSWERS) this.#isSlow = true;
    if (this.#busyMs > REMEMBERED_MS) this.#forgetHalf();
  }

  #forgetHalf() {
    this.#bytes /= 2;
    this.#busyMs /= 2;
    this.#bestRate = 0;
    this.#answers = 0;
  }
}
