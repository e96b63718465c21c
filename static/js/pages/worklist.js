/**
 * The reading worklist: wires list, keys, filter, preview and live look together.
 */
import { setText } from "../core/dom.js";
import { post } from "../core/requests.js";
import { bringBackText, keepText } from "../worklist/filter_memory.js";
import { LiveList } from "../worklist/live_list.js";
import { openNext } from "../worklist/next_study.js";
import { closeNote, openStudy } from "../worklist/open_study.js";
import { PreviewPanel } from "../worklist/preview_panel.js";
import { RowSelection } from "../worklist/row_selection.js";

const byId = (id) => document.getElementById(id);
const list = byId("worklist-list");
const form = byId("worklist-filter");
const text = byId("worklist-text");
const user = list.dataset.user;
const who = { mayRead: list.dataset.mayRead === "1" };

const selection = new RowSelection(list);
const preview = new PreviewPanel(byId("worklist-preview"));
const live = new LiveList({
  list,
  form,
  poll: byId("worklist-poll"),
  status: byId("worklist-live"),
  news: byId("worklist-news"),
});

function open(row) {
  if (row) openStudy(row, who);
}

function goToPage(id) {
  const link = byId(id);
  link?.click();
  return Boolean(link);
}

let selectAfterPage = 0;

function move(step) {
  if (selection.move(step)) return;
  if (goToPage(step > 0 ? "worklist-next" : "worklist-previous")) selectAfterPage = step;
}

async function takeNext() {
  if (!who.mayRead) return;
  const said = byId("worklist-said");
  said.hidden = true;
  try {
    await openNext(new URLSearchParams(new FormData(form)));
  } catch (error) {
    if (error.expired) return;
    setText(said, error.message);
    said.hidden = false;
  }
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  n: takeNext,
  Enter: () => open(selection.row),
  " ": () => preview.toggle(selection.row),
};

function isFree(target) {
  return target === document.body || target.id === "content" || Boolean(target.closest(".worklist-list") && !target.closest("a, button"));
}

function isTyping(target) {
  return target.matches("input:not([type=checkbox]), textarea, select");
}

function keydown(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const { target, key } = event;
  if (key === "Escape") {
    escape(target);
  } else if (target === text && key === "ArrowDown") {
    event.preventDefault();
    move(1);
  } else if (isTyping(target)) {
    return;
  } else if (key === "/") {
    event.preventDefault();
    text.focus();
    text.select();
  } else if (key === "f") {
    event.preventDefault();
    form.querySelector("input[type=checkbox]").focus();
  } else if (isFree(target) && KEYS[key]) {
    event.preventDefault();
    KEYS[key]();
  }
}

function escape(target) {
  if (closeNote(selection.row)) return;
  if (form.contains(target)) (selection.row ?? selection.rows[0])?.focus();
  else if (preview.isOpen) preview.close();
}

function click(event) {
  const row = event.target.closest(".worklist-row");
  if (!row) return;
  selection.select(row);
  const link = event.target.closest("a");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    open(row);
  }
}

function drawnAnew() {
  live.forget();
  selection.restore();
  keepText(text, user);
  const isNarrowed = Boolean(text.value || byId("worklist-state").value || form.querySelector("input:checked"));
  byId("worklist-clear").hidden = !isNarrowed;
  if (!selectAfterPage) return;
  const { rows } = selection;
  const row = selectAfterPage > 0 ? rows[0] : rows[rows.length - 1];
  selectAfterPage = 0;
  if (row) selection.select(row, { focus: true });
}

function toggleColumn(event) {
  const box = event.target.closest("[data-column]");
  if (!box) return;
  list.toggleAttribute(`data-hide-${box.value}`, !box.checked);
  const chosen = new URLSearchParams();
  for (const one of byId("worklist-columns").querySelectorAll("[data-column]:checked")) chosen.append("column", one.value);
  post(byId("worklist-columns").dataset.address, chosen).catch(() => {
    // The choice holds until the page is left; it is no loss worth a message.
  });
}

function lookAmongAll(event) {
  const link = event.target.closest("[data-all]");
  if (!link) return;
  event.preventDefault();
  const state = byId("worklist-state");
  state.value = "all";
  state.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("keydown", keydown);
byId("worklist-take-next")?.addEventListener("click", takeNext);
list.addEventListener("click", click);
list.addEventListener("click", lookAmongAll);
list.addEventListener("dblclick", (event) => open(event.target.closest(".worklist-row")));
list.addEventListener("htmx:afterSettle", drawnAnew);
byId("worklist-columns").addEventListener("change", toggleColumn);
document.addEventListener("pointerdown", (event) => event.target.closest(".worklist-note") || closeNote());
// Leaving the field is no change of the filter: typing was answered already.
text.addEventListener("change", (event) => event.stopPropagation());
selection.addEventListener("change", () => preview.isOpen && selection.row && preview.show(selection.row));
preview.addEventListener("open", () => open(selection.row));
preview.addEventListener("changed", live.look);
live.addEventListener("update", () => selection.restore());
preview.connect();
live.connect();
selection.restore();
if (bringBackText(text, user)) form.requestSubmit();
