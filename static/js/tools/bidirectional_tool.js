/** Two axes at right angles (RECIST): the long one is dragged, the short one then lies across it, to be taken by its ends. */
import { withShortAxisOf } from "../geometry/shapes.js";
import { DrawingTool } from "./drawing_tool.js";

export class BidirectionalTool extends DrawingTool {
  static id = "bidirectional";
  static kind = "bidirectional";

  finished(points, pane) {
    return withShortAxisOf(points, pane.viewport.manifest.PixelAspectRatio);
  }
}
