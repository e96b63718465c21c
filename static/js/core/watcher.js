/**
 * Looks for news every so often, only while the page can be seen; a look that fails is made up for by the next.
 */
export class Watcher {
  #look;
  #everyMs;
  #timer = 0;
  #isLooking = false;

  /** @param {() => Promise<void>} look @param {number} everyMs */
  constructor(look, everyMs) {
    this.#look = look;
    this.#everyMs = everyMs;
  }

  connect() {
    document.addEventListener("visibilitychange", this.look);
    this.#timer = setInterval(this.look, this.#everyMs);
  }

  disconnect() {
    document.removeEventListener("visibilitychange", this.look);
    clearInterval(this.#timer);
  }

  look = async () => {
    if (this.#isLooking || document.visibilityState !== "visible") return;
    this.#isLooking = true;
    try {
      await this.#look();
    } catch (error) {
      // The session's end is told by its own event; whatever else failed is asked again soon.
      if (error.expired) this.disconnect();
    } finally {
      this.#isLooking = false;
    }
  };
}
