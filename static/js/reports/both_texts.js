/**
 * The text of a draft by section: two of them compared, and what a template left to be filled in.
 */
export const SECTIONS = Object.freeze([
  ["indication", "Indication"],
  ["technique", "Technique"],
  ["comparison", "Comparison"],
  ["findings", "Findings"],
  ["impression", "Impression"],
  ["addendum", "Addendum"],
]);

/** Sections that differ: name, label, both texts. */
export function differences(mine, theirs) {
  return SECTIONS.filter(([name]) => name in mine && mine[name] !== (theirs[name] ?? "")).map(([name, label]) => ({
    name,
    label,
    mine: mine[name],
    theirs: theirs[name] ?? "",
  }));
}

/** Theirs, and mine below it where it says something else. */
export function joined(mine, theirs) {
  const both = ({ mine: one, theirs: other }) => [other, one].filter((text) => text.trim()).join("\n\n");
  return Object.fromEntries(differences(mine, theirs).map((part) => [part.name, both(part)]));
}

/** Choices of a template that nobody has made: "[none / ml, phase]". @param {string[]} texts */
export function unfilled(texts) {
  return texts.flatMap((text) => text.match(/\[[^\]\n]{1,80}\]/g) ?? []);
}
