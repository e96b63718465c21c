/**
 * Masks of segments as pixels: runs of values become a picture of one color, as strong as the value says.
 */

/**
 * Red, green, blue and alpha of every pixel of a mask.
 * @param {{rows: number, columns: number, runs: number[], maximum: number}} mask runs: start, length, value, start ...
 * @param {[number, number, number]} color
 * @returns {Uint8ClampedArray} rows × columns × 4
 */
export function maskPixels({ rows, columns, runs, maximum }, [red, green, blue]) {
  const pixels = new Uint8ClampedArray(rows * columns * 4);
  const words = new Uint32Array(pixels.buffer);
  const bytes = new Uint8Array(4);
  const word = new Uint32Array(bytes.buffer);
  for (let at = 0; at < runs.length; at += 3) {
    bytes.set([red, green, blue, Math.round((255 * runs[at + 2]) / maximum)]);
    words.fill(word[0], runs[at], runs[at] + runs[at + 1]);
  }
  return pixels;
}
