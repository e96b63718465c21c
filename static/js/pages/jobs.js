/**
 * The jobs page: what htmx brings each second changes only the rows that changed, so that focus and pointer stay.
 */
import { setText } from "../core/dom.js";

const live = document.getElementById("jobs-live");

function rowsOf(list) {
  return [...list.querySelectorAll("tbody tr")];
}

/** Whether the same jobs stand in the same order, looked at as often. */
function isAlike(one, other) {
  const ids = (list) => rowsOf(list).map((row) => row.id).join();
  return one.dataset.active === other.dataset.active && ids(one) === ids(other);
}

/** The cells of a row hold a form with a token of its own in each answer: that alone is no change. */
function contentOf(row) {
  return row.innerHTML.replaceAll(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
}

function update(shown, fresh) {
  const rows = rowsOf(fresh);
  rowsOf(shown).forEach((row, place) => {
    if (contentOf(row) === contentOf(rows[place])) return;
    [...row.cells].forEach((cell, column) => {
      const update = rows[place].cells[column];
      if (contentOf(cell) !== contentOf(update)) cell.replaceChildren(...update.childNodes);
    });
    window.htmx.process(row);
  });
  const filter = shown.querySelector("#jobs-filter");
  const freshFilter = fresh.querySelector("#jobs-filter");
  if (filter.textContent !== freshFilter.textContent) filter.replaceChildren(...freshFilter.childNodes);
}

function beforeSwap(event) {
  const shown = document.getElementById("jobs");
  if (event.detail.target !== shown || event.detail.xhr.status !== 200) return;
  setText(live, `live ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`);
  const template = document.createElement("template");
  template.innerHTML = event.detail.xhr.responseText;
  const fresh = template.content.getElementById("jobs");
  if (!fresh || !isAlike(shown, fresh)) return;
  update(shown, fresh);
  event.detail.shouldSwap = false;
}

document.body.addEventListener("htmx:beforeRequest", (event) => {
  // Nobody looks: nothing is asked until somebody does.
  if (document.hidden && event.target.id === "jobs") event.preventDefault();
});
document.body.addEventListener("htmx:beforeSwap", beforeSwap);
for (const type of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.body.addEventListener(type, () => setText(live, "The portal does not answer; what you see may be old."));
}
