/**
 * The elements of the image that is shown, with a filter over number, keyword, name and value.
 */
import { isAbort } from "../../core/api_error.js";
import { element } from "../../core/dom.js";
import { fetchJson } from "../../core/requests.js";
import { openDialog } from "./dialog.js";

/** Rows drawn at once; the filter finds the others. */
const MOST_ROWS = 2000;

/** @param {{SOPInstanceUID: string}} frame */
export async function openTags({ SOPInstanceUID }) {
  const aborter = new AbortController();
  const filter = element("input", { type: "search", placeholder: "Number, keyword, name or value", "aria-label": "Filter", autocomplete: "off" });
  const status = element("p", { class: "muted", role: "status", text: "Reading the file …" });
  const body = element("tbody");
  const head = ["Element", "VR", "Name", "Value"].map((text) => element("th", { scope: "col", text }));
  const table = element("table", { class: "tags" }, element("thead", {}, element("tr", {}, ...head)), body);
  const dialog = openDialog("DICOM elements", filter, status, element("div", { class: "tags-scroll" }, table));
  dialog.classList.add("dialog-wide");
  dialog.addEventListener("close", () => aborter.abort());
  filter.focus();
  try {
    const { tags, cut } = await fetchJson(`/api/instances/${SOPInstanceUID}/tags`, { signal: aborter.signal });
    const rows = tags.map((tag) => ({ text: searchText(tag), node: tagRow(tag) }));
    const draw = () => show(rows, filter.value, body, status, cut);
    filter.addEventListener("input", draw);
    draw();
  } catch (error) {
    if (!isAbort(error)) status.textContent = error.message;
  }
}

function searchText({ tag, keyword, name, value }) {
  return `${tag} ${tag.replace(/[(),]/g, "")} ${keyword} ${name} ${value}`.toLowerCase();
}

function tagRow({ tag, vr, keyword, name, value, depth }) {
  const row = element(
    "tr",
    {},
    element("td", { class: "tag-number", text: tag }),
    element("td", { text: vr }),
    element("td", { class: "tag-name", title: keyword, text: name || keyword }),
    element("td", { class: "tag-value", dir: "auto", text: value }),
  );
  row.style.setProperty("--depth", depth ?? 0);
  return row;
}

function show(rows, text, body, status, cut) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((row) => words.every((word) => row.text.includes(word)));
  body.replaceChildren(...found.slice(0, MOST_ROWS).map((row) => row.node));
  const more = found.length > MOST_ROWS ? `; the first ${MOST_ROWS} are shown` : "";
  status.textContent = `${found.length} of ${rows.length} elements${more}${cut ? "; the file has more" : ""}`;
}
