/** Calibration by hand: something of known length is drawn along, then its length is written. */
import { mayBeCalibrated } from "../geometry/distance.js";
import { readLength } from "../geometry/written_values.js";
import { DrawingTool } from "./drawing_tool.js";

export class CalibrationTool extends DrawingTool {
  static id = "calibration";
  static kind = "calibration";

  keep(pane, mark) {
    const at = pane.viewport.toCss(mark.points[1]);
    if (!mayBeCalibrated(pane.viewport.manifest)) {
      pane.showAtPointer(at, "This image has a scale of its own; it stands.");
      return;
    }
    pane.askText(at, "", (text) => text && this.#take(pane, mark, text), { label: "Length of this line", hint: "mm, or 2.5 cm" });
  }

  #take(pane, mark, text) {
    const known_mm = readLength(text);
    if (known_mm > 0) pane.addMark({ ...mark, known_mm });
    else pane.showAtPointer(pane.viewport.toCss(mark.points[1]), "Write a length, such as 20 or 2.5 cm.");
  }
}
