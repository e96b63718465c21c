/**
 * The tool bar: one row, the six tools first, what is active unmistakable, every tooltip with its key.
 */
import { element, icon } from "../../core/dom.js";
import { keyForPeople } from "./key_bindings.js";

const GROUPS = Object.freeze([
  ["Tools", ["tool-window", "tool-pan", "tool-zoom", "tool-scroll", "tool-probe", "tool-length"]],
  ["Measure", ["tool-angle", "tool-ellipse", "tool-arrow", "measure-tools", "undo", "redo", "key-image", "measures"]],
  ["Window", ["windows", "states", "invert"]],
  ["Picture", ["fit", "one-to-one", "rotate", "flip-horizontal", "flip-vertical", "reset"]],
  ["Cine", ["cine", "cine-rate"]],
  ["Page", ["layout", "hang-like-this", "maximise", "text", "report"]],
  ["Compare", ["link", "links", "lines"]],
  ["File", ["tags", "export", "download", "process"]],
  ["Help", ["help"]],
]);
const WITH_MENU = new Set(["windows", "states", "layout", "links", "cine-rate", "measure-tools"]);
/** Buttons that are not there where they could do nothing. */
const ONLY_WHERE_POSSIBLE = new Set(["states", "report", "export", "download", "process", "hang-like-this"]);
const WITH_WORD = new Set(["one-to-one"]);

export class Toolbar {
  #buttons = new Map();
  #windowText;
  #rateText;
  element;

  /** @param {import("./commands.js").Command[]} commands @param {() => string} windowText @param {() => string} rateText */
  constructor(commands, { windowText, rateText }) {
    this.#windowText = windowText;
    this.#rateText = rateText;
    const groups = GROUPS.map(([label, ids]) => {
      const found = ids.map((id) => commands.find((command) => command.id === id)).filter(Boolean);
      return element("div", { class: "toolbar-group", role: "group", "aria-label": label }, ...found.map((one) => this.#button(one)));
    });
    this.element = element("div", { class: "toolbar", role: "toolbar", "aria-label": "Tools" }, ...groups);
    this.element.addEventListener("keydown", (event) => this.#rove(event));
    this.#buttons.values().next().value.button.tabIndex = 0;
  }

  /** The button of a command, to open a menu below. */
  button(id) {
    return this.#buttons.get(id)?.button;
  }

  #button(command) {
    const keys = (command.keys ?? []).slice(0, 1).map(keyForPeople).join("");
    const title = keys ? `${command.label} (${keys})` : command.label;
    const text = element("span", { class: "toolbar-text" });
    const button = element(
      "button",
      { class: "tool-button", type: "button", title, "aria-label": title, tabindex: -1, "data-command": command.id, onclick: () => command.run() },
      command.icon && !WITH_WORD.has(command.id) ? icon(command.icon) : null,
      WITH_WORD.has(command.id) ? element("span", { class: "tool-word", "aria-hidden": "true", text: "1:1" }) : null,
      text,
    );
    if (WITH_MENU.has(command.id)) {
      button.setAttribute("aria-haspopup", "menu");
      button.setAttribute("aria-expanded", "false");
      button.append(icon("chevron-down", { small: true }));
    }
    this.#buttons.set(command.id, { button, command, text });
    return button;
  }

  update() {
    for (const [id, { button, command, text }] of this.#buttons) {
      if (command.isOn) button.setAttribute("aria-pressed", String(command.isOn()));
      button.disabled = command.isPossible ? !command.isPossible() : false;
      if (ONLY_WHERE_POSSIBLE.has(id)) button.hidden = button.disabled;
      if (id === "windows") text.textContent = this.#windowText();
      if (id === "cine-rate") text.textContent = this.#rateText();
    }
  }

  /** One stop for Tab, arrows inside. */
  #rove(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...this.element.querySelectorAll("button:not([disabled]):not([hidden])")];
    const index = all.indexOf(document.activeElement);
    const next = all[(index + step + all.length) % all.length];
    for (const button of all) button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
