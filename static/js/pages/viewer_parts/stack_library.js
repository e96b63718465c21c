/**
 * Manifests of the stacks of a study, each fetched once for a revision.
 */
import { ApiError } from "../../core/api_error.js";
import { fetchJson } from "../../core/requests.js";

export class StackLibrary {
  #study;
  #manifests = new Map();
  #known = new Map();

  /** @param {object} study manifest of the study */
  constructor(study) {
    this.#study = study;
  }

  get study() {
    return this.#study;
  }

  /** Stacks in the order of the strip. */
  get stacks() {
    return this.#study.stacks;
  }

  get drawable() {
    return this.stacks.filter((entry) => entry.drawable);
  }

  entry(stack) {
    return this.stacks.find((entry) => entry.stack === stack);
  }

  /** Takes over the study as it is now; manifests are read again. */
  renew(study) {
    this.#study = study;
    this.#manifests.clear();
    this.#known.clear();
  }

  /** The manifest of a stack if it has come already. */
  known(stack) {
    return this.#known.get(stack);
  }

  /**
   * The manifest of a stack; an ApiError says why there is none.
   * @param {string} stack
   * @returns {Promise<object>}
   */
  manifest(stack) {
    if (!this.#manifests.has(stack)) {
      const promise = this.#fetch(stack);
      promise.catch(() => this.#manifests.delete(stack));
      this.#manifests.set(stack, promise);
    }
    return this.#manifests.get(stack);
  }

  async #fetch(stack) {
    const manifest = await fetchJson(this.entry(stack)?.manifest ?? `/stacks/${stack}/manifest.json`);
    if (manifest.StudyInstanceUID !== this.#study.StudyInstanceUID) {
      throw new ApiError("This series belongs to another study; it is not shown here.");
    }
    this.#known.set(stack, manifest);
    return manifest;
  }
}
