/**
 * Earlier texts of a draft: to read, and to put back. What is there now is kept among them.
 */
import { element } from "../core/dom.js";
import { openDialog } from "../pages/viewer_parts/dialog.js";
import { differences } from "./both_texts.js";
import { clock, day } from "./signed_text.js";

/**
 * @param {{text: Record<string, string>, by: string, at: string}[]} earlier the latest first
 * @param {Record<string, string>} now text of the sections that can be typed
 * @param {(text: Record<string, string>) => void} putBack
 */
export function openEarlier(earlier, now, putBack) {
  const dialog = openDialog("Earlier texts of this draft", ...earlier.map((one, at) => entryOf(one, now, at === 0, (text) => {
    dialog.close();
    putBack(text);
  })));
  dialog.classList.add("dialog-wide");
  return dialog;
}

function entryOf({ text, by, at }, now, isOpen, putBack) {
  const parts = differences(now, text);
  const words = `${day(at)} ${clock(at)}${by ? `, ${by}` : ""}`;
  const back = Object.fromEntries(parts.map(({ name, theirs }) => [name, theirs]));
  const button = element("button", { class: "button", type: "button", text: "Put this text back", onclick: () => putBack(back) });
  return element(
    "details",
    { open: isOpen },
    element("summary", { text: words }),
    ...parts.flatMap(({ label, theirs }) => [element("h4", { text: label }), element("p", { class: "report-text", dir: "auto", text: theirs || "(empty)" })]),
    parts.length ? button : element("p", { text: "The same as now." }),
  );
}
