/**
 * Paints tiles on a canvas as they came: no filter, no blending, smoothing only where the picture is scaled.
 */
import { Affine } from "../geometry/affine.js";
import { tileBounds } from "../geometry/tile_grid.js";

export class Painter {
  #canvas;
  #context;
  #mosaic = null;
  #mosaicOf = "";
  #isSmooth = true;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false, colorSpace: "srgb" });
  }

  /** Black, where there is no picture to show. */
  clear() {
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#context.fillStyle = "#000";
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  /**
   * @param {import("./picture.js").Picture} picture
   * @param {Affine} transform from image to canvas
   * @param {object} manifest of the stack
   * @param {{isSmooth?: boolean}} [options] isSmooth: false shows the pixels of an enlarged image as squares
   */
  paint(picture, transform, manifest, { isSmooth = true } = {}) {
    this.clear();
    this.#isSmooth = isSmooth;
    const context = this.#context;
    context.save();
    this.#clipToImage(transform, manifest);
    const finest = picture.layers[picture.layers.length - 1].level;
    const isExact = isOneToOne(transform, finest);
    const tiles = picture.layers.reduce((total, layer) => total + layer.tiles.length, 0);
    if (isExact || tiles === 1) {
      for (const layer of picture.layers) this.#drawTiles(layer, transform, manifest);
    } else {
      this.#drawMosaic(picture, finest, transform, manifest);
    }
    context.restore();
  }

  /** The last pixels of a reduced level may reach past the image. */
  #clipToImage(transform, manifest) {
    const context = this.#context;
    const image = { left: 0, top: 0, right: manifest.Columns, bottom: manifest.Rows };
    const { left, top, right, bottom } = transform.boundsOf(image);
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
  }

  #drawTiles({ level, tiles }, transform, manifest) {
    const context = this.#context;
    const ofLevel = transform.after(Affine.scaling(level.scale));
    this.#setSmoothing(context, ofLevel);
    context.setTransform(ofLevel.a, ofLevel.b, ofLevel.c, ofLevel.d, ofLevel.e, ofLevel.f);
    for (const { row, column, bitmap } of tiles) {
      const { left, top } = tileBounds(level, manifest.TileSize, row, column);
      context.drawImage(bitmap, left, top);
    }
  }

  /** Several tiles are put together first, pixel by pixel, and scaled as one picture: no seams between them. */
  #drawMosaic(picture, level, transform, manifest) {
    const bounds = this.#mosaicBounds(picture, level, manifest);
    this.#makeMosaic(picture, level, bounds, manifest);
    const context = this.#context;
    const ofLevel = transform.after(Affine.scaling(level.scale));
    const placed = ofLevel.after(Affine.translation(bounds.left, bounds.top));
    this.#setSmoothing(context, ofLevel);
    context.setTransform(placed.a, placed.b, placed.c, placed.d, placed.e, placed.f);
    context.drawImage(this.#mosaic, 0, 0);
  }

  #mosaicBounds({ layers, seen }, level, manifest) {
    if (layers.length > 1 && seen) {
      const size = manifest.TileSize;
      const floor = (value) => Math.floor(value / level.scale / size) * size;
      const ceil = (value, most) => Math.min(Math.ceil(value / level.scale / size) * size, most);
      const left = Math.max(0, floor(seen.left));
      const top = Math.max(0, floor(seen.top));
      return { left, top, right: ceil(seen.right, level.Columns), bottom: ceil(seen.bottom, level.Rows) };
    }
    const boxes = layers[0].tiles.map(({ row, column }) => tileBounds(level, manifest.TileSize, row, column));
    return {
      left: Math.min(...boxes.map((box) => box.left)),
      top: Math.min(...boxes.map((box) => box.top)),
      right: Math.max(...boxes.map((box) => box.right)),
      bottom: Math.max(...boxes.map((box) => box.bottom)),
    };
  }

  #makeMosaic(picture, level, bounds, manifest) {
    const parts = picture.layers.flatMap((layer) => layer.tiles.map((tile) => tile.key));
    const name = [bounds.left, bounds.top, bounds.right, bounds.bottom, ...parts].join(" ");
    if (name === this.#mosaicOf) return;
    const width = bounds.right - bounds.left;
    const height = bounds.bottom - bounds.top;
    if (!this.#mosaic || this.#mosaic.width !== width || this.#mosaic.height !== height) {
      this.#mosaic = new OffscreenCanvas(width, height);
    }
    const context = this.#mosaic.getContext("2d", { alpha: false });
    context.fillStyle = "#000";
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillRect(0, 0, width, height);
    for (const layer of picture.layers) {
      const factor = layer.level.scale / level.scale;
      context.imageSmoothingEnabled = factor !== 1;
      context.setTransform(factor, 0, 0, factor, -bounds.left, -bounds.top);
      for (const { row, column, bitmap } of layer.tiles) {
        const { left, top } = tileBounds(layer.level, manifest.TileSize, row, column);
        context.drawImage(bitmap, left, top);
      }
    }
    this.#mosaicOf = name;
  }

  #setSmoothing(context, { a, b, c, d }) {
    const scales = [Math.abs(a) + Math.abs(b), Math.abs(c) + Math.abs(d)];
    context.imageSmoothingEnabled = scales.some((scale) => (this.#isSmooth ? scale !== 1 : scale < 1));
    context.imageSmoothingQuality = scales.some((scale) => scale < 1) ? "medium" : "low";
  }
}

/** Whether a pixel of the level falls on exactly one pixel of the canvas. */
function isOneToOne({ a, b, c, d }, level) {
  return Math.abs(a) + Math.abs(b) === 1 / level.scale && Math.abs(c) + Math.abs(d) === 1 / level.scale;
}
