/**
 * The other studies of the patient: which are opened beside the present one, and where.
 *
 * Events: "change" when another prior is shown, or one is on its way; "problem" with a sentence.
 */
import { isAbort } from "../core/api_error.js";
import { fetchJson } from "../core/requests.js";
import { mostLike } from "./likeness.js";

export class Priors extends EventTarget {
  #study;
  #viewer;
  #linker;
  #entries;
  #loads = new Map();
  #chosen = null;

  /**
   * @param {string} study Study Instance UID of the study that is read
   * @param {object[]} entries other studies as the page tells them, the newest first
   * @param {import("../pages/viewer_parts/viewer.js").Viewer} viewer
   * @param {import("../linking/linker.js").Linker} linker
   */
  constructor(study, entries, viewer, linker) {
    super();
    this.#study = study;
    this.#entries = entries;
    this.#viewer = viewer;
    this.#linker = linker;
  }

  /** The newest first. */
  get entries() {
    return this.#entries;
  }

  /** Study Instance UID of the prior that was opened last; null when none was. */
  get chosen() {
    return this.#chosen;
  }

  /** Those that are on the screen. @returns {string[]} */
  get shown() {
    const { library, panes } = this.#viewer;
    const found = panes.map((pane) => pane.viewport.manifest).filter((manifest) => library.isPrior(manifest));
    return [...new Set(found.map((manifest) => manifest.StudyInstanceUID))];
  }

  /**
   * Takes a prior's stacks into the library; what is no prior of the study, or not to be seen, is refused by the server.
   * @param {string} uid
   */
  load(uid) {
    if (!this.#loads.has(uid)) {
      const promise = this.#fetch(uid);
      promise.catch(() => this.#loads.delete(uid));
      this.#loads.set(uid, promise);
    }
    return this.#loads.get(uid);
  }

  async #fetch(uid) {
    const { manifest, study, patient, prior } = await fetchJson(`/studies/${this.#study}/priors/${uid}.json`);
    this.#viewer.library.addStudy(manifest, { study, patient, prior });
    this.#chosen = uid;
    this.dispatchEvent(new Event("change"));
    return manifest;
  }

  /** The prior before (1) or after (-1) the one that is shown; the likeliest one first. */
  step(back) {
    const now = this.#entries.findIndex((entry) => entry.StudyInstanceUID === this.shown[0]);
    const next = now < 0 ? this.#first(back) : this.#entries[now + back];
    if (next) this.open(next.StudyInstanceUID);
  }

  #first(back) {
    const isWanted = ({ words }) => words.startsWith("LATER") === back < 0;
    const wanted = this.#entries.filter(isWanted);
    if (back < 0) return wanted.at(-1);
    return wanted.reduce((best, entry) => (best && best.relevance >= entry.relevance ? best : entry), null);
  }

  /** Opens a prior beside what is read, at the same place as far as anybody can know. @param {string} uid */
  async open(uid) {
    try {
      const manifest = await this.load(uid);
      await Promise.all(this.#places().map(([pane, partner]) => this.#show(manifest, pane, partner)));
      this.#chosen = uid;
      this.#linker.setLinks({ scroll: true });
      this.dispatchEvent(new Event("change"));
    } catch (error) {
      if (!isAbort(error)) this.dispatchEvent(new CustomEvent("problem", { detail: error.message }));
    }
  }

  /** Where a prior goes, each with the viewport that it is compared with: instead of another prior, or beside. */
  #places() {
    const { library, active } = this.#viewer;
    const isPrior = (pane) => library.isPrior(pane.viewport.manifest);
    if (this.#viewer.panes.length < 2) this.#viewer.setLayout("1x2", { fill: false });
    const { panes } = this.#viewer;
    const partner = isPrior(active) ? (panes.find((pane) => !isPrior(pane) && pane.viewport.manifest) ?? active) : active;
    const others = panes.filter(isPrior);
    const beside = panes[panes.indexOf(partner) + 1] ?? panes.find((pane) => pane !== partner);
    return (others.length ? others : [beside]).filter((pane) => pane !== partner).map((pane) => [pane, partner]);
  }

  async #show(manifest, pane, partner) {
    const { library } = this.#viewer;
    const entry = library.entry(partner.viewport.manifest?.stack);
    const like = (entry && mostLike(entry, manifest.stacks)) ?? manifest.stacks.find((one) => one.drawable);
    if (!like) return;
    await this.#viewer.show(pane, like.stack);
    this.settle(pane, partner);
  }

  /** Brings a prior to the place that its partner shows. */
  settle(pane, partner) {
    const [shown, wanted] = [pane.viewport.manifest, partner.viewport.manifest];
    if (!shown || !wanted || shown === wanted) return;
    this.#linker.matchMiddles(wanted, shown);
    const match = this.#linker.frameLike(partner.viewport, shown);
    if (match) this.#linker.quietly(() => pane.viewport.jump(match.frame));
  }
}
