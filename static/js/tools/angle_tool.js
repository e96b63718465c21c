/** An angle: an end, the vertex, the other end. */
import { DrawingTool } from "./drawing_tool.js";

export class AngleTool extends DrawingTool {
  static id = "angle";
  static kind = "angle";
  static stops = [3];
}
