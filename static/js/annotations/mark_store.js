/**
 * Measurements of this tab: each belongs to one frame of one instance. Every change can be undone; they outlive a reload
 * of the page, but not the tab, and are kept for one user and one study only.
 */
const MOST_UNDONE = 100;

/**
 * @typedef {object} Mark
 * @property {string} id
 * @property {"length"} kind
 * @property {string} SOPInstanceUID
 * @property {number} FrameNumber
 * @property {{x: number, y: number}} from in image coordinates
 * @property {{x: number, y: number}} to
 * @property {{x: number, y: number}|null} label where the reader put the label, as an offset in CSS pixels
 */

/** Events: "change". */
export class MarkStore extends EventTarget {
  #marks = [];
  #done = [];
  #undone = [];
  #key;
  #storage;

  /** @param {string} key names user and study */
  constructor(key, storage = globalThis.sessionStorage) {
    super();
    this.#key = `portal:marks:${key}`;
    this.#storage = storage;
    try {
      this.#marks = JSON.parse(storage?.getItem(this.#key) ?? "[]");
    } catch {
      this.#marks = [];
    }
  }

  /** @returns {Mark[]} */
  of(frame) {
    if (!frame) return [];
    return this.#marks.filter(
      (mark) => mark.SOPInstanceUID === frame.SOPInstanceUID && mark.FrameNumber === frame.FrameNumber,
    );
  }

  get(id) {
    return this.#marks.find((mark) => mark.id === id);
  }

  add(mark) {
    this.#change([...this.#marks, { label: null, ...mark, id: mark.id ?? crypto.randomUUID() }]);
  }

  change(id, changes) {
    this.#change(this.#marks.map((mark) => (mark.id === id ? { ...mark, ...changes } : mark)));
  }

  remove(id) {
    this.#change(this.#marks.filter((mark) => mark.id !== id));
  }

  undo() {
    this.#travel(this.#done, this.#undone);
  }

  redo() {
    this.#travel(this.#undone, this.#done);
  }

  #change(marks) {
    this.#done = [...this.#done, this.#marks].slice(-MOST_UNDONE);
    this.#undone = [];
    this.#set(marks);
  }

  #travel(from, to) {
    if (!from.length) return;
    to.push(this.#marks);
    this.#set(from.pop());
  }

  #set(marks) {
    this.#marks = marks;
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(marks));
    } catch {
      // Without room in the tab's storage they live until the page is left.
    }
    this.dispatchEvent(new Event("change"));
  }
}
