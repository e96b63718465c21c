/**
 * Saves a draft by itself: a moment after the last word, one save at a time, again and again while the portal cannot be
 * reached. What is typed stays in this page until the portal has said that it is kept.
 *
 * Event "change": state, message or savedAt is another. Event "conflict": somebody saved in between; `detail` is the answer.
 */
export const AFTER_TYPING_MS = 800;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 30_000;

export class DraftSaver extends EventTarget {
  #save;
  #clock;
  #pending = new Map();
  #number = 0;
  #timer = 0;
  #isSaving = false;
  #failures = 0;
  #patientConfirmed = false;
  #putsBack = false;
  /** "saved", "typing", "saving", "waiting" (the portal cannot be reached), "conflict" or "refused" */
  state = "saved";
  message = "";
  savedAt = null;

  /**
   * @param {(text: object, number: number, options: object) => Promise<{number: number, saved_at: string}>} save
   * @param {{setTimeout: Function, clearTimeout: Function}} [clock]
   */
  constructor(save, clock = globalThis) {
    super();
    this.#save = save;
    this.#clock = clock;
  }

  /** Number of the draft that the text on this page began with. */
  get number() {
    return this.#number;
  }

  get isClean() {
    return this.#pending.size === 0 && !this.#isSaving;
  }

  /** What is typed and not yet kept. */
  get pending() {
    return Object.fromEntries(this.#pending);
  }

  /** The page shows the draft of that number. */
  begin(number, savedAt) {
    this.#number = number;
    this.#pending.clear();
    this.#failures = 0;
    this.#say("saved", "", savedAt);
  }

  /** A section has another text now. */
  change(name, text) {
    this.#pending.set(name, text);
    if (this.state === "conflict" || this.state === "refused") return;
    if (this.state !== "waiting") this.#say("typing");
    this.#later(this.state === "waiting" ? this.#pause : AFTER_TYPING_MS);
  }

  /** The reader has looked whom the text is about. */
  confirmPatient(text) {
    this.#patientConfirmed = true;
    for (const [name, value] of Object.entries(text)) this.#pending.set(name, value);
    this.state = "typing";
    return this.flush();
  }

  /** The reader puts an earlier text back over what is there. */
  putBack(text) {
    this.#putsBack = true;
    for (const [name, value] of Object.entries(text)) this.change(name, value);
    return this.flush();
  }

  /** The reader has chosen between two texts: this one is kept over the draft of that number. */
  resolve(number, text) {
    this.#number = number;
    this.#pending = new Map(Object.entries(text));
    this.state = "typing";
    return this.flush();
  }

  /** Saves now what is pending. @returns {Promise<boolean>} whether everything typed is kept */
  async flush({ isLeaving = false } = {}) {
    this.#clock.clearTimeout(this.#timer);
    if (this.#isSaving || !this.#pending.size || this.state === "conflict" || this.state === "refused") return this.isClean;
    const text = this.pending;
    this.#isSaving = true;
    this.#say("saving");
    try {
      const kept = await this.#save(text, this.#number, { isLeaving, patientConfirmed: this.#patientConfirmed, putsBack: this.#putsBack });
      this.#isSaving = false;
      this.#kept(text, kept);
    } catch (error) {
      this.#isSaving = false;
      this.#failed(error);
    }
    return this.isClean;
  }

  #kept(text, kept) {
    this.#number = kept.number;
    this.#failures = 0;
    this.#patientConfirmed = false;
    this.#putsBack = false;
    for (const [name, value] of Object.entries(text)) if (this.#pending.get(name) === value) this.#pending.delete(name);
    if (this.#pending.size) this.#later(AFTER_TYPING_MS);
    this.#say(this.#pending.size ? "typing" : "saved", "", kept.saved_at);
  }

  #failed(error) {
    if (error.answer?.reason === "Conflict") {
      this.#say("conflict", error.message);
      this.dispatchEvent(new CustomEvent("conflict", { detail: error.answer }));
    } else if (error.isPassing) {
      this.#failures += 1;
      this.#say("waiting", error.message);
      this.#later(this.#pause);
    } else {
      this.#say("refused", error.message);
    }
  }

  get #pause() {
    return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, this.#failures - 1));
  }

  #later(pause) {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.flush(), pause);
  }

  #say(state, message = "", savedAt = this.savedAt) {
    Object.assign(this, { state, message, savedAt });
    this.dispatchEvent(new Event("change"));
  }
}
