/**
 * Draws the segments that are shown over a viewport, at their place in the patient: masks pixel by pixel, contours as lines.
 * The picture below stays as it is.
 */
import { element } from "../core/dom.js";
import { Affine } from "../geometry/affine.js";
import { maskPixels } from "./mask_pixels.js";

const LINE_PX = 1.5;

export class OverlayLayer {
  #viewport;
  #overlays;
  #listeners = new AbortController();
  /** Pictures of masks, kept as long as their answers are. */
  #pictures = new WeakMap();
  element = element("canvas", { class: "viewport-overlay", "aria-hidden": "true" });

  /**
   * @param {import("../viewport/viewport.js").Viewport} viewport
   * @param {import("./overlay_store.js").OverlayStore} overlays
   */
  constructor(viewport, overlays) {
    this.#viewport = viewport;
    this.#overlays = overlays;
    const { signal } = this.#listeners;
    viewport.addEventListener("painted", () => this.draw(), { signal });
    overlays.addEventListener("change", () => this.draw(), { signal });
  }

  disconnect() {
    this.#listeners.abort();
  }

  draw() {
    const { manifest, problem, hasPicture, size, frame } = this.#viewport;
    const isShown = manifest && !problem && hasPicture;
    const shown = isShown ? this.#overlays.over(manifest.stack) : [];
    this.element.hidden = !shown.length;
    if (!shown.length) return;
    if (this.element.width !== size.width || this.element.height !== size.height) {
      this.element.width = size.width;
      this.element.height = size.height;
    }
    const context = this.element.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    for (const overlay of shown) {
      const found = this.#overlays.onFrame(overlay.SOPInstanceUID, manifest.stack, frame);
      if (found) this.#drawOne(context, overlay, found);
    }
  }

  #drawOne(context, overlay, { masks, outlines }) {
    const visible = new Map(overlay.segments.filter(({ number }) => this.#overlays.isShown(overlay.SOPInstanceUID, number)).map((one) => [one.number, one]));
    context.globalAlpha = this.#overlays.opacity;
    context.imageSmoothingEnabled = false;
    for (const mask of masks) if (visible.has(mask.segment)) this.#drawMask(context, mask, visible.get(mask.segment).color);
    for (const [number, segment] of visible) {
      this.#drawOutlines(context, outlines.filter((one) => one.segment === number), segment.color);
    }
    context.globalAlpha = 1;
  }

  #drawMask(context, mask, color) {
    const { a, b, c, d, e, f } = this.#viewport.transform.after(new Affine(...mask.affine));
    context.setTransform(a, b, c, d, e, f);
    context.drawImage(this.#pictureOf(mask, color), 0, 0);
  }

  #pictureOf(mask, color) {
    if (!this.#pictures.has(mask)) {
      const canvas = new OffscreenCanvas(mask.columns, mask.rows);
      canvas.getContext("2d").putImageData(new ImageData(maskPixels(mask, color), mask.columns, mask.rows), 0, 0);
      this.#pictures.set(mask, canvas);
    }
    return this.#pictures.get(mask);
  }

  /** Filled by the even-odd rule, so that holes stay open, with a full line around. */
  #drawOutlines(context, outlines, [red, green, blue]) {
    if (!outlines.length) return;
    const { transform, size } = this.#viewport;
    const path = new Path2D();
    for (const { points } of outlines) {
      points.forEach(([column, row], index) => {
        const { x, y } = transform.apply(column, row);
        if (index) path.lineTo(x, y);
        else path.moveTo(x, y);
      });
      path.closePath();
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    const color = `rgb(${red} ${green} ${blue})`;
    const { opacity } = this.#overlays;
    context.fillStyle = color;
    context.strokeStyle = color;
    context.lineWidth = LINE_PX * size.ratio;
    context.globalAlpha = opacity / 2;
    context.fill(path, "evenodd");
    context.globalAlpha = Math.min(1, opacity * 2);
    context.stroke(path);
    context.globalAlpha = opacity;
  }
}
