/**
 * Which stack of another study is most like one: same modality, plane and side, then view and description.
 */

/** Descriptions of series that are made for planning. */
const FOR_PLANNING = /\b(loc|localizer|localiser|scout|survey|topogram)\b/i;

function words({ SeriesDescription: description }) {
  return new Set((description ?? "").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
}

/** What must not differ: where either says nothing, it does not. */
function canBeCompared(one, other) {
  const isSame = (name) => !one[name] || !other[name] || one[name] === other[name];
  return one.Modality === other.Modality && isSame("plane") && isSame("Laterality");
}

function likeness(one, other) {
  const [mine, theirs] = [words(one), words(other)];
  const shared = [...mine].filter((word) => theirs.has(word)).length;
  const overlap = shared / Math.max(1, mine.size + theirs.size - shared);
  const isSameView = Boolean(one.label) && one.label === other.label;
  return 4 * isSameView + 3 * overlap + (other.frames > 1 === one.frames > 1) - 2 * FOR_PLANNING.test(other.SeriesDescription);
}

/**
 * @param {object} entry of the strip
 * @param {object[]} entries of the other study
 * @returns {object|null} null where nothing can be compared
 */
export function mostLike(entry, entries) {
  const found = entries.filter((other) => other.drawable && !other.derived && canBeCompared(entry, other));
  return found.reduce((best, other) => (best && likeness(entry, best) >= likeness(entry, other) ? best : other), null);
}
