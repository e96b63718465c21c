/** Names of the vertebrae from the head down, and which one follows another. */
const COUNTS = [["C", 7], ["T", 12], ["L", 5], ["S", 5]];

export const VERTEBRAE = Object.freeze(COUNTS.flatMap(([letter, count]) => Array.from({ length: count }, (_, at) => `${letter}${at + 1}`)));

/**
 * The one below or above another.
 * @param {string} name such as "L3"; written small is the same
 * @param {boolean} isBelow towards the feet
 * @returns {string} empty at the ends of the spine, and after a name that is none
 */
export function neighbourOf(name, isBelow) {
  const at = VERTEBRAE.indexOf(name.trim().toUpperCase());
  return at < 0 ? "" : (VERTEBRAE[at + (isBelow ? 1 : -1)] ?? "");
}
