/**
 * The page of masks: rectangles are drawn on the picture; the text field beside it says the same and works alone.
 */
import { element } from "../core/dom.js";

const SMALLEST_PX = 3;

class MaskForm {
  #form;
  #picture;
  #text;
  #undo;
  #start = null;

  constructor(form) {
    this.#form = form;
    this.#picture = form.querySelector("[data-picture]");
    this.#text = form.querySelector("[data-text]");
    this.#undo = form.querySelector("[data-undo]");
    this.#text.addEventListener("input", () => this.#draw());
    this.#undo.addEventListener("click", () => this.#write(this.#rectangles.slice(0, -1)));
    this.#picture.addEventListener("pointerdown", (event) => this.#begin(event));
    this.#picture.addEventListener("pointerup", (event) => this.#end(event));
    this.#draw();
  }

  get #rectangles() {
    try {
      const found = JSON.parse(this.#text.value);
      return Array.isArray(found) ? found.filter((one) => Array.isArray(one) && one.length === 4) : [];
    } catch {
      return [];
    }
  }

  #size() {
    return { rows: Number(this.#form.dataset.rows), columns: Number(this.#form.dataset.columns) };
  }

  /** Where a pointer is, in pixels of the image. */
  #place({ clientX, clientY }) {
    const box = this.#picture.getBoundingClientRect();
    const { rows, columns } = this.#size();
    return { row: ((clientY - box.top) / box.height) * rows, column: ((clientX - box.left) / box.width) * columns };
  }

  #begin(event) {
    event.preventDefault();
    this.#picture.setPointerCapture(event.pointerId);
    this.#start = this.#place(event);
  }

  #end(event) {
    if (!this.#start) return;
    const [one, other] = [this.#start, this.#place(event)];
    this.#start = null;
    const row = Math.floor(Math.min(one.row, other.row));
    const column = Math.floor(Math.min(one.column, other.column));
    const height = Math.ceil(Math.abs(one.row - other.row));
    const width = Math.ceil(Math.abs(one.column - other.column));
    if (height >= SMALLEST_PX && width >= SMALLEST_PX) this.#write([...this.#rectangles, [row, column, height, width]]);
  }

  #write(rectangles) {
    this.#text.value = JSON.stringify(rectangles);
    this.#draw();
  }

  #draw() {
    const { rows, columns } = this.#size();
    for (const old of this.#picture.querySelectorAll(".mask-rectangle")) old.remove();
    for (const [row, column, height, width] of this.#rectangles) {
      const box = element("div", { class: "mask-rectangle" });
      box.style.top = `${(row / rows) * 100}%`;
      box.style.left = `${(column / columns) * 100}%`;
      box.style.height = `${(height / rows) * 100}%`;
      box.style.width = `${(width / columns) * 100}%`;
      this.#picture.append(box);
    }
    this.#undo.hidden = !this.#rectangles.length;
  }
}

for (const form of document.querySelectorAll("[data-mask]")) new MaskForm(form);
