/**
 * What every tool answers. A tool asks the viewport; it never draws or fetches by itself.
 *
 * @typedef {object} Gesture where a pointer is and how far it has come
 * @property {{x: number, y: number}} device device pixels of the canvas
 * @property {{x: number, y: number}} css CSS pixels of the viewport
 * @property {{x: number, y: number}} image image coordinates
 * @property {number} dx since the last move, CSS pixels
 * @property {number} dy
 * @property {number} totalX since the pointer went down
 * @property {number} totalY
 * @property {boolean} isDown false while a mouse only hovers
 * @property {boolean} hasMoved since the pointer went down
 */
export class Tool {
  /** Name as the tool bar and the keys know it. */
  static id = "";

  /** @param {object} pane the viewport with what lies over it (see pages/viewer_parts/pane.js) */
  activate(_pane) {}

  /** @param {object} _pane @param {Gesture} _gesture */
  pointerDown(_pane, _gesture) {}

  pointerMove(_pane, _gesture) {}

  pointerUp(_pane, _gesture) {}

  /** Takes back what is under way. @returns {boolean} whether there was anything */
  cancel(_pane) {
    return false;
  }

  deactivate(_pane) {}

  /** Ends what is under way with what there is: Enter or a double click. @returns {boolean} whether that meant anything */
  finish() {
    return false;
  }
}
