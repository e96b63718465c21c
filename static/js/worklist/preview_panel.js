/**
 * The panel under the list: a look at the selected study, and what can be done with it without opening it.
 */
import { post } from "../core/requests.js";

const AFTER_MS = 120;

export class PreviewPanel extends EventTarget {
  #panel;
  #timer = 0;
  #study = "";

  /** @param {HTMLElement} panel */
  constructor(panel) {
    super();
    this.#panel = panel;
  }

  connect() {
    this.#panel.addEventListener("click", this.#click);
    this.#panel.addEventListener("change", this.#change);
  }

  disconnect() {
    clearTimeout(this.#timer);
    this.#panel.removeEventListener("click", this.#click);
    this.#panel.removeEventListener("change", this.#change);
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /** Opens the panel for a row, or closes it. @param {HTMLElement|null} row */
  toggle(row) {
    if (this.isOpen || !row) this.close();
    else this.show(row);
  }

  close() {
    clearTimeout(this.#timer);
    this.#panel.hidden = true;
    this.#panel.replaceChildren();
    this.#study = "";
  }

  /** Shows a row's study; rows that are only passed on the way are not asked for. @param {HTMLElement} row */
  show(row) {
    this.#panel.hidden = false;
    if (row.dataset.study === this.#study) return;
    this.#study = row.dataset.study;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), AFTER_MS);
  }

  #load() {
    const address = `/studies/${this.#study}/preview`;
    window.htmx.ajax("GET", address, { target: this.#panel, swap: "innerHTML", source: this.#panel });
  }

  #click = (event) => {
    if (event.target.closest("[data-open]")) this.dispatchEvent(new Event("open"));
    const action = event.target.closest("[data-act]");
    if (action) this.#act(action.dataset.act, {});
  };

  #change = (event) => {
    const { change, name } = event.target.dataset;
    if (change) this.#act(change, { [name]: event.target.value });
  };

  async #act(address, values) {
    const message = this.#panel.querySelector(".preview-message");
    try {
      await post(address, new URLSearchParams(values));
    } catch (error) {
      message.textContent = error.message;
      message.hidden = false;
      return;
    }
    this.#load();
    this.dispatchEvent(new Event("changed"));
  }
}
