/**
 * Puts the study, the series or the view on the screen on a conference or teaching list.
 */
import { element, setText } from "../../core/dom.js";
import { fetchJson, sendJson } from "../../core/requests.js";
import { openDialog } from "./dialog.js";

/** @param {{study: string, series: string, view: string, said: (text: string) => void}} parts */
export async function openLists({ study, series, view, said }) {
  const problem = element("p", { class: "field-error", role: "alert", hidden: true });
  const tell = (error) => {
    setText(problem, error.message);
    problem.hidden = false;
  };
  const option = (value, text) => element("option", { value, text });
  const what = element("select", { id: "list-what" }, option("view", "this view"), option("series", "this series"), option("study", "the whole study"));
  const list = element("select", { id: "list-choice" });
  const name = element("input", { id: "list-name", maxlength: 60 });
  const note = element("textarea", { id: "list-note", rows: 2, maxlength: 2000 });
  const field = (id, text, node) => element("div", { class: "field" }, element("label", { for: id, text }), node);
  const newName = field("list-name", "Its name (it names no patient)", name);
  const update = () => (newName.hidden = list.value !== "");
  list.addEventListener("change", update);
  const places = { view: { view }, series: { series }, study: {} };
  const put = async () => {
    const target = list.value ? { list: Number(list.value) } : { name: name.value.trim() };
    try {
      const { list: kept } = await sendJson(`/api/studies/${study}/lists`, { ...target, ...places[what.value], note: note.value.trim() });
      dialog.close();
      said(`on the list “${kept.name}”`);
    } catch (error) {
      tell(error);
    }
  };
  const dialog = openDialog(
    "Put on a list",
    element("div", { class: "form" }, field("list-what", "What", what),
    field("list-choice", "List", list),
    newName,
    field("list-note", "Note", note),
    problem,
    element("div", { class: "button-row" }, element("button", { class: "button button-primary", type: "button", text: "Put it on the list", onclick: put }), element("a", { class: "button button-quiet", href: "/lists/", text: "All lists" }))),
  );
  try {
    const { lists } = await fetchJson(`/api/studies/${study}/lists`);
    list.append(...lists.map((one) => option(one.id, one.name)));
  } catch (error) {
    tell(error);
  }
  list.append(option("", "a new one"));
  update();
}
