/**
 * Builds the tables of the transforms in a file and says where they differ from the ones beside them.
 * node compare_display_tables.mjs cases.json: a JSON list with one entry a case, {different, furthest, words}.
 */
import { readFileSync } from "node:fs";
import { displayTable } from "../../../static/js/viewport/display_table.js";
import { bytesOf, displayTransform } from "../../../static/js/viewport/value_transform.js";

const { cases, maps } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const known = Object.fromEntries(Object.entries(maps).map(([name, text]) => [name, bytesOf(text)]));

function compare({ values, view, table }) {
  const built = displayTable(displayTransform({ values }, 1, view, known));
  const wanted = bytesOf(table);
  const channels = wanted.length / 65536;
  const words = [];
  let furthest = 0;
  for (let word = 0; word < 65536; word += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      const distance = Math.abs(built[channels === 1 ? word : 4 * word + channel] - wanted[channels * word + channel]);
      if (distance && words.at(-1) !== word) words.push(word);
      furthest = Math.max(furthest, distance);
    }
  }
  return { different: words.length, furthest, words: words.slice(0, 20) };
}

console.log(JSON.stringify(cases.map(compare)));
