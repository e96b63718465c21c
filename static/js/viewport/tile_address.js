/**
 * The address of a tile: also its key in the cache, so a tile of another window or revision can never be taken for it.
 */

const STATE = /^pr=([0-9.]+)&?/;

/** Whether a presentation state of the manifest is about a frame, from 1. */
export function isStateAbout(manifest, state, frame) {
  const known = manifest.presentation_states?.find((one) => one.SOPInstanceUID === state);
  return Boolean(known) && known.frames[frame - 1] !== null;
}

/** An image that a state is not about is shown as if there were none. */
function appearanceOf(manifest, frame, appearance) {
  const state = STATE.exec(appearance)?.[1];
  return state && !isStateAbout(manifest, state, frame) ? appearance.replace(STATE, "") : appearance;
}

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
  const query = appearanceOf(manifest, frame, appearance);
  return `${path}?${query ? `${query}&` : ""}${session}`;
}
