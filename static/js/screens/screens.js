/**
 * The windows of one person that show one study, each on a monitor of its own: who is there, and a way to tell them.
 *
 * The first window is 1; another has its number in its address. A window that is closed is simply gone.
 */

/** Events: "change" when another window came or went; "message" with what another window said in its detail. */
export class Screens extends EventTarget {
  #channel;
  #id = crypto.randomUUID();
  #others = new Map();
  number;

  /**
   * @param {{user: string|number, study: string, number: number}} shown
   * @param {(name: string) => BroadcastChannel} [open]
   */
  constructor({ user, study, number }, open = (name) => new BroadcastChannel(name)) {
    super();
    this.number = number;
    this.#channel = typeof BroadcastChannel === "undefined" ? null : open(`portal-viewer:${user}:${study}`);
    this.#channel?.addEventListener("message", ({ data }) => this.#heard(data));
    globalThis.addEventListener?.("pagehide", () => this.#post({ kind: "gone" }));
    // A page that comes back out of the browser's memory is there again.
    globalThis.addEventListener?.("pageshow", ({ persisted }) => persisted && this.connect());
  }

  /** Looks for the others. */
  connect() {
    this.#post({ kind: "came" });
  }

  get hasOthers() {
    return this.#others.size > 0;
  }

  /** Number for a window that is opened now. */
  get nextNumber() {
    return Math.max(this.number, ...this.#others.values()) + 1;
  }

  /** @param {{kind: string}} said plain values */
  tell(said) {
    if (this.hasOthers) this.#post(said);
  }

  disconnect() {
    this.#post({ kind: "gone" });
    this.#channel?.close();
  }

  #post(said) {
    this.#channel?.postMessage({ ...said, from: this.#id, number: this.number });
  }

  #heard(said) {
    const { kind, from, number } = said;
    if (kind === "gone") this.#others.delete(from);
    else if (!this.#others.has(from)) {
      this.#others.set(from, number);
      // The one that came does not know this one yet.
      this.#post({ kind: "here" });
    }
    if (["came", "here", "gone"].includes(kind)) this.dispatchEvent(new Event("change"));
    else this.dispatchEvent(new CustomEvent("message", { detail: said }));
  }
}
