/**
 * Measurements of a study for its report: which there are, each as words with the view that it was made on, and whether
 * one that stands in the text is still what it was.
 */
import { geometryOf } from "../annotations/mark_saver.js";
import { AREAS, KIND_NAMES } from "../geometry/shapes.js";
import { frameOf } from "../pages/viewer_parts/marking.js";
import { isForReports, wordsOf } from "./measure_words.js";

const LONGEST_WAIT_MS = 15_000;

/** Events: "change". */
export class ReportMeasures extends EventTarget {
  #parts;
  #isLoaded = false;

  /**
   * @param {{store: object, saver: object, measurer: object, library: object, viewOf: (mark: object, frame: number) => string,
   *   open?: (entry: object) => boolean}} parts viewOf: the address's query that shows it; open: shows it in this page
   */
  constructor(parts) {
    super();
    this.#parts = parts;
    parts.store.addEventListener("change", () => this.dispatchEvent(new Event("change")));
  }

  /** The portal's measurements have come. */
  loaded() {
    this.#isLoaded = true;
    this.dispatchEvent(new Event("change"));
  }

  /** What can be put into the text. @returns {{id: string, label: string}[]} */
  get choices() {
    return this.#parts.store.all.filter(isForReports).map((mark) => ({ id: mark.id, label: [mark.text || KIND_NAMES[mark.kind], this.#series(mark)].filter(Boolean).join(" · ") }));
  }

  /** Shows a measurement in this page. @returns {boolean} false where it cannot */
  open(entry) {
    return this.#parts.open?.(entry) ?? false;
  }

  /** One as words, once it is kept and measured. @returns {Promise<{id: string, words: string, view: string, drawn: object}>} */
  async entryOf(id) {
    const { store, measurer, library, viewOf } = this.#parts;
    await this.#keep();
    const mark = store.get(id);
    if (!mark) throw new Error("This measurement is not there any more.");
    const manifest = await library.manifest(mark.stack);
    const frame = frameOf(manifest, mark);
    if (!frame) throw new Error("The image of this measurement is not in the series any more.");
    const seen = store.calibrated(manifest, mark);
    const measured = await this.#measured(() => measurer.of(mark, mark.stack, frame, { byHand: seen.byHand }), mark);
    const words = wordsOf(mark, seen, measured, [this.#series(mark), `Im ${frame}`].filter(Boolean).join(" "));
    return { id, words, view: viewOf(mark, frame), drawn: this.#drawn(mark) };
  }

  /** "same", "changed" or "deleted"; as the portal said until this page knows itself. @param {{id: string, drawn: object, since?: string}} entry */
  since({ id, drawn, since = "same" }) {
    if (!this.#isLoaded) return since;
    const mark = this.#parts.store.get(id);
    if (!mark) return "deleted";
    return JSON.stringify(this.#drawn(mark)) === JSON.stringify(drawn) ? "same" : "changed";
  }

  #drawn(mark) {
    const { byHand } = this.#parts.store.calibrated({}, mark);
    return { geometry: geometryOf(mark), ...(byHand && { calibration: geometryOf(byHand) }) };
  }

  #series({ stack }) {
    const { SeriesNumber: number, Modality: modality = "" } = this.#parts.library.entry(stack) ?? {};
    return number === null || number === undefined ? modality : `S${number}`;
  }

  /** What was drawn a moment ago is on its way to the portal. */
  async #keep() {
    const { saver } = this.#parts;
    await saver.flush();
    if (saver.hasUnsaved) await until(saver, "state", () => !saver.hasUnsaved, "The measurement is not saved yet; try again in a moment.");
  }

  async #measured(ask, { kind }) {
    if (ask() || !AREAS.has(kind)) return ask();
    await until(this.#parts.measurer, "measured", () => ask() !== null, "The portal has not measured this yet; try again in a moment.");
    return ask();
  }
}

function until(target, name, isDone, problem) {
  return new Promise((resolve, reject) => {
    const end = (settle) => {
      target.removeEventListener(name, look);
      clearTimeout(timer);
      settle();
    };
    const look = () => isDone() && end(resolve);
    const timer = setTimeout(() => end(() => reject(new Error(problem))), LONGEST_WAIT_MS);
    target.addEventListener(name, look);
    look();
  });
}
