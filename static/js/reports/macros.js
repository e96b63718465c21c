/**
 * Short words that typing turns into texts: ".word" and a space or a line end.
 */
const TYPED = /(?:^|\s)\.([\w-]{1,32})[ \n]$/;

/**
 * What to put in place of the word before the caret.
 * @param {string} text of the field @param {number} caret @param {Record<string, string>} macros
 * @returns {{start: number, end: number, text: string}|null} null where no macro was typed
 */
export function expansion(text, caret, macros) {
  const found = TYPED.exec(text.slice(0, caret));
  if (!found || !Object.hasOwn(macros, found[1])) return null;
  const end = caret;
  const start = caret - found[1].length - 2;
  return { start, end, text: macros[found[1]] + text[caret - 1] };
}
