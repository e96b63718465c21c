/**
 * Which tiles a viewport wants, in which order: the picture at once, then sharp, then what the reader will see next.
 */
import { levelForZoom, levelWithFewTiles, visibleTiles } from "../geometry/tile_grid.js";
import { Priority } from "./tile_loader.js";

/** Frames fetched ahead in the direction of travel, and kept ready behind. */
const AHEAD = 40;
const BEHIND = 10;
/** Of these, as many at full sharpness where a frame has several levels. */
const AHEAD_SHARP = 3;
/** Frames on the way to the one asked for that are fetched now. */
const ON_THE_WAY = 8;
/** While a window is dragged a picture is drawn of at most so many tiles. */
const MOST_TILES_WHILE_DRAGGING = 4;

/**
 * @typedef {object} Scene what is on the screen
 * @property {object} manifest
 * @property {number} zoom device pixels for an image pixel, along the longer side of a pixel
 * @property {{left: number, top: number, right: number, bottom: number}} seen part of the image, in image coordinates
 */

/** Level and tiles that make a sharp picture. @param {Scene} scene */
export function sharpTiles({ manifest, zoom, seen }) {
  const level = levelForZoom(manifest.levels, zoom);
  return { level, tiles: visibleTiles(level, manifest.TileSize, seen) };
}

/** Level and tiles that can be redrawn at the pace of a hand. @param {Scene} scene */
export function quickTiles({ manifest, zoom, seen }) {
  const finest = levelForZoom(manifest.levels, zoom);
  const level = levelWithFewTiles(manifest.levels, manifest.TileSize, seen, finest, MOST_TILES_WHILE_DRAGGING);
  return { level, tiles: visibleTiles(level, manifest.TileSize, seen) };
}

/** The coarsest level: a whole frame in one tile. */
export function baseTile(manifest) {
  return { level: manifest.levels[0], tiles: [{ row: 0, column: 0 }] };
}

/** Frames that are likely to be seen next, the likeliest first. */
export function framesAhead({ shown, direction, frames, isRound = false, ahead = AHEAD, behind = BEHIND }) {
  const found = [];
  const add = (frame) => {
    const wanted = isRound ? ((((frame - 1) % frames) + frames) % frames) + 1 : frame;
    if (wanted >= 1 && wanted <= frames && wanted !== shown && !found.includes(wanted)) found.push(wanted);
  };
  for (let distance = 1; distance <= Math.max(ahead, behind); distance += 1) {
    if (distance <= ahead) add(shown + distance * direction);
    // Two ahead for one behind: readers turn round.
    if (distance % 2 === 0 && distance / 2 <= behind) add(shown - (distance / 2) * direction);
  }
  return found;
}

/**
 * Everything a viewport wants now.
 * @param {Scene & {shown: number, queue: number[], direction: number, isDragging: boolean, isPlaying: boolean,
 *   isThrifty?: boolean, hasValues?: boolean}} scene hasValues: the picture is made of value tiles
 * @param {(frame: number, level: object, tile: {row: number, column: number}) => string} addressOf
 * @returns {{key: string, priority: number}[]}
 */
export function planTiles(scene, addressOf) {
  const { manifest, shown, queue } = scene;
  const wants = [];
  const add = (frame, { level, tiles }, priority) => {
    if (manifest.frames[frame - 1]?.reason) return;
    for (const tile of tiles) wants.push({ key: addressOf(frame, level, tile), priority });
  };
  const base = baseTile(manifest);
  if (scene.isDragging) {
    // Values are the same in every window: what is missing of the picture may come meanwhile.
    const wanted = scene.hasValues ? [base, sharpTiles(scene)] : [quickTiles(scene)];
    for (const layer of wanted) add(shown, layer, Priority.FIRST);
    return wants;
  }
  const sharp = sharpTiles(scene);
  const isOneLevel = sharp.level === base.level;
  const now = queue.length ? queue.slice(0, ON_THE_WAY) : [shown];
  for (const frame of now) add(frame, base, Priority.FIRST);
  add(queue.length ? queue[queue.length - 1] : shown, base, Priority.FIRST);
  if (!isOneLevel) add(now[0], sharp, queue.length || scene.isPlaying ? Priority.SHARPEN : Priority.VISIBLE);
  const reach = scene.isThrifty ? { ahead: 6, behind: 2 } : {};
  const next = framesAhead({
    shown: queue.length ? queue[queue.length - 1] : shown,
    direction: scene.direction,
    frames: manifest.frames.length,
    isRound: scene.isPlaying,
    ...reach,
  });
  for (const frame of next) add(frame, base, Priority.AHEAD);
  if (!isOneLevel && !scene.isPlaying) for (const frame of next.slice(0, AHEAD_SHARP)) add(frame, sharp, Priority.REST);
  return wants;
}
