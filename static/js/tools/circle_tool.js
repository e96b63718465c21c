/** A circle: dragged from its middle to its rim; round in the patient. */
import { DrawingTool } from "./drawing_tool.js";

export class CircleTool extends DrawingTool {
  static id = "circle";
  static kind = "circle";
}
