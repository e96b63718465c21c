/**
 * The other studies of the patient in a bar: date and distance of each; what is on the screen is pressed.
 */
import { element, icon } from "../core/dom.js";

export class PriorBar {
  #bar;
  #priors;
  #buttons = new Map();

  /** @param {HTMLElement} bar @param {import("./priors.js").Priors} priors @param {EventTarget} viewer tells what is shown */
  constructor(bar, priors, viewer) {
    this.#bar = bar;
    this.#priors = priors;
    bar.hidden = priors.entries.length === 0;
    bar.replaceChildren(...priors.entries.map((entry) => this.#button(entry)));
    priors.addEventListener("change", () => this.update());
    viewer.addEventListener("shown", () => this.update());
    bar.addEventListener("keydown", (event) => this.#rove(event));
  }

  #button(entry) {
    const { StudyInstanceUID: uid, date, words, modality, description, relevance } = entry;
    const label = [words, date, modality, description].filter(Boolean).join(" · ");
    const button = element(
      "button",
      {
        class: relevance ? "prior" : "prior prior-unlike",
        type: "button",
        title: label,
        "aria-label": label,
        "aria-pressed": "false",
        tabindex: this.#buttons.size ? -1 : 0,
        onclick: () => this.#priors.open(uid),
      },
      this.#buttons.size ? null : icon("history", { small: true }),
      element("span", { class: "prior-date", text: `${modality} ${date}`.trim() }),
    );
    this.#buttons.set(uid, button);
    return button;
  }

  update() {
    const shown = this.#priors.shown;
    for (const [uid, button] of this.#buttons) button.setAttribute("aria-pressed", String(shown.includes(uid)));
  }

  /** One stop for Tab, arrows inside. */
  #rove(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...this.#bar.querySelectorAll("button")];
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    for (const button of all) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  }
}
