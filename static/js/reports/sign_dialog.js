/**
 * Asks once more who signs, and says what is being signed about whom. No key signs without the password.
 */
import { element } from "../core/dom.js";
import { openDialog } from "../pages/viewer_parts/dialog.js";

const TITLES = { preliminary: "Sign as preliminary", final: "Sign as final", addendum: "Sign the addendum" };
const WHAT_FOLLOWS = {
  preliminary: "Other radiologists see it at once; the referrer when it is final.",
  final: "The referrer sees it at once. It cannot be changed after that; an addendum can be added.",
  addendum: "It is shown below the final report, with your name. It cannot be changed after that.",
};

/**
 * @param {"preliminary"|"final"|"addendum"} kind
 * @param {{identity: object, unfilled: string[], changed: string[], asksCode: boolean, sign: (proof: object) => Promise<void>}} facts
 */
export function openSigning(kind, { identity, unfilled, changed, asksCode, sign }) {
  const password = element("input", { id: "sign-password", type: "password", autocomplete: "current-password", required: true });
  const code = element("input", { id: "sign-code", type: "text", inputmode: "numeric", autocomplete: "one-time-code", required: true });
  const problem = element("p", { class: "field-error", role: "alert", hidden: true });
  const button = element("button", { class: "button button-primary", type: "submit", text: TITLES[kind] });
  const form = element(
    "form",
    { class: "form" },
    element("p", { class: "strong figures" }, element("bdi", { text: identity.patient }), ` · ${identity.patient_id} · ${identity.birth_date}`),
    element("p", { text: WHAT_FOLLOWS[kind] }),
    unfilled.length ? element("p", { class: "report-notice", text: `Still to be filled in: ${unfilled.join(", ")}` }) : null,
    changed.length ? element("p", { class: "report-notice", text: `Changed since they were put into the text: ${changed.join(", ")}` }) : null,
    element("div", { class: "field" }, element("label", { for: "sign-password", text: "Your password" }), password),
    asksCode ? element("div", { class: "field" }, element("label", { for: "sign-code", text: "Code of your second factor" }), code) : null,
    problem,
    element("div", { class: "button-row" }, button),
  );
  const dialog = openDialog(TITLES[kind], form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      await sign({ password: password.value, code: code.value });
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      password.value = "";
      button.disabled = false;
      password.focus();
    }
  });
  password.focus();
  return dialog;
}
