/**
 * The quarantine page: says about how many files a decision will be, and goes on by itself with a long one.
 */
import { setText } from "../core/dom.js";

function sayChosen(form) {
  const said = form.querySelector("[data-chosen]");
  if (!said) return;
  const chosen = form.querySelectorAll("input[name=file]:checked").length;
  said.dataset.all ??= said.textContent;
  setText(said, chosen ? `about ${chosen} chosen file${chosen > 1 ? "s" : ""}` : said.dataset.all);
}

function goOn(form) {
  let stopped = false;
  form.querySelector("[data-stop]").addEventListener("click", () => {
    stopped = true;
  });
  // A moment in which the page can be seen, and stopped.
  setTimeout(() => stopped || form.requestSubmit(), 400);
}

document.addEventListener("change", (event) => {
  if (event.target.name === "file") sayChosen(event.target.form);
});
for (const form of document.querySelectorAll("form[data-going-on]")) goOn(form);
for (const list of document.querySelectorAll("[data-choose]")) sayChosen(list.closest("form"));
