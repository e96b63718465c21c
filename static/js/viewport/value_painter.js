/**
 * Paints the values of a picture in one viewport: resamples them when the picture or its place has changed, and looks
 * them up in the display table, which is all that a change of the window needs.
 */
import { Affine } from "../geometry/affine.js";
import { displayTable, paddedWords } from "./display_table.js";
import { Sampling } from "./value_shaders.js";

export class ValuePainter {
  #canvas;
  #renderer;
  #screen;
  #resampled = "";
  #table = null;
  #tableOf = { name: "", tables: [] };

  /**
   * @param {HTMLCanvasElement} canvas of the viewport, with a 2D context
   * @param {import("./value_renderer.js").ValueRenderer} renderer
   */
  constructor(canvas, renderer) {
    this.#canvas = canvas;
    this.#renderer = renderer;
    this.#screen = renderer.screen();
  }

  disconnect() {
    this.#renderer.drop(this.#screen);
  }

  /**
   * @param {import("./picture.js").Picture} picture of value tiles
   * @param {Affine} transform from image to canvas
   * @param {object} manifest of the stack
   * @param {import("./display_table.js").DisplayTransform} display
   * @param {{isSmooth?: boolean}} [options] isSmooth: false shows the pixels of an enlarged image as squares
   * @returns {boolean} whether it is on the canvas
   */
  paint(picture, transform, manifest, display, { isSmooth = true } = {}) {
    if (!this.#renderer.isUsable || !this.#resample(picture, transform, manifest, display, isSmooth)) return false;
    const context = this.#canvas.getContext("2d");
    this.#renderer.display(this.#screen, this.#tableFor(display), context);
    return this.#renderer.isUsable;
  }

  #resample(picture, transform, manifest, display, isSmooth) {
    const size = { width: this.#canvas.width, height: this.#canvas.height };
    const padding = paddedWords(display.padding, display.offset);
    const keys = picture.layers.flatMap(({ tiles }) => tiles.map(({ key }) => key));
    const name = JSON.stringify([transform, padding, isSmooth, keys]);
    if (name === this.#resampled && this.#renderer.isKept(this.#screen, size)) return true;
    const layers = picture.layers.map(({ level, tiles }) => ({ level, tiles, ...placed(transform, level, isSmooth) }));
    this.#resampled = name;
    return this.#renderer.resample(this.#screen, size, layers, { manifest, padding });
  }

  /** Padding is told from values when they are resampled: between two values that are none it may be one. */
  #tableFor(display) {
    const transform = { ...display, padding: null };
    const { voi, modalityLut, map, ...plain } = transform;
    const name = JSON.stringify([plain, voi.entries ? "" : voi]);
    const isSame = this.#tableOf.name === name && this.#tableOf.tables.every((one, index) => one === [voi.entries, modalityLut, map][index]);
    if (!isSame) {
      this.#table = displayTable(transform);
      this.#tableOf = { name, tables: [voi.entries, modalityLut, map] };
    }
    return this.#table;
  }
}

/** How a level lies under the pixels of the canvas. */
function placed(transform, level, isSmooth) {
  const { a, b, c, d } = transform;
  const scales = [(Math.abs(a) + Math.abs(b)) * level.scale, (Math.abs(c) + Math.abs(d)) * level.scale];
  const inverse = transform.after(Affine.scaling(level.scale)).inverse();
  const isEnlarged = scales.every((scale) => scale >= 1);
  if (scales.every((scale) => scale === 1) || (isEnlarged && !isSmooth)) return { inverse, sampling: Sampling.NEAREST };
  return { inverse, sampling: isEnlarged ? Sampling.BETWEEN : Sampling.COVERED };
}
