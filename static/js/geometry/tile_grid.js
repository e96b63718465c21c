/**
 * Which level of the pyramid suits a zoom, and which of its tiles are seen.
 */

/** How much coarser than the screen a level may be, against rounding of a zoom only. */
const TOLERANCE = 1e-6;

/**
 * The coarsest level that still has a pixel of its own for each device pixel, else the finest.
 * @param {{level: number, scale: number}[]} levels coarse to fine; scale is image pixels for a pixel of the level
 * @param {number} zoom device pixels for an image pixel, along the side where that is most
 */
export function levelForZoom(levels, zoom) {
  return levels.find((level) => zoom * level.scale <= 1 + TOLERANCE) ?? levels[levels.length - 1];
}

/** The pixels of a level that a tile covers. */
export function tileBounds(level, tileSize, row, column) {
  return {
    left: column * tileSize,
    top: row * tileSize,
    right: Math.min((column + 1) * tileSize, level.Columns),
    bottom: Math.min((row + 1) * tileSize, level.Rows),
  };
}

/**
 * The tiles of a level that a part of the image touches, the nearest to its middle first.
 * @param {{left: number, top: number, right: number, bottom: number}} seen in image coordinates
 * @returns {{row: number, column: number}[]} empty when the image lies outside
 */
export function visibleTiles(level, tileSize, seen) {
  const left = Math.max(seen.left / level.scale, 0);
  const top = Math.max(seen.top / level.scale, 0);
  const right = Math.min(seen.right / level.scale, level.Columns);
  const bottom = Math.min(seen.bottom / level.scale, level.Rows);
  if (!(right > left && bottom > top)) return [];
  const tiles = [];
  const lastRow = Math.min(Math.ceil(bottom / tileSize), level.rows) - 1;
  const lastColumn = Math.min(Math.ceil(right / tileSize), level.columns) - 1;
  for (let row = Math.floor(top / tileSize); row <= lastRow; row += 1) {
    for (let column = Math.floor(left / tileSize); column <= lastColumn; column += 1) tiles.push({ row, column });
  }
  const middle = { row: (top + bottom) / 2 / tileSize - 0.5, column: (left + right) / 2 / tileSize - 0.5 };
  const distance = (tile) => (tile.row - middle.row) ** 2 + (tile.column - middle.column) ** 2;
  return tiles.sort((one, other) => distance(one) - distance(other));
}

/** The finest level of which at most `most` tiles are seen: what can be redrawn at the pace of a drag. */
export function levelWithFewTiles(levels, tileSize, seen, finest, most) {
  let chosen = levels[0];
  for (const level of levels) {
    if (level.level > finest.level) break;
    if (visibleTiles(level, tileSize, seen).length <= most) chosen = level;
  }
  return chosen;
}
