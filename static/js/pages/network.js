/**
 * The live board of associations: htmx brings it anew where something changed; this says whether it is still live.
 */
import { setText } from "../core/dom.js";

const live = document.getElementById("network-live");

document.body.addEventListener("htmx:beforeRequest", (event) => {
  // Nobody looks: nothing is asked until somebody does.
  if (document.hidden && event.target.id === "network-board") event.preventDefault();
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (![200, 204].includes(event.detail.xhr.status)) return;
  setText(live, `live ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })}`);
});
for (const type of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.body.addEventListener(type, () => setText(live, "The portal does not answer; what you see may be old."));
}
