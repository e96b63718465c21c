/** A line with corners: a click at each; ended by a double click or Enter. */
import { PolygonTool } from "./polygon_tool.js";

export class PolylineTool extends PolygonTool {
  static id = "polyline";
  static kind = "polyline";
  static fewest = 2;
  static isClosed = false;
}
