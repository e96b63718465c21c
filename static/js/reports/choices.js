/**
 * Choices of a template: "[none / mild / severe]" or "[0-6]", and gaps to be filled in, such as "[mm]".
 */
const BRACKETS = /\[([^\]\n]{1,80})\]/g;
const RANGE = /^(\d{1,3})\s*[-–]\s*(\d{1,3})$/;
const MOST_OF_RANGE = 20;

function optionsOf(words) {
  const range = RANGE.exec(words);
  if (range) {
    const [first, last] = [Number(range[1]), Number(range[2])];
    if (first < last && last - first < MOST_OF_RANGE) return Array.from({ length: last - first + 1 }, (_, at) => String(first + at));
  }
  const options = words.split(" / ").map((option) => option.trim()).filter(Boolean);
  return options.length > 1 ? options : [];
}

function choicesOf(text) {
  return [...text.matchAll(BRACKETS)].map((found) => ({ start: found.index, end: found.index + found[0].length, options: optionsOf(found[1]) }));
}

/** The choice that the caret stands in. @returns {{start: number, end: number, options: string[]}|null} options: none in a gap */
export function choiceAt(text, caret) {
  return choicesOf(text).find(({ start, end }) => start < caret && caret < end) ?? null;
}

/** The next choice after the caret, else the first. @returns {{start: number, end: number, options: string[]}|null} */
export function nextChoice(text, caret) {
  const all = choicesOf(text);
  return all.find(({ start }) => start >= caret) ?? all[0] ?? null;
}
