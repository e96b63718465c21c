/**
 * One place of the layout: a viewport with its text, measurements, scroll bar and value read-out, and the element that
 * has the focus. Tools speak to a pane.
 */
import { endNear } from "../../annotations/mark_geometry.js";
import { element } from "../../core/dom.js";
import { MarksLayer } from "../../annotations/marks_layer.js";
import { ForeignLayer } from "../../objects/foreign_layer.js";
import { OverlayLayer } from "../../objects/overlay_layer.js";
import { shifted } from "../../geometry/shapes.js";
import { preference } from "../../core/preferences.js";
import { readNumbers } from "../../geometry/written_values.js";
import { PointerRouter } from "../../tools/pointer_router.js";
import { CinePlayer } from "../../viewport/cine_player.js";
import { seriesName } from "../../viewport/corner_lines.js";
import { CornerText } from "../../viewport/corner_text.js";
import { ScrollBar } from "../../viewport/scroll_bar.js";
import { ValueReader } from "../../viewport/value_reader.js";
import { Viewport } from "../../viewport/viewport.js";
import { Loupe } from "./loupe.js";
import { watchSize } from "./watch_size.js";

const MOST_CHARACTERS = 200;
const NOT_KEPT = "Not kept: open the prior itself to measure in it.";

/** Events: "activity" when the reader does something in it, "region" with what was drawn for a remark as `detail`. */
export class Pane extends EventTarget {
  viewport;
  cine;
  /** What has the focus and takes the pointer. */
  surface;
  #layer;
  #foreign;
  #regions;
  #overlay;
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
  #facts;
  #loupe;

  /**
   * @param {{loader: object, cache: object, drawing: object, linked: string,
   *   store: import("../../annotations/mark_store.js").MarkStore, foreign: import("../../objects/foreign_marks.js").ForeignMarks,
   *   regions: import("../../discussion/remark_regions.js").RemarkRegions, overlays: import("../../objects/overlay_store.js").OverlayStore,
   *   measurer: import("../../annotations/mark_measurer.js").MarkMeasurer,
   *   tools: object, facts: {of: (manifest: object|null) => object}, actions: object, number: number}} parts
   */
  constructor({ loader, cache, drawing, linked, store, foreign, regions, overlays, measurer, tools, facts, actions, number }) {
    super();
    this.#store = store;
    this.#number = number;
    this.#facts = facts;
    const canvas = element("canvas", { class: "viewport-canvas" });
    this.viewport = new Viewport(canvas, { loader, cache, drawing, linked });
    this.#loupe = new Loupe(this.viewport, { loader, cache, drawing });
    this.cine = new CinePlayer(this.viewport);
    this.#layer = new MarksLayer(this.viewport, store, measurer);
    this.#overlay = new OverlayLayer(this.viewport, overlays);
    this.#foreign = new ForeignLayer(this.viewport, foreign);
    this.#regions = new ForeignLayer(this.viewport, regions);
    this.#text = new CornerText(this.viewport, facts);
    this.#bar = new ScrollBar(this.viewport, { isMarked: (frame) => store.of(frame).length > 0 || foreign.of(frame).length > 0 || foreign.keyOf(frame) !== undefined });
    this.#values = new ValueReader(this.viewport);
    this.surface = element(
      "section",
      { class: "viewport", tabindex: 0, "aria-roledescription": "viewport", "data-pane": number },
      canvas,
      this.#overlay.element,
      this.#foreign.element,
      this.#regions.element,
      this.#layer.element,
      this.#text.element,
      this.#pointerLabel,
      this.#loupe.element,
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
    this.#loupe.disconnect();
    this.#router.disconnect();
    this.cine.disconnect();
    this.#values.disconnect();
    this.#bar.disconnect();
    this.#text.disconnect();
    this.#overlay.disconnect();
    this.#foreign.disconnect();
    this.#regions.disconnect();
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

  /** How this viewport is linked to the active one, in words. */
  showLink(text) {
    this.#text.showLink(text);
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

  /** @param {import("../../tools/tool.js").Gesture|null} gesture null puts the magnifying glass away */
  magnifyAt(gesture) {
    this.#loupe.showAt(gesture);
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

  /** The place of a pointer, or the end of another measurement near it where the reader has asked for that. */
  snapped({ css, image }) {
    if (!preference("snap", false)) return image;
    return endNear(css, this.#store.of(this.viewport.frameFacts), (point) => this.viewport.toCss(point)) ?? image;
  }

  setDraft(draft) {
    this.#layer.setDraft(draft);
  }

  /** Whether what is drawn here is kept: measurements belong to the study that is read, not to a prior. */
  get keepsMarks() {
    return !this.#facts.of(this.viewport.manifest).prior;
  }

  /** Keeps a mark and selects it; an arrow may have words. */
  addMark(mark) {
    if (!this.keepsMarks) {
      this.setDraft(null);
      this.showAtPointer(this.viewport.toCss(mark.points[0]), NOT_KEPT);
      return;
    }
    const id = this.#store.add(mark);
    this.#layer.select(id);
    if (mark.kind === "arrow") this.askText(this.viewport.toCss(mark.points[0]), "", (text) => text && this.#store.change(id, { text }));
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
    this.#foreign.select(null);
  }

  /** Emphasises a measurement of others. */
  selectForeign(id) {
    this.#layer.select(null);
    this.#foreign.select(id);
  }

  get selectedMark() {
    return this.#layer.selected ? this.#store.get(this.#layer.selected) : undefined;
  }

  setMarksHidden(areHidden) {
    this.#layer.setHidden(areHidden);
    this.#foreign.setHidden(areHidden);
  }

  /** The selected measurement, or the one under the pointer. */
  get #meantMark() {
    return this.#layer.selected ?? (this.#hovered && this.hitMark(this.#hovered.css)?.id);
  }

  /** Removes the measurement that is meant. @returns {boolean} */
  removeMark() {
    const id = this.#meantMark;
    if (!id || !this.#store.remove(id)) return false;
    this.#layer.select(null);
    return true;
  }

  /** Moves the selected measurement by image pixels, in a direction of the screen. */
  nudgeMark(right, down, pixels = 1) {
    const mark = this.selectedMark;
    if (!mark || !this.viewport.manifest || !isOnFrame(mark, this.viewport.frameFacts)) return;
    const [start, end] = [{ x: 0, y: 0 }, { x: right, y: down }].map((point) => this.viewport.toImage(point));
    const far = Math.hypot(end.x - start.x, end.y - start.y) || 1;
    const by = { x: ((end.x - start.x) / far) * pixels, y: ((end.y - start.y) / far) * pixels };
    this.#store.change(mark.id, { points: shifted(mark.points, by) });
  }

  /** Renames the measurement that is meant, at its place. */
  renameMark() {
    const mark = this.#store.get(this.#meantMark);
    if (!mark || mark.mayChange === false || !mark.points.length) return;
    const css = this.viewport.toCss(mark.points[0]);
    this.askText(css, mark.text, (text) => this.#store.change(mark.id, { text }));
  }

  /** Copies the measurement that is meant to other images of the series that are written in, such as "5-9". */
  copyMark() {
    const mark = this.#store.get(this.#meantMark);
    const { manifest, frames } = this.viewport;
    if (!mark || !mark.points.length || manifest?.stack !== mark.stack || !this.keepsMarks) return;
    const css = this.viewport.toCss(mark.points[0]);
    const take = (text) => {
      const numbers = text ? readNumbers(text, frames) : [];
      if (text && !numbers.length) this.showAtPointer(css, `Write images from 1 to ${frames}, such as 5-9, 12.`);
      for (const copy of copiesOf(mark, manifest, numbers)) this.#store.add(copy);
    };
    this.askText(css, "", take, { label: "Copy to these images", hint: "images, such as 5-9 or all" });
  }

  /** Asks for a few words at a place; Enter takes them, Escape does not. */
  askText(css, text, done, { label = "Words of the measurement", hint = null } = {}) {
    const input = element("input", { class: "mark-input", type: "text", maxlength: MOST_CHARACTERS, "aria-label": label, title: label, placeholder: hint, autocomplete: "off" });
    input.value = text;
    input.style.left = `${css.x}px`;
    input.style.top = `${css.y}px`;
    let isOpen = true;
    const close = (isTaken) => {
      if (!isOpen) return;
      isOpen = false;
      const words = input.value.trim();
      input.remove();
      if (isTaken) done(words);
      this.surface.focus({ preventScroll: true });
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      event.preventDefault();
      close(event.key === "Enter");
    });
    for (const name of ["pointerdown", "wheel"]) input.addEventListener(name, (event) => event.stopPropagation());
    input.addEventListener("blur", () => close(true));
    this.surface.append(input);
    input.focus({ preventScroll: true });
  }
}

/** The same shape on other frames of its stack. */
function copiesOf({ kind, stack, points, known_mm, text, group }, manifest, numbers) {
  const places = numbers.map((number) => manifest.frames[number - 1]).map(({ SOPInstanceUID, FrameNumber }) => ({ SOPInstanceUID, FrameNumber }));
  const shape = { kind, stack, points, text, group, label: null, ...(known_mm && { known_mm }) };
  return places.map((place) => ({ ...shape, ...place }));
}

function isOnFrame(mark, frame) {
  return mark.SOPInstanceUID === frame?.SOPInstanceUID && mark.FrameNumber === frame?.FrameNumber;
}
