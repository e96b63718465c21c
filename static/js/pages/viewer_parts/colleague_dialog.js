/**
 * Asks a colleague to look at the study, or hands its reading over to them.
 */
import { element, setText } from "../../core/dom.js";
import { post } from "../../core/requests.js";
import { openDialog } from "./dialog.js";

/**
 * @param {{study: string, talk: import("../../discussion/talk.js").Talk, mayHandOver: boolean, said: (text: string) => void, handedOver: (words: string) => void}} parts
 */
export async function openColleague({ study, talk, mayHandOver, said, handedOver }) {
  const problem = element("p", { class: "field-error", role: "alert", hidden: true });
  const reader = element("select", { id: "colleague-reader", required: true }, element("option", { value: "", text: "choose…" }));
  const question = element("input", { id: "colleague-question", maxlength: 500 });
  const chosen = () => talk.readers.find(({ id }) => String(id) === reader.value);
  const act = async (does, words) => {
    if (!reader.reportValidity()) return;
    try {
      await does(chosen());
      dialog.close();
      said(words(chosen().name));
    } catch (error) {
      setText(problem, error.message);
      problem.hidden = false;
    }
  };
  const look = () => act(({ username }) => talk.ask(username, question.value.trim()), (name) => `${name} is asked to look`);
  const handOver = () =>
    act(
      async ({ id, name }) => {
        await post(`/studies/${study}/hand-over`, new URLSearchParams({ to: `user ${id}` }));
        handedOver(`handed over to ${name}`);
      },
      (name) => `${name} reads this now`,
    );
  const dialog = openDialog(
    "Ask a colleague",
    element("div", { class: "form" }, element("div", { class: "field" }, element("label", { for: "colleague-reader", text: "Reader" }), reader),
    element("div", { class: "field" }, element("label", { for: "colleague-question", text: "Question" }), question),
    problem,
    element(
      "div",
      { class: "button-row" },
      element("button", { class: "button button-primary", type: "button", text: "Please look", onclick: look }),
      mayHandOver && element("button", { class: "button", type: "button", text: "Hand over", title: "They read the study in your place", onclick: handOver }),
    )),
  );
  try {
    await talk.load();
  } catch (error) {
    setText(problem, error.message);
    problem.hidden = false;
  }
  reader.append(...talk.readers.map(({ id, name }) => element("option", { value: id, text: name })));
}
