/**
 * One viewport shows one stack. It holds the state, asks the loader for tiles and the painter for a picture, and says
 * with events what has changed; everything that is drawn is decided from the present state at each repaint.
 *
 * Events: "stack" (another stack or none), "view" (window, zoom ...), "frame" (another frame is on the screen),
 * "asked" (another frame is wanted), "painted", "problem", "tool" (something a tool shows has changed).
 */
import { flippedHorizontally, flippedVertically, rotated } from "../geometry/view_transform.js";
import { FrameWalk } from "./frame_walk.js";
import { choosePicture } from "./picture.js";
import { baseTile, planTiles, quickTiles } from "./tile_plan.js";
import { tileAddress } from "./tile_address.js";
import { firstView, oneToOne, panned, resolved, seenOf, transformOf, zoomedAt } from "./view_state.js";
import { appearanceQuery, explicitWindow, startOfDrag } from "./window_choice.js";
import { Painter } from "./painter.js";

/** Appearances that may stand in for the present one until its tiles are here. */
const APPEARANCES_KEPT = 6;
/** Window drags under way at once; more would only be overtaken. */
const DRAGS_AT_ONCE = 2;

export class Viewport extends EventTarget {
  #canvas;
  #painter;
  #loader;
  #cache;
  #size = { width: 0, height: 0, ratio: 1 };
  #manifest = null;
  #view = null;
  #walk = null;
  #appearances = [];
  #draggedAppearances = new Set();
  #isDragging = false;
  #isPlaying = false;
  #repaint = 0;
  #picture = null;
  #problem = "";
  #listeners = new AbortController();

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{loader: import("./tile_loader.js").TileLoader, cache: import("./bitmap_cache.js").BitmapCache}} shared
   */
  constructor(canvas, { loader, cache }) {
    super();
    this.#canvas = canvas;
    this.#painter = new Painter(canvas);
    this.#loader = loader;
    this.#cache = cache;
    const { signal } = this.#listeners;
    for (const name of ["tile", "failure"]) loader.addEventListener(name, () => this.#tileCame(), { signal });
  }

  disconnect() {
    this.#listeners.abort();
    this.#loader.forget(this);
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
    const isPresent = this.#picture && this.#picture.appearance === this.#appearances[0];
    if (!isPresent || this.#picture.frame !== this.frame || this.#walk.isWalking) return "loading";
    if (!this.#picture.isSharp) return "reduced";
    return this.#manifest.lossy ? "lossy" : "full";
  }

  get hasPicture() {
    return this.#picture !== null;
  }

  /** Whether a picture of the frame is here, for the scroll bar. */
  isLoaded(frame) {
    return this.#cache.has(this.#baseAddress(frame));
  }

  // --- what the reader does ----------------------------------------------------------------------------------------

  /**
   * Shows a stack, or a sentence instead of one.
   * @param {object|null} manifest
   * @param {{frame?: number, view?: object, problem?: string}} [options]
   */
  show(manifest, { frame = 1, view = {}, problem = "" } = {}) {
    this.#loader.forget(this);
    this.#manifest = manifest;
    this.#problem = problem;
    this.#picture = null;
    this.#isPlaying = false;
    this.#isDragging = false;
    this.#view = manifest ? { ...firstView(manifest), ...view } : null;
    this.#walk = manifest ? new FrameWalk(manifest.frames.length, frame) : null;
    this.#appearances = manifest ? [this.#appearance()] : [];
    this.#painter.clear();
    this.#tell("stack", "view", "frame", "asked");
    this.refresh();
  }

  /** @param {Partial<import("./view_state.js").ViewState>} changes */
  setView(changes) {
    if (!this.#manifest) return;
    this.#view = { ...this.#view, ...changes };
    const appearance = this.#appearance();
    if (appearance !== this.#appearances[0]) {
      const others = this.#appearances.filter((one) => one !== appearance);
      this.#appearances = [appearance, ...others].slice(0, APPEARANCES_KEPT);
    }
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
    this.#draggedAppearances.add(this.#appearances[0]);
  }

  endWindowDrag() {
    this.#isDragging = false;
    this.#draggedAppearances.delete(this.#appearances[0]);
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
    if (!this.#walk || !this.#isDrawable(frame)) return false;
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

  #appearance() {
    return appearanceQuery(this.#view, this.#manifest);
  }

  #address(frame, level, tile, appearance = this.#appearances[0]) {
    return tileAddress(this.#manifest, { frame, level: level.level, ...tile }, appearance);
  }

  #baseAddress(frame) {
    const { level, tiles } = baseTile(this.#manifest);
    return this.#address(frame, level, tiles[0]);
  }

  #scene() {
    const view = this.resolvedView;
    const zoom = view.zoom * Math.max(view.shape.width, view.shape.height);
    return { manifest: this.#manifest, zoom, seen: seenOf(this.transform, this.#size) };
  }

  /** Asks for what is missing and repaints with the next frame of the screen. */
  refresh() {
    if (this.#manifest && this.#size.width) this.#askForTiles();
    this.#repaintSoon();
  }

  #repaintSoon() {
    if (!this.#repaint) this.#repaint = requestAnimationFrame(() => this.#tick());
  }

  #askForTiles() {
    const scene = {
      ...this.#scene(),
      shown: this.frame,
      queue: this.#walk.queue,
      direction: this.#walk.direction,
      isDragging: this.#isDragging,
      isPlaying: this.#isPlaying,
      isThrifty: Boolean(globalThis.navigator?.connection?.saveData),
    };
    const wants = planTiles(scene, (frame, level, tile) => this.#address(frame, level, tile));
    if (!this.#isDragging) {
      this.#loader.want(this, wants);
      return;
    }
    const finish = this.#dragsUnderWay();
    const isBusy = finish.size >= DRAGS_AT_ONCE * wants.length;
    this.#loader.want(this, isBusy ? [] : wants, { finish });
  }

  /** Tiles of windows that a drag has passed already, but which are still newer than what is on the screen. */
  #dragsUnderWay() {
    const keys = new Set();
    const scene = this.#scene();
    for (const appearance of this.#appearances) {
      if (appearance === this.#picture?.appearance) break;
      const wants = planTiles(
        { ...scene, shown: this.frame, queue: [], direction: 1, isDragging: true },
        (frame, level, tile) => this.#address(frame, level, tile, appearance),
      );
      for (const { key } of wants) if (this.#loader.isUnderWay(key)) keys.add(key);
    }
    return keys;
  }

  #tileCame() {
    // A drag asks for its next window when the last has come; all else has been asked for already.
    if (this.#isDragging) this.refresh();
    else if (this.#manifest) this.#repaintSoon();
  }

  #failure(frame) {
    const reason = this.#manifest.frames[frame - 1]?.reason;
    return reason || this.#loader.failureOf(this.#baseAddress(frame))?.message || "";
  }

  #isDrawable(frame) {
    if (this.#failure(frame)) return true;
    return choosePicture(this.#scene(), frame, [this.#appearances[0]], this.#addressOf, this.#cache) !== null;
  }

  #addressOf = (frame, level, tile, appearance) => this.#address(frame, level, tile, appearance);

  #tick() {
    this.#repaint = 0;
    if (this.#walk?.advance((frame) => this.#isDrawable(frame))) {
      this.#tell("frame");
      // The next image of a walk gets a screen frame of its own.
      this.refresh();
    }
    this.#paint();
  }

  #paint() {
    if (!this.#manifest || !this.#size.width) {
      this.#painter.clear();
      this.#tell("painted");
      return;
    }
    this.#problem = this.#failure(this.frame);
    const picture = this.#problem
      ? null
      : choosePicture(this.#scene(), this.frame, this.#appearances, this.#addressOf, this.#cache);
    if (picture) this.#painter.paint(picture, this.transform, this.#manifest);
    else this.#painter.clear();
    this.#picture = picture;
    this.#forgetOvertaken(picture);
    this.#tell("painted");
  }

  /** Appearances older than the one on the screen are not needed any more, and never come back. */
  #forgetOvertaken(picture) {
    const index = picture ? this.#appearances.indexOf(picture.appearance) : -1;
    if (index < 0) return;
    const overtaken = this.#appearances.slice(index + 1);
    this.#appearances = this.#appearances.slice(0, index + 1);
    for (const appearance of overtaken) if (this.#draggedAppearances.delete(appearance)) this.#dropDragged(appearance);
  }

  /** Pictures of a drag are seen once: they must not push others out of memory. */
  #dropDragged(appearance) {
    const { level, tiles } = quickTiles(this.#scene());
    for (const tile of tiles) this.#cache.delete(this.#address(this.frame, level, tile, appearance));
  }

  #tell(...names) {
    for (const name of names) this.dispatchEvent(new Event(name));
  }
}
