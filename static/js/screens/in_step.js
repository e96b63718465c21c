/**
 * Keeps the windows of one study in step: what is scrolled, zoomed or windowed in one moves what is linked in the others,
 * the reference lines of all are those of the viewport that is worked in, and what is measured is seen in all at once.
 */
import { ApiError, isAbort } from "../core/api_error.js";

export class InStep {
  #screens;
  #viewer;
  #linker;
  #lines;
  #priors;
  #store;
  #saver;
  /** The last message of a kind: an earlier one that waited for a manifest is out of date. */
  #latest = new Map();

  /**
   * @param {import("./screens.js").Screens} screens
   * @param {{viewer: import("../pages/viewer_parts/viewer.js").Viewer, linker: import("../linking/linker.js").Linker,
   *   lines: import("../linking/lines.js").Lines, priors: import("../hanging/priors.js").Priors,
   *   store: import("../annotations/mark_store.js").MarkStore, saver: import("../annotations/mark_saver.js").MarkSaver}} parts
   */
  constructor(screens, { viewer, linker, lines, priors, store, saver }) {
    this.#screens = screens;
    this.#viewer = viewer;
    this.#linker = linker;
    this.#lines = lines;
    this.#priors = priors;
    this.#store = store;
    this.#saver = saver;
    screens.addEventListener("message", ({ detail }) => this.#heard(detail));
    screens.addEventListener("change", () => this.#met());
    this.#listen();
    screens.connect();
  }

  #listen() {
    this.#linker.addEventListener("moved", ({ detail: { what, viewport } }) => this.#tellShown(what, viewport));
    this.#linker.addEventListener("links", () => this.#screens.tell({ kind: "links", links: this.#linker.links }));
    this.#linker.addEventListener("matched", () => this.#tellShown("match", this.#viewer.active.viewport));
    this.#viewer.addEventListener("active", () => document.hasFocus() && this.#tellShown("active", this.#viewer.active?.viewport));
    this.#lines.addEventListener("cursor", ({ detail }) => this.#screens.tell({ kind: "cursor", ...detail }));
    this.#store.addEventListener("edited", ({ detail: { id } }) => this.#screens.tell({ kind: "mark", id, mark: this.#store.get(id) ?? null }));
    this.#saver.addEventListener("kept", ({ detail: { id, version } }) =>
      this.#screens.tell({ kind: "mark", id, mark: this.#store.get(id) ?? null, version }),
    );
  }

  /** A window that came takes over the links; one that went leaves nothing behind. */
  #met() {
    if (!this.#screens.hasOthers) this.#linker.setElsewhere(null);
    else if (this.#linker.isOn) this.#screens.tell({ kind: "links", links: this.#linker.links });
  }

  #tellShown(what, viewport) {
    if (!viewport?.manifest) return;
    // What is done here makes this the window that is worked in.
    this.#linker.setElsewhere(null);
    const { manifest, askedFrame, view, size } = viewport;
    this.#screens.tell({ kind: "shown", what, study: manifest.StudyInstanceUID, stack: manifest.stack, frame: askedFrame, view, size });
  }

  #heard(said) {
    if (said.kind === "shown") this.#follow(said);
    else if (said.kind === "links") this.#linker.takeLinks(said.links);
    else if (said.kind === "cursor") this.#lines.showCursorOf(said.point && { FrameOfReferenceUID: said.FrameOfReferenceUID }, said.point);
    else if (said.kind === "mark") this.#takeMark(said);
  }

  #takeMark({ id, mark, version }) {
    if (version !== undefined) this.#saver.learn(id, version);
    if (!this.#saver.isWaiting(id)) this.#store.receive(id, mark);
  }

  async #follow(said) {
    this.#latest.set(said.what, said);
    try {
      const manifest = await this.#manifestOf(said);
      if (this.#latest.get(said.what) !== said) return;
      this.#linker.followElsewhere(said.what, { manifest, frame: said.frame, view: said.view, size: said.size });
    } catch (error) {
      // What this window may not see, or cannot reach now, it does not follow.
      if (!isAbort(error) && !(error instanceof ApiError)) throw error;
    }
  }

  async #manifestOf({ study, stack }) {
    const { library } = this.#viewer;
    if (!library.studyOf(study)) await this.#priors.load(study);
    return library.manifest(stack);
  }
}
