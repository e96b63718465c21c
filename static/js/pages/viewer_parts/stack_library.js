/**
 * Manifests of the stacks of a study and of those priors that were opened, each fetched once for a revision.
 */
import { ApiError } from "../../core/api_error.js";
import { fetchJson } from "../../core/requests.js";

/**
 * @typedef {object} StudyFacts what stands in the corners of a viewport
 * @property {object} study
 * @property {object} patient as the images of that study say
 * @property {string} [prior] "PRIOR, 20 months"; only of another study
 */

export class StackLibrary {
  #study;
  #facts;
  /** Other studies of the patient by Study Instance UID: manifest and facts. */
  #others = new Map();
  #manifests = new Map();
  #known = new Map();

  /** @param {object} study manifest of the study @param {StudyFacts} facts */
  constructor(study, facts) {
    this.#study = study;
    this.#facts = facts;
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
    const all = [this.#study, ...[...this.#others.values()].map((other) => other.manifest)];
    return all.flatMap((study) => study.stacks).find((entry) => entry.stack === stack);
  }

  /** Takes in another study of the patient. @param {object} manifest of the study @param {StudyFacts} facts */
  addStudy(manifest, facts) {
    this.#others.set(manifest.StudyInstanceUID, { manifest, facts });
  }

  /** Stacks of the other studies that were taken in, each with what its viewports say of its date, and its facts. */
  get others() {
    return [...this.#others.values()].map(({ manifest, facts }) => ({ uid: manifest.StudyInstanceUID, words: facts.prior, study: facts.study, stacks: manifest.stacks }));
  }

  /** Study manifest of another study that was taken in, or of this one. */
  studyOf(uid) {
    return uid === this.#study.StudyInstanceUID ? this.#study : this.#others.get(uid)?.manifest;
  }

  /** What the corners of a viewport say of the study that a stack belongs to. @returns {StudyFacts} */
  of(manifest) {
    return this.#others.get(manifest?.StudyInstanceUID)?.facts ?? this.#facts;
  }

  /** Whether a stack is of another study of the patient. */
  isPrior(manifest) {
    return this.#others.has(manifest?.StudyInstanceUID);
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
    if (!this.studyOf(manifest.StudyInstanceUID)) {
      throw new ApiError("This series belongs to another study; it is not shown here.");
    }
    this.#known.set(stack, manifest);
    return manifest;
  }
}
