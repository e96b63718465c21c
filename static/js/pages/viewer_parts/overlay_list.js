/**
 * Legend of segmentations and structure sets: what is shown, in which color, how strongly, and volume and values on demand.
 */
import { formatValue } from "../../annotations/mark_values.js";
import { element, setText } from "../../core/dom.js";

export class OverlayList {
  #overlays;
  #viewer;
  #list = element("div", { class: "overlay-objects" });
  element;

  /** @param {import("../../objects/overlay_store.js").OverlayStore} overlays @param {import("./viewer.js").Viewer} viewer */
  constructor(overlays, viewer) {
    this.#overlays = overlays;
    this.#viewer = viewer;
    const percent = Math.round(overlays.opacity * 100);
    const slider = element("input", { type: "range", min: 5, max: 100, step: 5, value: percent, id: "overlay-opacity" });
    slider.addEventListener("input", () => overlays.setOpacity(Number(slider.value) / 100));
    this.element = element(
      "section",
      { class: "overlay-list", "aria-label": "Segments", hidden: true },
      element("h3", { text: "Segments" }),
      element("p", { class: "overlay-opacity" }, element("label", { for: "overlay-opacity", text: "Opacity" }), slider),
      this.#list,
    );
    overlays.addEventListener("list", () => this.#render());
  }

  #render() {
    const known = this.#overlays.all.filter((one) => one.segments.length);
    this.element.hidden = !known.length;
    this.#list.replaceChildren(...known.map((overlay) => this.#object(overlay)));
  }

  #object(overlay) {
    const { SOPInstanceUID: uid, segments } = overlay;
    const boxes = new Map();
    const all = element("input", { type: "checkbox" });
    const rows = segments.map((segment) => this.#segment(overlay, segment, boxes));
    const update = () => {
      const shown = segments.filter(({ number }) => this.#overlays.isShown(uid, number)).length;
      all.checked = shown === segments.length;
      all.indeterminate = shown > 0 && shown < segments.length;
      for (const [number, box] of boxes) box.checked = this.#overlays.isShown(uid, number);
    };
    all.addEventListener("change", () => this.#overlays.show(uid, segments.map(({ number }) => number), all.checked));
    this.#overlays.addEventListener("change", update);
    const isPlaced = overlay.stacks.length > 0;
    for (const box of [all, ...boxes.values()]) box.disabled = !isPlaced;
    const word = element("p", { class: "overlay-note", role: "status" });
    if (!isPlaced) setText(word, "No series of this study lies in the same planes and frame of reference.");
    const measure = element("button", { class: "button button-quiet", type: "button", text: "Volume and values", disabled: !isPlaced, onclick: () => this.#measure(overlay, rows, word) });
    return element(
      "div",
      { class: "overlay-object" },
      element("label", { class: "overlay-name" }, all, element("span", { text: overlay.label || "Segmentation" })),
      element("ul", { class: "overlay-segments" }, ...rows.map(({ node }) => node)),
      measure,
      word,
    );
  }

  #segment({ SOPInstanceUID: uid }, segment, boxes) {
    const box = element("input", { type: "checkbox", onchange: () => this.#overlays.show(uid, [segment.number], box.checked) });
    boxes.set(segment.number, box);
    const swatch = element("span", { class: "overlay-swatch" });
    swatch.style.backgroundColor = `rgb(${segment.color.join(" ")})`;
    const numbers = element("span", { class: "overlay-numbers" });
    const label = element("label", { title: [segment.kind, segment.algorithm].filter(Boolean).join(" · ") }, box, swatch, element("span", { text: segment.label }));
    return { number: segment.number, numbers, node: element("li", {}, label, numbers) };
  }

  /** On the stack that is looked at, else on the first that it lies over. */
  async #measure(overlay, rows, word) {
    const active = this.#viewer.active.viewport.manifest?.stack;
    const stack = overlay.stacks.includes(active) ? active : overlay.stacks[0];
    setText(word, "Being measured …");
    try {
      const { unit, segments } = await this.#overlays.statistics(overlay.SOPInstanceUID, stack);
      const found = new Map(segments.map((one) => [one.number, one]));
      for (const { number, numbers } of rows) setText(numbers, numbersOf(found.get(number), unit));
      setText(word, "");
    } catch (error) {
      setText(word, error.message);
    }
  }
}

/** "12.3 ml · mean 45.1 HU · SD 12.0 · −20 to 130". */
export function numbersOf(found, unit) {
  if (!found) return "";
  const volume = `${formatValue(found.volume_ml)} ml`;
  if (!found.count) return `${volume} · no pixel of this series`;
  const span = Math.max(Math.abs(found.minimum), Math.abs(found.maximum));
  const said = (value) => formatValue(value, span);
  return [volume, `mean ${said(found.mean)} ${unit}`.trim(), `SD ${said(found.sd)}`, `${said(found.minimum)} to ${said(found.maximum)}`].join(" · ");
}
