/**
 * Opens a study: claims it first where the reader may, and says at the row who has it where somebody else does.
 */
import { element } from "../core/dom.js";
import { post } from "../core/requests.js";
import { claimIsFresh } from "./held_claim.js";

const CLAIMED_FIRST = new Set(["unread", "being read"]);
let note = null;

/** @param {HTMLElement} row */
function addressOf(row) {
  return row.querySelector(".col-patient a").href;
}

/**
 * @param {HTMLElement} row
 * @param {{mayRead: boolean}} who
 */
export async function openStudy(row, { mayRead }) {
  closeNote();
  if (mayRead && CLAIMED_FIRST.has(row.dataset.state)) {
    try {
      await post(`/studies/${row.dataset.study}/claim`, {});
      claimIsFresh(row.dataset.study);
    } catch (error) {
      if (!error.expired) showNote(row, error.message);
      return;
    }
  }
  location.assign(addressOf(row));
}

/** Says something at a row, with the way that stays open. */
function showNote(row, sentence) {
  const box = row.getBoundingClientRect();
  const readOnly = element("a", { class: "button button-primary", href: addressOf(row), text: "Open read-only" });
  const close = element("button", { class: "button", type: "button", text: "Stay", onclick: () => closeNote(row) });
  note = element("div", { class: "menu worklist-note", role: "alert" }, element("p", { text: sentence }), readOnly, close);
  document.body.append(note);
  const fitsBelow = box.bottom + note.offsetHeight <= window.innerHeight;
  const top = fitsBelow ? box.bottom : box.top - note.offsetHeight;
  note.style.top = `${Math.max(0, top)}px`;
  note.style.left = `${Math.max(0, row.querySelector(".col-patient").getBoundingClientRect().left)}px`;
  readOnly.focus();
}

/**
 * @param {HTMLElement} [row] gets the focus back
 * @returns {boolean} whether there was a note
 */
export function closeNote(row) {
  const was = note !== null;
  note?.remove();
  note = null;
  if (was) row?.focus();
  return was;
}
