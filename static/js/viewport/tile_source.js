/**
 * The tiles of one viewport: which it wants now, which are here, and the picture that they make.
 *
 * An appearance is the part of a tile's address that says how it looks (window, polarity). The present one comes first;
 * earlier ones may stand in until its tiles are here, and never come back once a newer one has been on the screen.
 */
import { choosePicture } from "./picture.js";
import { tileAddress } from "./tile_address.js";
import { baseTile, planTiles, quickTiles } from "./tile_plan.js";

/** Appearances that may stand in for the present one. */
const APPEARANCES_KEPT = 6;
/** Pictures of a window drag under way at once; more would only be overtaken. */
const DRAGS_AT_ONCE = 2;

export class TileSource {
  #loader;
  #cache;
  #manifest = null;
  #appearances = [];
  #dragged = new Set();

  /** @param {{loader: import("./tile_loader.js").TileLoader, cache: import("./bitmap_cache.js").BitmapCache}} shared */
  constructor({ loader, cache }) {
    this.#loader = loader;
    this.#cache = cache;
  }

  /** Another stack, or none: what was wanted of the last one is not wanted any more. */
  show(manifest, appearance) {
    this.forget();
    this.#manifest = manifest;
    this.#appearances = manifest ? [appearance] : [];
    this.#dragged.clear();
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
    return picture?.appearance === this.#appearances[0];
  }

  /** Whether a coarse picture of a frame is here. */
  has(frame) {
    return this.#cache.has(this.#baseAddress(frame));
  }

  /** Why a frame will not be drawn; empty when it may be. */
  failure(frame) {
    const reason = this.#manifest.frames[frame - 1]?.reason;
    return reason || this.#loader.failureOf(this.#baseAddress(frame))?.message || "";
  }

  /** Whether something can be shown for a frame now: a picture of the present appearance, or a sentence. */
  isDrawable(scene, frame) {
    return Boolean(this.failure(frame)) || this.#choose(scene, frame, this.#appearances.slice(0, 1)) !== null;
  }

  /** The best picture of a frame that is here, or null. */
  picture(scene, frame) {
    const picture = this.#choose(scene, frame, this.#appearances);
    if (picture) this.#forgetOvertaken(picture, scene);
    return picture;
  }

  /** Asks for what is missing. */
  ask(scene, shownPicture) {
    const wants = planTiles(scene, (frame, level, tile) => this.#address(frame, level, tile));
    if (!scene.isDragging) {
      this.#loader.want(this, wants);
      return;
    }
    const finish = this.#dragsUnderWay(scene, shownPicture);
    const isBusy = finish.size >= DRAGS_AT_ONCE * wants.length;
    this.#loader.want(this, isBusy ? [] : wants, { finish });
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

  #forgetOvertaken(picture, scene) {
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

  #baseAddress(frame) {
    const { level, tiles } = baseTile(this.#manifest);
    return this.#address(frame, level, tiles[0]);
  }
}
