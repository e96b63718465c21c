/**
 * Asks the portal for the value under the pointer: from modality values, never from what is displayed.
 */
import { isAbort } from "../core/api_error.js";
import { fetchJson } from "../core/requests.js";

/** A pointer that moves on is not asked about. */
const REST_MS = 60;

/** Events: "value" with {row, column, text} in its detail; text is empty when there is nothing to say. */
export class ValueReader extends EventTarget {
  #viewport;
  #timer = 0;
  #request = null;
  #asked = "";

  /** @param {import("./viewport.js").Viewport} viewport */
  constructor(viewport) {
    super();
    this.#viewport = viewport;
  }

  disconnect() {
    this.#stop();
  }

  /** @param {{x: number, y: number}|null} point in image coordinates; null: the pointer has left */
  read(point) {
    const { manifest, frame, problem } = this.#viewport;
    if (!point || !manifest || manifest.pictures_only || problem || !this.#viewport.isOnImage(point)) {
      this.#stop();
      this.#asked = "";
      this.#tell({ text: "" });
      return;
    }
    const [row, column] = [Math.floor(point.y), Math.floor(point.x)];
    const url = `/api/stacks/${manifest.stack}/frames/${frame}/value?row=${row}&column=${column}`;
    if (url === this.#asked) return;
    this.#stop();
    this.#asked = url;
    this.#tell({ row, column, text: "" });
    this.#timer = setTimeout(() => this.#ask(url, row, column), REST_MS);
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = null;
  }

  async #ask(url, row, column) {
    this.#request = new AbortController();
    try {
      const answer = await fetchJson(url, { signal: this.#request.signal });
      if (url === this.#asked) this.#tell({ row, column, text: valueText(answer) });
    } catch (error) {
      if (isAbort(error)) return;
      // No value is shown where none could be read; the picture is not touched.
      if (url === this.#asked) this.#asked = "";
    }
  }

  #tell(detail) {
    this.dispatchEvent(new CustomEvent("value", { detail }));
  }
}

/** "40 HU"; a dash for padding. */
export function valueText({ value, unit, text }) {
  if (typeof text === "string") return text;
  if (value === null || value === undefined) return "—";
  return `${Array.isArray(value) ? value.join(", ") : value} ${unit ?? ""}`.trim();
}
