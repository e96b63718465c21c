/**
 * The tool bar: one row, the six tools first, what is active unmistakable, every tooltip with its key. What has no room is
 * in a menu at its end.
 */
import { element, icon } from "../../core/dom.js";
import { keyForPeople } from "./key_bindings.js";
import { openMenu } from "./menu.js";

const GROUPS = Object.freeze([
  ["Tools", ["tool-window", "tool-pan", "tool-zoom", "tool-scroll", "tool-probe", "tool-length"]],
  ["Measure", ["tool-angle", "tool-ellipse", "tool-arrow", "measure-tools", "undo", "redo", "key-image", "measures"]],
  ["Window", ["windows", "states", "invert"]],
  ["Picture", ["fit", "one-to-one", "rotate", "flip-horizontal", "flip-vertical", "reset"]],
  ["Cine", ["cine", "cine-rate"]],
  ["Page", ["layout", "hang-like-this", "maximise", "screen", "text", "texts", "report", "talk", "colleague", "put-on-list"]],
  ["Compare", ["link", "links", "lines"]],
  ["File", ["tags", "export", "download", "process"]],
  ["Help", ["help"]],
]);
const WITH_MENU = new Set(["windows", "states", "layout", "links", "cine-rate", "measure-tools", "texts"]);
/** Buttons that are not there where they could do nothing. */
const ONLY_WHERE_POSSIBLE = new Set(["states", "report", "talk", "colleague", "put-on-list", "export", "download", "process", "hang-like-this", "screen"]);
const WITH_WORD = new Set(["one-to-one"]);
/** What goes into the menu first where there is no room: what is done least often, or best by key. */
const FIRST_TO_GO = Object.freeze([
  ...["put-on-list", "process", "download", "colleague", "flip-vertical", "flip-horizontal", "rotate", "one-to-one", "maximise", "screen", "texts", "text", "redo", "lines", "tool-arrow", "fit"],
  ...["export", "talk", "tags", "hang-like-this", "cine-rate", "links", "link", "invert", "states", "help", "key-image", "undo", "reset", "cine"],
  ...["measures", "layout", "tool-ellipse", "tool-angle", "windows", "report", "measure-tools", "tool-probe", "tool-scroll", "tool-zoom", "tool-pan", "tool-length"],
]);

export class Toolbar {
  #buttons = new Map();
  #windowText;
  #rateText;
  #away = new Set();
  #width = 0;
  /** What decides which buttons have room: the same again needs no measuring. */
  #fitted = "";
  #more = element("button", { class: "tool-button toolbar-more", type: "button", title: "More", "aria-label": "More", "aria-haspopup": "menu", "aria-expanded": "false", tabindex: -1, hidden: true, onclick: () => this.#openMore() }, icon("ellipsis"));
  element;

  /** @param {import("./commands.js").Command[]} commands @param {() => string} windowText @param {() => string} rateText */
  constructor(commands, { windowText, rateText }) {
    this.#windowText = windowText;
    this.#rateText = rateText;
    const groups = GROUPS.map(([label, ids]) => {
      const found = ids.map((id) => commands.find((command) => command.id === id)).filter(Boolean);
      return element("div", { class: "toolbar-group", role: "group", "aria-label": label }, ...found.map((one) => this.#button(one)));
    });
    this.element = element("div", { class: "toolbar", role: "toolbar", "aria-label": "Tools" }, ...groups, this.#more);
    const watch = new ResizeObserver(([{ contentRect }]) => {
      this.#width = contentRect.width;
      this.#fit();
    });
    watch.observe(this.element);
    this.element.addEventListener("keydown", (event) => this.#rove(event));
    this.#buttons.values().next().value.button.tabIndex = 0;
  }

  /** The button of a command, to open a menu below; where it has no room, the one of the menu that it is in. */
  button(id) {
    return this.#away.has(id) ? this.#more : this.#buttons.get(id)?.button;
  }

  #button(command) {
    const title = titleOf(command);
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

  /** Tooltips with the keys that the commands have now. */
  retitle() {
    for (const { button, command } of this.#buttons.values()) {
      button.title = titleOf(command);
      button.setAttribute("aria-label", button.title);
    }
  }

  update() {
    for (const [id, { button, command, text }] of this.#buttons) {
      if (command.isOn) button.setAttribute("aria-pressed", String(command.isOn()));
      button.disabled = command.isPossible ? !command.isPossible() : false;
      button.hidden = this.#isNeedless(id) || this.#away.has(id);
      if (id === "windows") text.textContent = this.#windowText();
      if (id === "cine-rate") text.textContent = this.#rateText();
    }
    this.#fit();
  }

  #isNeedless(id) {
    return ONLY_WHERE_POSSIBLE.has(id) && this.#buttons.get(id).button.disabled;
  }

  /** Puts away as many buttons as it takes until the others have room. */
  #fit() {
    const ids = [...this.#buttons.keys()].filter((id) => !this.#isNeedless(id));
    const fitted = `${this.#width} ${ids} ${[...this.#buttons.values()].map(({ text }) => text.textContent.length)}`;
    if (fitted === this.#fitted) return;
    this.#fitted = fitted;
    const { element: bar } = this;
    const isTooLong = () => bar.scrollWidth > bar.clientWidth;
    for (const [id, { button }] of this.#buttons) button.hidden = this.#isNeedless(id);
    this.#away.clear();
    this.#more.hidden = true;
    if (!bar.clientWidth || !isTooLong()) return;
    this.#more.hidden = false;
    for (const id of FIRST_TO_GO) {
      const known = this.#buttons.get(id);
      if (!known || known.button.hidden) continue;
      known.button.hidden = true;
      this.#away.add(id);
      if (!isTooLong()) return;
    }
  }

  #openMore() {
    const items = [...this.#away].reverse().map((id) => this.#buttons.get(id)).map(({ command, button }) => ({
      label: command.label,
      key: (command.keys ?? []).slice(0, 1).map(keyForPeople).join(""),
      icon: command.icon,
      isChecked: command.isOn ? command.isOn() : undefined,
      isRadio: command.id.startsWith("tool-"),
      isDisabled: button.disabled,
      run: command.run,
    }));
    openMenu(items, { below: this.#more, label: "More" });
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

/** "Length (l)". */
function titleOf(command) {
  const keys = (command.keys ?? []).slice(0, 1).map(keyForPeople).join("");
  return keys ? `${command.label} (${keys})` : command.label;
}
