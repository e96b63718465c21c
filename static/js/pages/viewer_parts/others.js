/**
 * Who else has the study open, in the header, and the way to what was said about it.
 */
import { setText } from "../../core/dom.js";
import { post } from "../../core/requests.js";
import { linkQuery, writeView } from "./view_link.js";

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

/** Address of the page of remarks, with the view and the image that they will be about. */
export function talkAddress(study, viewer) {
  const views = viewer.panes.map((pane) => writeView(pane.viewport));
  const view = linkQuery({ layout: viewer.layout.name, active: viewer.activeIndex, views, priors: [] });
  const { SOPInstanceUID, FrameNumber } = viewer.active.viewport.frameFacts ?? {};
  const query = new URLSearchParams({ view });
  if (SOPInstanceUID) {
    query.set("image", SOPInstanceUID);
    query.set("frame", FrameNumber);
  }
  return `/studies/${study}/talk/?${query}`;
}
