/**
 * Saves measurements as they are drawn. What could not be sent is kept in the tab, also over a reload, and sent again;
 * what somebody else has changed meanwhile is shown as they left it, and said.
 */
import { fetchJson, sendJson } from "../core/requests.js";

const SAVE_AFTER_MS = 400;
const RETRY_MS = 5000;
const FIRST_REFUSAL = 400;

/** A measurement as the portal keeps it becomes one of the store, and back. */
export function markOf(kept) {
  const [x, y] = kept.label_offset ?? [];
  return {
    id: kept.id,
    kind: kept.kind,
    stack: kept.stack,
    SOPInstanceUID: kept.SOPInstanceUID,
    FrameNumber: kept.FrameNumber,
    points: kept.geometry.points.map(([column, row]) => ({ x: column, y: row })),
    ...(kept.geometry.known_mm && { known_mm: kept.geometry.known_mm }),
    text: kept.label,
    group: kept.group ?? "",
    label: kept.label_offset ? { x, y } : null,
    author: kept.author,
    isOwn: kept.is_own,
    mayChange: kept.may_change,
  };
}

/** Points of a mark as the portal reads them. */
export function geometryOf({ points, known_mm }) {
  return { points: points.map(({ x, y }) => [x, y]), ...(known_mm && { known_mm }) };
}

export function keptOf(mark, version) {
  return {
    version,
    kind: mark.kind,
    stack: mark.stack,
    SOPInstanceUID: mark.SOPInstanceUID,
    FrameNumber: mark.FrameNumber,
    geometry: geometryOf(mark),
    label: mark.text ?? "",
    group: mark.group ?? "",
    label_offset: mark.label ? [mark.label.x, mark.label.y] : null,
  };
}

/**
 * Events: "state" when what `state` says has changed, "conflict" with a sentence in its detail, "kept" with {id, version}
 * when the portal has taken a change of this tab.
 */
export class MarkSaver extends EventTarget {
  #store;
  #url;
  #key;
  #storage;
  #send;
  #fetch;
  #versions = new Map();
  #waiting = new Set();
  #timer = 0;
  #isSending = false;
  #state = { kind: "idle", at: null, text: "" };

  /**
   * @param {import("./mark_store.js").MarkStore} store
   * @param {{url: string, key: string, storage?: Storage, send?: Function, fetch?: Function}} options key names user and study
   */
  constructor(store, { url, key, storage = globalThis.sessionStorage, send = sendJson, fetch = fetchJson }) {
    super();
    this.#store = store;
    this.#url = url;
    this.#key = `portal:unsaved-marks:${key}`;
    this.#storage = storage;
    this.#send = send;
    this.#fetch = fetch;
    store.addEventListener("edited", ({ detail }) => this.#edited(detail.id));
    globalThis.addEventListener?.("online", () => this.flush());
    globalThis.addEventListener?.("pagehide", () => this.#sendAll());
  }

  /** {kind: "idle"|"saving"|"saved"|"unsaved"|"refused", at: Date|null, text: string} */
  get state() {
    return this.#state;
  }

  get hasUnsaved() {
    return this.#waiting.size > 0;
  }

  /** Whether a change of this tab is still on its way. */
  isWaiting(id) {
    return this.#waiting.has(id);
  }

  /** Another window of this person has saved one; what is changed here next goes over that. */
  learn(id, version) {
    this.#versions.set(id, Math.max(version, this.#versions.get(id) ?? 0));
  }

  /** Reads what the portal keeps; then what this tab could not send is put back on top and sent. */
  async load() {
    const unsaved = this.#read();
    try {
      const { annotations } = await this.#fetch(this.#url);
      for (const kept of annotations) this.#take(kept);
    } catch (error) {
      this.#say("unsaved", error.message);
    }
    for (const { id, mark, version } of unsaved) {
      this.#versions.set(id, version);
      this.#waiting.add(id);
      this.#store.receive(id, mark);
    }
    if (!unsaved.length) return;
    this.#say("saving");
    await this.flush();
  }

  #take(kept) {
    this.#versions.set(kept.id, kept.version);
    if (!this.#waiting.has(kept.id)) this.#store.receive(kept.id, kept.deleted ? null : markOf(kept));
  }

  #edited(id) {
    this.#waiting.add(id);
    this.#write();
    this.#say("saving");
    this.#later(SAVE_AFTER_MS);
  }

  #later(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), wait);
  }

  /** Sends what waits, one after the other. */
  async flush() {
    clearTimeout(this.#timer);
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#waiting.size) await this.#sendOne(this.#waiting.values().next().value);
      if (this.#state.kind === "saving" || this.#state.kind === "unsaved") this.#say("saved");
    } catch (error) {
      // Unreachable, busy, or signed out: nothing is lost, and it is tried again.
      this.#say("unsaved", error.message);
      this.#later(RETRY_MS);
    } finally {
      this.#isSending = false;
    }
  }

  async #sendOne(id) {
    const mark = this.#store.get(id) ?? null;
    const version = this.#versions.get(id) ?? 0;
    if (!mark && !version) {
      this.#settle(id, mark);
      return;
    }
    try {
      const body = mark ? keptOf(mark, version) : { version };
      const kept = await this.#send(`${this.#url}/${id}`, body, { method: mark ? "PUT" : "DELETE" });
      this.#versions.set(id, kept.version);
      this.#settle(id, mark);
      if (mark && this.#store.get(id) === mark && mark.author === undefined) this.#store.receive(id, { ...mark, author: kept.author, isOwn: true });
      this.dispatchEvent(new CustomEvent("kept", { detail: { id, version: kept.version } }));
    } catch (error) {
      if (error.status === 409 && error.answer?.annotation) this.#overruled(id, error);
      else if (error.status >= FIRST_REFUSAL && error.status < 500 && ![401, 408, 429].includes(error.status)) this.#refused(id, error);
      else throw error;
    }
  }

  /** The page is left: what waits is sent without waiting for an answer, and stays kept in the tab. */
  #sendAll() {
    for (const id of this.#waiting) {
      const [mark, version] = [this.#store.get(id), this.#versions.get(id) ?? 0];
      if (!mark && !version) continue;
      const options = { method: mark ? "PUT" : "DELETE", keepalive: true };
      this.#send(`${this.#url}/${id}`, mark ? keptOf(mark, version) : { version }, options).catch(() => {});
    }
  }

  /** What was sent waits no longer, unless it has been changed since. */
  #settle(id, sent) {
    if ((this.#store.get(id) ?? null) === sent) this.#waiting.delete(id);
    this.#write();
  }

  #overruled(id, error) {
    const { annotation } = error.answer;
    this.#versions.set(id, annotation.version);
    this.#waiting.delete(id);
    this.#write();
    this.#store.overrule(id, annotation.deleted ? null : markOf(annotation));
    this.#say("saved");
    const what = annotation.deleted ? "It is deleted." : "Theirs is shown.";
    this.dispatchEvent(new CustomEvent("conflict", { detail: `${error.message} ${what} Undo brings yours back.` }));
  }

  #refused(id, error) {
    this.#waiting.delete(id);
    this.#write();
    this.#say("refused", error.message);
  }

  #say(kind, text = "") {
    this.#state = { kind, at: kind === "saved" ? new Date() : this.#state.at, text };
    this.dispatchEvent(new Event("state"));
  }

  #read() {
    try {
      return JSON.parse(this.#storage?.getItem(this.#key) ?? "[]");
    } catch {
      return [];
    }
  }

  #write() {
    const unsaved = [...this.#waiting].map((id) => ({ id, mark: this.#store.get(id) ?? null, version: this.#versions.get(id) ?? 0 }));
    try {
      if (unsaved.length) this.#storage?.setItem(this.#key, JSON.stringify(unsaved));
      else this.#storage?.removeItem(this.#key);
    } catch {
      // Without room in the tab's storage they live until the page is left.
    }
  }
}
