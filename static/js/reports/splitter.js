/**
 * The edge between images and report: dragged, or moved by arrow keys; the width is kept in this browser.
 */
import { preference, setPreference } from "../core/preferences.js";

const NARROWEST_PX = 280;
const WIDEST_SHARE = 0.6;
const STEP_PX = 24;

/** @param {HTMLElement} edge with role separator @param {HTMLElement} place whose --report-width is set */
export function makeResizable(edge, place) {
  const set = (width) => {
    const kept = Math.round(Math.max(NARROWEST_PX, Math.min(width, place.clientWidth * WIDEST_SHARE)));
    place.style.setProperty("--report-width", `${kept}px`);
    edge.setAttribute("aria-valuenow", String(kept));
    return kept;
  };
  const widthAt = (x) => place.getBoundingClientRect().right - x;
  let width = set(Number(preference("reportWidth", 380)) || 380);
  const drag = (event) => {
    width = set(widthAt(event.clientX));
  };
  edge.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    edge.setPointerCapture(event.pointerId);
    edge.addEventListener("pointermove", drag);
  });
  edge.addEventListener("lostpointercapture", () => {
    edge.removeEventListener("pointermove", drag);
    setPreference("reportWidth", width);
  });
  edge.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: STEP_PX, ArrowRight: -STEP_PX }[event.key];
    if (!step) return;
    event.preventDefault();
    width = set(width + step);
    setPreference("reportWidth", width);
  });
}
