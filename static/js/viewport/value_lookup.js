/**
 * What the DISPLAY shader does, by the processor: where no graphics card helps, twenty times faster.
 *
 * Words come as they were resampled: high byte, low byte, fraction in 1/256 and whether there is anything.
 */
const WORDS = 65536;
const BLACK = 0xff000000;

/**
 * @param {Uint32Array} words of the pixels of the screen, little-endian
 * @param {Uint8Array} table of display_table.js
 * @param {Uint32Array} pixels to be written, red in the lowest byte
 */
export function lookUp(words, table, pixels) {
  if (table.length > WORDS) lookUpColors(words, new Uint32Array(table.buffer), pixels);
  else lookUpGreys(words, table, pixels);
}

function lookUpGreys(words, table, pixels) {
  for (let index = 0; index < words.length; index += 1) {
    const found = words[index];
    if (found >>> 24 === 0) {
      pixels[index] = BLACK;
      continue;
    }
    const word = ((found & 255) << 8) | ((found >>> 8) & 255);
    const fraction = (found >>> 16) & 255;
    let level = table[word];
    if (fraction && word < WORDS - 1) level = (256 * level + fraction * (table[word + 1] - level) + 128) >> 8;
    pixels[index] = BLACK | (level * 0x010101);
  }
}

/** Colors are not mixed: between two of a map there may be any other. */
function lookUpColors(words, colors, pixels) {
  for (let index = 0; index < words.length; index += 1) {
    const found = words[index];
    const word = ((found & 255) << 8) | ((found >>> 8) & 255);
    const nearest = (found >>> 16) & 128 ? Math.min(word + 1, WORDS - 1) : word;
    pixels[index] = found >>> 24 === 0 ? BLACK : colors[nearest];
  }
}
