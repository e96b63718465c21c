/**
 * Brings a fresh answer of the server into the list without moving what the reader points at.
 *
 * Rows that are shown already are brought up to date in place. New ones come in at the top, and the list is
 * scrolled by as much as they take. Whatever else would move rows waits until the reader's hands are elsewhere.
 */

/** @param {string} html the answer @returns {DocumentFragment} */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** Takes the counts and chips out of an answer and shows them. @param {DocumentFragment} answer */
export function takeCounts(answer) {
  for (const fresh of answer.querySelectorAll("[hx-swap-oob]")) {
    fresh.remove();
    fresh.removeAttribute("hx-swap-oob");
    const shown = document.getElementById(fresh.id);
    if (!shown || shown.contains(document.activeElement) || shown.innerHTML === fresh.innerHTML) continue;
    shown.replaceChildren(...fresh.childNodes);
  }
}

/**
 * Replaces the whole list and keeps its place.
 * @param {HTMLElement} list
 * @param {DocumentFragment} answer
 */
export function replaceList(list, answer) {
  const known = new Set([...list.querySelectorAll(".worklist-row")].map((row) => row.id));
  const top = list.scrollTop;
  list.replaceChildren(...answer.childNodes);
  list.scrollTop = top;
  if (!known.size) return;
  for (const row of list.querySelectorAll(".worklist-arrived .worklist-row")) {
    row.classList.toggle("is-new", !known.has(row.id));
  }
}

/**
 * Brings the list up to date without moving a row.
 * @param {HTMLElement} list
 * @param {DocumentFragment} answer
 * @returns {{inserted: number, waiting: number}} rows that came in above, and rows that wait for a full replacement
 */
export function updateInPlace(list, answer) {
  const fresh = new Map([...answer.querySelectorAll(".worklist-row")].map((row) => [row.id, row]));
  const known = new Set();
  for (const row of list.querySelectorAll(".worklist-row")) {
    known.add(row.id);
    const update = fresh.get(row.id);
    row.classList.toggle("has-left", !update);
    if (update) updateRow(row, update);
  }
  const arrived = [...answer.querySelectorAll(".worklist-arrived .worklist-row")].filter((row) => !known.has(row.id));
  const inserted = insertAbove(list, arrived);
  const unknown = [...fresh.keys()].filter((id) => !known.has(id)).length;
  return { inserted, waiting: unknown - inserted };
}

function updateRow(row, update) {
  if (row.innerHTML !== update.innerHTML) row.replaceChildren(...[...update.childNodes].map((node) => node.cloneNode(true)));
  row.className = update.className;
  for (const name of ["state", "study"]) row.dataset[name] = update.dataset[name];
}

function insertAbove(list, rows) {
  const table = list.querySelector("table");
  if (!rows.length || !table) return 0;
  // A list that does not fill its frame cannot be scrolled to make up for what comes in.
  if (table.offsetHeight < list.clientHeight + list.scrollTop) return 0;
  let body = table.querySelector(".worklist-arrived");
  if (!body) {
    body = document.createElement("tbody");
    body.className = "worklist-rows worklist-arrived";
    table.tHead.after(body);
  }
  const before = table.offsetHeight;
  body.prepend(...rows.map((row) => row.cloneNode(true)));
  list.scrollTop += table.offsetHeight - before;
  return rows.length;
}
