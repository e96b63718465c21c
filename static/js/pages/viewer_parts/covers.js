/**
 * What covers the pictures when they must not be read on: an ended session, and another patient.
 */
import { element } from "../../core/dom.js";
import { session } from "../../core/requests.js";

/**
 * Covers everything when the session has ended. Signing in happens in another tab; this page stays as it is until then.
 * @param {string} signIn address of the sign-in page
 */
export function coverEndedSession(signIn) {
  let dialog = null;
  session.addEventListener("expired", () => {
    if (dialog) return;
    dialog = element(
      "dialog",
      { class: "cover", "aria-labelledby": "ended-heading" },
      element("h2", { id: "ended-heading", text: "Your session has ended" }),
      element("p", { text: "Sign in again to go on reading. The view and your measurements stay." }),
      element(
        "div",
        { class: "button-row" },
        element("a", { class: "button button-primary", href: signIn, target: "_blank", rel: "noopener", text: "Sign in" }),
        element("button", { class: "button", type: "button", text: "I have signed in", onclick: () => location.reload() }),
      ),
    );
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
    window.addEventListener("focus", () => reloadWhenSignedIn());
  });
}

/** The page's address carries the view, so a fresh page of whoever has signed in is the same view, with their rights. */
async function reloadWhenSignedIn() {
  const { manifest } = document.body.dataset;
  try {
    const answer = await fetch(manifest, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) location.reload();
  } catch {
    // Still not there: the cover stays.
  }
}

/**
 * Covers the pictures while another window shows another patient.
 * @param {HTMLElement} place what is covered
 * @param {import("../../core/current_patient.js").CurrentPatient} current
 * @param {string} name of the patient that this window shows
 */
export function coverOtherPatient(place, current, name) {
  const goOn = element("button", { class: "button button-primary", type: "button", text: "Go on with this patient", onclick: () => current.claim() });
  const cover = element(
    "div",
    { class: "patient-cover", role: "alertdialog", "aria-label": "Another patient", hidden: true },
    element("p", {}, "This window shows ", element("bdi", { class: "strong", text: name }), "."),
    element("p", { text: "Another window of this browser shows another patient." }),
    goOn,
  );
  place.append(cover);
  const update = () => {
    cover.hidden = current.isCurrent;
    for (const child of place.children) if (child !== cover) child.inert = !current.isCurrent;
    if (!current.isCurrent && document.hasFocus()) goOn.focus();
  };
  current.addEventListener("change", update);
}
