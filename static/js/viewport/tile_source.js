/**
 * The tiles of one viewport: which it wants now, which are here, and the picture that they make.
 *
 * An appearance is the part of a tile's address that says how it looks (window, polarity). The present one comes first;
 * earlier ones may stand in until its tiles are here, and never come back once a newer one has been on the screen.
 *
 * Where the viewport can draw values by itself their tiles are asked for instead, once for every window; windowed tiles
 * that are here stand in until they come. On a slow line it is the other way round: the windowed tile comes first, and
 * the values of the frame that is looked at when nothing on the screen is waiting.
 */
import { choosePicture } from "./picture.js";
import { tileAddress, VALUES } from "./tile_address.js";
import { baseTile, planTiles, quickTiles, sharpTiles } from "./tile_plan.js";
import { Priority } from "./tile_loader.js";

/** Appearances that may stand in for the present one. */
const APPEARANCES_KEPT = 6;
/** Pictures of a window drag under way at once; more would only be overtaken. */
const DRAGS_AT_ONCE = 2;
/** Value tiles that even a slow line brings within a moment. */
const MOST_TILES_FOR_A_DRAG = 4;
/** Answers that mean: there are no value tiles of this. */
const WITHOUT_VALUES = Object.freeze([403, 404, 406]);

export class TileSource {
  #loader;
  #cache;
  #manifest = null;
  #appearances = [];
  #dragged = new Set();
  #mayDrawValues;
  #isLineSlow;
  #linked;
  #hasShown = false;

  /**
   * @param {{loader: import("./tile_loader.js").TileLoader, cache: import("./bitmap_cache.js").BitmapCache,
   *   linked?: string}} shared linked: address of the tile that came with the page
   * @param {(frame: number, tiles: number) => boolean} [mayDrawValues] whether a picture of so many value tiles of a frame
   *   can be drawn as the reader wants it now
   * @param {() => boolean} [isLineSlow]
   */
  constructor({ loader, cache, linked = "" }, mayDrawValues = () => false, isLineSlow = () => false) {
    this.#loader = loader;
    this.#cache = cache;
    this.#linked = linked;
    this.#mayDrawValues = mayDrawValues;
    this.#isLineSlow = isLineSlow;
  }

  /** Another stack, or none: what was wanted of the last one is not wanted any more. */
  show(manifest, appearance) {
    this.forget();
    this.#manifest = manifest;
    this.#appearances = manifest ? [appearance] : [];
    this.#dragged.clear();
    this.#hasShown = false;
  }

  forget() {
    this.#loader.forget(this);
  }

  /** @param {string} appearance the present one from now on */
  setAppearance(appearance) {
    if (appearance === this.#appearances[0]) return;
    const others = this.#appearances.filter((one) => one !== appearance);
    this.#appearances = [appearance, ...others].slice(0, APPEARANCES_KEPT);
  }

  /** Whether the present appearance is one that a hand passes over, or one that stays. */
  markDragged(isDragged) {
    if (isDragged) this.#dragged.add(this.#appearances[0]);
    else this.#dragged.delete(this.#appearances[0]);
  }

  isPresent(picture) {
    return picture?.appearance === VALUES || picture?.appearance === this.#appearances[0];
  }

  /** Whether a coarse picture of a frame is here. */
  has(frame) {
    return this.#cache.has(this.#baseAddress(frame, VALUES)) || this.#cache.has(this.#baseAddress(frame));
  }

  /** Why a frame will not be drawn; empty when it may be. */
  failure(frame) {
    const reason = this.#manifest.frames[frame - 1]?.reason;
    return reason || this.#loader.failureOf(this.#baseAddress(frame, this.#askedOf(frame)))?.message || "";
  }

  /** Whether something can be shown for a frame now: a picture of the present appearance, or a sentence. */
  isDrawable(scene, frame) {
    return Boolean(this.failure(frame)) || this.#present(scene, frame) !== null;
  }

  /** The best picture of a frame that is here, or null. */
  picture(scene, frame) {
    const picture = this.#present(scene, frame) ?? this.#choose(scene, frame, this.#appearances.slice(1));
    if (picture) this.#forgetOvertaken(picture, scene);
    return picture;
  }

  /** A picture as the reader wants it now: of values, or of windowed tiles while those are sharper. */
  #present(scene, frame) {
    const ofValues = this.#hasValues(frame, scene) ? this.#choose(scene, frame, [VALUES]) : null;
    if (ofValues?.isSharp) return ofValues;
    const windowed = this.#choose(scene, frame, this.#appearances.slice(0, 1));
    return windowed?.isSharp ? windowed : (ofValues ?? windowed);
  }

  /** Asks for what is missing. */
  ask(scene, shownPicture) {
    const hasValues = this.#askedOf(scene.shown, scene) === VALUES;
    const addressOf = (frame, level, tile) => this.#address(frame, level, tile, this.#askedOf(frame, scene));
    const wants = planTiles({ ...scene, hasValues }, addressOf);
    if (!hasValues) wants.push(...this.#valuesWhenIdle(scene));
    if (hasValues && this.#isLinked(scene.shown)) wants.unshift({ key: this.#linked, priority: Priority.FIRST });
    if (!scene.isDragging || hasValues) {
      this.#loader.want(this, wants);
      return;
    }
    const finish = this.#dragsUnderWay(scene, shownPicture);
    const isBusy = finish.size >= DRAGS_AT_ONCE * wants.length;
    this.#loader.want(this, isBusy ? [] : wants, { finish });
  }

  /** The appearance in which a frame is asked for. */
  #askedOf(frame, scene = null) {
    if (!this.#hasValues(frame, scene)) return this.#appearances[0];
    if (!this.#isLineSlow() || isQuickDrag(scene)) return VALUES;
    const areHere = this.#cache.has(this.#baseAddress(frame, VALUES)) && (!scene || this.#choose(scene, frame, [VALUES])?.isSharp);
    return areHere ? VALUES : this.#appearances[0];
  }

  /** On a slow line, while a reader rests on a frame: its values, so that a drag of the window needs no line. */
  #valuesWhenIdle(scene) {
    const isResting = !scene.queue.length && !scene.isPlaying && !scene.isDragging;
    if (!isResting || !this.#isLineSlow() || !this.#hasValues(scene.shown, scene)) return [];
    const layers = [baseTile(scene.manifest), sharpTiles(scene)];
    const keys = layers.flatMap(({ level, tiles }) => tiles.map((tile) => this.#address(scene.shown, level, tile, VALUES)));
    return [...new Set(keys)].map((key) => ({ key, priority: Priority.SHARPEN }));
  }

  /** Tiles of windows that a drag has passed already, but which are still newer than what is on the screen. */
  #dragsUnderWay(scene, shownPicture) {
    const keys = new Set();
    for (const appearance of this.#appearances) {
      if (appearance === shownPicture?.appearance) break;
      for (const { key } of planTiles(scene, (frame, level, tile) => this.#address(frame, level, tile, appearance))) {
        if (this.#loader.isUnderWay(key)) keys.add(key);
      }
    }
    return keys;
  }

  /** Whether the tile that came with the page is a picture of this frame, and nothing has been shown yet. */
  #isLinked(frame) {
    return !this.#hasShown && this.#linked !== "" && this.#linked === this.#baseAddress(frame);
  }

  #hasValues(frame, scene = null) {
    const tiles = scene ? sharpTiles(scene).tiles.length + 1 : 1;
    if (!this.#mayDrawValues(frame, tiles)) return false;
    const failure = this.#loader.failureOf(this.#baseAddress(frame, VALUES));
    return !WITHOUT_VALUES.includes(failure?.status);
  }

  #forgetOvertaken(picture, scene) {
    this.#hasShown = true;
    if (picture.appearance === VALUES) {
      this.#appearances = this.#appearances.slice(0, 1);
      return;
    }
    const index = this.#appearances.indexOf(picture.appearance);
    const overtaken = this.#appearances.slice(index + 1);
    this.#appearances = this.#appearances.slice(0, index + 1);
    for (const appearance of overtaken) {
      if (this.#dragged.delete(appearance)) this.#dropDragged(appearance, picture.frame, scene);
    }
  }

  /** Pictures of a drag are seen once: they must not push others out of memory. */
  #dropDragged(appearance, frame, scene) {
    const { level, tiles } = quickTiles(scene);
    for (const tile of tiles) this.#cache.delete(this.#address(frame, level, tile, appearance));
  }

  #choose(scene, frame, appearances) {
    const addressOf = (number, level, tile, appearance) => this.#address(number, level, tile, appearance);
    return choosePicture(scene, frame, appearances, addressOf, this.#cache);
  }

  #address(frame, level, tile, appearance = this.#appearances[0]) {
    return tileAddress(this.#manifest, { frame, level: level.level, ...tile }, appearance);
  }

  #baseAddress(frame, appearance = this.#appearances[0]) {
    const { level, tiles } = baseTile(this.#manifest);
    return this.#address(frame, level, tiles[0], appearance);
  }
}

/** Whether a window is dragged over so few tiles that their values are here before many windowed pictures could be. */
function isQuickDrag(scene) {
  return Boolean(scene?.isDragging) && sharpTiles(scene).tiles.length <= MOST_TILES_FOR_A_DRAG;
}
