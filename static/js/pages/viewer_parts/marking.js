/**
 * What concerns measurements of the whole page: hidden or not, key images, jumping to one, and the word about saving.
 */
import { announce } from "../../core/announcer.js";
import { preference, setPreference } from "../../core/preferences.js";

const KEY_IMAGE = "key_image";

/** Events: "change". */
export class Marking extends EventTarget {
  #viewer;
  #store;
  #areHidden = false;

  /** @param {import("./viewer.js").Viewer} viewer @param {import("../../annotations/mark_store.js").MarkStore} store */
  constructor(viewer, store) {
    super();
    this.#viewer = viewer;
    this.#store = store;
    viewer.addEventListener("layout", () => this.#hide());
  }

  get areHidden() {
    return this.#areHidden;
  }

  toggleHidden() {
    this.#areHidden = !this.#areHidden;
    this.#hide();
    announce(this.#areHidden ? "Measurements are hidden" : "Measurements are shown");
    this.dispatchEvent(new Event("change"));
  }

  /** Whether what is drawn snaps to the ends of other measurements. */
  get snaps() {
    return preference("snap", false);
  }

  toggleSnap() {
    setPreference("snap", !this.snaps);
    announce(this.snaps ? "Snaps to ends of measurements" : "Does not snap");
    this.dispatchEvent(new Event("change"));
  }

  #hide() {
    for (const pane of this.#viewer.panes) pane.setMarksHidden(this.#areHidden);
  }

  get #keyImage() {
    return this.#store.of(this.#viewer.active?.viewport.frameFacts).find((mark) => mark.kind === KEY_IMAGE);
  }

  /** Whether the frame of the active viewport is a key image. */
  get isKeyImage() {
    return this.#keyImage !== undefined;
  }

  toggleKeyImage() {
    const { frameFacts, manifest } = this.#viewer.active.viewport;
    const known = this.#keyImage;
    if (known) this.#store.remove(known.id);
    else {
      const { SOPInstanceUID, FrameNumber } = frameFacts;
      this.#store.add({ kind: KEY_IMAGE, stack: manifest.stack, SOPInstanceUID, FrameNumber, points: [] });
    }
    announce(known ? "No key image" : "Key image");
  }

  /** Shows the frame of a measurement in the active viewport and selects it. */
  async jumpTo(id) {
    const mark = this.#store.get(id);
    if (mark && (await this.#showFrameOf(mark))) this.#viewer.active.selectMark(id);
  }

  /** Shows the frame of a measurement of others in the active viewport. @param {import("../../objects/foreign_marks.js").ForeignMark} mark */
  async jumpToForeign(mark) {
    if (await this.#showFrameOf(mark)) this.#viewer.active.selectForeign(mark.id);
  }

  /** @returns {Promise<boolean>} whether the frame is there */
  async #showFrameOf(mark) {
    const pane = this.#viewer.active;
    if (pane.viewport.manifest?.stack !== mark.stack) await this.#viewer.show(pane, mark.stack);
    const frame = frameOf(pane.viewport.manifest, mark);
    if (!frame) {
      announce("The image of this measurement is not in the series any more.");
      return false;
    }
    pane.cine.stop();
    pane.viewport.jump(frame);
    return true;
  }
}

/** Number of the frame in a stack, from 1; 0 where it is not. */
export function frameOf(manifest, mark) {
  return (manifest?.frames ?? []).findIndex((one) => one.SOPInstanceUID === mark.SOPInstanceUID && one.FrameNumber === mark.FrameNumber) + 1;
}

/** "saved 10:42", "saving …", or why it is not. @param {{kind: string, at: Date|null, text: string}} state */
export function saveWord({ kind, at, text }) {
  if (kind === "saving") return "saving …";
  if (kind === "unsaved") return "not saved yet: kept here and sent again";
  if (kind === "refused") return `not saved: ${text}`;
  if (kind !== "saved" || !at) return "";
  return `saved ${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
}
