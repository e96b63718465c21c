/** An arrow: dragged from its tail to its tip. */
import { DrawingTool } from "./drawing_tool.js";

export class ArrowTool extends DrawingTool {
  static id = "arrow";
  static kind = "arrow";
}
