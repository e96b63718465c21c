/**
 * Reference lines and 3D cursor of all viewports of a viewer: who shows whose, and when they are drawn anew.
 */
import { preference, setPreference } from "../core/preferences.js";
import { nearestFrame, planeOf, shareFrameOfReference, toPatient } from "../geometry/planes.js";
import { LinesLayer } from "./lines_layer.js";

const PREFERENCE = "referenceLines";

/** Events: "change" when the lines are switched on or off; "cursor" with the point that is shown, for other windows. */
export class Lines extends EventTarget {
  #viewer;
  #linker;
  #layers = new Map();
  #isOn = preference(PREFERENCE, true);
  #hasCursor = false;

  /**
   * @param {HTMLElement} container of the viewports
   * @param {import("../pages/viewer_parts/viewer.js").Viewer} viewer
   * @param {import("./linker.js").Linker} linker
   */
  constructor(container, viewer, linker) {
    super();
    this.#viewer = viewer;
    this.#linker = linker;
    for (const name of ["layout", "active"]) viewer.addEventListener(name, () => this.#watchAll());
    linker.addEventListener("elsewhere", () => this.#draw());
    container.addEventListener("pointermove", (event) => this.#pointed(event));
    container.addEventListener("pointerleave", () => this.#forgetCursor());
    document.addEventListener("keyup", ({ key }) => key === "Shift" && this.#forgetCursor());
    this.#watchAll();
  }

  get isOn() {
    return this.#isOn;
  }

  toggle() {
    this.#isOn = !this.#isOn;
    setPreference(PREFERENCE, this.#isOn);
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  #watchAll() {
    for (const [pane, layer] of this.#layers) {
      if (this.#viewer.panes.includes(pane)) continue;
      layer.disconnect();
      this.#layers.delete(pane);
    }
    for (const pane of this.#viewer.panes) {
      if (this.#layers.has(pane)) continue;
      const layer = new LinesLayer(pane.viewport, () => this.#sourceFor(pane));
      this.#layers.set(pane, layer);
      pane.surface.querySelector(".viewport-canvas").after(layer.element);
      for (const name of ["frame", "stack"]) pane.viewport.addEventListener(name, () => pane === this.#viewer.active && this.#draw());
    }
    this.#draw();
  }

  #sourceFor(pane) {
    const { active } = this.#viewer;
    if (this.#isOn && this.#linker.elsewhere) return this.#linker.elsewhere;
    if (!this.#isOn || pane === active || !active?.viewport.manifest) return null;
    return { manifest: active.viewport.manifest, frame: active.viewport.frame };
  }

  #draw() {
    for (const layer of this.#layers.values()) layer.draw();
  }

  // --- 3D cursor ---------------------------------------------------------------------------------------------------

  #pointed(event) {
    const isAsked = event.shiftKey && !event.buttons;
    const pane = isAsked ? this.#viewer.panes.find((one) => one.surface.contains(event.target)) : null;
    if (!pane?.viewport.manifest) {
      this.#forgetCursor();
      return;
    }
    const { viewport } = pane;
    const plane = planeOf(viewport.manifest, viewport.frame);
    const box = pane.surface.getBoundingClientRect();
    const { ratio } = viewport.size;
    const image = viewport.toImage({ x: (event.clientX - box.left) * ratio, y: (event.clientY - box.top) * ratio });
    if (!plane || !viewport.isOnImage(image)) {
      this.#forgetCursor();
      return;
    }
    const point = toPatient(plane, image);
    this.#show(viewport.manifest, point, pane);
    this.#tellCursor(viewport.manifest, point);
  }

  #tellCursor({ FrameOfReferenceUID } = {}, point) {
    this.dispatchEvent(new CustomEvent("cursor", { detail: { FrameOfReferenceUID, point } }));
  }

  /** The cursor of another window. @param {{FrameOfReferenceUID: string}|null} manifest @param {number[]|null} point */
  showCursorOf(manifest, point) {
    if (point) this.#show(manifest, point, null);
    else this.#takeCursorAway();
  }

  /** The same point of the patient in all viewports that know where it is. */
  #show(manifest, point, from) {
    this.#hasCursor = true;
    for (const [pane, layer] of this.#layers) {
      const { viewport } = pane;
      const isComparable = pane === from || shareFrameOfReference(manifest, viewport.manifest);
      const nearest = isComparable && pane !== from ? nearestFrame(viewport.manifest, point) : null;
      if (nearest && nearest.frame !== viewport.askedFrame) this.#linker.quietly(() => viewport.jump(nearest.frame));
      layer.setCursor(isComparable ? point : null);
    }
  }

  #forgetCursor() {
    if (!this.#hasCursor) return;
    this.#takeCursorAway();
    this.#tellCursor(undefined, null);
  }

  #takeCursorAway() {
    this.#hasCursor = false;
    for (const layer of this.#layers.values()) layer.setCursor(null);
  }
}
