/**
 * Measurements of a study in this browser: each belongs to one frame of one instance. Every change of this tab can be
 * undone and done again, whatever others change in between; what has changed is told to whoever saves it.
 */
const MOST_UNDONE = 200;

/**
 * @typedef {object} Mark
 * @property {string} id
 * @property {string} kind see geometry/shapes.js
 * @property {string} stack on which it was drawn
 * @property {string} SOPInstanceUID
 * @property {number} FrameNumber
 * @property {{x: number, y: number}[]} points in image coordinates
 * @property {string} text its name, or the words of an arrow or a text
 * @property {number} [known_mm] of a calibration: how long it is
 * @property {string} [group] under which heading it is listed
 * @property {{x: number, y: number}|null} label where the reader put the label, as an offset in CSS pixels
 * @property {string} [author] who drew it, as the portal says
 * @property {boolean} [mayChange]
 */

function isOn(mark, frame) {
  return mark.SOPInstanceUID === frame.SOPInstanceUID && mark.FrameNumber === frame.FrameNumber;
}

/** Events: "change"; "edited" with {id} in its detail when this tab has changed one. */
export class MarkStore extends EventTarget {
  #marks = new Map();
  #done = [];
  #undone = [];

  /** Measurements of a frame. @returns {Mark[]} */
  of(frame) {
    return frame ? this.all.filter((mark) => isOn(mark, frame)) : [];
  }

  /** @returns {Mark[]} the oldest first */
  get all() {
    return [...this.#marks.values()];
  }

  /** A stack's manifest with the latest calibration by hand of an image of it, if there is one. */
  calibrated(manifest, { SOPInstanceUID }) {
    const byHand = this.all.findLast((mark) => mark.kind === "calibration" && mark.SOPInstanceUID === SOPInstanceUID);
    return byHand ? { ...manifest, byHand } : manifest;
  }

  get(id) {
    return this.#marks.get(id);
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** @returns {string} its id */
  add(mark) {
    const id = mark.id ?? crypto.randomUUID();
    this.#edit(id, { label: null, text: "", ...mark, id });
    return id;
  }

  /** Changes one that may be changed. @param {Partial<Mark>} changes */
  change(id, changes) {
    const mark = this.#marks.get(id);
    if (mark && mark.mayChange !== false) this.#edit(id, { ...mark, ...changes });
  }

  /** Deletes one that may be changed. @returns {boolean} */
  remove(id) {
    const mark = this.#marks.get(id);
    if (!mark || mark.mayChange === false) return false;
    this.#edit(id, null);
    return true;
  }

  undo() {
    return this.#travel(this.#done, this.#undone, "before");
  }

  redo() {
    return this.#travel(this.#undone, this.#done, "after");
  }

  /** Takes what the portal keeps; null: it was deleted. Not an edit: undo leads back to edits of this tab only. */
  receive(id, mark) {
    this.#set(id, mark);
    this.dispatchEvent(new Event("change"));
  }

  /** Takes what somebody else has made of one; undo brings this tab's own back. */
  overrule(id, mark) {
    const before = this.#marks.get(id) ?? null;
    this.#done.push({ id, before, after: mark });
    this.receive(id, mark);
  }

  #edit(id, after) {
    this.#done = [...this.#done, { id, before: this.#marks.get(id) ?? null, after }].slice(-MOST_UNDONE);
    this.#undone = [];
    this.#apply(id, after);
  }

  #travel(from, to, side) {
    const step = from.pop();
    if (!step) return false;
    to.push(step);
    this.#apply(step.id, step[side]);
    return true;
  }

  #apply(id, mark) {
    this.#set(id, mark);
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new CustomEvent("edited", { detail: { id } }));
  }

  #set(id, mark) {
    if (mark) this.#marks.set(id, mark);
    else this.#marks.delete(id);
  }
}
