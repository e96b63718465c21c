/**
 * The bell in the header: how many notifications are unread. It makes no sound, and asks only while it can be seen.
 */
import { setText } from "./dom.js";
import { fetchJson } from "./requests.js";
import { Watcher } from "./watcher.js";

const LOOK_EVERY_MS = 30_000;

export class Bell {
  #link;
  #watcher = new Watcher(() => this.#ask(), LOOK_EVERY_MS);

  /** @param {HTMLAnchorElement} link with the address of the count */
  constructor(link) {
    this.#link = link;
  }

  connect() {
    this.#watcher.connect();
    this.#watcher.look();
  }

  disconnect() {
    this.#watcher.disconnect();
  }

  async #ask() {
    const { unread } = await fetchJson(this.#link.dataset.countAddress, { background: true });
    const count = this.#link.querySelector("[data-count]");
    count.hidden = !unread;
    setText(count, unread ? String(unread) : "");
    this.#link.title = unread ? `${unread} unread notification${unread === 1 ? "" : "s"}` : "Notifications";
  }
}
