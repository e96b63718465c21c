/**
 * A menu at a place or below a button: arrow keys, Home, End, Escape; the focus goes back where it was.
 */
import { element, icon } from "../../core/dom.js";

const MARGIN_PX = 8;
let closeOpen = () => {};

/**
 * @param {object[]} items {label, detail, key, icon, isChecked, isRadio, isDisabled, run} or {heading}
 * @param {{at?: {x: number, y: number}, below?: HTMLElement, label: string}} place
 */
export function openMenu(items, { at, below, label }) {
  closeOpen();
  const before = document.activeElement;
  const menu = element("div", { class: "menu", role: "menu", "aria-label": label, tabindex: -1 });
  const listeners = new AbortController();
  const close = ({ isBack = true } = {}) => {
    listeners.abort();
    menu.remove();
    below?.setAttribute("aria-expanded", "false");
    if (isBack) before?.focus?.({ preventScroll: true });
    closeOpen = () => {};
  };
  const hasChoices = items.some((item) => item.isChecked !== undefined);
  menu.append(...items.map((item) => menuItem(item, close, hasChoices)));
  document.body.append(menu);
  below?.setAttribute("aria-expanded", "true");
  put(menu, at ?? placeBelow(below));
  listen(menu, close, listeners.signal);
  closeOpen = close;
  (menu.querySelector('[aria-checked="true"]') ?? menu.querySelector(".menu-item") ?? menu).focus({ preventScroll: true });
}

function menuItem(item, close, hasChoices) {
  if (item.heading) return element("div", { class: "menu-heading", text: item.heading });
  const isChoice = item.isChecked !== undefined;
  return element(
    "button",
    {
      class: "menu-item",
      type: "button",
      role: isChoice ? (item.isRadio === false ? "menuitemcheckbox" : "menuitemradio") : "menuitem",
      "aria-checked": isChoice ? String(item.isChecked) : null,
      disabled: item.isDisabled,
      tabindex: -1,
      onclick: () => {
        close();
        item.run();
      },
    },
    hasChoices ? element("span", { class: "menu-check", "aria-hidden": "true", text: item.isChecked ? "✓" : "" }) : null,
    item.icon ? icon(item.icon, { small: true }) : null,
    element("span", { class: "menu-item-label", text: item.label }),
    item.detail ? element("span", { class: "menu-item-detail", text: item.detail }) : null,
    item.key ? element("kbd", { class: "menu-item-key", text: item.key }) : null,
  );
}

function placeBelow(button) {
  const box = button.getBoundingClientRect();
  return { x: box.left, y: box.bottom + 2 };
}

/** Inside the window, wherever it was asked for. */
function put(menu, { x, y }) {
  const box = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(MARGIN_PX, Math.min(x, innerWidth - box.width - MARGIN_PX))}px`;
  menu.style.top = `${Math.max(MARGIN_PX, Math.min(y, innerHeight - box.height - MARGIN_PX))}px`;
}

function listen(menu, close, signal) {
  const items = () => [...menu.querySelectorAll(".menu-item:not([disabled])")];
  const go = (step) => {
    const all = items();
    const index = all.indexOf(document.activeElement);
    all[(index + step + all.length) % all.length]?.focus();
  };
  menu.addEventListener(
    "keydown",
    (event) => {
      const keys = {
        ArrowDown: () => go(1),
        ArrowUp: () => go(-1),
        Home: () => items()[0]?.focus(),
        End: () => items().at(-1)?.focus(),
        Escape: () => close(),
        Tab: () => close(),
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    },
    { signal },
  );
  document.addEventListener("pointerdown", (event) => !menu.contains(event.target) && close({ isBack: false }), { signal, capture: true });
  window.addEventListener("blur", () => close({ isBack: false }), { signal });
  window.addEventListener("resize", () => close({ isBack: false }), { signal });
}
