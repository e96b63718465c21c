/**
 * The list of keys and of what mouse and fingers do, made from the table of commands; a click on a key gives another one.
 */
import { element } from "../../core/dom.js";
import { openDialog } from "./dialog.js";
import { keyForPeople, keyName } from "./key_bindings.js";
import { isRebindable } from "./shortcuts.js";

const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph"]);

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

/** The keys of a command; those that can be changed are a button that takes the next key press. */
function keysOf(command, label, shortcuts, status) {
  const words = () => (command.keys.length ? command.keys.map((key) => element("kbd", { text: keyForPeople(key) })) : [element("span", { class: "muted", text: "no key" })]);
  if (!isRebindable(command)) return words();
  const button = element("button", { class: "key-button", type: "button", title: `Change the key of ${label}`, "aria-label": `${label}: ${command.keys.map(keyForPeople).join(" or ") || "no key"}. Change` }, ...words());
  shortcuts.addEventListener("change", () => button.replaceChildren(...words()));
  button.addEventListener("click", () => {
    status.textContent = `Press the key for “${label}”; Esc leaves it.`;
    const stop = () => button.removeEventListener("keydown", take);
    const take = async (event) => {
      if (MODIFIERS.has(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      stop();
      status.textContent = event.key === "Escape" ? "" : await given(command, keyName(event), label, shortcuts);
    };
    button.addEventListener("keydown", take);
    button.addEventListener("blur", stop, { once: true });
  });
  return [button];
}

async function given(command, key, label, shortcuts) {
  const objection = shortcuts.objection(key);
  if (objection) return objection;
  const before = shortcuts.ownerOf(key);
  try {
    await shortcuts.give(command, key);
  } catch (error) {
    return error.message;
  }
  const lost = before && before !== command ? `; “${before.label}” has lost it` : "";
  return `${keyForPeople(key)} is now “${label}”${lost}.`;
}

/**
 * @param {import("./commands.js").Command[]} commands
 * @param {object[]} presets of the active viewport
 * @param {import("./shortcuts.js").Shortcuts} shortcuts
 */
export function openHelp(commands, presets, shortcuts) {
  const groups = Map.groupBy ? Map.groupBy(commands, (one) => one.group) : grouped(commands);
  const status = element("p", { role: "status", class: "keys-status" });
  const sections = [...groups].map(([group, members]) => {
    const labelled = members.map((one) => [one, labelOf(one, presets)]).filter(([, label]) => label);
    const pairs = labelled.map(([one, label]) => [keysOf(one, label, shortcuts, status), label]);
    return element("section", {}, element("h3", { text: group }), rows(pairs));
  });
  const hands = rows(HANDS.map(([hand, label]) => [[hand], label]));
  const forget = async () => {
    await shortcuts.forget().then(
      () => (status.textContent = "All keys are as they were made."),
      (error) => (status.textContent = error.message),
    );
  };
  const dialog = openDialog(
    "Keys",
    element("p", { class: "muted", text: "Keys act while the focus is in a viewport. Click on a key to change it." }),
    status,
    element("div", { class: "keys-columns" }, ...sections, element("section", {}, element("h3", { text: "Mouse and fingers" }), hands)),
    element("div", { class: "button-row" }, element("button", { class: "button", type: "button", onclick: forget, text: "All keys as they were made" })),
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
