/**
 * One viewport shows one stack. It holds the state, asks a tile source for a picture and the painter to paint it, and says
 * with events what has changed; everything that is drawn is decided from the present state at each repaint.
 *
 * Events: "stack" (another stack or none), "view" (window, zoom ...), "frame" (another frame is on the screen),
 * "asked" (another frame is wanted), "painted", "problem", "tool" (something a tool shows has changed).
 */
import { flippedHorizontally, flippedVertically, rotated } from "../geometry/view_transform.js";
import { FrameWalk } from "./frame_walk.js";
import { Painter } from "./painter.js";
import { VALUES } from "./tile_address.js";
import { TileSource } from "./tile_source.js";
import { ValuePainter } from "./value_painter.js";
import { firstView, oneToOne, panned, resolved, seenOf, transformOf, zoomedAt } from "./view_state.js";
import { appearanceQuery, explicitWindow, startOfDrag } from "./window_choice.js";

export class Viewport extends EventTarget {
  #canvas;
  #painter;
  #tiles;
  #size = { width: 0, height: 0, ratio: 1 };
  #manifest = null;
  #view = null;
  #walk = null;
  #isDragging = false;
  #isPlaying = false;
  #repaint = 0;
  #picture = null;
  /** Names what stands on the canvas. */
  #standing = "";
  #problem = "";
  #page = "";
  #drawing;
  #valuePainter = null;
  #listeners = new AbortController();

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{loader: import("./tile_loader.js").TileLoader, cache: import("./bitmap_cache.js").BitmapCache,
   *   drawing: import("./value_drawing.js").ValueDrawing, linked?: string}} shared linked: address of the tile that came
   *   with the page
   */
  constructor(canvas, { loader, cache, drawing, linked }) {
    super();
    this.#canvas = canvas;
    this.#painter = new Painter(canvas);
    this.#drawing = drawing;
    this.#tiles = new TileSource({ loader, cache, linked }, (frame, tiles) => this.#canDrawValues(frame, tiles), () => drawing.isLineSlow);
    const { signal } = this.#listeners;
    loader.addEventListener("tile", () => this.#tileCame(), { signal });
    // What cannot be had in one way may be had in the other.
    loader.addEventListener("failure", () => this.#manifest && this.refresh(), { signal });
    drawing.addEventListener("change", () => this.#manifest && this.refresh(), { signal });
  }

  disconnect() {
    this.#listeners.abort();
    this.#tiles.forget();
    this.#valuePainter?.disconnect();
    cancelAnimationFrame(this.#repaint);
    this.#repaint = 0;
  }

  // --- what is shown -----------------------------------------------------------------------------------------------

  get manifest() {
    return this.#manifest;
  }

  get view() {
    return this.#view;
  }

  /** Size in device pixels; ratio: device pixels for a CSS pixel. */
  get size() {
    return this.#size;
  }

  get frame() {
    return this.#walk?.shown ?? 0;
  }

  get askedFrame() {
    return this.#walk?.target ?? 0;
  }

  get frames() {
    return this.#manifest?.frames.length ?? 0;
  }

  get frameFacts() {
    return this.#manifest?.frames[this.frame - 1] ?? null;
  }

  get isPlaying() {
    return this.#isPlaying;
  }

  get isDragging() {
    return this.#isDragging;
  }

  /** The sentence that stands where the picture would be; empty when there is one. */
  get problem() {
    return this.#problem;
  }

  /** Address of the page on which what has no picture is read or played; empty where it has none. */
  get page() {
    return this.#page;
  }

  /** Device pixels for an image pixel. */
  get zoom() {
    return this.#manifest ? resolved(this.#view, this.#manifest, this.#size).zoom : 1;
  }

  /** View with its zoom as a number and the shape of a pixel. */
  get resolvedView() {
    return resolved(this.#view, this.#manifest, this.#size);
  }

  get transform() {
    return transformOf(this.#view, this.#manifest, this.#size);
  }

  /** "none", "loading", "reduced", "lossy" or "full": how true the picture on the screen is. */
  get fidelity() {
    if (!this.#manifest || this.#problem) return "none";
    if (!this.#tiles.isPresent(this.#picture) || this.#picture.frame !== this.frame || this.#walk.isWalking) return "loading";
    if (!this.#picture.isSharp) return "reduced";
    return this.#manifest.lossy ? "lossy" : "full";
  }

  get hasPicture() {
    return this.#picture !== null;
  }

  /** Whether a picture of the frame is here, for the scroll bar. */
  isLoaded(frame) {
    return this.#tiles.has(frame);
  }

  // --- what the reader does ----------------------------------------------------------------------------------------

  /**
   * Shows a stack, or a sentence instead of one.
   * @param {object|null} manifest
   * @param {{frame?: number, view?: object, problem?: string, page?: string}} [options]
   */
  show(manifest, { frame = 1, view = {}, problem = "", page = "" } = {}) {
    this.#manifest = manifest;
    this.#problem = problem;
    this.#page = page;
    this.#picture = null;
    this.#isPlaying = false;
    this.#isDragging = false;
    this.#view = manifest ? { ...firstView(manifest), ...view } : null;
    this.#walk = manifest ? new FrameWalk(manifest.frames.length, frame) : null;
    this.#tiles.show(manifest, manifest && appearanceQuery(this.#view, manifest));
    this.#clear();
    this.#tell("stack", "view", "frame", "asked");
    this.refresh();
  }

  /** @param {Partial<import("./view_state.js").ViewState>} changes */
  setView(changes) {
    if (!this.#manifest) return;
    this.#view = { ...this.#view, ...changes };
    this.#tiles.setAppearance(appearanceQuery(this.#view, this.#manifest));
    this.#tell("view");
    this.refresh();
  }

  setWindow(window) {
    if (this.#manifest?.color) return;
    this.setView({ window });
  }

  /** Where a drag of the window begins. */
  beginWindowDrag() {
    this.#isDragging = true;
    return startOfDrag(this.#view.window, this.#manifest, this.frame);
  }

  dragWindow(window) {
    this.setWindow(explicitWindow(window));
    this.#tiles.markDragged(true);
  }

  endWindowDrag() {
    this.#isDragging = false;
    this.#tiles.markDragged(false);
    this.refresh();
  }

  invert() {
    if (this.#manifest) this.setView({ inverted: !this.#view.inverted });
  }

  rotate(degrees) {
    if (this.#manifest) this.setView(rotated(this.#view, degrees));
  }

  flip(direction) {
    if (this.#manifest) this.setView((direction === "vertical" ? flippedVertically : flippedHorizontally)(this.#view));
  }

  fit() {
    this.setView({ zoom: "fit" });
  }

  oneToOne() {
    if (this.#manifest) this.setView(oneToOne(this.#view, this.#manifest, this.#size));
  }

  reset() {
    if (this.#manifest) this.setView(firstView(this.#manifest));
  }

  /** @param {number} dx device pixels */
  panBy(dx, dy) {
    if (this.#manifest) this.setView(panned(this.#view, this.#manifest, this.#size, dx, dy));
  }

  /** @param {{x: number, y: number}} point in device pixels; it stays where it is */
  zoomAt(point, factor) {
    if (this.#manifest) this.setView(zoomedAt(this.#view, this.#manifest, this.#size, point, factor));
  }

  /** One image after the other; every one is shown. */
  step(count) {
    if (!this.#walk) return;
    this.#walk.step(count);
    this.#moved();
  }

  jump(frame) {
    if (!this.#walk) return;
    this.#walk.jump(frame);
    this.#moved();
  }

  /** Stays on the frame that is shown. */
  stopWalking() {
    if (!this.#walk?.isWalking) return;
    this.#walk.stop();
    this.#moved();
  }

  #moved() {
    this.#tell("asked");
    this.refresh();
  }

  setPlaying(isPlaying) {
    this.#isPlaying = isPlaying;
    this.#tell("view");
    this.refresh();
  }

  /** Shows a frame of a cine if it is here; time goes on if not. @returns {boolean} */
  showIfHere(frame) {
    if (!this.#walk || !this.#tiles.isDrawable(this.#scene(), frame)) return false;
    if (frame === this.frame) return false;
    this.jump(frame);
    return true;
  }

  // --- geometry ----------------------------------------------------------------------------------------------------

  /** @param {{width: number, height: number, ratio: number}} size */
  resize(size) {
    const { width, height } = this.#canvas;
    this.#size = size;
    if (width !== size.width || height !== size.height) {
      this.#canvas.width = size.width;
      this.#canvas.height = size.height;
      this.#standing = "";
      // A canvas that changes its size is empty: paint before the browser shows it.
      this.#paint();
    }
    this.#tell("view");
    this.refresh();
  }

  /** From device pixels of the canvas to image coordinates. */
  toImage(point) {
    return this.transform.inverse().apply(point.x, point.y);
  }

  /** From image coordinates to CSS pixels of the viewport. */
  toCss(point) {
    const { x, y } = this.transform.apply(point.x, point.y);
    return { x: x / this.#size.ratio, y: y / this.#size.ratio };
  }

  /** Whether a point in image coordinates is on the image. */
  isOnImage({ x, y }) {
    return x >= 0 && y >= 0 && x < this.#manifest.Columns && y < this.#manifest.Rows;
  }

  // --- tiles and painting ------------------------------------------------------------------------------------------

  /** What is on the screen, for those who choose tiles. */
  #scene() {
    const view = this.resolvedView;
    return {
      manifest: this.#manifest,
      zoom: view.zoom * Math.max(view.shape.width, view.shape.height),
      seen: seenOf(this.transform, this.#size),
      shown: this.frame,
      queue: this.#isDragging ? [] : this.#walk.queue,
      direction: this.#walk.direction,
      isDragging: this.#isDragging,
      isPlaying: this.#isPlaying,
      isThrifty: Boolean(globalThis.navigator?.connection?.saveData),
    };
  }

  /** Asks for what is missing and repaints with the next frame of the screen. */
  refresh() {
    if (this.#manifest && this.#size.width) this.#tiles.ask(this.#scene(), this.#picture);
    this.#repaintSoon();
  }

  #repaintSoon() {
    if (!this.#repaint) this.#repaint = requestAnimationFrame(() => this.#tick());
  }

  #tileCame() {
    // A drag asks for its next window when the last has come; all else has been asked for already.
    if (this.#isDragging) this.refresh();
    else if (this.#manifest) this.#repaintSoon();
  }

  #tick() {
    this.#repaint = 0;
    if (this.#size.width && this.#walk?.advance((frame) => this.#tiles.isDrawable(this.#scene(), frame))) {
      this.#tell("frame");
      // The next image of a walk gets a screen frame of its own.
      this.refresh();
    }
    this.#paint();
  }

  #paint() {
    if (!this.#manifest || !this.#size.width) {
      this.#clear();
      this.#tell("painted");
      return;
    }
    this.#problem = this.#tiles.failure(this.frame);
    this.#picture = this.#problem ? null : this.#tiles.picture(this.#scene(), this.frame);
    const place = `${this.frame} ${JSON.stringify(this.transform)}`;
    if (this.#picture && this.#draw(this.#picture)) {
      this.#standing = place;
    } else {
      this.#picture = null;
      // Where the browser took the graphics away, the picture stays until the server's has come.
      if (this.#problem || this.#standing !== place) this.#clear();
    }
    this.#tell("painted");
  }

  #clear() {
    this.#painter.clear();
    this.#standing = "";
  }

  /** @returns {boolean} whether it is on the canvas */
  #draw(picture) {
    const { isSmooth } = this.#drawing;
    if (picture.appearance !== VALUES) {
      this.#painter.paint(picture, this.transform, this.#manifest, { isSmooth });
      return true;
    }
    this.#valuePainter ??= new ValuePainter(this.#canvas, this.#drawing.renderer);
    const display = this.#drawing.transform(this.#manifest, picture.frame, this.#view);
    return display !== null && this.#valuePainter.paint(picture, this.transform, this.#manifest, display, { isSmooth });
  }

  #canDrawValues(frame, tiles) {
    return this.#drawing.canDraw(this.#manifest, frame, this.#view, { tiles, size: this.#size });
  }

  #tell(...names) {
    for (const name of names) this.dispatchEvent(new Event(name));
  }
}
