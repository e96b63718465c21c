/**
 * The arrivals page: what htmx brings every few seconds changes only the entries that changed, so that the focus and
 * the pointer stay where they are.
 */
import { setText } from "../core/dom.js";

const live = document.getElementById("arrivals-live");

function entriesOf(board) {
  return [...board.querySelectorAll("[data-arrival]")];
}

/** Whether the same examinations stand in the same order and parts. */
function isAlike(one, other) {
  const places = (board) => [...board.querySelectorAll("section, details, [data-arrival], .chip")].map(placeOf).join("\n");
  return places(one) === places(other);
}

function placeOf(element) {
  return element.id || element.textContent || element.className;
}

/** An entry holds forms with a token of their own in each answer: that alone is no change. */
function contentOf(entry) {
  return entry.outerHTML.replaceAll(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
}

function update(shown, fresh) {
  const entries = entriesOf(fresh);
  entriesOf(shown).forEach((entry, place) => {
    if (contentOf(entry) === contentOf(entries[place])) return;
    const focused = entry.contains(document.activeElement) ? document.activeElement.id : "";
    entry.replaceWith(entries[place]);
    window.htmx.process(entries[place]);
    if (focused) document.getElementById(focused)?.focus();
  });
  shown.setAttribute("hx-vals", fresh.getAttribute("hx-vals"));
}

function beforeSwap(event) {
  const shown = document.getElementById("arrivals-board");
  if (event.detail.target !== shown || ![200, 204].includes(event.detail.xhr.status)) return;
  setText(live, `live ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })}`);
  if (event.detail.xhr.status === 204) return;
  const template = document.createElement("template");
  template.innerHTML = event.detail.xhr.responseText;
  const fresh = template.content.getElementById("arrivals-board");
  if (!fresh) return;
  event.detail.shouldSwap = false;
  if (isAlike(shown, fresh)) update(shown, fresh);
  else replace(shown, fresh);
}

/** Examinations came, went or changed their part: the whole board is drawn anew. */
function replace(shown, fresh) {
  const focused = shown.contains(document.activeElement) ? document.activeElement.id : "";
  const older = fresh.querySelector("#arrivals-older");
  if (older && shown.querySelector("#arrivals-older")?.open) older.open = true;
  shown.replaceWith(fresh);
  window.htmx.process(fresh);
  if (focused) document.getElementById(focused)?.focus();
}

document.body.addEventListener("htmx:beforeRequest", (event) => {
  // Nobody looks: nothing is asked until somebody does.
  if (document.hidden && event.target.id === "arrivals-board") event.preventDefault();
});
document.body.addEventListener("htmx:beforeSwap", beforeSwap);
for (const type of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.body.addEventListener(type, () => setText(live, "The portal does not answer; what you see may be old."));
}
