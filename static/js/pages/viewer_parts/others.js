/**
 * Who else has the study open, in the header.
 */
import { setText } from "../../core/dom.js";
import { post } from "../../core/requests.js";

const TOLD_EVERY_MS = 15_000;

/** @param {HTMLElement} note @param {string} study */
export function showOthers(note, study) {
  const tell = async () => {
    if (!document.hidden) {
      try {
        const response = await post(`/studies/${study}/presence`, {}, { background: true });
        const { others } = await response.json();
        setText(note, others.length ? `also open: ${others.join(", ")}` : "");
        note.hidden = !others.length;
      } catch {
        note.hidden = true;
      }
    }
    setTimeout(tell, TOLD_EVERY_MS);
  };
  tell();
}
