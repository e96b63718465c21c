/** Measurements of the priors that were opened: shown on their images, to compare with, never changed here. */
import { fetchJson } from "../core/requests.js";
import { markOf } from "./mark_saver.js";

export class PriorMarks {
  #store;
  #fetch;
  #asked = new Set();

  /** @param {import("./mark_store.js").MarkStore} store */
  constructor(store, { fetch = fetchJson } = {}) {
    this.#store = store;
    this.#fetch = fetch;
  }

  /** Reads those of a study, once. @param {string} uid @param {string} words such as "PRIOR, 20 months" */
  async load(uid, words) {
    if (this.#asked.has(uid)) return;
    this.#asked.add(uid);
    try {
      const { annotations } = await this.#fetch(`/api/studies/${uid}/annotations`);
      for (const kept of annotations) this.#store.receive(kept.id, { ...markOf(kept), mayChange: false, prior: words, study: uid });
    } catch {
      // Without them the prior is still there to be looked at; the next time they are asked for again.
      this.#asked.delete(uid);
    }
  }
}
