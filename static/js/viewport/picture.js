/**
 * Which of the tiles that are here make the picture of a frame: the newest appearance that can be drawn, never an older
 * one than is on the screen already, and never two appearances in one picture.
 */
import { baseTile, quickTiles, sharpTiles } from "./tile_plan.js";

/**
 * @typedef {object} Picture
 * @property {number} frame
 * @property {string} appearance
 * @property {{level: object, tiles: {row: number, column: number, key: string, bitmap: ImageBitmap}[]}[]} layers
 *   coarse ones first
 * @property {{left: number, top: number, right: number, bottom: number}} seen the part of the image on the screen
 * @property {boolean} isSharp every tile that the screen can show is here
 */

/**
 * @param {import("./tile_plan.js").Scene} scene
 * @param {number} frame
 * @param {string[]} appearances the present one first, then those before it, newest first
 * @param {(frame: number, level: object, tile: object, appearance: string) => string} addressOf
 * @param {import("./bitmap_cache.js").BitmapCache} cache
 * @returns {Picture|null}
 */
export function choosePicture(scene, frame, appearances, addressOf, cache) {
  for (const appearance of appearances) {
    const layer = ({ level, tiles }) => ({
      level,
      total: tiles.length,
      tiles: tiles
        .map((tile) => ({ ...tile, key: addressOf(frame, level, tile, appearance) }))
        .filter(({ key }) => cache.has(key)),
    });
    const picture = assemble(layer(sharpTiles(scene)), layer(quickTiles(scene)), layer(baseTile(scene.manifest)));
    if (picture) return { frame, appearance, seen: scene.seen, ...withBitmaps(picture, cache) };
  }
  return null;
}

function isWhole(layer) {
  return layer.tiles.length === layer.total;
}

/** The layers to draw, or null where not even a coarse picture is whole. */
function assemble(sharp, quick, base) {
  if (isWhole(sharp)) return { layers: [sharp], isSharp: true };
  const ground = isWhole(quick) ? quick : isWhole(base) ? base : null;
  if (!ground) return null;
  const isSame = ground.level === sharp.level;
  return { layers: isSame ? [ground] : [ground, sharp].filter((layer) => layer.tiles.length), isSharp: false };
}

function withBitmaps({ layers, isSharp }, cache) {
  const filled = layers.map(({ level, tiles }) => ({
    level,
    tiles: tiles.map((tile) => ({ ...tile, bitmap: cache.get(tile.key) })),
  }));
  return { layers: filled, isSharp };
}
