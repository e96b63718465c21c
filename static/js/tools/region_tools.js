/**
 * A rectangle or an arrow that says what a remark is about: told to whoever writes it, and kept by nobody else.
 */
import { ArrowTool } from "./arrow_tool.js";
import { RectangleTool } from "./rectangle_tool.js";

const tell = (pane, mark) => {
  pane.setDraft(null);
  pane.dispatchEvent(new CustomEvent("region", { detail: mark }));
};

export class RegionRectangleTool extends RectangleTool {
  static id = "region-rectangle";

  keep(pane, mark) {
    tell(pane, mark);
  }
}

export class RegionArrowTool extends ArrowTool {
  static id = "region-arrow";

  keep(pane, mark) {
    tell(pane, mark);
  }
}
