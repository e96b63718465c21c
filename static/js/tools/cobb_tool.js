/** A Cobb angle: one line along each end plate. */
import { DrawingTool } from "./drawing_tool.js";

export class CobbTool extends DrawingTool {
  static id = "cobb";
  static kind = "cobb";
  static stops = [2, 4];
}
