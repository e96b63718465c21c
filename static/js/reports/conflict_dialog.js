/**
 * Shows both texts of a draft that two windows wrote, and lets the reader choose; closing it loses neither.
 */
import { element } from "../core/dom.js";
import { openDialog } from "../pages/viewer_parts/dialog.js";
import { differences, joined } from "./both_texts.js";

/**
 * @param {{error: string, theirs: object, saved_by: string}} answer of the refused save
 * @param {Record<string, string>} mine
 * @param {(text: Record<string, string>) => void} choose text to keep; empty: theirs as it is
 */
export function openConflict(answer, mine, choose) {
  const parts = differences(mine, answer.theirs);
  const pick = (text) => {
    dialog.close();
    choose(text);
  };
  const button = (label, text, kind = "") => element("button", { class: `button ${kind}`, type: "button", text: label, onclick: () => pick(text) });
  const dialog = openDialog(
    "Two texts of this draft",
    element("p", { text: answer.error }),
    ...parts.map((part) => bothOf(part, answer.saved_by)),
    element(
      "div",
      { class: "button-row" },
      button("Keep both, mine below", joined(mine, answer.theirs), "button-primary"),
      button("Keep mine", Object.fromEntries(parts.map(({ name, mine: text }) => [name, text]))),
      button("Keep the other", {}),
    ),
  );
  dialog.classList.add("dialog-wide", "conflict");
  return dialog;
}

function bothOf({ label, mine, theirs }, savedBy) {
  const one = (heading, text) => element("div", {}, element("h4", { text: heading }), element("p", { class: "report-text", dir: "auto", text: text || "(empty)" }));
  return element("section", {}, element("h3", { text: label }), element("div", { class: "conflict-texts" }, one("Mine", mine), one(savedBy ? `Saved by ${savedBy}` : "Saved", theirs)));
}
