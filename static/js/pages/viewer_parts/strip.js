/**
 * The strip: every stack of the study, and of priors that were opened, with a thumbnail; a click shows it in the active viewport, a drag in any.
 */
import { element, setText } from "../../core/dom.js";
import { seriesName } from "../../viewport/corner_lines.js";

export const STACK_TYPE = "application/x-portal-stack";

export class Strip {
  #list;
  #viewer;
  #store;
  #foreign;

  /**
   * @param {HTMLElement} list as the server wrote it
   * @param {import("./viewer.js").Viewer} viewer
   * @param {import("../../annotations/mark_store.js").MarkStore} store
   * @param {import("../../objects/foreign_marks.js").ForeignMarks} foreign
   */
  constructor(list, viewer, store, foreign) {
    this.#list = list;
    this.#viewer = viewer;
    this.#store = store;
    this.#foreign = foreign;
    foreign.addEventListener("change", () => this.#flag());
    store.addEventListener("change", () => this.#flag());
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("dragstart", (event) => this.#dragged(event));
    list.addEventListener("keydown", (event) => this.#rove(event));
    viewer.addEventListener("shown", () => this.update());
    viewer.addEventListener("active", () => this.update());
  }

  /** Writes the strip anew, as the study is now. */
  render() {
    const { stacks, others } = this.#viewer.library;
    const items = (entries) => entries.map((entry) => element("li", {}, this.#item(entry)));
    const priors = others.flatMap(({ words, stacks: entries }) => [element("li", { class: "strip-heading", text: words }), ...items(entries)]);
    this.#list.replaceChildren(...items(stacks), ...priors);
    this.update();
    this.#flag();
  }

  #item(entry) {
    const number = entry.SeriesNumber === null || entry.SeriesNumber === undefined ? "" : `S${entry.SeriesNumber}`;
    const count = entry.frames > 1 ? `${entry.frames}` : "";
    const name = entry.SeriesDescription || entry.label || entry.Modality;
    const picture = entry.thumbnail
      ? element("img", { class: "strip-picture", src: entry.thumbnail, alt: "", loading: "lazy", decoding: "async", draggable: "false" })
      : element("span", { class: "strip-picture strip-picture-none", text: entry.reason || "No picture" });
    return element(
      "a",
      {
        class: entry.derived ? "strip-item strip-item-derived" : "strip-item",
        href: entry.page || `?stack=${entry.stack}`,
        "data-stack": entry.stack,
        draggable: entry.drawable ? "true" : "false",
        title: [number, seriesName(entry), entry.label, entry.processed, entry.reason].filter(Boolean).join(" · "),
      },
      element("span", { class: "strip-head" }, element("span", { text: `${number} ${entry.Modality}`.trim() }), element("span", { text: count })),
      picture,
      element("span", { class: "strip-name", text: name }),
      entry.label && entry.label !== name ? element("span", { class: "strip-label", text: entry.label }) : null,
      entry.derived ? element("span", { class: "strip-label", text: "processed" }) : null,
    );
  }

  /** Says how many key images a stack has. */
  #flag() {
    const keyImages = this.#store.all.filter(({ kind }) => kind === "key_image");
    for (const item of this.#list.querySelectorAll(".strip-item")) {
      const { stack } = item.dataset;
      const keys = stack ? keyImages.filter((mark) => mark.stack === stack).length + this.#foreign.keysOf(stack) : 0;
      const flag = item.querySelector(".strip-flag") ?? item.appendChild(element("span", { class: "strip-flag" }));
      setText(flag, keys ? `★ ${keys} key` : "");
      flag.hidden = !keys;
    }
  }

  /** Marks what is shown, and what is shown in the active viewport. */
  update() {
    const shown = new Set(this.#viewer.panes.map((pane) => pane.viewport.manifest?.stack));
    const active = this.#viewer.active?.viewport.manifest?.stack;
    for (const item of this.#list.querySelectorAll(".strip-item")) {
      const { stack } = item.dataset;
      item.classList.toggle("strip-item-shown", Boolean(stack) && shown.has(stack));
      if (stack && stack === active) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }

  #clicked(event) {
    const item = event.target.closest(".strip-item");
    if (!item || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // An object without a picture, and a video, have a page of their own.
    if (item.getAttribute("href").startsWith("/")) return;
    event.preventDefault();
    if (!item.dataset.stack) return;
    this.#viewer.show(this.#viewer.active, item.dataset.stack);
    this.#viewer.focus();
  }

  #dragged(event) {
    const item = event.target.closest?.(".strip-item");
    if (!item) return;
    event.dataTransfer.setData(STACK_TYPE, item.dataset.stack);
    event.dataTransfer.effectAllowed = "copy";
  }

  #rove(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...this.#list.querySelectorAll(".strip-item")];
    items[items.indexOf(document.activeElement) + step]?.focus();
  }
}

/** Lets stacks be dropped on viewports. */
export function acceptDrops(container, viewer) {
  const paneUnder = (event) => viewer.panes.find((pane) => pane.surface.contains(event.target));
  container.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes(STACK_TYPE) || !paneUnder(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  container.addEventListener("drop", (event) => {
    const stack = event.dataTransfer.getData(STACK_TYPE);
    const pane = paneUnder(event);
    if (!stack || !pane) return;
    event.preventDefault();
    viewer.show(pane, stack);
    viewer.focus(viewer.panes.indexOf(pane));
  });
}
