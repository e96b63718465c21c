/**
 * One place of the layout: a viewport with its text, measurements, scroll bar and value read-out, and the element that
 * has the focus. Tools speak to a pane.
 */
import { element } from "../../core/dom.js";
import { MarksLayer } from "../../annotations/marks_layer.js";
import { PointerRouter } from "../../tools/pointer_router.js";
import { CinePlayer } from "../../viewport/cine_player.js";
import { seriesName } from "../../viewport/corner_lines.js";
import { CornerText } from "../../viewport/corner_text.js";
import { ScrollBar } from "../../viewport/scroll_bar.js";
import { ValueReader } from "../../viewport/value_reader.js";
import { Viewport } from "../../viewport/viewport.js";
import { watchSize } from "./watch_size.js";

/** Events: "activity" when the reader does something in it. */
export class Pane extends EventTarget {
  viewport;
  cine;
  /** What has the focus and takes the pointer. */
  surface;
  #layer;
  #store;
  #text;
  #bar;
  #values;
  #router;
  #pointerLabel = element("div", { class: "pointer-label", hidden: true });
  #isProbing = false;
  #probe = null;
  #hovered = null;
  #stopWatching;
  #number;

  /**
   * @param {{loader: object, cache: object, drawing: object, linked: string, store: import("../../annotations/mark_store.js").MarkStore, tools: object,
   *   facts: {study: object, patient: object}, actions: object, number: number}} parts
   */
  constructor({ loader, cache, drawing, linked, store, tools, facts, actions, number }) {
    super();
    this.#store = store;
    this.#number = number;
    const canvas = element("canvas", { class: "viewport-canvas" });
    this.viewport = new Viewport(canvas, { loader, cache, drawing, linked });
    this.cine = new CinePlayer(this.viewport);
    this.#layer = new MarksLayer(this.viewport, store);
    this.#text = new CornerText(this.viewport, facts);
    this.#bar = new ScrollBar(this.viewport, { isMarked: (frame) => store.of(frame).length > 0 });
    this.#values = new ValueReader(this.viewport);
    this.surface = element(
      "section",
      { class: "viewport", tabindex: 0, "aria-roledescription": "viewport", "data-pane": number },
      canvas,
      this.#layer.element,
      this.#text.element,
      this.#pointerLabel,
      this.#bar.element,
    );
    this.#router = new PointerRouter(this, tools, actions);
    this.#stopWatching = watchSize(canvas, (size) => this.viewport.resize(size));
    this.#values.addEventListener("value", ({ detail }) => this.#showValue(detail));
    for (const name of ["stack", "frame"]) this.viewport.addEventListener(name, () => this.#frameChanged());
    this.viewport.addEventListener("view", () => this.#readAgain());
    if (tools.activeId === "probe") this.#isProbing = true;
    this.#frameChanged();
  }

  disconnect() {
    this.#stopWatching();
    this.#router.disconnect();
    this.cine.disconnect();
    this.#values.disconnect();
    this.#bar.disconnect();
    this.#text.disconnect();
    this.#layer.disconnect();
    this.viewport.disconnect();
    this.surface.remove();
  }

  #frameChanged() {
    const { manifest, frame, frames } = this.viewport;
    const what = manifest ? `${seriesName(manifest)}, image ${frame} of ${frames}` : "empty";
    this.surface.setAttribute("aria-label", `Viewport ${this.#number}: ${what}`);
    this.#layer.hover(null);
    this.#readAgain();
  }

  /** Another pixel may lie under a pointer that has not moved. */
  #readAgain() {
    if (this.#hovered) this.#values.read(this.#imagePoint());
  }

  /** Takes back what is under way. @returns {boolean} */
  cancel() {
    return this.#router.cancel();
  }

  scrollBy(images) {
    this.cine.stop();
    this.viewport.step(images);
  }

  // --- what a pointer is on ----------------------------------------------------------------------------------------

  /** @param {import("../../tools/tool.js").Gesture|null} gesture null: the pointer has left */
  hover(gesture) {
    this.#hovered = gesture;
    this.#values.read(gesture ? gesture.image : null);
    this.#layer.hover(gesture ? (this.hitMark(gesture.css)?.id ?? null) : null);
    if (!gesture) this.showAtPointer(null);
  }

  #imagePoint() {
    return this.viewport.manifest ? this.viewport.toImage(this.#hovered.device) : null;
  }

  setProbing(isProbing) {
    this.#isProbing = isProbing;
  }

  /** Reads the value at a place and shows it there. */
  probeAt(gesture) {
    this.#probe = gesture.css;
    this.#values.read(gesture.image);
  }

  #showValue({ row, column, text }) {
    this.#text.showValue(text);
    const place = this.#isProbing ? (this.#hovered?.css ?? this.#probe) : this.#probe;
    if (place) this.#writeAtPointer(place, text ? `${text}\nrow ${row}, column ${column}` : "");
  }

  /** A few words beside the pointer; null takes them away. */
  showAtPointer(css, text = "") {
    if (!css) this.#probe = null;
    this.#writeAtPointer(css, text);
  }

  #writeAtPointer(css, text) {
    this.#pointerLabel.hidden = !css || !text;
    if (this.#pointerLabel.hidden) return;
    const { size } = this.viewport;
    this.#pointerLabel.textContent = text;
    this.#pointerLabel.style.left = `${css.x}px`;
    this.#pointerLabel.style.top = `${css.y}px`;
    this.#pointerLabel.classList.toggle("pointer-label-left", css.x > (size.width / size.ratio) * 0.7);
  }

  // --- measurements ------------------------------------------------------------------------------------------------

  hitMark(css, options) {
    return this.#layer.hit(css, options);
  }

  setDraft(draft) {
    this.#layer.setDraft(draft);
  }

  addMark(mark) {
    this.#store.add(mark);
  }

  markOf(id) {
    return this.#store.get(id);
  }

  changeMark(id, changes) {
    this.#store.change(id, changes);
  }

  showMoved(mark) {
    this.#layer.setMoved(mark);
  }

  selectMark(id) {
    this.#layer.select(id);
  }

  /** Removes the selected measurement, or the one under the pointer. @returns {boolean} */
  removeMark() {
    const id = this.#layer.selected ?? (this.#hovered && this.hitMark(this.#hovered.css)?.id);
    if (!id || !this.#store.get(id)) return false;
    this.#store.remove(id);
    this.#layer.select(null);
    return true;
  }
}
