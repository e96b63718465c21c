/**
 * What others have reported: on this study, shown first, and on its priors, ready to be opened beside the editor.
 */
import { element } from "../core/dom.js";

export class ReportsBeside extends EventTarget {
  #api;
  element = element("div", { class: "report-others" });

  /** Event "compared" with {words} in its detail: the prior report was opened. @param {import("./report_api.js").ReportApi} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  async load() {
    const template = document.createElement("template");
    // A fragment of the portal's own, escaped by its templates.
    template.innerHTML = await this.#api.beside();
    for (const link of template.content.querySelectorAll("a")) link.target = "_blank";
    this.element.replaceChildren(template.content);
    const prior = this.element.querySelector("details[data-compared]");
    prior?.addEventListener("toggle", () => {
      if (prior.open) this.dispatchEvent(new CustomEvent("compared", { detail: { words: prior.dataset.compared } }));
    });
  }
}
