/**
 * Hangs a study as a protocol says, keeps its scale while the reader leaves it alone, and tells what is on the screen so
 * that it can be hung like this next time.
 */
import { post } from "../core/requests.js";
import { windowOn } from "../viewport/view_state.js";
import { explicitWindow } from "../viewport/window_choice.js";
import { zoomsOf } from "./one_scale.js";
import { placementFor } from "./placement.js";

export class Hanger {
  #study;
  #viewer;
  #linker;
  #priors;
  #isOneScale = false;
  /** Cells by pane, as long as nobody has put something else there. */
  #cells = new Map();
  /** Zoom, centre and size as they were set, by pane; empty once the reader has zoomed. */
  #scaled = new Map();
  #isScaling = false;

  /**
   * @param {string} study Study Instance UID
   * @param {import("../pages/viewer_parts/viewer.js").Viewer} viewer
   * @param {import("../linking/linker.js").Linker} linker
   * @param {import("./priors.js").Priors} priors
   */
  constructor(study, viewer, linker, priors) {
    this.#study = study;
    this.#viewer = viewer;
    this.#linker = linker;
    this.#priors = priors;
  }

  /** @param {{layout: string, cells: (object|null)[], links: object, one_scale: boolean}} hanging */
  async hang(hanging) {
    this.#isOneScale = hanging.one_scale;
    this.#viewer.setLayout(hanging.layout, { fill: false });
    const { panes } = this.#viewer;
    await Promise.all(hanging.cells.map((cell, index) => cell && this.#fill(panes[index], cell)));
    this.#settlePriors();
    this.#linker.setLinks(hanging.links);
    this.#rescale();
  }

  async #fill(pane, cell) {
    if (cell.StudyInstanceUID !== this.#study) {
      try {
        await this.#priors.load(cell.StudyInstanceUID);
      } catch (error) {
        pane.viewport.show(null, { problem: error.message });
        return;
      }
    }
    await this.#viewer.show(pane, cell.stack);
    const { viewport } = pane;
    if (viewport.manifest?.stack !== cell.stack) return;
    const placement = Object.keys(cell.orient).length ? placementFor(viewport.manifest.frames[0].edges, cell.orient) : null;
    const isTurnedWrong = Object.keys(cell.orient).length > 0 && !placement;
    viewport.setView({ ...placement, ...(cell.window && { window: explicitWindow(cell.window) }) });
    pane.surface.classList.toggle("viewport-text-left", cell.align === "right");
    pane.surface.classList.toggle("viewport-text-right", cell.align === "left");
    this.#cells.set(pane, { ...cell, align: isTurnedWrong ? "" : cell.align });
    viewport.addEventListener("view", () => this.#viewed(pane));
    viewport.addEventListener("stack", () => this.#replaced(pane));
  }

  #settlePriors() {
    const { panes, library } = this.#viewer;
    const partner = panes.find((pane) => pane.viewport.manifest && !library.isPrior(pane.viewport.manifest));
    for (const pane of panes) if (partner && library.isPrior(pane.viewport.manifest)) this.#priors.settle(pane, partner);
  }

  #replaced(pane) {
    if (pane.viewport.manifest?.stack === this.#cells.get(pane)?.stack) return;
    this.#cells.delete(pane);
    this.#scaled.clear();
    pane.surface.classList.remove("viewport-text-left", "viewport-text-right");
  }

  // --- scale ---------------------------------------------------------------------------------------------------------

  #viewed(pane) {
    const before = this.#scaled.get(pane);
    if (this.#isScaling || !before) return;
    const { view, size } = pane.viewport;
    if (size.width !== before.size.width || size.height !== before.size.height) this.#rescale();
    // From here on the reader's own zoom holds.
    else if (view.zoom !== before.zoom || view.center !== before.center) this.#scaled.clear();
  }

  #rescale() {
    const hung = [...this.#cells].filter(([pane]) => this.#viewer.panes.includes(pane) && !pane.surface.hidden);
    if (!this.#isOneScale && !hung.some(([, cell]) => cell.align)) return;
    for (const [pane] of hung) this.#scaled.set(pane, { size: pane.viewport.size });
    if (hung.some(([pane]) => !pane.viewport.size.width)) return;
    const shown = hung.map(([{ viewport }, { align }]) => ({ manifest: viewport.manifest, view: viewport.view, size: viewport.size, align }));
    const zooms = zoomsOf(shown, { isOneScale: this.#isOneScale });
    this.#isScaling = true;
    this.#linker.quietly(() => hung.forEach(([{ viewport }], index) => viewport.setView(zooms[index])));
    this.#isScaling = false;
    hung.forEach(([pane], index) => this.#scaled.set(pane, { ...zooms[index], size: pane.viewport.size }));
  }

  // --- next time -----------------------------------------------------------------------------------------------------

  /** Saves what is on the screen for studies of this kind. @returns {Promise<string>} name of the protocol */
  async save() {
    const { panes, layout } = this.#viewer;
    const links = Object.entries(this.#linker.links).filter(([, isLinked]) => isLinked);
    const response = await post(`/studies/${this.#study}/hanging`, {
      layout: layout.name,
      cells: panes.map((pane) => this.#cellOf(pane)),
      links: links.map(([name]) => name),
      one_scale: this.#isOneScale && this.#cells.size > 0,
      prior: this.#priors.shown[0] ?? null,
    });
    return (await response.json()).name;
  }

  #cellOf(pane) {
    const { manifest, view, askedFrame } = pane.viewport;
    if (!manifest) return null;
    const { orient = {}, align = "" } = this.#cells.get(pane) ?? {};
    const window = view.window.key === null ? null : windowOn(view, manifest, askedFrame);
    const numbers = Number.isFinite(window?.width) ? { center: window.center, width: window.width } : null;
    return { stack: manifest.stack, orient, align, window: numbers };
  }
}
