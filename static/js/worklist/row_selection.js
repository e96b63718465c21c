/**
 * Which row of the list is selected: kept by the study's row id, so that it stays whatever happens around it.
 */
const KEPT = "portal:worklist:selected";

export class RowSelection extends EventTarget {
  #list;
  #id;

  /** @param {HTMLElement} list the element that the table stands in; its content may be replaced */
  constructor(list) {
    super();
    this.#list = list;
    this.#id = sessionStorage.getItem(KEPT) ?? "";
  }

  /** @returns {HTMLTableRowElement[]} */
  get rows() {
    return [...this.#list.querySelectorAll(".worklist-row")];
  }

  /** The selected row, where it is on this page. */
  get row() {
    return this.#id ? this.rows.find((row) => row.id === this.#id) ?? null : null;
  }

  /**
   * @param {HTMLTableRowElement} row
   * @param {{focus?: boolean}} [options] focus: as the keyboard moves
   */
  select(row, { focus = false } = {}) {
    const changed = row.id !== this.#id;
    this.#id = row.id;
    sessionStorage.setItem(KEPT, row.id);
    this.restore();
    if (focus) row.focus({ preventScroll: true });
    if (focus) row.scrollIntoView({ block: "nearest" });
    if (changed) this.dispatchEvent(new Event("change"));
  }

  /**
   * Moves by rows; the first press selects the first or last one.
   * @param {number} step
   * @returns {boolean} false where there is no row in that direction
   */
  move(step) {
    const { rows } = this;
    const at = rows.findIndex((row) => row.id === this.#id);
    const to = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
    if (!rows[to]) return false;
    this.select(rows[to], { focus: true });
    return true;
  }

  /** Marks the selected row again after the list was drawn anew. */
  restore() {
    for (const row of this.rows) {
      const isSelected = row.id === this.#id;
      row.setAttribute("aria-selected", String(isSelected));
      row.tabIndex = isSelected ? 0 : -1;
    }
    if (!this.row && this.rows.length) this.rows[0].tabIndex = 0;
  }
}
