/**
 * The address of a tile: also its key in the cache, so a tile of another window or revision can never be taken for it.
 */

/**
 * @param {object} manifest of the stack
 * @param {{frame: number, level: number, row: number, column: number}} tile frame from 1, the others from 0
 * @param {string} appearance query part that says how it looks
 */
export function tileAddress(manifest, { frame, level, row, column }, appearance) {
  const path = manifest.tiles
    .replace("{frame}", frame)
    .replace("{level}", level)
    .replace("{row}", row)
    .replace("{column}", column);
  const session = `k=${manifest.key}&rev=${manifest.revision}`;
  return `${path}?${appearance ? `${appearance}&` : ""}${session}`;
}
