/** A rectangle: dragged from corner to corner. */
import { DrawingTool } from "./drawing_tool.js";

export class RectangleTool extends DrawingTool {
  static id = "rectangle";
  static kind = "rectangle";
}
