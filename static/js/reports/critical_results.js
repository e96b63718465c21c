/**
 * Critical results in the report panel: what was flagged, who was told and who acknowledged it; and flagging one.
 */
import { element, mark, setText } from "../core/dom.js";
import { Watcher } from "../core/watcher.js";
import { openDialog } from "../pages/viewer_parts/dialog.js";

const LOOK_EVERY_MS = 4000;

export class CriticalResults {
  #api;
  #place = element("div", { class: "report-critical", hidden: true });
  #list = element("div", { class: "report-critical", "aria-live": "polite" });
  #problem = element("p", { class: "field-error", role: "alert", hidden: true });
  #button = element("button", { class: "button", type: "button", text: "Critical result…", onclick: () => this.#open() });
  #told = { results: [], categories: [], recipients: [] };
  #shown = "";
  #isWatching = false;
  #watcher = new Watcher(() => this.load({ background: true }), LOOK_EVERY_MS);

  /** @param {import("./report_api.js").ReportApi} api */
  constructor(api) {
    this.#api = api;
    this.#place.append(this.#list, this.#problem, element("div", { class: "button-row" }, this.#button));
  }

  get element() {
    return this.#place;
  }

  /** Whether this person may flag one now. */
  set mayFlag(isAllowed) {
    this.#button.hidden = !isAllowed;
    this.#showPlace();
  }

  async load(options = {}) {
    this.#take(await this.#api.critical(options));
  }

  #take(told) {
    this.#told = { ...this.#told, ...told };
    const shown = JSON.stringify(told.results);
    if (shown !== this.#shown) this.#list.replaceChildren(...told.results.map((one) => this.#resultOf(one)));
    this.#shown = shown;
    this.#showPlace();
    // Only what may still change is looked after.
    const waits = told.results.some(({ waits: isWaiting, state }) => isWaiting || state === "flagged");
    if (waits !== this.#isWatching) waits ? this.#watcher.connect() : this.#watcher.disconnect();
    this.#isWatching = waits;
  }

  #showPlace() {
    this.#place.hidden = this.#button.hidden && !this.#told.results.length;
  }

  #resultOf(result) {
    const act = (text, action, kind = "") => element("button", { class: `button ${kind}`, type: "button", text, onclick: () => this.#act(result, action) });
    const shape = mark("critical", "");
    shape.setAttribute("aria-hidden", "true");
    return element(
      "section",
      { class: result.waits ? "critical is-waiting" : "critical", "aria-label": "Critical result" },
      element("p", { class: "critical-head" }, shape, element("strong", { text: "Critical result" }), element("span", { text: result.category })),
      element("p", { class: "critical-text", dir: "auto", text: result.text }),
      element("p", { class: "critical-state", text: result.words }),
      element("p", { class: "critical-flagged", text: result.flagged }),
      result.may_withdraw ? element("div", { class: "button-row" }, act("Tell now", "tell"), act("Withdraw", "withdraw", "button-quiet")) : null,
      result.may_acknowledge ? act("I know of this and see to it", "acknowledge", "button-primary") : null,
    );
  }

  async #act(result, action) {
    this.#problem.hidden = true;
    try {
      this.#take(await this.#api.criticalAction(result.pk, action));
    } catch (error) {
      setText(this.#problem, error.message);
      this.#problem.hidden = false;
      await this.load().catch(() => {});
    }
  }

  async #open() {
    // Who referred the study may have become known since the page was opened.
    await this.load().catch(() => {});
    const { categories, recipients } = this.#told;
    const option = ({ id, name, is_referrer: refers }) => element("option", { value: id, text: refers ? `${name} (referred this)` : name });
    const category = element("select", { id: "critical-category", required: true }, ...categories.map(option));
    const recipient = element("select", { id: "critical-recipient", required: true }, ...recipients.map(option));
    // Nobody is told by an accident of the alphabet: without a referrer the reader chooses.
    if (!recipients[0]?.is_referrer) recipient.prepend(element("option", { value: "", text: "Choose…", selected: true }));
    const text = element("textarea", { id: "critical-text", rows: 3, maxlength: 500, required: true });
    const problem = element("p", { class: "field-error", role: "alert", hidden: true });
    const field = (label, control) => element("div", { class: "field" }, element("label", { for: control.id, text: label }), control);
    const later = element("button", { class: "button button-primary", type: "submit", value: "later", text: "Tell when signed" });
    const now = element("button", { class: "button", type: "submit", value: "now", text: "Tell now" });
    const form = element("form", { class: "form" }, field("How soon", category), field("What was found", text), field("Who must know", recipient), problem, element("div", { class: "button-row" }, later, now));
    const dialog = openDialog("Critical result", form);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      later.disabled = now.disabled = true;
      problem.hidden = true;
      const asked = { category: Number(category.value), text: text.value, recipient: Number(recipient.value), at_once: event.submitter?.value === "now" };
      try {
        this.#take(await this.#api.flagCritical(asked));
        dialog.close();
      } catch (error) {
        setText(problem, error.message);
        problem.hidden = false;
        later.disabled = now.disabled = false;
      }
    });
    text.focus();
  }
}
