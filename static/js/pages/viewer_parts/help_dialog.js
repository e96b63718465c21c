/**
 * The list of keys and of what mouse and fingers do, made from the table of commands.
 */
import { element } from "../../core/dom.js";
import { openDialog } from "./dialog.js";
import { keyForPeople } from "./key_bindings.js";

const HANDS = Object.freeze([
  ["Wheel", "one notch is one image"],
  ["Ctrl + wheel", "zoom at the pointer"],
  ["Left drag", "the chosen tool"],
  ["Right drag", "window: sideways width, up and down level"],
  ["Right click", "menu"],
  ["Middle drag", "pan"],
  ["Double click", "maximise"],
  ["One finger", "the chosen tool"],
  ["Two fingers", "zoom and pan"],
  ["Three fingers", "window"],
  ["Long press", "value, then menu"],
]);

function rows(pairs) {
  return element("dl", { class: "keys" }, ...pairs.flatMap(([keys, label]) => [element("dt", {}, ...keys), element("dd", { text: label })]));
}

/** @param {import("./commands.js").Command[]} commands @param {object[]} presets of the active viewport */
export function openHelp(commands, presets) {
  const groups = Map.groupBy ? Map.groupBy(commands, (one) => one.group) : grouped(commands);
  const sections = [...groups].map(([group, members]) => {
    const pairs = members.filter((one) => one.keys?.length).map((one) => [one.keys.map((key) => element("kbd", { text: keyForPeople(key) })), labelOf(one, presets)]);
    return element("section", {}, element("h3", { text: group }), rows(pairs.filter(([, label]) => label)));
  });
  const hands = rows(HANDS.map(([hand, label]) => [[hand], label]));
  const dialog = openDialog(
    "Keys",
    element("p", { class: "muted", text: "Keys act while the focus is in a viewport." }),
    element("div", { class: "keys-columns" }, ...sections, element("section", {}, element("h3", { text: "Mouse and fingers" }), hands)),
  );
  dialog.classList.add("dialog-wide");
}

/** Presets are shown by the names they have now. */
function labelOf(command, presets) {
  const found = /^preset-(\d)$/.exec(command.id);
  if (!found) return command.label;
  return presets[Number(found[1]) - 1]?.name ?? "";
}

function grouped(commands) {
  const groups = new Map();
  for (const one of commands) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return groups;
}
