/**
 * Which texts a reader wants on images. Identity, side, orientation, warnings and what was done to a picture always stand.
 */
import { preference, setPreference } from "../../core/preferences.js";

const PREFERENCE = "cornerTextWithout";

/** What can be left out, and what it is called. */
export const TEXTS = Object.freeze({
  study: "Examination and series",
  window: "Window and zoom",
  value: "Value under the pointer",
  frame: "Image number",
  position: "Thickness and place",
  bar: "Scale bar",
});

export class CornerChoice {
  #container;

  /** @param {HTMLElement} container of the viewports */
  constructor(container) {
    this.#container = container;
    this.#apply();
  }

  get #without() {
    const kept = preference(PREFERENCE, []);
    return Array.isArray(kept) ? kept.filter((name) => name in TEXTS) : [];
  }

  has(name) {
    return !this.#without.includes(name);
  }

  toggle(name) {
    const without = this.has(name) ? [...this.#without, name] : this.#without.filter((one) => one !== name);
    setPreference(PREFERENCE, without);
    this.#apply();
  }

  #apply() {
    for (const name of Object.keys(TEXTS)) this.#container.classList.toggle(`viewports-without-${name}`, !this.has(name));
  }
}

/** @param {CornerChoice} choice @param {import("./viewer.js").Viewer} viewer @returns items for openMenu */
export function textItems(choice, viewer) {
  const one = (label, isChecked, run) => ({ label, isChecked, isRadio: false, run });
  return [
    one("Text on images", viewer.hasText, () => viewer.setText(!viewer.hasText)),
    { heading: "Of these" },
    ...Object.entries(TEXTS).map(([name, label]) => one(label, choice.has(name), () => choice.toggle(name))),
  ];
}
