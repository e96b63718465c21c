/**
 * One polite live region for what a screen reader should say.
 */
import { element } from "./dom.js";

let region = null;

/** @param {string} text */
export function announce(text) {
  if (!region) {
    region = element("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    document.body.append(region);
  }
  region.textContent = "";
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}
