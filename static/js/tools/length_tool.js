/** A length: dragged from end to end, or with a click at each end. */
import { DrawingTool } from "./drawing_tool.js";

export class LengthTool extends DrawingTool {
  static id = "length";
  static kind = "length";
}
