/**
 * A dialog with a heading and a close button; the focus goes back where it was.
 */
import { element, icon } from "../../core/dom.js";

/** @param {string} title @param {...(Node|string)} body @returns {HTMLDialogElement} */
export function openDialog(title, ...body) {
  const id = `dialog-${crypto.randomUUID()}`;
  const before = document.activeElement;
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": id },
    element(
      "div",
      { class: "dialog-head" },
      element("h2", { id, text: title }),
      element("button", { class: "button button-quiet button-icon", type: "button", "aria-label": "Close (Esc)", title: "Close (Esc)", onclick: () => dialog.close() }, icon("x")),
    ),
    element("div", { class: "dialog-body" }, ...body),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    before?.focus?.({ preventScroll: true });
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
