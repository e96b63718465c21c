/** Reads what people write: a length, and which images are meant. */
const MM_OF = Object.freeze({ mm: 1, cm: 10, in: 25.4, "": 1 });

/** "20", "2,5 cm" or "1 in" in millimetres; NaN where it is no length. */
export function readLength(text) {
  const found = /^(\d+(?:[.,]\d+)?)\s*(mm|cm|in|)$/i.exec(text.trim());
  const mm = found ? Number(found[1].replace(",", ".")) * MM_OF[found[2].toLowerCase()] : NaN;
  return mm > 0 && mm <= 10_000 ? mm : NaN;
}

/**
 * "3", "5-9, 12" or "all" as numbers of images, in order and each once.
 * @param {number} count images that there are
 * @returns {number[]} none where a part is no image
 */
export function readNumbers(text, count) {
  if (text.trim().toLowerCase() === "all") return Array.from({ length: count }, (_, at) => at + 1);
  const found = new Set();
  for (const part of text.split(",")) {
    const range = /^\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?$/.exec(part);
    const [first, last] = range ? [Number(range[1]), Number(range[2] ?? range[1])] : [0, 0];
    if (first < 1 || last > count || last < first) return [];
    for (let number = first; number <= last; number += 1) found.add(number);
  }
  return [...found].sort((one, other) => one - other);
}
