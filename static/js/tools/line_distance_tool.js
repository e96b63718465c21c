/** Distance of a place from a line: the line is dragged, then a click at the place. */
import { DrawingTool } from "./drawing_tool.js";

export class LineDistanceTool extends DrawingTool {
  static id = "line_distance";
  static kind = "line_distance";
  static stops = [3];
}
