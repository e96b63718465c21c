/** An ellipse: dragged from corner to corner of the box around it. */
import { DrawingTool } from "./drawing_tool.js";

export class EllipseTool extends DrawingTool {
  static id = "ellipse";
  static kind = "ellipse";
}
